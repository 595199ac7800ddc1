using ControlPlane.Executions;
using ControlPlane.Tenants;

namespace ControlPlane.SlackHandler.Notifications;

/// <summary>Whom the bot tells how an execution ended.</summary>
/// <param name="User">In a direct message, where there is no channel or it takes none.</param>
/// <param name="Channel">Where everybody is to know; null where the user alone is.</param>
internal sealed record Listeners(TeamId Team, TeamId? Organisation, UserId? User, ChannelId? Channel)
{
    /// <returns>Null where nobody in Slack waits for it.</returns>
    public static Listeners? Of(Execution execution) => execution.RequestedBy switch
    {
        Requester.Slack asker => new(asker.TeamId, asker.OrganisationId, asker.UserId, Channel: null),
        // Why nothing was started is for whoever can change it.
        Requester.Schedule { TeamId: { } team, UserId: { } user } schedule =>
            new(team, schedule.OrganisationId, user, execution is { IsPublic: true, State: not ExecutionState.Denied } ? schedule.ChannelId : null),
        Requester.Schedule { TeamId: { } team, ChannelId: { } channel } schedule => new(team, schedule.OrganisationId, User: null, channel),
        _ => null,
    };
}
