using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.Metering;

/// <summary>A tenant's instances and what they used in one month.</summary>
/// <param name="LastTold">The tenant's liveness that was last told to the operators; null when none ever was.</param>
public sealed record DataPlane(
    TenantId Tenant, Month Month, IReadOnlyList<InstanceState> Instances, IReadOnlyList<ClosedMonth> ClosedMonths, Liveness? LastTold)
{
    /// <summary>What the operators believe: a tenant is well until they are told otherwise.</summary>
    public Liveness Told => LastTold ?? Liveness.Healthy;

    /// <summary>CPU and GPU time of <see cref="Month"/> over all instances.</summary>
    /// <remarks>An instance counts that month still, or has closed it; one that stopped before it used nothing in it.</remarks>
    public ComputeTime Usage =>
        Instances.Where(instance => instance.Month == Month).Select(instance => instance.InMonth)
            .Concat(ClosedMonths.Where(closed => closed.Month == Month).Select(closed => closed.Usage))
            .Aggregate(ComputeTime.Zero, (sum, usage) => sum + usage);

    /// <returns>Null for a tenant that was never heard of.</returns>
    public TenantHealth? HealthAt(DateTimeOffset now)
    {
        if (Instances.Count == 0)
            return null;
        var lastSeen = Instances.Max(instance => instance.LastSeen);
        return new(
            Liveness.Of(lastSeen, now), lastSeen, Instances.Count(instance => Liveness.Of(instance.LastSeen, now) == Liveness.Healthy), Instances.Count,
            WithUnreadableGpusAt(now).Min(instance => instance.GpuUnreadableSince));
    }

    /// <summary>Instances that report, and cannot tell all of what their GPUs do. Of one that is offline nothing is known anyway.</summary>
    public IEnumerable<InstanceState> WithUnreadableGpusAt(DateTimeOffset now) =>
        Instances.Where(instance => instance.GpuUnreadableSince is not null && Liveness.Of(instance.LastSeen, now) != Liveness.Offline);
}

/// <summary>How a tenant is: as well as its best instance.</summary>
/// <param name="LastSeen">The latest heartbeat of any of its instances.</param>
/// <param name="Healthy">Instances that are <see cref="Metering.Liveness.Healthy"/>.</param>
/// <param name="Instances">All instances ever seen, those long gone included.</param>
/// <param name="GpuUnreadableSince">Since when metered GPU time lacks something of an instance that reports; null when nothing is missing.</param>
public sealed record TenantHealth(Liveness Liveness, DateTimeOffset LastSeen, int Healthy, int Instances, DateTimeOffset? GpuUnreadableSince = null);
