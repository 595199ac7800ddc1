using ControlPlane.AdminPanel.Http;
using ControlPlane.AdminPanel.Look;
using ControlPlane.AdminPanel.Stores;
using ControlPlane.Tenants;

namespace ControlPlane.AdminPanel.Pages.Tenants;

public sealed record TenantList(Frame Frame, IReadOnlyList<Tenant> Tenants, IReadOnlyList<(TenantId Id, string Fault)> Faulty)
{
    internal static async Task<PanelAnswer> AnswerAsync(Hub hub, PanelRequest request, CancellationToken cancel)
    {
        var (tenants, faulty) = await hub.Tenants.ReadableAsync(cancel);
        return new PanelAnswer.Page(TenantListPage.Create(new(
            Frame.Of("Tenants", "Tenants", request), [.. tenants.OrderBy(one => one.Id.Number)], faulty)));
    }
}
