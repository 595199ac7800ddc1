using ControlPlane.Tenants;

namespace ControlPlane.Metering;

/// <summary>One sample of one instance, authenticated and of a plausible shape.</summary>
public sealed record Heartbeat
{
    /// <summary>The tenant of the key that signed it.</summary>
    public required TenantId Tenant { get; init; }
    public required InstanceId Instance { get; init; }

    /// <summary>When the sidecar started, in Unix seconds; always rising.</summary>
    public required long Epoch { get; init; }

    /// <summary>From 1, by one a sample.</summary>
    public required long Counter { get; init; }

    public required DateTimeOffset SampledAt { get; init; }

    public required TimeSpan Interval { get; init; }

    /// <summary>Cumulative since the epoch began.</summary>
    public required ComputeTime Totals { get; init; }

    /// <summary>The processors that it reports: they bound what it can have used.</summary>
    public required Machine Machine { get; init; }

    /// <summary>SHA-256 of the body, hexadecimal.</summary>
    public required string BodyHash { get; init; }

    /// <summary>The gauges, as JSON without anything we did not ask for.</summary>
    public required string Metrics { get; init; }

    public required KeyId KeyId { get; init; }

    /// <summary>Since when something of the machine's GPUs is not known to the sidecar; null while all is.</summary>
    public DateTimeOffset? GpuUnreadableSince { get; init; }
}
