using ControlPlane.Executions;

namespace ControlPlane.Tests.Domain.Executions;

public class ExecutionLifecycleTests
{
    private static ExecutionState? After(ExecutionState state, Signal signal) =>
        ExecutionLifecycle.Next(state, signal) is Transition.MoveTo moved ? moved.State : null;

    [Fact]
    public void The_whole_table()
    {
        var table = string.Join('\n', ExecutionStates.All.Select(state =>
            $"{state.Name}: " + string.Join(", ", Enum.GetValues<Signal>().Where(signal => After(state, signal) is not null).Select(signal => $"{signal} → {After(state, signal)!.Value.Name}"))));

        Assert.Equal(
            """
            QUEUED: Claimed → DISPATCHING, Refused → FAILED, Started → RUNNING, Succeeded → SUCCEEDED, Failed → FAILED, Stopped → CANCELLED, Cancelled → CANCELLED, Expired → TIMED_OUT
            DISPATCHING: Accepted → DISPATCHED, Ambiguous → DISPATCH_UNKNOWN, Deferred → QUEUED, Refused → FAILED, Started → RUNNING, Succeeded → SUCCEEDED, Failed → FAILED, Stopped → CANCELLED, Cancelled → CANCELLED, Expired → TIMED_OUT
            DISPATCHED: Started → RUNNING, Succeeded → SUCCEEDED, Failed → FAILED, Stopped → CANCELLED, Cancelled → CANCELLED, Expired → TIMED_OUT
            DISPATCH_UNKNOWN: Accepted → DISPATCHED, Started → RUNNING, Succeeded → SUCCEEDED, Failed → FAILED, Stopped → CANCELLED, Cancelled → CANCELLED, Expired → TIMED_OUT
            RUNNING: Succeeded → SUCCEEDED, Failed → FAILED, Stopped → CANCELLED, Cancelled → CANCELLED, Expired → TIMED_OUT
            SUCCEEDED: 
            FAILED: 
            CANCELLED: 
            TIMED_OUT: Succeeded → SUCCEEDED, Failed → FAILED, Stopped → CANCELLED
            DENIED: 
            """, table);
    }

    [Fact]
    public void Only_a_time_out_is_ever_replaced()
    {
        foreach (var state in ExecutionStates.All.Where(state => state.IsTerminal && state != ExecutionState.TimedOut))
            foreach (var signal in Enum.GetValues<Signal>())
                Assert.Null(After(state, signal));
    }

    [Fact]
    public void Every_open_state_can_be_ended_by_its_deadline()
    {
        foreach (var state in ExecutionStates.All.Where(state => !state.IsTerminal))
            Assert.Equal(ExecutionState.TimedOut, After(state, Signal.Expired));
    }

    [Fact]
    public void A_states_name_is_read_back()
    {
        foreach (var state in ExecutionStates.All)
            Assert.Equal(state, ExecutionStates.Parse(state.Name));
        Assert.Throws<FormatException>(() => ExecutionStates.Parse("queued"));
    }
}
