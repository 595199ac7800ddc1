using ControlPlane.Tenants;

namespace ControlPlane.Metering;

/// <summary>An accepted sample as kept for a while: what a tenant's instance did, minute by minute.</summary>
/// <param name="Metrics">The gauges, as JSON.</param>
public sealed record MeteringRecord(
    TenantId Tenant, InstanceId Instance, long Epoch, long Counter, DateTimeOffset SampledAt, TimeSpan Interval, ComputeTime Totals, string Metrics, string KeyId)
{
    /// <summary>How long a sample is kept.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromDays(30);

    public static MeteringRecord Of(Heartbeat heartbeat) => new(
        heartbeat.Tenant, heartbeat.Instance, heartbeat.Epoch, heartbeat.Counter, heartbeat.SampledAt, heartbeat.Interval, heartbeat.Totals, heartbeat.Metrics, heartbeat.KeyId);
}
