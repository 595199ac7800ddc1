using System.Diagnostics;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.SlackHandler.Messages;
using ControlPlane.Tenants;

namespace ControlPlane.SlackHandler.Commands;

/// <summary><c>cancel</c>: ends an execution at once. Whoever may see it may.</summary>
internal sealed class CancelCommand(
    ExecutionLookup lookup, ExecutionStore executions, AuditTrail audit, MessageQueue<Notification> notifications, SlackHandlerEvents events)
{
    public static readonly SlackMessage Unclear = SlackMessage.Private(
        SlackText.Of($":grey_question: Something on our side is too slow or failing, so I can't tell whether that was cancelled. Look with `status`, and try again: to cancel twice does no harm."));

    public async Task<SlackMessage> AnswerAsync(Caller caller, IReadOnlyList<Word> words, CancellationToken cancel)
    {
        if (words is not [{ Key: null, Value: var typed }])
            return Refusals.Usage(caller.Command.Name, "cancel exec_…");
        return await lookup.FindAsync(caller, typed, cancel) switch
        {
            Lookup.Found { Execution: var execution } => await CancelAsync(caller, execution, cancel),
            Lookup.OnItsWay => SlackMessage.Private(SlackText.Of($"That was asked for a moment ago and is not on record yet. Try again in a few seconds.")),
            Lookup.Ambiguous => Refusals.Ambiguous(typed),
            _ => Refusals.NoSuchExecution(typed),
        };
    }

    private async Task<SlackMessage> CancelAsync(Caller caller, Execution execution, CancellationToken cancel)
    {
        var by = caller.Command.UserId;
        var (move, from) = await Move.PursueAsync(
            execution, one => !one.State.IsTerminal, one => executions.CancelAsync(one, by.ToString(), caller.AuditorOf(audit), cancel));
        switch (move)
        {
            case null:
                return Ended(from, by);
            case Move.Moved moved:
                if (!moved.IsBooked)
                    events.Unbooked(from);
                events.ExecutionCancelled(from, by);
                // It is cancelled whether or not this message leaves; the sweeper finds those of whom nobody was told.
                await events.UnlessSentAsync(from.Id, () => notifications.NotifyAsync(from.Id, from.Tenant, cancel));
                return Cancelled(from, wasHandedOver: from.State is not (ExecutionState.Queued or ExecutionState.AwaitingApproval));
            case Move.Unknown:
                return Refusals.NoSuchExecution(from.Id.ToString());
            case Move.Lost:
                return Unclear;
            default:
                throw new UnreachableException();
        }
    }

    private static SlackMessage Cancelled(Execution execution, bool wasHandedOver) => SlackMessage.Private(
        wasHandedOver
            ? SlackText.Of($":no_entry_sign: *{execution.Workflow.ToString()}* is cancelled. The engine may have begun it: whatever it still reports is ignored, and the execution counts.")
            : SlackText.Of($":no_entry_sign: *{execution.Workflow.ToString()}* is cancelled. It had not begun, and does not count."),
        Block.SmallPrint(SlackText.Code(execution.Id.ToString())));

    // The answer to a cancel that was lost and came again is the answer to the first.
    private static SlackMessage Ended(Execution execution, UserId user) =>
        execution.State == ExecutionState.Cancelled && execution.CancelledBy == user.ToString()
            ? SlackMessage.Private(
                SlackText.Of($":no_entry_sign: *{execution.Workflow.ToString()}* is cancelled."), Block.SmallPrint(ExecutionText.SmallPrint(execution)))
            : SlackMessage.Private(
                SlackText.Of($"There is nothing left to cancel. {ExecutionText.Headline(execution)}"), Block.SmallPrint(ExecutionText.SmallPrint(execution)));
}
