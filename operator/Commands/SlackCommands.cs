using System.CommandLine;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Tenants;

namespace ControlPlane.Operator.Commands;

/// <summary><c>slack …</c>: which workspaces speak for a tenant. A tenant may have several, a workspace has one tenant.</summary>
internal static class SlackCommands
{
    public static Command Build(Runner runner) => new("slack", "Slack workspaces: which tenant they speak for.")
    {
        SlackInviteCommands.Invite(runner), SlackInviteCommands.Invites(runner), SlackInviteCommands.Revoke(runner),
        Link(runner), Unlink(runner), Reseal(runner),
    };

    private static Command Link(Runner runner)
    {
        var (id, workspace) = (TypedArguments.Tenant(), TypedArguments.Workspace());
        return runner.Runs(new("link", "Lets a workspace, or an Enterprise Grid, speak for a tenant.") { id, workspace }, async (hub, given, cancel) =>
        {
            var link = new SlackLink(given.GetRequiredValue(workspace), given.GetRequiredValue(id));
            if (await hub.Tenants.FindAsync(link.Tenant, cancel) is null)
                return Refusals.NotRegistered(link.Tenant);
            if (await (await hub.AdministrationAsync(cancel)).TryLinkAsync(link, cancel))
                return Show("linked", link);
            return await hub.Tenants.OfSlackAsync(link.WorkspaceId, cancel) is { } other && other != link.Tenant
                ? Refusals.WorkspaceTaken(link.WorkspaceId, other)
                : Show("unchanged", link);
        });
    }

    private static Command Unlink(Runner runner)
    {
        var (id, workspace) = (TypedArguments.Tenant(), TypedArguments.Workspace());
        return runner.Runs(new("unlink", "Ends that: the workspace's commands are refused from now on.") { id, workspace }, async (hub, given, cancel) =>
        {
            var link = new SlackLink(given.GetRequiredValue(workspace), given.GetRequiredValue(id));
            return await (await hub.AdministrationAsync(cancel)).UnlinkAsync(link, cancel) == ChangeResult.Made
                ? Show("unlinked", link)
                : new Answer.NotDone($"{link.WorkspaceId} does not speak for {link.Tenant}: ./ctl tenant show {link.Tenant} lists those that do.");
        });
    }

    private static Command Reseal(Runner runner) => runner.Runs(
        new("reseal", "Encrypts every workspace's bot token with the newest key: after ./ctl secret rotate bot-token-key."), async (hub, _, cancel) =>
        {
            var done = await hub.TokenReseal().RunAsync(await hub.AuditorAsync(cancel), cancel);
            return Answer.Show(new ResealView(done.Anew, done.AsTheyWere, done.Unreadable), CtlJson.Default.ResealView, page => page.Facts(
                ("encrypted anew", DisplayText.Of(done.Anew)), ("so before", DisplayText.Of(done.AsTheyWere)))) with
            {
                Warnings = [.. done.Unreadable.Select(one => $"no key opens the token of {one}: have the app installed there again, ./ctl slack invite.")],
            };
        });

    private static Answer Show(string result, SlackLink link) => Answer.Show(
        new SlackLinkView(result, link.WorkspaceId.ToString(), link.Tenant.ToString()), CtlJson.Default.SlackLinkView, page => page.Line(result switch
        {
            "linked" => $"{link.WorkspaceId} speaks for {link.Tenant} now.",
            "unlinked" => $"{link.WorkspaceId} no longer speaks for {link.Tenant}.",
            _ => $"{link.WorkspaceId} spoke for {link.Tenant} before.",
        }));
}
