using ControlPlane.AdminPanel.Http;
using ControlPlane.AdminPanel.Look;
using ControlPlane.AdminPanel.Stores;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Quotas;
using ControlPlane.Schedules;
using ControlPlane.Slack;
using ControlPlane.Tenants;

namespace ControlPlane.AdminPanel.Pages.Tenants;

/// <summary>What is shown once: a link or a code that nobody keeps.</summary>
/// <param name="For">What to do with it.</param>
public sealed record ShownOnce(string Title, string Text, string For);

/// <summary>Everything of one tenant.</summary>
/// <param name="Waiting">Executions that wait for somebody's approval.</param>
public sealed record TenantView(
    Frame Frame, TenantCatalogue Catalogue, MonthUsage Month, int UnderWay, DataPlane Plane, IReadOnlyList<SlackLink> Links,
    IReadOnlyList<InstallTicket> Tickets, IReadOnlyList<SidecarKey> Keys, IReadOnlyList<EnrolmentInvite> Invites,
    IReadOnlyList<Schedule> Schedules, IReadOnlyList<ExecutionId> Waiting,
    ShownOnce? Once)
{
    public Tenant Tenant => Catalogue.Tenant;

    public bool MayChange => Frame.MayChange && Tenant.Status != TenantStatus.Deleting;

    /// <param name="once">After a change that made something which is shown now and never again.</param>
    internal static async Task<PanelAnswer> AnswerAsync(Hub hub, PanelRequest request, string id, CancellationToken cancel, ShownOnce? once = null)
    {
        if (!TenantId.TryParse(id, out var tenant) || await hub.Tenants.CatalogueAsync(tenant, cancel) is not { } catalogue)
            return new PanelAnswer.NotFound("No tenant of that number is registered.");
        var month = Quotas.Month.Of(request.Now);
        var usage = hub.Quotas.MonthAsync(tenant, month, cancel);
        var underWay = hub.Quotas.ActiveAsync(tenant, cancel);
        var plane = hub.Instances.OfTenantAsync(tenant, month, cancel);
        var links = hub.Tenants.LinksOfAsync(tenant, cancel);
        var tickets = hub.Installations.TicketsOfAsync(tenant, cancel);
        var keys = hub.Tenants.KeysOfAsync(tenant, cancel);
        var invites = hub.Enrolments.OfAsync(tenant, cancel);
        var schedules = hub.Schedules.OfTenantAsync(tenant, cancel);
        var waiting = WaitingAsync(hub, tenant, cancel);
        return new PanelAnswer.Page(TenantViewPage.Create(new(
            Frame.Of($"{tenant}", "Tenants", request), catalogue, await usage, await underWay, await plane, await links, await tickets,
            [.. (await keys).OrderBy(key => key.RevokedAt is not null).ThenBy(key => key.AddedAt)], await invites, await schedules, await waiting, once)));
    }

    private static async Task<IReadOnlyList<ExecutionId>> WaitingAsync(Hub hub, TenantId tenant, CancellationToken cancel)
    {
        const int most = 500;       // of those of the last days: who waits longer has expired
        var since = hub.Clock.GetUtcNow() - ApprovalRule.LongestWithin;
        return await hub.Executions.LatestAsync(tenant, since, cancel).Take(most)
            .Where(one => one.State == ExecutionState.AwaitingApproval).Select(one => one.Id).ToListAsync(cancel);
    }
}
