using System.CommandLine;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Deployments;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Tenants;

namespace ControlPlane.Operator.Commands;

/// <summary><c>tenant …</c>: who is here, where their engines are, and what they may use.</summary>
internal static class TenantCommands
{
    public static Command Build(Runner runner) => new("tenant", "Tenants: take in and out, register, look at, limit, suspend, remove.")
    {
        OnboardTenant.Build(runner), OffboardTenant.Build(runner), RegisterTenant.Build(runner), List(runner), Show(runner),
        Limits(runner), Engine(runner), Account(runner), Channel(runner), Rename(runner), Suspend(runner),
        Resume(runner), RemoveTenant.Build(runner),
    };

    private static Command List(Runner runner) => runner.Runs(new("list", "All tenants of this hub."), async (hub, _, cancel) =>
    {
        var (readable, faulty) = await hub.Tenants.ReadableAsync(cancel);
        var tenants = readable.OrderBy(tenant => tenant.Id.Number).Select(ViewMapper.Of).ToList();
        return Answer.Show(new TenantsView(tenants), CtlJson.Default.TenantsView, page => page.Table(
            ["TENANT", Column.Prose("NAME"), "STATUS", "ENGINE", Column.Number("QUOTA", 1), Column.Number("CONCURRENCY", 2)],
            tenants.Select(tenant => (string?[])[tenant.Tenant, tenant.Name, tenant.Status, tenant.Engine, DisplayText.Of(tenant.MonthlyQuota),
                DisplayText.Of(tenant.Concurrency)]))) with
        { Warnings = ViewMapper.Faults(faulty) };
    });

    private static Command Show(Runner runner)
    {
        var id = TypedArguments.Tenant();
        return runner.Runs(new("show", "One tenant, with its workspaces, workflows and keys.") { id }, async (hub, given, cancel) =>
        {
            var tenant = given.GetRequiredValue(id);
            if (await hub.Tenants.CatalogueAsync(tenant, cancel) is not { } catalogue)
                return Refusals.NotRegistered(tenant);
            var links = await hub.Tenants.LinksOfAsync(tenant, cancel);
            var keys = await hub.Tenants.KeysOfAsync(tenant, cancel);

            var shown = new TenantDetailView(
                ViewMapper.Of(catalogue.Tenant),
                [.. links.Select(link => link.WorkspaceId.ToString())],
                [.. catalogue.Workflows.Where(workflow => workflow.Enabled).Select(workflow => workflow.Name.ToString())],
                [.. catalogue.Groups.Select(group => group.Name)],
                [.. keys.Where(key => key.IsValidAt(hub.Clock.GetUtcNow())).Select(key => key.KeyId.ToString())]);
            return Answer.Show(shown, CtlJson.Default.TenantDetailView, page => page.Facts(
            [
                .. DisplayText.Facts(shown.Tenant),
                ("slack", DisplayText.List(shown.Slack)), ("workflows", DisplayText.List(shown.Workflows)), ("groups", DisplayText.List(shown.Groups)),
                ("valid keys", DisplayText.List(shown.ValidKeys)),
            ]));
        });
    }

    private static Command Limits(Runner runner)
    {
        var id = TypedArguments.Tenant();
        var options = new LimitOptions();
        return runner.Runs(options.On(new("limits", "A tenant's limits: shows them, or sets those that are named.") { id }), async (hub, given, cancel) =>
        {
            var tenant = given.GetRequiredValue(id);
            var limits = options.Of(given);
            if (!limits.IsEmpty)
                return await ChangedAsync(hub, tenant, await (await hub.AdministrationAsync(cancel)).LimitAsync(tenant, limits, cancel), "limited", cancel);
            if (await hub.Tenants.FindAsync(tenant, cancel) is not { } there)
                return Refusals.NotRegistered(tenant);
            var shown = new TenantChangeView("unchanged", ViewMapper.Of(there));
            return Answer.Show(shown, CtlJson.Default.TenantChangeView, page => page.Facts(DisplayText.Limits(shown.Tenant)));
        });
    }

    private static Command Engine(Runner runner)
    {
        var id = TypedArguments.Tenant();
        var address = new Argument<string>("engine") { Description = "Where it listens, like 10.106.128.10:5678." };
        var allowPublic = new Option<bool>("--allow-public-subnet") { Description = "It may sit in one of the tenant's public subnets." };
        return runner.Runs(new("engine", "Says that a tenant's engine has another address.") { id, address, allowPublic }, async (hub, given, cancel) =>
        {
            var tenant = given.GetRequiredValue(id);
            var isPublic = given.GetValue(allowPublic);
            return EngineText.TryParse(given.GetRequiredValue(address), tenant, isPublic, out var engine)
                ? await ChangedAsync(hub, tenant, await (await hub.AdministrationAsync(cancel)).MoveEngineAsync(tenant, engine, isPublic, cancel), "moved", cancel)
                : Refusals.EngineRefused(given.GetRequiredValue(address), tenant, isPublic);
        });
    }

    private static Command Account(Runner runner)
    {
        var id = TypedArguments.Tenant();
        var account = Required("--account", "222222222222", "The AWS account of its data plane.", AwsIdentity.IsAccount, "no account: twelve digits");
        var role = Required(
            "--engine-role", "NAME", "The role that its engine hosts have there, as the data plane's stack puts it out.", AwsIdentity.IsRole,
            "no role's name: 1 to 64 of A-Z, a-z, 0-9 and +=,.@_-, without its path");
        return runner.Runs(new("account", "Says in which AWS account a tenant's machines are: those may enrol their sidecars by their own identity.") { id, account, role },
            async (hub, given, cancel) =>
        {
            var (tenant, aws) = (given.GetRequiredValue(id), new AwsIdentity(given.GetRequiredValue(account), given.GetRequiredValue(role)));
            return await ChangedAsync(hub, tenant, await (await hub.AdministrationAsync(cancel)).IdentifyAsync(tenant, aws, cancel), "known to AWS", cancel);
        });

        static Option<string> Required(string name, string helpName, string description, Predicate<string> isOne, string fault) => new(name)
        {
            Description = description,
            HelpName = helpName,
            Required = true,
            CustomParser = given => TypedArguments.Read(given, (string text, out string value) => isOne(value = text), text => $"{text} is {fault}."),
        };
    }

    private static Command Channel(Runner runner)
    {
        const string none = "none";
        var id = TypedArguments.Tenant();
        var channel = new Argument<string>("channel") { Description = $"The channel, C… or T…/C… where there are several workspaces; {none} for nowhere." };
        return runner.Runs(new("channel", "Says in which Slack channel a tenant is told that a limit is near. The app has to be a member of it.") { id, channel },
            async (hub, given, cancel) =>
        {
            var (tenant, text) = (given.GetRequiredValue(id), given.GetRequiredValue(channel));
            if (await hub.Tenants.FindAsync(tenant, cancel) is null)
                return Refusals.NotRegistered(tenant);
            var (place, refusal) = await SlackPlace.OfAsync(hub, tenant, text == none ? null : text, cancel);
            if (refusal is not null)
                return refusal;
            if (place.User is not null)
                return new Answer.NotDone($"{TypedArguments.Quote(text)} is a user: a channel's id begins with C, D or G.");
            var wanted = place is { Team: { } team, Channel: { } there } ? new TenantChannel(team, there) : null;
            var change = await (await hub.AdministrationAsync(cancel)).TellInAsync(tenant, wanted, cancel);
            return await ChangedAsync(hub, tenant, change, wanted is null ? "told nowhere" : $"told in {wanted.Channel}", cancel);
        });
    }

    private static Command Rename(Runner runner)
    {
        var id = TypedArguments.Tenant();
        var name = new Argument<string>("name") { Description = "As people call it.", CustomParser = RegisterTenant.ReadName };
        return runner.Runs(new("rename", "Gives a tenant another name.") { id, name }, async (hub, given, cancel) =>
        {
            var tenant = given.GetRequiredValue(id);
            var change = await (await hub.AdministrationAsync(cancel)).RenameAsync(tenant, given.GetRequiredValue(name), cancel);
            return await ChangedAsync(hub, tenant, change, "renamed", cancel);
        });
    }

    private static Command Suspend(Runner runner)
    {
        var id = TypedArguments.Tenant();
        return runner.Runs(new("suspend", "Refuses a tenant's new executions and those not yet dispatched. Outcomes and heartbeats are still taken.") { id },
            async (hub, given, cancel) =>
        {
            var tenant = given.GetRequiredValue(id);
            return await ChangedAsync(hub, tenant, await (await hub.AdministrationAsync(cancel)).SuspendAsync(tenant, cancel), "suspended", cancel);
        });
    }

    private static Command Resume(Runner runner)
    {
        var id = TypedArguments.Tenant();
        return runner.Runs(new("resume", "Takes a suspended tenant's executions again.") { id }, async (hub, given, cancel) =>
        {
            var tenant = given.GetRequiredValue(id);
            return await ChangedAsync(hub, tenant, await (await hub.AdministrationAsync(cancel)).ResumeAsync(tenant, cancel), "resumed", cancel);
        });
    }

    private static async Task<Answer> ChangedAsync(ControlPlaneClient hub, TenantId id, ChangeResult change, string done, CancellationToken cancel)
    {
        if (await hub.Tenants.FindAsync(id, cancel) is not { } tenant)
            return Refusals.NotRegistered(id);
        if (change == ChangeResult.NothingThere)
            return new Answer.NotDone($"{id} is being deleted: that has no way back. Its number is free again {tenant.FreeAt:yyyy-MM-dd}.");

        var shown = new TenantChangeView(change == ChangeResult.Made ? done : "unchanged", ViewMapper.Of(tenant));
        return Answer.Show(shown, CtlJson.Default.TenantChangeView, page =>
        {
            page.Line(change == ChangeResult.Made ? $"{id} is {done}." : $"{id} is as it was.");
            page.Facts(DisplayText.Facts(shown.Tenant));
        });
    }
}
