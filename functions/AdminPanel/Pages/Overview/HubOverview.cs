using ControlPlane.Administration.DeadLetters;
using ControlPlane.AdminPanel.Http;
using ControlPlane.AdminPanel.Look;
using ControlPlane.AdminPanel.Stores;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.AdminPanel.Pages.Overview;

/// <param name="Health">Null for a data plane that was never heard of.</param>
/// <param name="Today">Executions made since midnight (UTC), by state.</param>
public sealed record Plane(Tenant Tenant, TenantHealth? Health, MonthUsage Month, IReadOnlyDictionary<ExecutionState, int> Today);

/// <param name="Where">The page that says more.</param>
public sealed record Trouble(string Kind, string Words, string Where);

public sealed record HubOverview(
    Frame Frame, IReadOnlyList<Trouble> Troubles, IReadOnlyList<Plane> Planes, IReadOnlyList<QueueDepth> Queues,
    IReadOnlyList<(ExecutionState State, int Count)> Today)
{
    /// <summary>Lines of a tenant's index that are counted for a day.</summary>
    private const int MostCounted = 2000;

    private const int TenantsAtOnce = 32;

    internal static async Task<PanelAnswer> AnswerAsync(Hub hub, PanelRequest request, CancellationToken cancel)
    {
        var queues = Task.WhenAll(WorkQueue.All.Select(queue => hub.DeadLettersOf(queue).DepthAsync(cancel)));
        var (tenants, faulty) = await hub.Tenants.ReadableAsync(cancel);
        var planes = new List<Plane>();
        foreach (var some in tenants.Where(one => one.Status != TenantStatus.Deleting).OrderBy(one => one.Id.Number).Chunk(TenantsAtOnce))
            planes.AddRange(await Task.WhenAll(some.Select(tenant => PlaneAsync(hub, tenant, request.Now, cancel))));
        var today = ExecutionStates.All.Select(state => (State: state, Count: planes.Sum(plane => plane.Today.GetValueOrDefault(state))))
            .Where(one => one.Count > 0).ToList();
        return new PanelAnswer.Page(OverviewPage.Create(new(
            Frame.Of("Overview", "Overview", request), [.. TroublesOf(planes, faulty, await queues)], planes, await queues, today)));
    }

    private static async Task<Plane> PlaneAsync(Hub hub, Tenant tenant, DateTimeOffset now, CancellationToken cancel)
    {
        var month = Month.Of(now);
        var plane = hub.Instances.OfTenantAsync(tenant.Id, month, cancel);
        var usage = hub.Quotas.RecentMonthAsync(tenant.Id, month, cancel);
        var today = new Dictionary<ExecutionState, int>();
        await foreach (var line in hub.Executions.LatestAsync(tenant.Id, since: new(now.UtcDateTime.Date, TimeSpan.Zero), cancel).Take(MostCounted))
            today[line.State] = today.GetValueOrDefault(line.State) + 1;
        return new(tenant, (await plane).HealthAt(now), await usage, today);
    }

    private static IEnumerable<Trouble> TroublesOf(
        IReadOnlyList<Plane> planes, IReadOnlyList<(TenantId Id, string Fault)> faulty, IReadOnlyList<QueueDepth> queues)
    {
        foreach (var queue in queues.Where(one => one.DeadLetters > 0))
            yield return new("bad", $"{queue.DeadLetters} dead letters of {queue.Queue.Name}", "/dead-letters");
        foreach (var (id, fault) in faulty)
            yield return new("bad", $"{id} is stored wrong: {fault}", $"/tenants/{id}");
        foreach (var plane in planes.Where(one => one is { Tenant.Status: TenantStatus.Active, Health.Liveness: Liveness.Offline }))
            yield return new("bad", $"{plane.Tenant.Id} is OFFLINE", $"/tenants/{plane.Tenant.Id}");
        foreach (var plane in planes.Where(one => one is { Tenant.Status: TenantStatus.Active, Health.Liveness: Liveness.Late }))
            yield return new("warn", $"{plane.Tenant.Id} is LATE", $"/tenants/{plane.Tenant.Id}");
        foreach (var plane in planes.Where(one => one.Health?.GpuUnreadableSince is not null))
            yield return new("warn", $"{plane.Tenant.Id} cannot read all of its GPUs: their time is not metered in full", $"/tenants/{plane.Tenant.Id}");
        foreach (var plane in planes.Where(one => one.Month.Charged >= one.Tenant.Limits.MonthlyQuota))
            yield return new("warn", $"{plane.Tenant.Id} has used up its month", $"/tenants/{plane.Tenant.Id}");
    }
}
