using ControlPlane.Tenants;

namespace ControlPlane.Metering;

/// <summary>An accepted sample as kept for a while: what a tenant's instance did, minute by minute.</summary>
/// <param name="Metrics">The gauges, as JSON.</param>
public sealed record MeteringRecord(
    TenantId Tenant, InstanceId Instance, long Epoch, long Counter, DateTimeOffset SampledAt, TimeSpan Interval, ComputeTime Totals, string Metrics,
    KeyId KeyId)
{
    /// <summary>How long a sample is kept.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromDays(30);

    /// <summary>How many samples are missing between an instance's last one and this; null when this is not a later one.</summary>
    public long? GapAfter(MeteringRecord last) => Epoch.CompareTo(last.Epoch) switch
    {
        > 0 => Counter - 1,
        0 when Counter > last.Counter => Counter - last.Counter - 1,
        _ => null,
    };

    public static MeteringRecord Of(Heartbeat heartbeat) => new(
        heartbeat.Tenant, heartbeat.Instance, heartbeat.Epoch, heartbeat.Counter, heartbeat.SampledAt, heartbeat.Interval, heartbeat.Totals, heartbeat.Metrics,
        heartbeat.KeyId);
}
