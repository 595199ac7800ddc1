using System.Diagnostics;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Slack;
using ControlPlane.SlackHandler.Installation;
using ControlPlane.SlackHandler.Messages;
using ControlPlane.SlackHandler.WebApi;
using ControlPlane.Tenants;

namespace ControlPlane.SlackHandler.Notifications;

/// <summary>What came of telling a requester by the bot.</summary>
internal abstract record ToldByBot
{
    private ToldByBot() { }

    /// <param name="Tries">This one counted.</param>
    public sealed record Told(int Tries) : ToldByBot;

    /// <summary>The message has to come again. What there is to say about it is in the log.</summary>
    public sealed record NotYet : ToldByBot;

    /// <summary>The workspace has no bot, or nobody waits there.</summary>
    public sealed record NoBot : ToldByBot;

    /// <summary>Slack does not let it, or took none of its tries.</summary>
    public sealed record Impossible(string Why) : ToldByBot;
}

/// <summary>Tells a requester by a direct message of the bot: for whoever cannot be told by the address that Slack gave with the command.</summary>
/// <remarks>Not in the thread of the acknowledgement: Slack never says where an answer to a command stands. Each try is claimed before it is made, as those
/// of the address are, so that two deliveries of one message do not both write.</remarks>
internal sealed class TellByBot(ReplyStore replies, BotTokens tokens, SlackWebApi slack, SlackHandlerEvents events)
{
    private static readonly TimeSpan Lease = TellRequester.Lease;

    /// <summary>After each try but the last.</summary>
    private static readonly TimeSpan[] Pauses = [Lease, TimeSpan.FromSeconds(90), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(10)];

    public async Task<ToldByBot> RunAsync(Execution execution, SlackMessage message, CancellationToken cancel)
    {
        if (execution.RequestedBy is not Requester.Slack requester)
            return new ToldByBot.NoBot();
        if (await tokens.FindAsync(execution.Tenant, requester.TeamId, cancel) is not { } token)
            return new ToldByBot.NoBot();
        switch (await replies.ClaimByBotAsync(execution.Id, execution.Tenant, Lease, cancel))
        {
            case BotClaim.Claimed { Tries: var tries }:
                var answer = await PostAsync(token, requester.UserId, execution.Id, message, cancel);
                return await JudgeAsync(execution.Id, tries, answer, cancel);
            case BotClaim.NotYet:
                events.NothingToTell(execution.Id, "not yet: another delivery is at it, or Slack asked the bot for a pause");
                return new ToldByBot.NotYet();
            case BotClaim.UsedUp:
                return new ToldByBot.Impossible("used up");
            default:
                throw new UnreachableException();
        }
    }

    private async Task<ApiAnswer<PostedMessage>> PostAsync(
        BotToken token, UserId user, ExecutionId id, SlackMessage message, CancellationToken cancel)
    {
        switch (await slack.OpenConversationAsync(token, user, cancel))
        {
            case ApiAnswer<string>.Done { Value: var channel }:
                var answer = await slack.PostMessageAsync(token, channel, thread: null, message, cancel);
                if (answer is not ApiAnswer<PostedMessage>.Refused { IsOfTheForm: true } refused)
                    return answer;
                // What it says matters more than how it looks.
                events.Misshapen(id, refused.Why);
                return await slack.PostMessageAsync(token, channel, thread: null, message.InTextAlone(), cancel);
            case ApiAnswer<string>.Refused { Why: var why }:
                return new ApiAnswer<PostedMessage>.Refused(why);
            case ApiAnswer<string>.TryLater later:
                return new ApiAnswer<PostedMessage>.TryLater(later.Why, later.Pause);
            default:
                throw new UnreachableException();
        }
    }

    private async Task<ToldByBot> JudgeAsync(ExecutionId id, int tries, ApiAnswer<PostedMessage> answer, CancellationToken cancel)
    {
        switch (answer)
        {
            case ApiAnswer<PostedMessage>.Done:
                return new ToldByBot.Told(tries);
            case ApiAnswer<PostedMessage>.TryLater later when tries < BotClaim.MostTries:
                var pause = later.Pause > Pauses[tries - 1] ? later.Pause.Value : Pauses[tries - 1];
                await replies.PutOffBotAsync(id, pause, cancel);
                events.NotToldByBotYet(id, tries, later.Why, pause);
                return new ToldByBot.NotYet();
            case ApiAnswer<PostedMessage>.TryLater { Why: var why }:
                return new ToldByBot.Impossible(why);
            case ApiAnswer<PostedMessage>.Refused { Why: var why }:
                return new ToldByBot.Impossible(why);
            default:
                throw new UnreachableException();
        }
    }
}
