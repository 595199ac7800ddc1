using System.CommandLine;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Deployments;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Operator.Commands;

/// <summary><c>tenant remove</c>: the end of a tenant. Said again, it finishes what was left.</summary>
internal static class RemoveTenant
{
    /// <summary>Who cancels the executions that are open.</summary>
    private const string Operator = "operator";

    public static Command Build(Runner runner)
    {
        var id = TypedArguments.Tenant();
        return runner.Runs(
            new(
                "remove",
                "Ends a tenant, for good: its keys are revoked, its workspaces unlinked, its schedules and executions ended. After 90 days its number is free.") { id },
            async (hub, given, cancel) => await hub.Tenants.CatalogueAsync(given.GetRequiredValue(id), cancel) is { } catalogue
                ? await RunAsync(hub, catalogue, cancel)
                : Refusals.NotRegistered(given.GetRequiredValue(id)));
    }

    public static async Task<Answer> RunAsync(ControlPlaneClient hub, TenantCatalogue catalogue, CancellationToken cancel)
    {
        // First of all: from here on nothing new is started, and whatever stops below is taken up by saying it again.
        var tenant = catalogue.Tenant.Id;
        var (administration, auditor) = (await hub.AdministrationAsync(cancel), await hub.AuditorAsync(cancel));
        var change = await administration.RemoveAsync(tenant, cancel);
        var revoked = 0;
        foreach (var key in (await hub.Tenants.KeysOfAsync(tenant, cancel)).Where(key => key.RevokedAt is null))
            revoked += await administration.RevokeAsync(tenant, key.KeyId, cancel) == ChangeResult.Made ? 1 : 0;
        var unlinked = new List<string>();
        foreach (var link in await hub.Tenants.LinksOfAsync(tenant, cancel))
            if (await administration.UnlinkAsync(link, cancel) == ChangeResult.Made)
                unlinked.Add(link.WorkspaceId.ToString());
        foreach (var schedule in await hub.Schedules.OfTenantAsync(tenant, cancel))
            await hub.Schedules.RemoveAsync(schedule, auditor, cancel);
        var closed = await CloseAsync(hub, tenant, auditor, cancel);
        await administration.ClearCatalogueAsync(catalogue, cancel);

        var removed = await hub.Tenants.FindAsync(tenant, cancel) ?? catalogue.Tenant;
        var shown = new RemovalView(
            change == ChangeResult.Made ? "removed" : "unchanged", ViewMapper.Of(removed), revoked, unlinked, closed,
            removed.FreeAt is { } free ? Rfc3339.Format(free) : null);
        return Answer.Show(shown, CtlJson.Default.RemovalView, page =>
        {
            page.Line(change == ChangeResult.Made ? $"{tenant} is removed." : $"{tenant} was removed before.");
            page.Facts(
                ("keys revoked", DisplayText.Of(revoked)), ("unlinked", DisplayText.List(unlinked)), ("executions closed", DisplayText.Of(closed)),
                ("number free again", shown.FreeAgainAt));
            page.Line("Next: delete the stacks of its peering and its data plane (infra/README.md).");
        });
    }

    // Their requesters are told by the sweeper, as of every end that nobody was told of.
    private static async Task<int> CloseAsync(ControlPlaneClient hub, TenantId tenant, Auditor auditor, CancellationToken cancel)
    {
        var closed = 0;
        foreach (var id in await hub.Executions.OpenAsync(tenant, cancel))
            if (await hub.Executions.FindAsync(id, cancel) is { State.IsTerminal: false } execution
                && await hub.Executions.CancelAsync(execution, Operator, auditor, cancel) is Move.Moved)
                closed++;
        return closed;
    }
}
