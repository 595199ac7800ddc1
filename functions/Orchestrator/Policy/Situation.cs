using ControlPlane.Metering;
using ControlPlane.Orchestrator.Plans;
using ControlPlane.Tenants;

namespace ControlPlane.Orchestrator.Policy;

/// <summary>Everything that policy judges by.</summary>
/// <param name="Planning">Null when there is no workflow to plan with.</param>
/// <param name="DataPlane">The tenant's instances and their usage of this month.</param>
/// <param name="Watch">What is known of the hub itself; null where nothing asked for it.</param>
internal sealed record Situation(StartRequest Request, Standing Standing, Planning? Planning, DataPlane DataPlane, DateTimeOffset Now, WatchState? Watch = null)
{
    /// <summary>Whether this tenant's silence denies: only where its operator said so.</summary>
    public static bool SilenceDenies(Standing standing, DataPlane dataPlane, DateTimeOffset now) =>
        standing.Tenant?.Limits.DeniesWhenSilent == true && dataPlane.HealthAt(now) is { Liveness: Liveness.Offline };
}

/// <summary>What a rule says of a situation.</summary>
internal abstract record Verdict
{
    private Verdict() { }

    public sealed record Allow(string InPlainWords) : Verdict;

    /// <summary>Allows, with something to know.</summary>
    public sealed record Warn(string Code, string InPlainWords) : Verdict;

    public sealed record Deny(string Code, string InPlainWords) : Verdict;

    /// <summary>There is nothing to judge, since an earlier rule denied for want of it. Never enough to be allowed.</summary>
    public sealed record NotAsked : Verdict;
}
