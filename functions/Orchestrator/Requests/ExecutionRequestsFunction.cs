using Amazon.Lambda.Annotations;
using Amazon.Lambda.Core;
using Amazon.Lambda.SQSEvents;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Orchestrator.Plans;
using ControlPlane.Text;

namespace ControlPlane.Orchestrator.Requests;

/// <summary>A batch of execution requests in, the ones that come again out.</summary>
internal sealed class ExecutionRequestsFunction(StartExecution startExecution, SeeToApproval seeToApproval, OrchestratorEvents events, TimeProvider clock)
{
    private static readonly TimeSpan KeptBack = TimeSpan.FromMilliseconds(500);

    // Of the function's fifteen seconds: two that are slow leave time for a third of the same tenant.
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(5);

    /// <remarks>Order matters within a message group, which is one execution: what follows a failure in its group waits with it. Tenants are worked side by
    /// side, so that one who is slow holds back nobody else; one tenant's requests one after the other, for they take from the same counters.</remarks>
    [LambdaFunction(ResourceName = "ExecutionRequestsFunction")]
    public async Task<SQSBatchResponse> StartAsync(SQSEvent batch, ILambdaContext context)
    {
        using var deadline = Deadline.Of(context, KeptBack, clock);
        var messages = SqsBatches.MessagesOf(batch, events.Foreign).ToList();
        var lanes = messages.GroupBy(GroupOf).GroupBy(group => TenantOf(group.First()) ?? group.Key);
        var again = await Task.WhenAll(lanes.Select(lane => StartAsync(lane, deadline.Token)));
        var failed = again.SelectMany(one => one).ToHashSet();
        return new([.. messages.Where(failed.Contains).Select(message => new SQSBatchResponse.BatchItemFailure { ItemIdentifier = message.MessageId })]);
    }

    /// <returns>The messages that have to come again.</returns>
    private async Task<List<SQSEvent.SQSMessage>> StartAsync(IEnumerable<IEnumerable<SQSEvent.SQSMessage>> lane, CancellationToken cancel)
    {
        var again = new List<SQSEvent.SQSMessage>();
        foreach (var group in lane)
        {
            var isStopped = false;
            foreach (var message in group)
            {
                isStopped = isStopped || !await TryStartAsync(message, cancel);
                if (isStopped)
                    again.Add(message);
            }
        }
        return again;
    }

    private async Task<bool> TryStartAsync(SQSEvent.SQSMessage message, CancellationToken cancel)
    {
        using var slice = Deadline.Slice(Slice, clock, cancel);
        try
        {
            if (ApprovedIn(message) is { } approved)
                await seeToApproval.RunAsync(approved, slice.Token);
            else
                await startExecution.RunAsync(StartRequest.Parse(message.Body), slice.Token);
            return true;
        }
        catch (Exception e)
        {
            events.RequestFailed(message.MessageId, e);
            return false;
        }
    }

    /// <returns>What was approved; null where the message is about something else.</returns>
    private static MessageIds? ApprovedIn(SQSEvent.SQSMessage message) =>
        StrictJson.TryParseObject(message.Body, out var json) ? MessageIds.Read(json, ApprovalGiven.SchemaV1) : null;

    /// <returns>Null for a message that cannot be read: it fails when its turn comes.</returns>
    private static string? TenantOf(SQSEvent.SQSMessage message)
    {
        try
        {
            return (ApprovedIn(message)?.Tenant ?? StartRequest.Parse(message.Body).Tenant).ToString();
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static string GroupOf(SQSEvent.SQSMessage message) =>
        message.Attributes is { } attributes && attributes.TryGetValue("MessageGroupId", out var group) ? group : message.MessageId;
}
