using ControlPlane.Aws;
using ControlPlane.SlackHandler.Messages;
using ControlPlane.Tenants;

namespace ControlPlane.SlackHandler.Commands;

/// <summary>Finds whose a workspace is.</summary>
internal sealed class Callers(TenantRegistry tenants)
{
    /// <summary>Who asks, with everything that may be run there; or why nothing may.</summary>
    public async Task<(Caller? Caller, SlackMessage? Refusal)> FindAsync(SlackCommand command, CancellationToken cancel)
    {
        if (await tenants.RecentOfSlackAsync(command.WorkspaceId, cancel) is not { } tenant
            || await tenants.RecentCatalogueAsync(tenant, cancel) is not { } catalogue)
            return (null, Refusals.UnknownWorkspace);
        return catalogue.Tenant.Status == TenantStatus.Active ? (new(command, catalogue), null) : (null, Refusals.Suspended);
    }
}
