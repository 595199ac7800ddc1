using ControlPlane.Executions;
using ControlPlane.Text;

namespace ControlPlane.Administration;

/// <summary>An execution's state in one sentence, and what an operator can do about it.</summary>
public static class Reasons
{
    public static string Of(Execution execution, DateTimeOffset now) => execution.State switch
    {
        ExecutionState.Denied => $"Policy refused it ({execution.Decision?.Code}): {execution.Decision?.InPlainWords}",
        ExecutionState.AwaitingApproval =>
            $"It has {execution.Approvals.Count} of the {execution.Approval?.Approvals} approvals that it waits for, in {execution.Approval?.ChannelId} of {execution.Approval?.TeamId}.",
        ExecutionState.Queued when execution.AttemptCount == 0 => $"It was asked for {Ago(execution.CreatedAt, now)} and waits for its first dispatch.",
        ExecutionState.Queued => $"Its engine did not take it {execution.AttemptCount} times; it is tried again until its token ends.",
        ExecutionState.Dispatching when execution.LeaseUntil < now =>
            "A dispatcher died while it was handing it over: the next message about it decides, else the deadline.",
        ExecutionState.Dispatching => "A dispatcher is handing it to its engine now.",
        ExecutionState.DispatchUnknown => "The engine may have it, its answer was lost: the engine's outcome decides, else the deadline.",
        ExecutionState.Dispatched => $"Its engine took it {Ago(execution.DispatchedAt ?? execution.CreatedAt, now)} and has not said that it runs.",
        ExecutionState.Running => $"Its engine began it {Ago(execution.StartedAt ?? execution.CreatedAt, now)}.",
        ExecutionState.Succeeded => "It succeeded, as its engine says.",
        ExecutionState.Failed when execution.FailureCode is { } failure => InWords(failure),
        ExecutionState.Failed => "It failed, as its engine says.",
        ExecutionState.Cancelled when execution.CancelledBy is { } by => $"{by} cancelled it.",
        ExecutionState.Cancelled => "Its engine stopped it.",
        ExecutionState.TimedOut => "No outcome came before its deadline. One that comes within a day still counts, and is charged.",
        _ => throw new ArgumentOutOfRangeException(nameof(execution)),
    };

    private static string InWords(DispatchFailure failure) => failure switch
    {
        DispatchFailure.Unreachable => "It never ran: its engine could not be reached while its token lived. Look at the peering, the routes and the engine.",
        DispatchFailure.Expired => "It never ran: its message waited longer than its token lives. Look at the dispatch queue's age.",
        DispatchFailure.Unauthorized => "It never ran: its engine refused our token. Give it the key that ./ctl engine-key prints.",
        DispatchFailure.Rejected =>
            "Its engine answered with a refusal: look at the webhook's method and settings. A workflow can choose such an answer after it ran: an outcome that comes within a day still counts.",
        DispatchFailure.WorkflowNotActive => "It never ran: its engine has no active workflow at that path. Activate it, or publish the right --path.",
        DispatchFailure.AddressRefused => "It never ran: the stored engine address is outside the tenant's network. Set it with ./ctl tenant engine.",
        DispatchFailure.TenantNotActive => "It never ran: the tenant was suspended meanwhile.",
        DispatchFailure.Unreadable => "It never ran: its dispatch message could not be understood. Look at the dispatcher's log.",
    };

    private static string Ago(DateTimeOffset then, DateTimeOffset now) => $"{Duration.Format(now - then)} ago";
}
