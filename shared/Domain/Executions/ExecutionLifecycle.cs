namespace ControlPlane.Executions;

/// <summary>What can happen to an execution after it was accepted.</summary>
public enum Signal
{
    /// <summary>Enough approvers said yes, and policy too.</summary>
    Approved,

    /// <summary>An approver said no, or policy when it was asked anew; or nobody said yes in time.</summary>
    Denied,

    /// <summary>A dispatcher took the next attempt.</summary>
    Claimed,

    /// <summary>The engine has it.</summary>
    Accepted,

    /// <summary>The engine may have it: the answer was lost.</summary>
    Ambiguous,

    /// <summary>The engine certainly does not have it, and is asked again later.</summary>
    Deferred,

    /// <summary>The engine will never have it.</summary>
    Refused,

    /// <summary>The engine reports that it runs.</summary>
    Started,

    /// <summary>The engine reports success, failure or its own cancellation.</summary>
    Succeeded, Failed, Stopped,

    /// <summary>A user cancelled it.</summary>
    Cancelled,

    /// <summary>Its deadline passed.</summary>
    Expired,
}

/// <summary>What must hold of an execution beside its state.</summary>
public enum Guard
{
    None,

    /// <summary>Whoever says so has the latest claim; or nobody ever had one, and he knows.</summary>
    HoldsClaim,

    /// <summary>Its workflow may run twice, and whoever has the latest claim has had it for longer than its lease.</summary>
    MayBeTakenOver,

    /// <summary>It ended no longer ago than <see cref="ExecutionLifecycle.SupersededWithin"/>.</summary>
    EndedLately,

    /// <summary>It ended as lately because its engine answered with a refusal of its own choosing: a workflow can choose one after it ran.</summary>
    RejectedLately,
}

/// <summary>What a transition does to the reservation that was taken when the execution was created.</summary>
public enum QuotaEffect
{
    /// <summary>Nothing: it stays reserved, or was dealt with before.</summary>
    None,

    /// <summary>It is given back.</summary>
    Release,

    /// <summary>It becomes a use.</summary>
    Settle,

    /// <summary>It was given back before, and the work was done all the same: it is charged now, above the limit if need be.</summary>
    Charge,
}

/// <summary>A transition: from one state to another, when a guard holds.</summary>
public sealed record Transition(ExecutionState From, Signal Signal, Guard Guard, ExecutionState To, QuotaEffect Quota = QuotaEffect.None)
{
    /// <param name="holder">Who says so: as <see cref="Execution.LeaseOwner"/> names him; null for one who found the execution never claimed.</param>
    public bool Admits(Execution execution, string? holder, DateTimeOffset now) => execution.State == From && Guard switch
    {
        Guard.None => true,
        Guard.HoldsClaim => execution.LeaseOwner == holder,
        Guard.MayBeTakenOver => execution.IsIdempotent && execution.LeaseUntil < now,
        Guard.EndedLately => execution.FinishedAt >= now - ExecutionLifecycle.SupersededWithin,
        Guard.RejectedLately => execution.FailureCode == DispatchFailure.Rejected && execution.FinishedAt >= now - ExecutionLifecycle.SupersededWithin,
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}

/// <summary>The state machine of an execution: every transition there is. Tables judge races by conditions made from these rows.</summary>
public static class ExecutionLifecycle
{
    /// <summary>For how long the engine's word still replaces an end that was only our guess.</summary>
    public static readonly TimeSpan SupersededWithin = TimeSpan.FromHours(24);

    // What waits for approval is open too, but no engine can know of it.
    private static readonly IReadOnlyList<ExecutionState> Open =
        [.. ExecutionStates.All.Where(state => !state.IsTerminal && state != ExecutionState.AwaitingApproval)];

    public static IReadOnlyList<Transition> Transitions { get; } =
    [
        // No token exists before: whoever waits can only be let through, or end.
        new(ExecutionState.AwaitingApproval, Signal.Approved, Guard.None, ExecutionState.Queued),
        new(ExecutionState.AwaitingApproval, Signal.Denied, Guard.None, ExecutionState.Denied, QuotaEffect.Release),
        new(ExecutionState.AwaitingApproval, Signal.Cancelled, Guard.None, ExecutionState.Cancelled, QuotaEffect.Release),

        // The first claim, and the one after a claim that nobody ended: the engine may get it twice, so only where it may run twice.
        new(ExecutionState.Queued, Signal.Claimed, Guard.None, ExecutionState.Dispatching),
        new(ExecutionState.Dispatching, Signal.Claimed, Guard.MayBeTakenOver, ExecutionState.Dispatching),
        new(ExecutionState.DispatchUnknown, Signal.Claimed, Guard.MayBeTakenOver, ExecutionState.Dispatching),

        // Without the guard a repeat of a write whose answer was lost would undo the claim of the next dispatcher.
        new(ExecutionState.Dispatching, Signal.Accepted, Guard.HoldsClaim, ExecutionState.Dispatched),
        new(ExecutionState.DispatchUnknown, Signal.Accepted, Guard.HoldsClaim, ExecutionState.Dispatched),
        new(ExecutionState.Dispatching, Signal.Ambiguous, Guard.HoldsClaim, ExecutionState.DispatchUnknown),
        new(ExecutionState.Dispatching, Signal.Deferred, Guard.HoldsClaim, ExecutionState.Queued),
        new(ExecutionState.Queued, Signal.Refused, Guard.HoldsClaim, ExecutionState.Failed, QuotaEffect.Release),
        new(ExecutionState.Dispatching, Signal.Refused, Guard.HoldsClaim, ExecutionState.Failed, QuotaEffect.Release),

        // The engine's word may overtake our own record of having dispatched.
        .. From(Open.Where(state => state != ExecutionState.Running), Signal.Started, ExecutionState.Running),
        .. From(Open, Signal.Succeeded, ExecutionState.Succeeded, QuotaEffect.Settle),
        .. From(Open, Signal.Failed, ExecutionState.Failed, QuotaEffect.Settle),
        .. From(Open, Signal.Stopped, ExecutionState.Cancelled, QuotaEffect.Settle),

        // A time-out is our guess, and a refusal says nothing of what ran before it: the engine's late word replaces both.
        .. Late(ExecutionState.TimedOut, Guard.EndedLately),
        .. Late(ExecutionState.Failed, Guard.RejectedLately),

        // What the engine may have begun when a user cancels it counts.
        new(ExecutionState.Queued, Signal.Cancelled, Guard.None, ExecutionState.Cancelled, QuotaEffect.Release),
        .. From(Open.Where(state => state != ExecutionState.Queued), Signal.Cancelled, ExecutionState.Cancelled, QuotaEffect.Settle),
        .. From(Open, Signal.Expired, ExecutionState.TimedOut, QuotaEffect.Release),
    ];

    /// <summary>The transition that a signal causes, as far as the execution is known; null when it means nothing to it.</summary>
    /// <inheritdoc cref="Transition.Admits" path="/param"/>
    public static Transition? Find(Execution execution, Signal signal, string? holder, DateTimeOffset now) =>
        Transitions.FirstOrDefault(one => one.Signal == signal && one.Admits(execution, holder, now));

    /// <summary>The transitions of a signal that do the same to the quota, so that one write can ask for any of them.</summary>
    public static IReadOnlyList<Transition> Of(Signal signal, QuotaEffect quota = QuotaEffect.None) =>
        [.. Transitions.Where(one => one.Signal == signal && one.Quota == quota)];

    /// <summary>What an engine's report means.</summary>
    public static Signal SignalOf(OutcomeStatus status) => status switch
    {
        OutcomeStatus.Running => Signal.Started,
        OutcomeStatus.Succeeded => Signal.Succeeded,
        OutcomeStatus.Failed => Signal.Failed,
        OutcomeStatus.Cancelled => Signal.Stopped,
        _ => throw new ArgumentOutOfRangeException(nameof(status)),
    };

    private static IEnumerable<Transition> Late(ExecutionState end, Guard guard) =>
    [
        new(end, Signal.Succeeded, guard, ExecutionState.Succeeded, QuotaEffect.Charge),
        new(end, Signal.Failed, guard, ExecutionState.Failed, QuotaEffect.Charge),
        new(end, Signal.Stopped, guard, ExecutionState.Cancelled, QuotaEffect.Charge),
    ];

    private static IEnumerable<Transition> From(IEnumerable<ExecutionState> states, Signal signal, ExecutionState to, QuotaEffect quota = QuotaEffect.None) =>
        states.Select(state => new Transition(state, signal, Guard.None, to, quota));
}
