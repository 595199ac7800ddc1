using System.Diagnostics;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.SlackHandler.Installation;
using ControlPlane.SlackHandler.Messages;
using ControlPlane.SlackHandler.WebApi;
using ControlPlane.Tenants;

namespace ControlPlane.SlackHandler.Notifications;

/// <summary>Tells a tenant's channel that its month reached a threshold of a limit.</summary>
/// <remarks>The post is claimed before it is made, and noted after it, so that a message that comes twice is posted once.</remarks>
internal sealed class TellUsage(UsageWarningStore warnings, BotTokens tokens, SlackWebApi slack, SlackHandlerEvents events)
{
    // A post, and the note of what came of it.
    private static readonly TimeSpan OneTry = SlackWebApi.Timeout + SlackWebApi.TimeToNote;

    /// <param name="slice">No post begins that may not end within it.</param>
    public async Task<Telling> RunAsync(UsageNotice notice, Deadline slice)
    {
        var (cancel, tenant, month) = (slice.Token, TenantId.Parse(notice.TenantId), Month.Parse(notice.Month));
        if (await tokens.FindAsync(tenant, notice.TeamId, organisation: null, cancel) is not { } token)
            return GivenUp(tenant, notice, $"there is no bot in {notice.TeamId}");
        if (!slice.HasTimeFor(OneTry))
            return Telling.Again;
        switch (await warnings.ClaimPostAsync(tenant, month, notice.Limit, notice.Percent, TellRequester.Lease, cancel))
        {
            case PostClaim.Claimed:
                break;
            case PostClaim.NotYet:
                return Telling.Again;
            case PostClaim.Posted:
                return Telling.Done;
            default:
                throw new UnreachableException();
        }

        switch (await slack.WriteAsync(token, notice.ChannelId.ToString(), MessageOf(notice), cancel, slice))
        {
            case ApiAnswer<PostedMessage>.Done:
                await warnings.MarkPostedAsync(tenant, month, notice.Limit, notice.Percent, cancel);
                events.UsageTold(tenant, notice.ChannelId, notice.Limit, notice.Percent);
                return Telling.Done;
            case ApiAnswer<PostedMessage>.TryLater later:
                if (later.Pause > TellRequester.Lease)
                    await warnings.PutOffPostAsync(tenant, month, notice.Limit, later.Pause.Value, cancel);
                events.UsageNotToldYet(tenant, notice.ChannelId, later.Why);
                return Telling.Again;
            case ApiAnswer<PostedMessage>.Refused { Why: var why }:
                return GivenUp(tenant, notice, why);
            default:
                throw new UnreachableException();
        }
    }

    internal static SlackMessage MessageOf(UsageNotice notice)
    {
        var (what, amounts) = notice.Limit == MonthlyLimit.Gpu
            ? ("GPU time is", SlackText.Of($"{ExecutionText.Text(notice.Used)} of {ExecutionText.Text(notice.Most)}"))
            : ("executions are", SlackText.Of($"{notice.Used} of {notice.Most}, those under way included"));
        var headline = notice.Percent >= 100
            ? SlackText.Of($":no_entry: *This month's {what} used up*: {amounts}. Nothing new is started until the month is over.")
            : SlackText.Of($":warning: *{notice.Percent} % of this month's {what} used*: {amounts}.");
        var more = Block.SmallPrint(SlackText.Of($"{notice.Month}, UTC. Whoever operates your control plane can raise the limit."));
        return SlackMessage.Private(headline, more).Public();
    }

    private Telling GivenUp(TenantId tenant, UsageNotice notice, string why)
    {
        events.UsageNeverTold(tenant, notice.ChannelId, notice.Limit, notice.Percent, why);
        return Telling.Done;
    }
}
