using System.CommandLine;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Tenants;

namespace ControlPlane.Operator.Commands;

/// <summary><c>group …</c>: lists of Slack users that workflows allow by name.</summary>
internal static class GroupCommands
{
    public static Command Build(Runner runner) => new("group", "Groups of Slack users, for workflow publish --allow-group.") { Set(runner), List(runner) };

    private static Command Set(Runner runner)
    {
        var (id, name) = (TypedArguments.Tenant(), TypedArguments.Group());
        var users = TypedArguments.Users("--user", "A member. May be repeated.");
        users.Required = true;
        return runner.Runs(new("set", "Says who is in a group, in place of who was.") { id, name, users }, async (hub, given, cancel) =>
        {
            var tenant = given.GetRequiredValue(id);
            if (await hub.Tenants.CatalogueAsync(tenant, cancel) is not { } catalogue)
                return Refusals.NotRegistered(tenant);
            var (members, refusal) = await SlackUsers.OfAsync(hub, tenant, given.GetRequiredValue(users), cancel);
            if (refusal is not null)
                return refusal;
            var group = new UserGroup(given.GetRequiredValue(name), members);

            var before = catalogue.Groups.FirstOrDefault(one => one.Name == group.Name);
            var isSame = before is not null && before.Users.ToHashSet().SetEquals(group.Users);
            if (!isSame)
                await (await hub.AdministrationAsync(cancel)).SaveAsync(tenant, group, before, cancel);
            var shown = new GroupChangeView(isSame ? "unchanged" : "set", tenant.ToString(), new(group.Name, group.Users));
            return Answer.Show(
                shown, CtlJson.Default.GroupChangeView, page => page.Line($"{group.Name} {(isSame ? "was" : "is now")} {DisplayText.List(group.Users)}."));
        });
    }

    private static Command List(Runner runner)
    {
        var id = TypedArguments.Tenant();
        return runner.Runs(new("list", "A tenant's groups.") { id }, async (hub, given, cancel) =>
        {
            var tenant = given.GetRequiredValue(id);
            if (await hub.Tenants.CatalogueAsync(tenant, cancel) is not { } catalogue)
                return Refusals.NotRegistered(tenant);
            var groups = catalogue.Groups.OrderBy(group => group.Name, StringComparer.Ordinal).Select(group => new GroupView(group.Name, group.Users)).ToList();
            return Answer.Show(new GroupsView(tenant.ToString(), groups), CtlJson.Default.GroupsView, page => page.Table(
                ["GROUP", Column.Prose("USERS")], groups.Select(group => (string?[])[group.Group, DisplayText.List(group.Users)])));
        });
    }
}
