using ControlPlane.Tenants;

namespace ControlPlane.Metering;

/// <summary>All tenants of the hub as a sweep found them: for people, not for decisions.</summary>
/// <param name="At">When the sweep began. <see cref="TenantCount.Health"/> is of that moment.</param>
/// <param name="Today">How many executions were made since midnight (UTC), by the name of their state.</param>
/// <param name="Uncounted">Tenants that could not be read in time in that sweep.</param>
/// <param name="Faulty">Tenants that are stored wrong.</param>
public sealed record HubCensus(
    DateTimeOffset At, IReadOnlyList<TenantCount> Tenants, IReadOnlyDictionary<string, int> Today, IReadOnlyList<TenantId> Uncounted,
    IReadOnlyList<FaultyTenant> Faulty)
{
    /// <summary>Executions of one tenant's day that are counted: there may be more.</summary>
    public const int MostCounted = 2000;

    /// <summary>Older than that, what it says is history: there is one each minute while the hub is swept.</summary>
    public static readonly TimeSpan FreshFor = WatchState.AwayAfter;

    public bool IsOldAt(DateTimeOffset now) => now - At >= FreshFor;
}

/// <param name="Charged">Executions of the month, those under way included.</param>
/// <param name="Health">Null for a data plane that was never heard of.</param>
/// <param name="Today">How many of its executions are in <see cref="HubCensus.Today"/>; <see cref="HubCensus.MostCounted"/> at most.</param>
public sealed record TenantCount(
    TenantId Id, string Name, TenantStatus Status, long Charged, long MonthlyQuota, TenantHealth? Health, int Today);

/// <param name="Fault">In plain words.</param>
public sealed record FaultyTenant(TenantId Id, string Fault);
