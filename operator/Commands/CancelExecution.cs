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
        var (move, from) = await new Administration.CancelExecution(hub.Executions, await NotificationsAsync(hub, cancel), await hub.AuditorAsync(cancel))
            .RunAsync(execution, await hub.CallerAsync(cancel), cancel);
        switch (move)
        {
            case null when from.State == ExecutionState.Cancelled:
                return Shown("cancelled before", from, []);
            case null:
                return new Answer.NotDone($"{from.Id} is {from.State.Name}: there is nothing left to cancel.");
            case Move.Moved { IsBooked: var isBooked }:
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

    // A stack that cannot be asked for its queues can still cancel.
    private static async Task<MessageQueue<Notification>?> NotificationsAsync(ControlPlaneClient hub, CancellationToken cancel)
    {
        try
        {
            return await hub.NotificationsAsync(cancel);
        }
        catch (Exception e) when (e is Amazon.Runtime.AmazonServiceException or NoDeploymentException)
        {
            return null;
        }
    }
}
