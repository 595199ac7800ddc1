namespace ControlPlane.Tenants;

/// <summary>A named list of Slack users, kept in a tenant's catalogue.</summary>
/// <param name="Users">Slack user ids.</param>
public sealed record UserGroup(string Name, IReadOnlyList<string> Users);

/// <summary>Who may run a workflow, and from where.</summary>
/// <remarks>Asked by policy, which decides, and by <c>help</c>, which shows only what policy would allow.</remarks>
public static class WorkflowAccess
{
    extension(Workflow workflow)
    {
        /// <summary>Whether this user is named, or in a group that is; everyone is when neither is named.</summary>
        /// <remarks>A group that is not in the catalogue has no members: a misspelt one locks out, it never lets in.</remarks>
        public bool PermitsUser(string userId, IEnumerable<UserGroup> groups) =>
            workflow is { AllowedUsers.Count: 0, AllowedGroups.Count: 0 }
            || workflow.AllowedUsers.Contains(userId)
            || groups.Any(group => workflow.AllowedGroups.Contains(group.Name) && group.Users.Contains(userId));

        /// <summary>Whether it may be run from this channel.</summary>
        public bool PermitsChannel(string channelId) => workflow.AllowedChannels.Count == 0 || workflow.AllowedChannels.Contains(channelId);
    }
}
