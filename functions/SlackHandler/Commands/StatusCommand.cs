using ControlPlane.Executions;
using ControlPlane.Slack;
using ControlPlane.SlackHandler.Messages;

namespace ControlPlane.SlackHandler.Commands;

/// <summary><c>status</c>: how an execution stands, and when it got there.</summary>
internal sealed class StatusCommand(ExecutionLookup lookup)
{
    public async Task<SlackMessage> AnswerAsync(Caller caller, IReadOnlyList<Word> words, CancellationToken cancel)
    {
        if (words is not [{ Key: null, Value: var typed }])
            return Refusals.Usage(caller.Command.Name, "status exec_…");
        return await lookup.FindAsync(caller, typed, cancel) switch
        {
            Lookup.Found { Execution: var execution } => Answer(execution, caller.Command.Name),
            Lookup.OnItsWay => OnItsWay,
            Lookup.Ambiguous => Refusals.Ambiguous(typed),
            _ => Refusals.NoSuchExecution(typed),
        };
    }

    public static readonly SlackMessage OnItsWay = SlackMessage.Private(
        SlackText.Of($":hourglass_flowing_sand: That was asked for and is not on record yet. If it was lost on its way, you are told so within {(long)Reply.LostAfter.TotalMinutes + 1} minutes."));

    private static SlackMessage Answer(Execution execution, string command)
    {
        var blocks = new List<Block>();
        if (ExecutionText.Detail(execution) is { } detail)
            blocks.Add(Block.Section(detail));
        if (ExecutionText.ApprovedBy(execution) is { } by)
            blocks.Add(Block.Section(by));
        blocks.Add(Block.Facts(Times(execution)));
        if (execution.IsUntellable)
            blocks.Add(Block.Section(SlackText.Of($":mailbox_with_no_mail: Slack took no message about its end while there was an address to send it to.")));
        blocks.Add(Block.SmallPrint(SlackText.Of($"{ExecutionText.SmallPrint(execution)} · {ExecutionText.AskedFor(execution)}")));
        blocks.Add(ExecutionButtons.Of(execution, Verbs.Status, command));
        return SlackMessage.Private(ExecutionText.Headline(execution), blocks);
    }

    private static IEnumerable<SlackText> Times(Execution execution)
    {
        yield return SlackText.Of($"*Asked for*\n{SlackText.Time(execution.CreatedAt)}");
        if (execution.DispatchedAt is { } dispatched)
            yield return SlackText.Of($"*Handed over*\n{SlackText.Time(dispatched)}");
        if (execution.StartedAt is { } started)
            yield return SlackText.Of($"*Started*\n{SlackText.Time(started)}");
        yield return execution.FinishedAt is { } finished
            ? SlackText.Of($"*Ended*\n{SlackText.Time(finished)}")
            : SlackText.Of($"{(execution.State == ExecutionState.AwaitingApproval ? "*Waits until*" : "*Deadline*")}\n{SlackText.Time(execution.DeadlineAt)}");
    }
}
