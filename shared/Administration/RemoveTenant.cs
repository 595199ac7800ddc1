using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Tenants;

namespace ControlPlane.Administration;

/// <summary>What the end of a tenant came to.</summary>
/// <param name="Tenant">As it is afterwards.</param>
/// <param name="IsNew">Whether it was not removed before.</param>
public sealed record Removal(Tenant Tenant, bool IsNew, int KeysRevoked, IReadOnlyList<TeamId> Unlinked, int ExecutionsClosed);

/// <summary>Ends a tenant. Said again, it finishes what was left.</summary>
public sealed class RemoveTenant(
    TenantRegistry tenants, TenantAdministration administration, ScheduleStore schedules, ExecutionStore executions, Auditor auditor)
{
    /// <summary>Who cancels the executions that are open.</summary>
    private const string Operator = "operator";

    public async Task<Removal> RunAsync(TenantCatalogue catalogue, CancellationToken cancel)
    {
        // First of all: from here on nothing new is started, and whatever stops below is taken up by saying it again.
        var tenant = catalogue.Tenant.Id;
        var change = await administration.RemoveAsync(tenant, cancel);
        var revoked = 0;
        foreach (var key in (await tenants.KeysOfAsync(tenant, cancel)).Where(key => key.RevokedAt is null))
            revoked += await administration.RevokeAsync(tenant, key.KeyId, cancel) == ChangeResult.Made ? 1 : 0;
        var unlinked = new List<TeamId>();
        foreach (var link in await tenants.LinksOfAsync(tenant, cancel))
            if (await administration.UnlinkAsync(link, cancel) == ChangeResult.Made)
                unlinked.Add(link.WorkspaceId);
        foreach (var schedule in await schedules.OfTenantAsync(tenant, cancel))
            await schedules.RemoveAsync(schedule, auditor, cancel);
        var closed = await CloseAsync(tenant, cancel);
        await administration.ClearCatalogueAsync(catalogue, cancel);

        return new(await tenants.FindAsync(tenant, cancel) ?? catalogue.Tenant, change == ChangeResult.Made, revoked, unlinked, closed);
    }

    // Their requesters are told by the sweeper, as of every end that nobody was told of.
    private async Task<int> CloseAsync(TenantId tenant, CancellationToken cancel)
    {
        var closed = 0;
        foreach (var id in await executions.OpenAsync(tenant, cancel))
            if (await executions.FindAsync(id, cancel) is { State.IsTerminal: false } execution
                && await executions.CancelAsync(execution, Operator, auditor, cancel) is Move.Moved)
                closed++;
        return closed;
    }
}
