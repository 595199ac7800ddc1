using System.Diagnostics;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Slack;
using ControlPlane.SlackHandler.Installation;
using ControlPlane.SlackHandler.Messages;
using ControlPlane.SlackHandler.WebApi;

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

    // Opening the conversation, a post, and the note of what came of it.
    private static readonly TimeSpan OneTry = 2 * SlackWebApi.Timeout + SlackWebApi.TimeToNote;

    /// <param name="slice">What is left of it after the address was tried: no try is taken that may not end within it.</param>
    public async Task<ToldByBot> RunAsync(Execution execution, SlackMessage message, Deadline slice)
    {
        var cancel = slice.Token;
        if (Listeners.Of(execution) is not { } listeners
            || await tokens.FindAsync(execution.Tenant, listeners.Team, listeners.Organisation, cancel) is not { } token)
            return new ToldByBot.NoBot();
        if (!slice.HasTimeFor(OneTry))
            return NotYet(execution.Id, "no time left for the bot");
        switch (await replies.ClaimByBotAsync(execution, Lease, cancel))
        {
            case BotClaim.Claimed { Tries: var tries }:
                return await JudgeAsync(execution, tries, await PostAsync(token, listeners, message, slice), cancel);
            case BotClaim.NotYet:
                return NotYet(execution.Id, "another delivery is at it, or Slack asked the bot for a pause");
            case BotClaim.UsedUp:
                return new ToldByBot.Impossible("used up");
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>To the channel where one is to know, else to the user; and to the user where the bot may not write in that channel.</summary>
    private async Task<ApiAnswer<PostedMessage>> PostAsync(BotToken token, Listeners listeners, SlackMessage message, Deadline slice)
    {
        if (listeners.Channel is not { } channel)
            return await slack.WriteToUserAsync(token, listeners.User!.Value, message, slice.Token, slice);
        var posted = await slack.WriteAsync(token, channel.ToString(), message, slice.Token, slice);
        return posted is ApiAnswer<PostedMessage>.Refused && listeners.User is { } user && slice.HasTimeFor(OneTry)
            ? await slack.WriteToUserAsync(token, user, message, slice.Token, slice)
            : posted;
    }

    private async Task<ToldByBot> JudgeAsync(Execution execution, int tries, ApiAnswer<PostedMessage> answer, CancellationToken cancel)
    {
        switch (answer)
        {
            case ApiAnswer<PostedMessage>.Done { Value.Misshapen: var fault }:
                if (fault is not null)
                    events.Misshapen(execution.Id, fault);
                return new ToldByBot.Told(tries);
            case ApiAnswer<PostedMessage>.TryLater later when tries < BotClaim.MostTries:
                var pause = later.Pause > Pauses[tries - 1] ? later.Pause.Value : Pauses[tries - 1];
                await replies.PutOffBotAsync(execution, pause, cancel);
                events.NotToldByBotYet(execution.Id, tries, later.Why, pause);
                return new ToldByBot.NotYet();
            default:
                return new ToldByBot.Impossible(answer.Fault!);
        }
    }

    private ToldByBot.NotYet NotYet(ExecutionId id, string why)
    {
        events.NothingToTell(id, $"not yet: {why}");
        return new();
    }
}
