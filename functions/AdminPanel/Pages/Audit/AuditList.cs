using ControlPlane.AdminPanel.Http;
using ControlPlane.AdminPanel.Look;
using ControlPlane.AdminPanel.Stores;
using ControlPlane.Audit;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.AdminPanel.Pages.Audit;

public sealed record AuditList(
    Frame Frame, string? Tenant, string? Actor, string Since, string? Fault, IReadOnlyList<AuditEntry> Entries, string? NextQuery)
{
    public static readonly IReadOnlyList<string> Times = ["24h", "168h", "720h", "9600h"];

    private const int PageSize = 100;

    internal static async Task<PanelAnswer> AnswerAsync(Hub hub, PanelRequest request, CancellationToken cancel)
    {
        var (tenantText, actorText, since) = (request.Asked("tenant"), request.Asked("actor"), request.Asked("since") ?? Times[0]);
        TenantId tenant = default;
        Actor actor = default;
        TimeSpan time = default;
        var fault =
            tenantText is not null && !TenantId.TryParse(tenantText, out tenant) ? "There is no such tenant."
            : actorText is not null && !ControlPlane.Audit.Actor.TryParse(actorText, out actor) ? "An actor is an ARN, local:USER, slack:TEAM/USER or oidc:SUBJECT."
            : !Duration.TryParse(since, out time) || time > AuditEntry.Retention ? "A time is like 24h."
            : null;
        AuditPlace? after = AuditPlace.TryParse(request.Asked("after"), out var last) ? last : null;
        var entries = fault is not null ? [] : await hub.Audit
            .NewestAsync(tenantText is null ? null : tenant, actorText is null ? null : actor, request.Now - time, request.Now, cancel, after)
            .Take(PageSize + 1).ToListAsync(cancel);
        var next = entries.Count <= PageSize ? null : string.Join('&', new (string Name, string? Value)[]
        {
            ("tenant", tenantText), ("actor", actorText), ("since", since), ("after", $"{entries[PageSize - 1].Place}"),
        }.Where(one => one.Value is not null).Select(one => $"{one.Name}={Uri.EscapeDataString(one.Value!)}"));
        return new PanelAnswer.Page(
            AuditListPage.Create(new(Frame.Of("Audit", "Audit", request), tenantText, actorText, since, fault, [.. entries.Take(PageSize)], next)));
    }
}
