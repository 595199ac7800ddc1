using System.CommandLine;
using ControlPlane.Executions;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Deployments;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;

namespace ControlPlane.Operator.Commands;

/// <summary><c>execution wait</c>: each state as it comes, and 0 only for one that succeeded.</summary>
internal static class WaitForExecution
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(1);

    public static Command Build(Runner runner)
    {
        var id = TypedArguments.Execution();
        return runner.Runs(new("wait", "Waits for an execution's end. Exits with 0 only if it succeeded.") { id }, async (hub, given, cancel) =>
            await RunAsync(runner, hub, given, given.GetRequiredValue(id), cancel));
    }

    /// <remarks>It ends: every execution has a deadline, and a request without an execution is closed by the sweeper.</remarks>
    public static async Task<Answer> RunAsync(Runner runner, ControlPlaneClient hub, ParseResult given, ExecutionId id, CancellationToken cancel)
    {
        string? last = null;
        while (true)
        {
            var execution = await hub.Executions.FindAsync(id, cancel);
            if (execution is null && await hub.Replies.FindOrderAsync(id, cancel) is null && await hub.Executions.FindAsync(id, cancel) is null)
                return ExecutionCommands.NoSuch(id);
            if (execution is { State.IsTerminal: true })
                return ExecutionCommands.Shown(execution) with { IsAlarming = execution.State != ExecutionState.Succeeded };
            var state = execution?.State.Name ?? "ORDERED";
            if (state != last)
                runner.Progress(given, $"{id} {last = state}");
            await Task.Delay(BetweenLooks, hub.Clock, cancel);
        }
    }
}
