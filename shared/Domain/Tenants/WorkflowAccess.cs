namespace ControlPlane.Tenants;

/// <summary>A named list of Slack users, kept in a tenant's catalogue.</summary>
/// <param name="Users">Slack user ids, as <see cref="WorkflowAccess"/> reads them.</param>
public sealed record UserGroup(string Name, IReadOnlyList<string> Users);

/// <summary>Who may run a workflow, and from where.</summary>
/// <remarks>Asked by policy, which decides, and by <c>help</c>, which shows only what policy would allow.
/// A user is named <c>T0007/U0001</c>: an id means somebody in one workspace, and a tenant may have several. An id alone means that user of whichever
/// workspace: right where there is only
/// one, or an Enterprise Grid, whose ids are the whole organisation's.</remarks>
public static class WorkflowAccess
{
    extension(Workflow workflow)
    {
        /// <summary>Whether this user is named, or in a group that is; everyone is when neither is named.</summary>
        /// <remarks>A group that is not in the catalogue has no members: a misspelt one locks out, it never lets in.</remarks>
        public bool PermitsUser(TeamId team, UserId user, IEnumerable<UserGroup> groups) =>
            workflow is { AllowedUsers.Count: 0, AllowedGroups.Count: 0 }
            || Name(workflow.AllowedUsers, team, user)
            || groups.Any(group => workflow.AllowedGroups.Contains(group.Name) && Name(group.Users, team, user));

        /// <summary>Whether it may be run from this channel.</summary>
        public bool PermitsChannel(ChannelId channel) => workflow.AllowedChannels.Count == 0 || workflow.AllowedChannels.Contains(channel);
    }

    internal static bool Name(IReadOnlyList<string> users, TeamId team, UserId user) =>
        users.Contains(user.ToString()) || users.Contains($"{team}/{user}");
}
