using System.CommandLine;
using System.Diagnostics;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Deployments;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;

namespace ControlPlane.Operator.Commands;

/// <summary><c>execution cancel</c>: ends it at once, as its requester could.</summary>
internal static class CancelExecution
{
    public static Command Build(Runner runner)
    {
        var id = TypedArguments.Execution();
        return runner.Runs(new("cancel", "Ends an execution now. What its engine has begun counts, and what it still reports is ignored.") { id },
            async (hub, given, cancel) => await hub.Executions.FindAsync(given.GetRequiredValue(id), cancel) is { } execution
                ? await CancelAsync(hub, execution, cancel)
                : ExecutionCommands.NoSuch(given.GetRequiredValue(id)));
    }

    private static async Task<Answer> CancelAsync(ControlPlaneClient hub, Execution execution, CancellationToken cancel)
    {
        var (caller, auditor) = ((await hub.CallerAsync(cancel)).ToString(), await hub.AuditorAsync(cancel));
        var (move, from) = await Move.PursueAsync(
            execution, one => !one.State.IsTerminal, one => hub.Executions.CancelAsync(one, caller, auditor, cancel));
        switch (move)
        {
            case null when from.State == ExecutionState.Cancelled:
                return Shown("cancelled before", from, []);
            case null:
                return new Answer.NotDone($"{from.Id} is {from.State.Name}: there is nothing left to cancel.");
            case Move.Moved { IsBooked: var isBooked }:
                await NotifyAsync(hub, from, cancel);
                return Shown("cancelled", from, isBooked ? [] : [$"the ledger lacks its reservation: ./ctl quota recount {from.Tenant} mends it."]);
            case Move.Unknown:
                return ExecutionCommands.NoSuch(from.Id);
            case Move.Lost:
                return new Answer.NotDone($"{from.Id} moves too fast to be cancelled: try again.");
            default:
                throw new UnreachableException();
        }
    }

    private static Answer.Shown Shown(string result, Execution execution, IReadOnlyList<string> warnings) => Answer.Show(
        new ExecutionChangeView(result, execution.Id.ToString(), execution.Tenant.ToString(), execution.Workflow.ToString()),
            CtlJson.Default.ExecutionChangeView,
        page => page.Line($"{execution.Id} is {result}.")) with
    { Warnings = warnings };

    // It is cancelled whether or not this message leaves; the sweeper finds those of whom nobody was told.
    private static async Task NotifyAsync(ControlPlaneClient hub, Execution execution, CancellationToken cancel)
    {
        try
        {
            await (await hub.NotificationsAsync(cancel)).NotifyAsync(execution.Id, execution.Tenant, cancel);
        }
        catch (Exception e) when (e is Amazon.Runtime.AmazonServiceException or NoDeploymentException)
        {
            // A minute or two later, then.
        }
    }
}
