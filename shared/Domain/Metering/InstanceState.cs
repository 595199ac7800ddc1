using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.Metering;

/// <summary>What we know of one instance: the last heartbeat accepted, and the usage that all of them add up to.</summary>
public sealed record InstanceState
{
    public required TenantId Tenant { get; init; }
    public required InstanceId Instance { get; init; }

    /// <summary>When the sidecar started, in Unix seconds: the run that the counter and the totals belong to.</summary>
    public required long Epoch { get; init; }

    /// <summary>The number of the last accepted sample within the epoch.</summary>
    public required long Counter { get; init; }

    /// <summary>SHA-256 of the last accepted body, hexadecimal: by it a repeat is told from a second signer.</summary>
    public required string BodyHash { get; init; }

    /// <summary>The sum of all earlier epochs' final totals. Moves only when the epoch does.</summary>
    public required ComputeTime Base { get; init; }

    /// <summary>Cumulative since the epoch began.</summary>
    public required ComputeTime Totals { get; init; }

    /// <summary>The month being counted. It never moves back.</summary>
    public required Month Month { get; init; }

    /// <summary>What <see cref="Lifetime"/> was when <see cref="Month"/> began.</summary>
    public required ComputeTime AtMonthStart { get; init; }

    public required DateTimeOffset SampledAt { get; init; }

    /// <summary>When the last new heartbeat was accepted, by our clock. Repeats do not count as a sign of life.</summary>
    public required DateTimeOffset LastSeen { get; init; }

    public required DateTimeOffset FirstSeen { get; init; }

    /// <summary>The liveness that was last told to the operators.</summary>
    public Liveness Told { get; init; }

    /// <summary>Everything this instance ever used.</summary>
    public ComputeTime Lifetime => Base + Totals;

    /// <summary>What it used in <see cref="Month"/>.</summary>
    public ComputeTime InMonth => Lifetime - AtMonthStart;
}

/// <summary>What an instance used in a month that is over for it.</summary>
public sealed record ClosedMonth(TenantId Tenant, InstanceId Instance, Month Month, ComputeTime Usage);
