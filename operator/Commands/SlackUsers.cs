using ControlPlane.Operator.Deployments;
using ControlPlane.Operator.Output;
using ControlPlane.Tenants;

namespace ControlPlane.Operator.Commands;

/// <summary>Slack users as the catalogue names them: each with its workspace, since an id means somebody in one workspace only.</summary>
internal static class SlackUsers
{
    /// <returns>The users with their workspaces; or why that cannot be said.</returns>
    public static async Task<(IReadOnlyList<string> Users, Answer.NotDone? Refusal)> OfAsync(
        ControlPlaneClient hub, TenantId tenant, IReadOnlyList<string> given, CancellationToken cancel)
    {
        if (given.Count == 0)
            return ([], null);
        var workspaces = (await hub.Tenants.LinksOfAsync(tenant, cancel)).Select(link => link.WorkspaceId.ToString()).Order(StringComparer.Ordinal).ToList();
        var isGrid = workspaces.Exists(workspace => workspace.StartsWith('E'));
        if (given.FirstOrDefault(user => WorkspaceOf(user) is { } workspace && !isGrid && !workspaces.Contains(workspace)) is { } stranger)
            return ([], new($"{WorkspaceOf(stranger)} does not speak for {tenant}: ./ctl tenant show {tenant} lists those that do."));
        if (workspaces.Count > 1 && given.FirstOrDefault(user => WorkspaceOf(user) is null) is { } unclear)
            return ([], new($"{tenant} has {workspaces.Count} workspaces, so {unclear} is not clear: say {workspaces[0]}/{unclear}."));
        return workspaces is [['T', ..] only]
            ? ([.. given.Select(user => WorkspaceOf(user) is null ? $"{only}/{user}" : user)], null)
            : (given, null);
    }

    private static string? WorkspaceOf(string user) => user.Split('/') is [var workspace, _] ? workspace : null;
}
