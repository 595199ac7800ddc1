using ControlPlane.Metering;

namespace ControlPlane.MeteringCollector.Sweeper;

/// <summary>How all tenants are at one moment.</summary>
/// <param name="Heard">Tenants that were ever heard of, with how they are.</param>
internal sealed record LivenessWatch(IReadOnlyList<(DataPlane Plane, TenantHealth Health)> Heard)
{
    public static LivenessWatch Of(IEnumerable<DataPlane> planes, DateTimeOffset now) =>
        new([.. planes.SelectMany(plane => plane.HealthAt(now) is { } health ? new[] { (plane, health) } : [])]);

    public int Count(Liveness liveness) => Heard.Count(tenant => tenant.Health.Liveness == liveness);

    /// <summary>Tenants that are not healthy, offline or on the way there.</summary>
    public int Silent => Heard.Count - Count(Liveness.Healthy);

    /// <summary>Whether more than half of the tenants go offline at once: one of them just did, and with those that fell silent since the last
    /// sweep they are the majority. Heartbeats are spread over a minute, so in one common failure some tenants are still late when the first is offline.</summary>
    public bool GoesDarkAtOnce
    {
        get
        {
            var going = Heard.Where(tenant => tenant.Plane.Told != Liveness.Offline).ToList();
            return going.Exists(tenant => tenant.Health.Liveness == Liveness.Offline)
                && IsMajority(going.Count(tenant => tenant.Health.Liveness != Liveness.Healthy));
        }
    }

    /// <summary>Tenants that fell silent about then or later, and still are.</summary>
    public IEnumerable<(DataPlane Plane, TenantHealth Health)> SilentSince(DateTimeOffset time) =>
        Heard.Where(tenant => tenant.Health.Liveness != Liveness.Healthy && tenant.Health.LastSeen > time - (LivenessRule.LateWithin * 2));

    /// <summary>Whether most tenants are still silent.</summary>
    public bool IsDark => IsMajority(Silent);

    // One tenant alone is no common failure, even where it is the only one.
    private bool IsMajority(int tenants) => tenants > 1 && tenants * 2 > Heard.Count;
}
