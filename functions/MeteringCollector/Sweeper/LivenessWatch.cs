using ControlPlane.Metering;
using ControlPlane.Tenants;

namespace ControlPlane.MeteringCollector.Sweeper;

/// <summary>A tenant that was heard of, and how it is.</summary>
/// <param name="IsActive">Whether it counts when it is asked what most tenants do: one that is suspended may be switched off on purpose.</param>
internal sealed record HeardTenant(DataPlane Plane, TenantHealth Health, bool IsActive)
{
    public bool IsSilent => Health.Liveness != Liveness.Healthy;
}

/// <summary>How all tenants are at one moment.</summary>
/// <param name="Heard">Tenants that were ever heard of, with how they are. One that is removed is not among them.</param>
internal sealed record LivenessWatch(IReadOnlyList<HeardTenant> Heard)
{
    public static LivenessWatch Of(IEnumerable<(Tenant Tenant, DataPlane Plane)> planes, DateTimeOffset now) => new(
    [
        .. planes.Where(one => one.Tenant.Status != TenantStatus.Deleting).SelectMany(one =>
            one.Plane.HealthAt(now) is { } health ? new[] { new HeardTenant(one.Plane, health, one.Tenant.Status == TenantStatus.Active) } : []),
    ]);

    public int Count(Liveness liveness) => Heard.Count(tenant => tenant.Health.Liveness == liveness);

    public int Active => Heard.Count(tenant => tenant.IsActive);

    /// <summary>Active tenants that are not healthy, offline or on the way there.</summary>
    public int Silent => Heard.Count(tenant => tenant is { IsActive: true, IsSilent: true });

    /// <summary>Whether more than half of the active tenants go offline at once: one of them just did, and with those that fell silent since the last
    /// sweep they are the majority. Heartbeats are spread over a minute, so in one common failure some tenants are still late when the first is
    /// offline.</summary>
    public bool GoesDarkAtOnce
    {
        get
        {
            var going = Heard.Where(tenant => tenant.IsActive && tenant.Plane.Told != Liveness.Offline).ToList();
            return going.Exists(tenant => tenant.Health.Liveness == Liveness.Offline) && IsMajority(going.Count(tenant => tenant.IsSilent));
        }
    }

    /// <summary>Whether most tenants are still silent.</summary>
    public bool IsDark => IsMajority(Silent);

    // One tenant alone is no common failure, even where it is the only one.
    private bool IsMajority(int tenants) => tenants > 1 && tenants * 2 > Active;
}
