using System.Diagnostics;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Slack;
using ControlPlane.SlackHandler.Messages;
using ControlPlane.SlackHandler.Replies;
using ControlPlane.SlackHandler.WebApi;
using ControlPlane.Tenants;

namespace ControlPlane.SlackHandler.Notifications;

internal enum Telling
{
    /// <summary>Told, or not to be told by this message.</summary>
    Done,

    /// <summary>Slack did not take it, or nobody knows yet whether it did: the message has to come again.</summary>
    Again,
}

/// <summary>Tells a requester how an execution ended.</summary>
/// <remarks>
/// What is said is read from the table when it is said, and that it was said is noted for the very state that was told: when a late outcome replaces a time-out
/// meanwhile, the note fails and the new state is told too. Slack takes five posts within thirty minutes; each is claimed before it is made, with a lease, so
/// that two deliveries of one message do not both post. Where nothing can be posted any more the workspace's bot writes, if there is one. Where there is none,
/// that is noted: there is nobody left to tell, and <c>status</c> says so.
/// </remarks>
internal sealed class TellRequester(
    ExecutionStore executions, ReplyStore replies, ReplySeal seal, SlackHook hook, TellByBot bot, TellProgress progress, TellApprovers approvers,
    SlackHandlerEvents events,
    TimeProvider clock)
{
    /// <summary>Longer than a post may take, so a claim never overlaps the next.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    /// <summary>After the first post, the second and the third, where the address lives long enough. The last one is made as late as can be: an outage may
    /// outlast them all.</summary>
    private static readonly TimeSpan[] Pauses = [Lease, TimeSpan.FromSeconds(90), TimeSpan.FromMinutes(5)];

    /// <summary>How long before its end the last post to an address is due. A message comes again only when its queue shows it, every 90 s, and then needs a
    /// moment.</summary>
    public static readonly TimeSpan LastPostBefore = TimeSpan.FromSeconds(120);

    // A post, and the note of what came of it.
    private static readonly TimeSpan OnePost = SlackHook.Timeout + SlackWebApi.TimeToNote;

    /// <param name="slice">No post begins that may not end within it.</param>
    public async Task<Telling> RunAsync(ExecutionId id, TenantId tenant, Deadline slice)
    {
        var cancel = slice.Token;
        if (await executions.FindAsync(id, cancel) is not { } execution || execution.Tenant != tenant)
            return NothingToTell(id, "no such execution");
        if (execution is { State.IsTerminal: true, Approval: not null })
            await approvers.EndAsync(execution, slice);
        else if (execution is { Approval: not null, Progress: null })
            return await approvers.RunAsync(execution, slice);
        if (!execution.State.IsTerminal)
            return execution.Progress is not null ? await progress.RunAsync(execution, slice) : NothingToTell(id, "not ended");
        if (execution.ToldAt is not null)
            return NothingToTell(id, "told already");

        var message = MessageOf(execution);     // before the claim: what cannot be said must not use the address up
        if (!slice.HasTimeFor(OnePost))
            return ComesAgain(id, "no time left for a post");
        return await replies.ClaimAsync(id, tenant, Lease, cancel) switch
        {
            ReplyClaim.Claimed { Reply: var reply } => await TellAsync(execution, message, reply, slice),
            ReplyClaim.Impossible { Why: var why, WasTried: var wasTried } => await TellByBotAsync(execution, message, why, isTooLate: !wasTried, slice),
            // Whoever has the claim may have died with it: the message stays until it finds the requester told.
            _ => ComesAgain(id, "another delivery is at it, or Slack asked for a pause"),
        };
    }

    private async Task<Telling> TellAsync(Execution execution, SlackMessage message, Reply reply, Deadline slice)
    {
        var cancel = slice.Token;
        if (await seal.OpenAsync(reply.SealedUrl!, execution.Id, cancel) is not { } url)
            return await TellByBotAsync(execution, message, "the address cannot be read", isTooLate: false, slice);

        var posted = await hook.PostAsync(url, message, cancel);
        if (posted is Posted.Misshapen { Why: var unread } && !slice.HasTimeFor(OnePost))
            posted = new Posted.TryLater(unread, null);
        if (posted is Posted.Misshapen { Why: var fault } && await replies.ClaimAgainAsync(reply, Lease, cancel) is { } next)
        {
            // What it says matters more than how it looks.
            events.Misshapen(execution.Id, fault);
            reply = next;
            posted = await hook.PostAsync(url, message.InTextAlone(), cancel);
        }

        switch (posted)
        {
            case Posted.Taken:
                await executions.MarkToldAsync(execution.Id, execution.State, cancel);
                events.RequesterTold(execution, reply.Uses);
                await progress.EndAsync(execution, message, slice);
                return Telling.Done;
            case Posted.AddressGone { Why: var why }:
                return await TellByBotAsync(execution, message, $"Slack answered {why}", isTooLate: false, slice);
            case Posted.Misshapen { Why: var why }:
                return await GiveUpAsync(execution, $"Slack answered {why}", isTooLate: false, cancel);
            case Posted.TryLater later when reply.Uses < Reply.MostUses:
                var pause = Longer(later.Pause ?? TimeSpan.Zero, PauseAfter(reply));
                await replies.PutOffAsync(execution.Id, pause, cancel);
                events.NotToldYet(execution.Id, reply.Uses, later.Why, pause);
                return Telling.Again;
            default:
                return await TellByBotAsync(execution, message, "used up", isTooLate: false, slice);
        }
    }

    private TimeSpan PauseAfter(Reply reply)
    {
        var left = reply.Until - LastPostBefore - clock.GetUtcNow();
        var posts = Reply.MostUses - reply.Uses;
        var pause = posts == 1 || left / posts < Pauses[reply.Uses - 1] ? left / posts : Pauses[reply.Uses - 1];
        return Longer(pause, Lease);
    }

    internal static SlackMessage MessageOf(Execution execution)
    {
        var message = TellProgress.MessageOf(execution).Later();
        return execution.IsPublic ? message.Public() : message;
    }

    /// <param name="why">What is wrong with the address.</param>
    private async Task<Telling> TellByBotAsync(Execution execution, SlackMessage message, string why, bool isTooLate, Deadline slice)
    {
        var cancel = slice.Token;
        switch (await bot.RunAsync(execution, message, slice))
        {
            case ToldByBot.Told { Tries: var tries }:
                await executions.MarkToldAsync(execution.Id, execution.State, cancel);
                events.RequesterToldByBot(execution, why, tries);
                await progress.EndAsync(execution, message, slice);
                return Telling.Done;
            case ToldByBot.NotYet:
                return Telling.Again;
            case ToldByBot.NoBot:
                return await GiveUpAsync(execution, why, isTooLate, cancel);
            case ToldByBot.Impossible { Why: var whyNot }:
                return await GiveUpAsync(execution, $"{why}; the bot: {whyNot}", isTooLate: false, cancel);
            default:
                throw new UnreachableException();
        }
    }

    private async Task<Telling> GiveUpAsync(Execution execution, string why, bool isTooLate, CancellationToken cancel)
    {
        await executions.MarkUntellableAsync(execution.Id, execution.State, cancel);
        events.NeverTold(execution, why, isTooLate);
        return Telling.Done;
    }

    private Telling NothingToTell(ExecutionId id, string why)
    {
        events.NothingToTell(id, why);
        return Telling.Done;
    }

    private Telling ComesAgain(ExecutionId id, string why)
    {
        events.NothingToTell(id, $"not yet: {why}");
        return Telling.Again;
    }

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
