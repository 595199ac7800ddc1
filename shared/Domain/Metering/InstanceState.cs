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

    /// <summary>When it last began new epochs, by our clock; no more of them than the rule asks for.</summary>
    public IReadOnlyList<DateTimeOffset> Restarts { get; init; } = [];

    /// <summary>Whether it was silent for so long that its place was given away. Its usage stands in its closed months, and it goes on where it stopped when it
    /// is heard of again.</summary>
    public bool IsFolded { get; init; }

    /// <summary>Whether an operator had its counting begin anew: the next sample adds nothing, whatever it says, and the ones after it count from
    /// there.</summary>
    public bool IsReset => Epoch == 0;

    /// <summary>Since when, by its last sample, something of its GPUs is not known: <see cref="Totals"/> lack that time. Null while all is known.</summary>
    public DateTimeOffset? GpuUnreadableSince { get; init; }

    /// <summary>The liveness that was last told to the operators.</summary>
    public Liveness Told { get; init; }

    /// <summary>Everything this instance ever used.</summary>
    public ComputeTime Lifetime => Base + Totals;

    /// <summary>What it used in <see cref="Month"/>.</summary>
    public ComputeTime InMonth => Lifetime - AtMonthStart;
}

/// <summary>When an instance is taken for gone.</summary>
public static class FoldRule
{
    /// <summary>The silence after which an instance gives up its place.</summary>
    public static readonly TimeSpan After = TimeSpan.FromDays(31);

    public static bool IsDue(InstanceState instance, DateTimeOffset now) => now - instance.LastSeen >= After;

    /// <summary>What is kept of it, and what its month comes to.</summary>
    public static (InstanceState Kept, ClosedMonth Closed) Fold(InstanceState instance) => (
        instance with { AtMonthStart = instance.Lifetime, IsFolded = true },
        new(instance.Tenant, instance.Instance, instance.Month, instance.InMonth));
}

/// <summary>What an instance used in a month that is over for it.</summary>
public sealed record ClosedMonth(TenantId Tenant, InstanceId Instance, Month Month, ComputeTime Usage);
