using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Deployments;
using ControlPlane.Operator.Output;
using ControlPlane.Tenants;

namespace ControlPlane.Operator.Commands;

/// <summary>Where in Slack something is told: a channel or a user, with the workspace. Nothing of it where nobody is.</summary>
internal readonly record struct SlackPlace(TeamId? Team, UserId? User, ChannelId? Channel)
{
    /// <param name="tell">As typed: <c>C…</c>, <c>U…</c>, or with its workspace <c>T…/C…</c>; null for nobody.</param>
    /// <returns>The place; or why that cannot be said.</returns>
    public static async Task<(SlackPlace Place, Answer.NotDone? Refusal)> OfAsync(
        ControlPlaneClient hub, TenantId tenant, string? tell, CancellationToken cancel)
    {
        if (tell is null)
            return (default, null);
        var (found, refusal) = await SlackUsers.OfAsync(hub, tenant, [tell], cancel);
        if (refusal is not null)
            return (default, refusal);
        if (found[0].Split('/') is not [var workspace, var id] || !TeamId.TryParse(workspace, out var team))
            return (default, new($"Say in which workspace, T…/{tell}: ./ctl tenant show {tenant} lists those that speak for it."));
        return id switch
        {
            ['U' or 'W', ..] when UserId.TryParse(id, out var user) => (new(team, user, null), null),
            ['C' or 'G' or 'D', ..] when ChannelId.TryParse(id, out var channel) => (new(team, null, channel), null),
            _ => (default, new($"{TypedArguments.Quote(tell)} is no channel and no user of Slack: a channel's id begins with C, D or G, a user's with U or W.")),
        };
    }
}
