namespace ControlPlane.Executions;

/// <summary>What can happen to an execution after it was accepted.</summary>
public enum Signal
{
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

public abstract record Transition
{
    private Transition() { }

    public sealed record MoveTo(ExecutionState State) : Transition;

    public sealed record Ignore(string Why) : Transition;
}

/// <summary>The state machine of an execution. Tables judge races by conditions generated from it.</summary>
public static class ExecutionLifecycle
{
    public static Transition Next(ExecutionState state, Signal signal) => (state, signal) switch
    {
        (ExecutionState.Queued, Signal.Claimed) => To(ExecutionState.Dispatching),

        (ExecutionState.Dispatching or ExecutionState.DispatchUnknown, Signal.Accepted) => To(ExecutionState.Dispatched),
        (ExecutionState.Dispatching, Signal.Ambiguous) => To(ExecutionState.DispatchUnknown),
        (ExecutionState.Dispatching, Signal.Deferred) => To(ExecutionState.Queued),
        (ExecutionState.Queued or ExecutionState.Dispatching, Signal.Refused) => To(ExecutionState.Failed),

        // The engine's word may overtake our own record of having dispatched.
        ({ IsTerminal: false } and not ExecutionState.Running, Signal.Started) => To(ExecutionState.Running),
        ({ IsTerminal: false }, Signal.Succeeded) => To(ExecutionState.Succeeded),
        ({ IsTerminal: false }, Signal.Failed) => To(ExecutionState.Failed),
        ({ IsTerminal: false }, Signal.Stopped) => To(ExecutionState.Cancelled),

        // A time-out is our guess; the engine's late word replaces it.
        (ExecutionState.TimedOut, Signal.Succeeded) => To(ExecutionState.Succeeded),
        (ExecutionState.TimedOut, Signal.Failed) => To(ExecutionState.Failed),
        (ExecutionState.TimedOut, Signal.Stopped) => To(ExecutionState.Cancelled),

        ({ IsTerminal: false }, Signal.Cancelled) => To(ExecutionState.Cancelled),
        ({ IsTerminal: false }, Signal.Expired) => To(ExecutionState.TimedOut),

        _ => new Transition.Ignore($"{signal} means nothing to an execution that is {state.Name}"),
    };

    /// <summary>The states that a signal moves, which is what a conditional write asks for.</summary>
    public static IReadOnlyList<ExecutionState> MovedBy(Signal signal) => [.. ExecutionStates.All.Where(state => Next(state, signal) is Transition.MoveTo)];

    private static Transition.MoveTo To(ExecutionState state) => new(state);
}
