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
    /// <summary>For how long after a time-out the engine's word still replaces it.</summary>
    public static readonly TimeSpan LateWithin = TimeSpan.FromHours(24);

    /// <remarks>The first end wins. A time-out was our guess, so it alone gives way. What a user cancelled stays cancelled; an engine that reports its own
    /// cancellation then agrees with it, any other end is a conflict.</remarks>
    /// <param name="hash">SHA-256 of the body, hexadecimal.</param>
    public static OutcomeDecision Decide(Execution execution, OutcomeStatus status, string hash, DateTimeOffset now) => (execution, status) switch
    {
        ({ State: ExecutionState.Running } or { State.IsTerminal: true }, OutcomeStatus.Running) => OutcomeDecision.Repeat,
        (_, OutcomeStatus.Running) => OutcomeDecision.Start,
        ({ State.IsTerminal: false }, _) => OutcomeDecision.Finish,
        _ when execution.OutcomeHash == hash => OutcomeDecision.Repeat,
        ({ State: ExecutionState.Cancelled, CancelledBy: not null }, OutcomeStatus.Cancelled) => OutcomeDecision.Repeat,
        ({ State: ExecutionState.TimedOut }, _) when now <= execution.FinishedAt + LateWithin => OutcomeDecision.Finish,
        _ => OutcomeDecision.Conflict,
    };
}
