using ControlPlane.Aws;
using ControlPlane.Executions;

namespace ControlPlane.Administration;

/// <summary>Ends an execution at an operator's word, as its requester could.</summary>
/// <param name="notifications">Null where there is no such queue: its requester is told by the sweeper then.</param>
public sealed class CancelExecution(ExecutionStore executions, MessageQueue<Notification>? notifications, Auditor auditor)
{
    /// <param name="by">Who does, as it goes on record.</param>
    /// <returns>As <see cref="Move.PursueAsync"/>.</returns>
    public async Task<(Move? Move, Execution From)> RunAsync(Execution execution, OperatorId by, CancellationToken cancel)
    {
        var (move, from) = await Move.PursueAsync(
            execution, one => !one.State.IsTerminal, one => executions.CancelAsync(one, by.ToString(), auditor, cancel));
        if (move is Move.Moved)
            await NotifyAsync(from, cancel);
        return (move, from);
    }

    // It is cancelled whether or not this message leaves; the sweeper finds those of whom nobody was told.
    private async Task NotifyAsync(Execution execution, CancellationToken cancel)
    {
        if (notifications is null)
            return;
        try
        {
            await notifications.NotifyAsync(execution.Id, execution.Tenant, cancel);
        }
        catch (Amazon.Runtime.AmazonServiceException)
        {
            // A minute or two later, then.
        }
    }
}
