namespace ControlPlane.Tenants;

/// <summary>Who has to say yes before an execution of a workflow may begin, and where they are asked.</summary>
/// <param name="Groups">Names of groups of the catalogue. One that is not in it has no members: a misspelt one approves nothing.</param>
/// <param name="TeamId">The workspace of the channel.</param>
/// <param name="ChannelId">Where the approvers are asked.</param>
/// <param name="Approvals">How many have to say yes.</param>
/// <param name="SelfApproval">Whether whoever asked for it may be one of them.</param>
/// <param name="Within">For how long it waits for them.</param>
public sealed record ApprovalRule(IReadOnlyList<string> Groups, TeamId TeamId, ChannelId ChannelId, int Approvals, bool SelfApproval, TimeSpan Within)
{
    public const int MostApprovals = 10;

    public static readonly TimeSpan DefaultWithin = TimeSpan.FromHours(24);

    public static readonly TimeSpan LongestWithin = TimeSpan.FromDays(7);

    /// <summary>Whether this user is one of the approvers, by the groups as they are now.</summary>
    public bool Names(TeamId team, UserId user, IEnumerable<UserGroup> groups) =>
        groups.Any(group => Groups.Contains(group.Name) && WorkflowAccess.Name(group.Users, team, user));
}
