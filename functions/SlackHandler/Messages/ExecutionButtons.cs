using ControlPlane.Executions;
using ControlPlane.SlackHandler.Commands;
using ControlPlane.Tenants;

namespace ControlPlane.SlackHandler.Messages;

/// <summary>The buttons of a message: each is a command that its reader need not type.</summary>
/// <remarks>A button's <c>action_id</c> is the verb, its <c>value</c> what the verb is about, and the name of the command where it is known. It says nothing
/// about who may: that is asked when it is pressed.</remarks>
internal static class ExecutionButtons
{
    /// <summary>What one can do about an execution that was just ordered.</summary>
    public static Block OfOrdered(ExecutionId execution, WorkflowName workflow, string command) =>
        Block.Actions(Status(execution, workflow, command), Cancel(execution, workflow, command));

    /// <summary>What an approver can say to an execution.</summary>
    public static Block OfApproval(ExecutionId execution, WorkflowName workflow) => Block.Actions(
        Button.Of(Verbs.Approve, "Approve", execution.ToString(), $"Approve {Named(execution, workflow)}"),
        Button.Of(
            Verbs.Deny, "Deny", execution.ToString(), $"Deny {Named(execution, workflow)}",
            Confirmation.Of("Deny this run?", $"{workflow} ({execution.Short}) does not begin.", "Deny the run", "Not now")),
        Button.Of(Verbs.Why, "Why", execution.ToString(), $"Why {Named(execution, workflow)} waits"));

    /// <summary>What one can do about an execution as it stands.</summary>
    /// <param name="shown">The verb whose answer this is: a button for it would say the same again.</param>
    /// <param name="command">The command's own name; null where nobody knows it.</param>
    public static Block Of(Execution execution, string? shown, string? command)
    {
        List<Button> buttons = [];
        if (shown == Verbs.Why || (shown is null && !execution.State.IsTerminal))
            buttons.Add(Status(execution.Id, execution.Workflow, command));
        if (shown != Verbs.Why)
            buttons.Add(Button.Of(Verbs.Why, "Why", Value(execution.Id.ToString(), command), $"Why {Named(execution.Id, execution.Workflow)} went so"));
        if (execution.State.IsTerminal)
            buttons.Add(Button.Of(
                Verbs.Again, "Run again", Value(execution.Id.ToString(), command), $"Run {Named(execution.Id, execution.Workflow)} again"));
        else
            buttons.Add(Cancel(execution.Id, execution.Workflow, command));
        return Block.Actions(buttons);
    }

    /// <summary>Starts a workflow, or asks for its parameters first.</summary>
    public static Button Run(WorkflowName workflow, string? command) =>
        Button.Of(Verbs.Run, $"Run {workflow}", Value(workflow.ToString(), command), $"Run {workflow}");

    private static Button Status(ExecutionId execution, WorkflowName workflow, string? command) =>
        Button.Of(Verbs.Status, "Status", Value(execution.ToString(), command), $"Status of {Named(execution, workflow)}");

    private static Button Cancel(ExecutionId execution, WorkflowName workflow, string? command) => Button.Of(
        Verbs.Cancel, "Cancel", Value(execution.ToString(), command), $"Cancel {Named(execution, workflow)}",
        Confirmation.Of("Cancel this run?", $"{workflow} ({execution.Short}) is stopped, or its result ignored.", "Cancel the run", "Let it run"));

    private static string Value(string subject, string? command) => command is null ? subject : $"{subject} {command}";

    private static string Named(ExecutionId execution, WorkflowName workflow) => $"{workflow} {execution.Short}";
}
