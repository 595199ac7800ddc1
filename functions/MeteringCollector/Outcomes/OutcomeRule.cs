using ControlPlane.Executions;

namespace ControlPlane.MeteringCollector.Outcomes;

/// <summary>What to do about an engine's word on an execution.</summary>
internal enum OutcomeDecision
{
    /// <summary>Record that it runs.</summary>
    Start,

    /// <summary>Record how it ended.</summary>
    Finish,

    /// <summary>It says nothing new.</summary>
    Repeat,

    /// <summary>The execution has ended in another way, and that stays.</summary>
    Conflict,
}

internal static class OutcomeRule
{
    /// <remarks>The first end wins, but for those that <see cref="ExecutionLifecycle"/> lets the engine's word replace. What a user cancelled stays cancelled;
    /// an engine that
    /// reports its own cancellation then agrees with it, any other end is a conflict.</remarks>
    /// <param name="hash">SHA-256 of the body, hexadecimal.</param>
    public static OutcomeDecision Decide(Execution execution, OutcomeStatus status, string hash, DateTimeOffset now)
    {
        if (ExecutionLifecycle.Find(execution, ExecutionLifecycle.SignalOf(status), holder: null, now) is not null)
            return status == OutcomeStatus.Running ? OutcomeDecision.Start : OutcomeDecision.Finish;
        return status == OutcomeStatus.Running
            || execution.OutcomeHash == hash || (status == OutcomeStatus.Cancelled && execution is { State: ExecutionState.Cancelled, CancelledBy: not null })
            ? OutcomeDecision.Repeat
            : OutcomeDecision.Conflict;
    }
}
