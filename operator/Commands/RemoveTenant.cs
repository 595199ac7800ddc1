using System.CommandLine;
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
        var removal = await new Administration.RemoveTenant(
            hub.Tenants, await hub.AdministrationAsync(cancel), hub.Schedules, hub.Executions, await hub.AuditorAsync(cancel)).RunAsync(catalogue, cancel);
        var shown = new RemovalView(
            removal.IsNew ? "removed" : "unchanged", ViewMapper.Of(removal.Tenant), removal.KeysRevoked, [.. removal.Unlinked.Select(team => team.ToString())],
            removal.ExecutionsClosed, removal.Tenant.FreeAt is { } free ? Rfc3339.Format(free) : null);
        return Answer.Show(shown, CtlJson.Default.RemovalView, page =>
        {
            page.Line(removal.IsNew ? $"{removal.Tenant.Id} is removed." : $"{removal.Tenant.Id} was removed before.");
            page.Facts(
                ("keys revoked", DisplayText.Of(shown.KeysRevoked)), ("unlinked", DisplayText.List(shown.Unlinked)),
                ("executions closed", DisplayText.Of(shown.ExecutionsClosed)), ("number free again", shown.FreeAgainAt));
            page.Line("Next: delete the stacks of its peering and its data plane (infra/README.md).");
        });
    }
}
