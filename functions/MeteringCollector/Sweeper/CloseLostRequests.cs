using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.MeteringCollector.Sweeper;

/// <summary>Finds requests that were noted and never became an execution: the process died before it sent the order, or the order was lost.</summary>
/// <remarks>Each is made a denied execution. So its user is told by the usual road, and an order that comes after all finds the execution there and starts
/// nothing.</remarks>
internal sealed class CloseLostRequests(
    ReplyStore replies, ExecutionStore executions, MessageQueue<Notification> notifications, MeteringEvents events, TimeProvider clock)
{
    public const string Code = "request_lost";

    // A sweep's share; the next minute goes on.
    private const int Most = 200;
    private const int AtOnce = 8;

    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(5);

    public async Task RunAsync(CancellationToken cancel) => await Parallel.ForEachAsync(
        await replies.OverdueAsync(Most, cancel), new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancel }, async (id, token) =>
            await SeeToAsync(id, token));

    private async Task SeeToAsync(ExecutionId id, CancellationToken cancel)
    {
        using var slice = Deadline.Slice(Slice, clock, cancel);
        try
        {
            if (await executions.FindRecentAsync(id, slice.Token) is null && await replies.FindOrderAsync(id, slice.Token) is { } order)
                await CloseAsync(id, order, slice.Token);
            await replies.SettleAsync(id, slice.Token);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            events.DueFailed(id, e);
        }
    }

    private async Task CloseAsync(ExecutionId id, ExecutionRequest order, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var denied = new Execution
        {
            Id = id,
            Tenant = TenantId.Parse(order.TenantId),
            Workflow = WorkflowName.Parse(order.Workflow),
            RequestedBy = order.RequestedBy,
            State = ExecutionState.Denied,
            CreatedAt = order.RequestedAt,
            DeadlineAt = order.RequestedAt + Workflow.DefaultDeadline,
            FinishedAt = now,
            Month = Month.Of(order.RequestedAt),
            IsPublic = order.Public,
            Inputs = order.Inputs,
            Decision = new(false, Code, "The request was lost on its way, before anything was decided. Please run it again.", []),
        };
        if (await executions.CreateDeniedAsync(denied, cancel) is not Creation.Created)
            return;                                         // it came after all
        events.RequestLost(id, denied.Tenant);
        await notifications.NotifyAsync(id, denied.Tenant, cancel);
    }
}
