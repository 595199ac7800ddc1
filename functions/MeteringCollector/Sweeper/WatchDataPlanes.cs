using System.Collections.Concurrent;
using ControlPlane.Aws;
using ControlPlane.Metering;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.MeteringCollector.Sweeper;

/// <summary>Tells the operators whose liveness changed: each change once, and a common failure as one.</summary>
/// <remarks>An alert is a log line and a metric that an alarm watches. The conditional write that notes a change decides which of several sweepers tells it.</remarks>
internal sealed class WatchDataPlanes(TenantRegistry registry, InstanceStore instances, MeteringEvents events, TimeProvider clock)
{
    // Enough to see to all 156 tenants in a second or two, and few enough to leave the tables to the heartbeats.
    private const int AtOnce = 8;

    private static readonly TimeSpan UnreadableFor = TimeSpan.FromMinutes(5);

    public async Task RunAsync(string sweep, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var (tenants, faulty) = await registry.ReadableAsync(cancel);
        events.TenantsCounted(tenants.Count + faulty.Count);
        foreach (var (tenant, fault) in faulty)
            events.TenantStoredWrong(tenant, fault);

        var watch = LivenessWatch.Of(await PlanesAsync(tenants, now, cancel), now);
        foreach (var liveness in Enum.GetValues<Liveness>())
            events.DataPlanesCounted(liveness, watch.Count(liveness));
        ReportUnreadableGpus(watch, now);

        var isQuiet = await IsQuietAsync(watch, now, sweep, cancel);
        await Parallel.ForEachAsync(watch.Heard, Bounded(cancel), async (tenant, token) => await TellAsync(tenant.Plane, tenant.Health, isQuiet, now, sweep, token));
    }

    // A gauge, for the alarm to watch and to clear by itself. A driver that is exchanged is away for less than that.
    private void ReportUnreadableGpus(LivenessWatch watch, DateTimeOffset now)
    {
        var unreadable = watch.Heard.SelectMany(tenant => tenant.Plane.WithUnreadableGpusAt(now))
            .Where(instance => now - instance.GpuUnreadableSince >= UnreadableFor).ToList();
        events.GpusUnreadable(unreadable);
    }

    // One tenant whose items cannot be read does not blind us to the others.
    private async Task<IReadOnlyCollection<DataPlane>> PlanesAsync(IReadOnlyList<Tenant> tenants, DateTimeOffset now, CancellationToken cancel)
    {
        var planes = new ConcurrentBag<DataPlane>();
        await Parallel.ForEachAsync(tenants.Where(tenant => tenant.Status != TenantStatus.Deleting), Bounded(cancel), async (tenant, token) =>
        {
            try
            {
                planes.Add(await instances.OfTenantAsync(tenant.Id, Month.Of(now), token));
            }
            catch (Exception e) when (!token.IsCancellationRequested)
            {
                events.TenantUnwatched(tenant.Id, e);
            }
        });
        return planes;
    }

    /// <summary>Tells the beginning and the end of a common failure.</summary>
    /// <returns>Whether single changes are noted and not told: the one alert has said it.</returns>
    private async Task<bool> IsQuietAsync(LivenessWatch watch, DateTimeOffset now, string sweep, CancellationToken cancel)
    {
        var since = await instances.OutageAsync(cancel);
        if (since is null && watch.GoesDarkAtOnce)
        {
            if (await instances.TryBeginOutageAsync(now, sweep, cancel))
                events.OutageBegan(watch.Silent, watch.Heard.Count);
            return true;
        }
        if (since is { } began && !watch.IsDark)
        {
            if (await instances.TryEndOutageAsync(began, sweep, cancel))
            {
                events.OutageEnded(began, watch.Silent, watch.Heard.Count);
                foreach (var (plane, health) in watch.SilentSince(began))
                    events.DataPlaneChanged(plane.Tenant, health);      // they stayed away when the others came back
            }
            return true;                                    // who came back in this sweep came back with the others
        }
        return since is not null;
    }

    private async Task TellAsync(DataPlane plane, TenantHealth health, bool isQuiet, DateTimeOffset now, string sweep, CancellationToken cancel)
    {
        try
        {
            if (health.Liveness != plane.Told && await instances.TryTellAsync(plane, health.Liveness, sweep, cancel) && !isQuiet)
                events.DataPlaneChanged(plane.Tenant, health);
            foreach (var instance in plane.Instances)
            {
                var liveness = Liveness.Of(instance.LastSeen, now);
                if (liveness != instance.Told && await instances.TryTellAsync(instance, liveness, sweep, cancel) && !isQuiet)
                    events.InstanceChanged(instance, liveness);
            }
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            events.TenantUnwatched(plane.Tenant, e);
        }
    }

    private static ParallelOptions Bounded(CancellationToken cancel) => new() { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancel };
}
