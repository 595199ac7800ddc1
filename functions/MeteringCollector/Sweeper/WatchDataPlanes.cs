using System.Collections.Concurrent;
using ControlPlane.Aws;
using ControlPlane.Metering;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.MeteringCollector.Sweeper;

/// <summary>Tells the operators whose liveness changed: each change once, and a common failure as one. On the way, who comes near a limit, and
/// the census.</summary>
/// <remarks>An alert is a log line and a metric that an alarm watches. The conditional write that notes a change decides which of several sweepers tells
/// it.</remarks>
internal sealed class WatchDataPlanes(
    TenantRegistry registry, InstanceStore instances, WarnOfUsage warnOfUsage, TakeCensus takeCensus, MeteringEvents events, TimeProvider clock)
{
    // Enough to see to all 156 tenants in a second or two, and few enough to leave the tables to the heartbeats.
    private const int AtOnce = 8;

    private static readonly TimeSpan UnreadableFor = TimeSpan.FromMinutes(5);

    // Of a sweep's fifty seconds: a tenant who takes longer is looked at again in the next one.
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(5);

    public async Task RunAsync(string sweep, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var noted = await instances.WatchAsync(cancel);
        await NoteAsync(noted, now, cancel);
        var (tenants, faulty) = await registry.ReadableAsync(cancel);
        events.TenantsCounted(tenants.Count(tenant => tenant.Status != TenantStatus.Deleting) + faulty.Count);
        foreach (var (tenant, fault) in faulty)
            events.TenantStoredWrong(tenant, fault);

        var planes = await PlanesAsync(tenants, now, cancel);
        var watch = LivenessWatch.Of(planes, now);
        foreach (var liveness in Enum.GetValues<Liveness>())
            events.DataPlanesCounted(liveness, watch.Count(liveness));
        ReportUnreadableGpus(watch, now);

        var voice = await VoiceAsync(noted, watch, now, sweep, cancel);
        await SideBySideAsync(watch.Heard, tenant => tenant.Plane.Tenant, (tenant, token) => TellAsync(tenant, voice, now, sweep, token), cancel);
        await SideBySideAsync(planes, one => one.Tenant.Id, (one, token) => warnOfUsage.RunAsync(one.Tenant, one.Plane, token), cancel);
        await SideBySideAsync(planes, one => one.Tenant.Id, (one, token) => FoldAsync(one.Plane, now, token), cancel);
        await CountAsync(tenants, faulty, planes, now, cancel);
    }

    // A gauge, for the alarm to watch and to clear by itself. A driver that is exchanged is away for less than that.
    private void ReportUnreadableGpus(LivenessWatch watch, DateTimeOffset now)
    {
        var unreadable = watch.Heard.SelectMany(tenant => tenant.Plane.WithUnreadableGpusAt(now))
            .Where(instance => now - instance.GpuUnreadableSince >= UnreadableFor).ToList();
        events.GpusUnreadable(unreadable);
    }

    // A note that fails keeps nobody's alert back. Without notes silence denies nothing.
    private async Task NoteAsync(WatchState noted, DateTimeOffset now, CancellationToken cancel)
    {
        try
        {
            await instances.NoteSweepAsync(noted, now, cancel);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            events.SweepNotNoted(e);
        }
    }

    private async Task<IReadOnlyCollection<(Tenant Tenant, DataPlane Plane)>> PlanesAsync(
        IReadOnlyList<Tenant> tenants, DateTimeOffset now, CancellationToken cancel)
    {
        var planes = new ConcurrentBag<(Tenant, DataPlane)>();
        await SideBySideAsync(
            tenants,
            tenant => tenant.Id,
            async (tenant, token) => planes.Add((tenant, await instances.OfTenantAsync(tenant.Id, Month.Of(now), token))),
            cancel);
        return planes;
    }

    // A census that fails fails nothing else of the sweep: the page says how old the last one is.
    private async Task CountAsync(
        IReadOnlyList<Tenant> tenants, IReadOnlyList<(TenantId Id, string Fault)> faulty, IReadOnlyCollection<(Tenant Tenant, DataPlane Plane)> planes,
        DateTimeOffset now, CancellationToken cancel)
    {
        var counts = new ConcurrentBag<(TenantCount, IReadOnlyDictionary<string, int>)>();
        await SideBySideAsync(
            planes.Where(one => one.Tenant.Status != TenantStatus.Deleting),
            one => one.Tenant.Id,
            async (one, token) => counts.Add(await takeCensus.CountAsync(one.Tenant, one.Plane, now, token)),
            cancel);
        try
        {
            await takeCensus.KeepAsync(counts, tenants.Where(tenant => tenant.Status != TenantStatus.Deleting), faulty, now, cancel);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            events.CensusNotKept(e);
        }
    }

    // One tenant whose items are slow or cannot be read does not blind us to the others.
    private Task SideBySideAsync<T>(IEnumerable<T> all, Func<T, TenantId> tenantOf, Func<T, CancellationToken, Task> seeTo, CancellationToken cancel) =>
        Parallel.ForEachAsync(all, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancel }, async (one, token) =>
        {
            using var slice = Deadline.Slice(Slice, clock, token);
            try
            {
                await seeTo(one, slice.Token);
            }
            catch (Exception e) when (!token.IsCancellationRequested)
            {
                events.TenantUnwatched(tenantOf(one), e);
            }
        });

    /// <summary>What single tenants are told of in this sweep, beside what one alert says for all.</summary>
    private readonly record struct Voice(bool TellsSilence, bool TellsReturn);

    /// <summary>Tells the beginning and the end of a common failure.</summary>
    /// <remarks>While it lasts nobody's silence is told or noted, so that whoever is still silent when it ends, or has lasted for long, is told then by
    /// itself.</remarks>
    private async Task<Voice> VoiceAsync(WatchState noted, LivenessWatch watch, DateTimeOffset now, string sweep, CancellationToken cancel)
    {
        if (noted.OutageSince is null && watch.GoesDarkAtOnce)
        {
            if (await instances.TryBeginOutageAsync(now, sweep, cancel))
                events.OutageBegan(watch.Silent, watch.Active);
            return new(TellsSilence: false, TellsReturn: false);
        }
        if (noted.OutageSince is { } since && !watch.IsDark)
        {
            if (await instances.TryEndOutageAsync(since, now, sweep, cancel))
                events.OutageEnded(since, watch.Silent, watch.Active);
            return new(TellsSilence: true, TellsReturn: false);     // who came back in this sweep came back with the others
        }
        return noted.MutesAt(now) ? new(TellsSilence: false, TellsReturn: false) : new(TellsSilence: true, TellsReturn: true);
    }

    private async Task TellAsync(HeardTenant tenant, Voice voice, DateTimeOffset now, string sweep, CancellationToken cancel)
    {
        var (plane, health) = (tenant.Plane, tenant.Health);
        if (await IsToTellAsync(plane.Told, health.Liveness, voice, () => instances.TryTellAsync(plane, health.Liveness, sweep, cancel)))
            events.DataPlaneChanged(plane.Tenant, health);
        foreach (var instance in plane.Instances)
        {
            var liveness = Liveness.Of(instance.LastSeen, now);
            if (await IsToTellAsync(instance.Told, liveness, voice, () => instances.TryTellAsync(instance, liveness, sweep, cancel)))
                events.InstanceChanged(instance, liveness, isOneOfSeveral: health.Liveness != Liveness.Offline);
        }
    }

    private static async Task<bool> IsToTellAsync(Liveness told, Liveness now, Voice voice, Func<Task<bool>> noteAsync)
    {
        var isReturn = now < told;
        if (now == told || (!isReturn && !voice.TellsSilence))
            return false;
        return await noteAsync() && (!isReturn || voice.TellsReturn);
    }

    private async Task FoldAsync(DataPlane plane, DateTimeOffset now, CancellationToken cancel)
    {
        foreach (var instance in plane.Instances.Where(instance => FoldRule.IsDue(instance, now)))
            if (await instances.TryFoldAsync(instance, cancel))
                events.InstanceFolded(instance.Tenant, instance.Instance, instance.LastSeen);
    }
}
