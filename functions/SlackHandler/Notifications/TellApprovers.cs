using System.Diagnostics;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Slack;
using ControlPlane.SlackHandler.Installation;
using ControlPlane.SlackHandler.Messages;
using ControlPlane.SlackHandler.WebApi;

namespace ControlPlane.SlackHandler.Notifications;

/// <summary>Asks approvers, in the channel that the workflow names, and shows there what became of it: one message of the bot's, which is changed as they say
/// yes or no.</summary>
/// <remarks>Whoever changes the message holds it meanwhile and reads the execution anew, so that what is older never replaces what is newer.</remarks>
internal sealed class TellApprovers(ExecutionStore executions, ReplyStore replies, BotTokens tokens, SlackWebApi slack, SlackHandlerEvents events)
{
    // A post in its form and as text alone, and the note of where it stands.
    private static readonly TimeSpan OneTry = 2 * SlackWebApi.Timeout + SlackWebApi.TimeToNote;

    /// <param name="asked">With its <see cref="Execution.Approval"/>, and not ended.</param>
    public async Task<Telling> RunAsync(Execution asked, Deadline slice)
    {
        var cancel = slice.Token;
        if (await TokenAsync(asked, cancel) is not { } token)
        {
            events.ApproversNotAsked(asked, "there is no bot in their workspace");
            return Telling.Done;
        }
        if (!slice.HasTimeFor(OneTry))
            return Telling.Again;
        if (await replies.ClaimApprovalAsync(asked, TellRequester.Lease, cancel) is not ProgressClaim.Claimed { Message: var shown })
            return Telling.Again;
        if (await executions.FindAsync(asked.Id, cancel) is not { } now)
            throw new UnreachableException();
        if (shown is null && now.State != ExecutionState.AwaitingApproval)
            return Telling.Done;                                // by a typed command, before anybody was asked
        var message = MessageOf(now);
        var answer = shown is null
            ? await slack.WriteAsync(token, now.Approval!.ChannelId.ToString(), message, cancel, slice)
            : await slack.UpdateAsync(token, new(shown.Channel, shown.Ts), message, cancel);
        return await JudgeAsync(now, shown, answer, cancel);
    }

    /// <summary>Has the message say how it ended. Best effort: its buttons do nothing any more.</summary>
    public async Task EndAsync(Execution ended, Deadline slice)
    {
        var cancel = slice.Token;
        if (!slice.HasTimeFor(SlackWebApi.Timeout + SlackWebApi.TimeToNote) || await replies.FindApprovalAsync(ended.Id, cancel) is not { } shown
            || await TokenAsync(ended, cancel) is not { } token)
            return;
        if ((await slack.UpdateAsync(token, new(shown.Channel, shown.Ts), MessageOf(ended), cancel)).Fault is { } why)
            events.ApprovalNotShown(ended.Id, why);
    }

    private Task<BotToken?> TokenAsync(Execution execution, CancellationToken cancel) =>
        tokens.FindAsync(execution.Tenant, execution.Approval!.TeamId, execution.RequestedBy.Asker?.OrganisationId, cancel);

    private async Task<Telling> JudgeAsync(Execution execution, ProgressMessage? shown, ApiAnswer<PostedMessage> answer, CancellationToken cancel)
    {
        switch (answer)
        {
            case ApiAnswer<PostedMessage>.Done { Value: var posted }:
                if (shown is null)
                    await replies.KeepApprovalAsync(execution.Id, new(posted.Channel, posted.Ts), cancel);
                await replies.PutOffApprovalAsync(execution.Id, TimeSpan.Zero, cancel);
                events.ApprovalShown(execution, isNew: shown is null);
                return Telling.Done;
            case ApiAnswer<PostedMessage>.TryLater { Why: var why, Pause: var pause }:
                if (pause > TellRequester.Lease)
                    await replies.PutOffApprovalAsync(execution.Id, pause.Value, cancel);
                events.ApprovalNotShown(execution.Id, why);
                return Telling.Again;
            case var refused when shown is null:
                events.ApproversNotAsked(execution, refused.Fault!);
                return Telling.Done;
            default:
                events.ApprovalNotShown(execution.Id, answer.Fault!);       // as where somebody deleted it
                return Telling.Done;
        }
    }

    internal static SlackMessage MessageOf(Execution execution)
    {
        List<Block> more = [];
        if (ExecutionText.Detail(execution) is { } detail)
            more.Add(Block.Section(detail));
        if (ExecutionText.ApprovedBy(execution) is { } by)
            more.Add(Block.Section(by));
        more.Add(Block.SmallPrint(ExecutionText.ResultSmallPrint(execution)));
        more.Add(execution.State == ExecutionState.AwaitingApproval
            ? ExecutionButtons.OfApproval(execution.Id, execution.Workflow)
            : ExecutionButtons.Of(execution, shown: null, command: null));
        return SlackMessage.Private(ExecutionText.Headline(execution), more);
    }
}
