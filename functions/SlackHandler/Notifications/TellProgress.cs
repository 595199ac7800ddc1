using System.Diagnostics;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Slack;
using ControlPlane.SlackHandler.Installation;
using ControlPlane.SlackHandler.Messages;
using ControlPlane.SlackHandler.WebApi;

namespace ControlPlane.SlackHandler.Notifications;

/// <summary>Shows a requester how far an execution is: in one message of the bot's, which is changed at most once a minute and ends with the
/// execution.</summary>
/// <remarks>Only the bot can: the address that came with the command takes five posts, and they are for the end. Where there is no bot nothing is shown;
/// <c>status</c> always says it.</remarks>
internal sealed class TellProgress(ReplyStore replies, BotTokens tokens, SlackWebApi slack, SlackHandlerEvents events, TimeProvider clock)
{
    // Opening the conversation, a post, and the note of where it stands.
    private static readonly TimeSpan OneTry = 2 * SlackWebApi.Timeout + SlackWebApi.TimeToNote;

    public async Task<Telling> RunAsync(Execution execution, Deadline slice)
    {
        var cancel = slice.Token;
        if (execution.RequestedBy is not Requester.Slack requester || await tokens.FindAsync(execution.Tenant, requester, cancel) is not { } token)
            return Done(execution, "there is no bot to show progress");
        if (!slice.HasTimeFor(OneTry))
            return Telling.Again;
        switch (await replies.ClaimProgressAsync(execution.Id, execution.Tenant, cancel))
        {
            case ProgressClaim.NotYet:
                return Telling.Again;
            case ProgressClaim.Claimed { Message: var shown }:
                var message = MessageOf(execution);
                var answer = shown is null
                    ? await slack.WriteToUserAsync(token, requester.UserId, message, cancel, slice)
                    : await slack.UpdateAsync(token, new(shown.Channel, shown.Ts), message, cancel);
                return await JudgeAsync(execution, shown, answer, cancel);
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>Has the message that showed progress show the end instead. Best effort: the end is told in any case, and by itself.</summary>
    public async Task EndAsync(Execution ended, SlackMessage message, Deadline slice)
    {
        var cancel = slice.Token;
        if (ended.Progress is null || ended.RequestedBy is not Requester.Slack requester || !slice.HasTimeFor(SlackWebApi.Timeout + SlackWebApi.TimeToNote)
            || await replies.FindProgressAsync(ended.Id, cancel) is not { } shown
            || await tokens.FindAsync(ended.Tenant, requester, cancel) is not { } token)
            return;
        if ((await slack.UpdateAsync(token, new(shown.Channel, shown.Ts), message, cancel)).Fault is { } why)
            events.ProgressNotShown(ended.Id, why);
    }

    /// <summary>How it stands or ended, with what can be done about it.</summary>
    internal static SlackMessage MessageOf(Execution execution)
    {
        List<Block> more = ExecutionText.Detail(execution) is { } detail ? [Block.Section(detail)] : [];
        more.Add(Block.SmallPrint(ExecutionText.ResultSmallPrint(execution)));
        more.Add(ExecutionButtons.Of(execution, shown: null, command: null));
        return SlackMessage.Private(ExecutionText.Headline(execution), more);
    }

    private async Task<Telling> JudgeAsync(Execution execution, ProgressMessage? shown, ApiAnswer<PostedMessage> answer, CancellationToken cancel)
    {
        switch (answer)
        {
            case ApiAnswer<PostedMessage>.Done { Value: var posted }:
                if (shown is null)
                    await replies.KeepProgressAsync(execution.Id, new(posted.Channel, posted.Ts), cancel);
                events.ProgressShown(execution.Id, isNew: shown is null);
                return Telling.Done;
            case ApiAnswer<PostedMessage>.TryLater { Why: var why, Pause: var pause }:
                if (pause > Progress.Apart)
                    await replies.PutOffProgressAsync(execution.Id, pause.Value, cancel);
                events.ProgressNotShown(execution.Id, why);
                return Telling.Again;
            default:
                // As where its user deleted the message: it is not asked again.
                await replies.PutOffProgressAsync(execution.Id, execution.DeadlineAt - clock.GetUtcNow(), cancel);
                events.ProgressNotShown(execution.Id, answer.Fault!);
                return Telling.Done;
        }
    }

    private Telling Done(Execution execution, string why)
    {
        events.NothingToTell(execution.Id, why);
        return Telling.Done;
    }
}
