using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Tenants;

namespace ControlPlane.MeteringCollector.Sweeper;

/// <summary>Counts what the admin panel's overview shows, and keeps it as one item: looking costs the same however many tenants there are.</summary>
internal sealed class TakeCensus(QuotaLedger ledger, ExecutionStore executions, CensusStore censuses)
{
    /// <param name="plane">As this sweep read it.</param>
    /// <returns>Its count, and its executions of today by the name of their state.</returns>
    public async Task<(TenantCount Tenant, IReadOnlyDictionary<string, int> Today)> CountAsync(
        Tenant tenant, DataPlane plane, DateTimeOffset now, CancellationToken cancel)
    {
        var today = new Dictionary<string, int>();
        var midnight = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero);
        await foreach (var line in executions.LatestAsync(tenant.Id, since: midnight, cancel).Take(HubCensus.MostCounted))
            today[line.State.Name] = today.GetValueOrDefault(line.State.Name) + 1;
        var month = await ledger.RecentMonthAsync(tenant.Id, plane.Month, cancel);
        return (
            new(tenant.Id, tenant.Name, tenant.Status, month.Charged, tenant.Limits.MonthlyQuota, plane.HealthAt(now), today.Values.Sum()), today);
    }

    /// <param name="registered">Everybody who should have been counted.</param>
    public Task KeepAsync(
        IReadOnlyCollection<(TenantCount Tenant, IReadOnlyDictionary<string, int> Today)> counts, IEnumerable<Tenant> registered,
        IEnumerable<(TenantId Id, string Fault)> faulty, DateTimeOffset now, CancellationToken cancel)
    {
        var counted = counts.Select(one => one.Tenant.Id).ToHashSet();
        return censuses.SaveAsync(
            new(
                now, [.. counts.Select(one => one.Tenant).OrderBy(one => one.Id.Number)],
                counts.SelectMany(one => one.Today).GroupBy(one => one.Key).ToDictionary(state => state.Key, state => state.Sum(one => one.Value)),
                [.. registered.Select(tenant => tenant.Id).Where(id => !counted.Contains(id)).OrderBy(id => id.Number)],
                [.. faulty.OrderBy(one => one.Id.Number).Select(one => new FaultyTenant(one.Id, one.Fault))]),
            cancel);
    }
}
