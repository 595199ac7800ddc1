using ControlPlane.Executions;
using ControlPlane.SlackHandler.Messages;

namespace ControlPlane.SlackHandler.Commands;

/// <summary><c>again</c>: the workflow and the inputs of an execution once more, under today's catalogue and policy, for whoever asks.</summary>
internal sealed class AgainCommand(ExecutionLookup lookup, RunCommand run)
{
    public async Task<SlackMessage> AnswerAsync(Caller caller, IReadOnlyList<Word> words, DateTimeOffset sentAt, CancellationToken cancel)
    {
        if (words is not [{ Key: null, Value: var typed }])
            return await run.ExplainAsync(caller, Refusals.Usage(caller.Command.Name, "again last"), cancel);
        return await lookup.FindAsync(caller, typed, cancel) switch
        {
            Lookup.Found { Execution: var execution } => await AgainAsync(caller, execution, sentAt, cancel),
            Lookup.OnItsWay => await run.ExplainAsync(caller, StatusCommand.OnItsWay, cancel),
            Lookup.Ambiguous => await run.ExplainAsync(caller, Refusals.Ambiguous(typed), cancel),
            _ => await run.ExplainAsync(caller, Refusals.NoSuchExecution(typed), cancel),
        };
    }

    private async Task<SlackMessage> AgainAsync(Caller caller, Execution execution, DateTimeOffset sentAt, CancellationToken cancel)
    {
        // A button keeps its place on the screen: pressed later once more, it tells of what it started the first time.
        if (caller.Command.IsPressed && await lookup.FindOwnAsync(caller, cancel) is { } started)
            return await run.ExplainAsync(caller, Started(started), cancel);
        if (caller.Find(execution.Workflow.ToString()) is not { } workflow)
            return await run.ExplainAsync(
                caller, SlackMessage.Private(SlackText.Of($"*{execution.Workflow.ToString()}* is no longer in the catalogue. Nothing was started.")), cancel);
        return (await run.OrderAsync(caller, workflow, new(execution.Workflow.ToString(), execution.Inputs, execution.IsPublic), sentAt, cancel)).Message;
    }

    private static SlackMessage Started(Execution started) => SlackMessage.Private(
        SlackText.Of($"That button was pressed before, and started this. {ExecutionText.Headline(started)}"), Block.SmallPrint(ExecutionText.SmallPrint(started)));
}
