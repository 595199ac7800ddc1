namespace ControlPlane.Executions;

public enum ExecutionState { AwaitingApproval, Queued, Dispatching, Dispatched, DispatchUnknown, Running, Succeeded, Failed, Cancelled, TimedOut, Denied }

public static class ExecutionStates
{
    public static readonly IReadOnlyList<ExecutionState> All = Enum.GetValues<ExecutionState>();

    extension(ExecutionState state)
    {
        public bool IsTerminal =>
            state is ExecutionState.Succeeded or ExecutionState.Failed or ExecutionState.Cancelled or ExecutionState.TimedOut or ExecutionState.Denied;

        /// <summary>The state's name in tables, on the wire and in Slack.</summary>
        public string Name => state switch
        {
            ExecutionState.AwaitingApproval => "AWAITING_APPROVAL",
            ExecutionState.Queued => "QUEUED",
            ExecutionState.Dispatching => "DISPATCHING",
            ExecutionState.Dispatched => "DISPATCHED",
            ExecutionState.DispatchUnknown => "DISPATCH_UNKNOWN",
            ExecutionState.Running => "RUNNING",
            ExecutionState.Succeeded => "SUCCEEDED",
            ExecutionState.Failed => "FAILED",
            ExecutionState.Cancelled => "CANCELLED",
            ExecutionState.TimedOut => "TIMED_OUT",
            ExecutionState.Denied => "DENIED",
            _ => throw new ArgumentOutOfRangeException(nameof(state)),
        };
    }

    /// <exception cref="FormatException">No state has that name.</exception>
    public static ExecutionState Parse(string name)
    {
        foreach (var state in All)
            if (state.Name == name)
                return state;
        throw new FormatException("No execution state has that name.");
    }
}
