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
    // An execution has fewer states than this to slip through.
    private const int Rounds = 10;

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
        for (var round = 0; round < Rounds; round++)
        {
            if (execution.State.IsTerminal)
                return Ended(execution, caller.Command.UserId);
            switch (await executions.CancelAsync(execution, caller.Command.UserId.ToString(), caller.AuditorOf(audit), cancel))
            {
                case Move.Moved moved:
                    if (!moved.IsBooked)
                        events.Unbooked(execution);
                    events.ExecutionCancelled(execution, caller.Command.UserId);
                    await NotifyAsync(execution, cancel);
                    return Cancelled(execution, wasHandedOver: execution.State is not (ExecutionState.Queued or ExecutionState.AwaitingApproval));
                case Move.Lost { Now: var now }:
                    execution = now;
                    break;
                case Move.Unknown:
                    return Refusals.NoSuchExecution(execution.Id.ToString());
                default:
                    throw new UnreachableException();
            }
        }
        return Unclear;
    }

    // It is cancelled whether or not this message leaves; the sweeper finds those of whom nobody was told.
    private async Task NotifyAsync(Execution execution, CancellationToken cancel)
    {
        try
        {
            await notifications.NotifyAsync(execution.Id, execution.Tenant, cancel);
        }
        catch (Exception e)
        {
            events.NotificationNotSent(execution.Id, e);
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
