using System.Net.Http.Headers;
using ControlPlane.Local.Hub;
using ControlPlane.Local.Peering;
using ControlPlane.Sidecar;

namespace ControlPlane.Load;

/// <summary>A machine: what it told last, and what of that was booked.</summary>
internal sealed class LoadInstance(LoadTenant tenant, string id, DateTimeOffset now)
{
    private readonly long _epoch = now.ToUnixTimeSeconds();

    public LoadTenant Tenant => tenant;

    public string Id => id;

    public long CpuMs { get; private set; }

    public DateTimeOffset SampledAt { get; private set; }

    private long Counter { get; set; }

    /// <summary>What a machine of two cores can have done since.</summary>
    public Heartbeat Sample(DateTimeOffset at)
    {
        if (Counter > 0)
            CpuMs += Random.Shared.NextInt64((long)(at - SampledAt).TotalMilliseconds);
        SampledAt = at;
        var sample = new Sample(CpuMs, 0, 2, 50, [], new(1 << 30, 4L << 30));
        return new(_epoch, ++Counter, Heartbeat.BodyOf(tenant.Id.ToString(), id, _epoch, Counter, at, TimeSpan.FromMinutes(1), sample));
    }
}

/// <summary>Machines of all tenants, each heard of once a minute, at a second of its own. What is not taken is sent again, as the sidecar does.</summary>
internal sealed class Heartbeats : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1), Patience = TimeSpan.FromSeconds(10), Pause = TimeSpan.FromSeconds(2);

    private readonly LocalControlPlane _local;
    private readonly TimeProvider _clock;
    private readonly Dictionary<LoadTenant, HttpClient> _http;

    public Heartbeats(LocalControlPlane local, Estate estate, int instances, TimeProvider clock)
    {
        (_local, _clock) = (local, clock);
        _http = estate.Tenants.ToDictionary(tenant => tenant, tenant => PeeredClient.From(tenant.Engine.Address));
        Instances =
        [
            .. Enumerable.Range(0, instances).Select(number =>
                new LoadInstance(estate.Tenants[number % estate.Tenants.Count], $"i-{number:x17}", clock.GetUtcNow())),
        ];
    }

    public IReadOnlyList<LoadInstance> Instances { get; }

    public Times Booked { get; } = new("heartbeat → booked");

    /// <summary>How often one had to be sent again.</summary>
    public int Repeated => _repeated;

    private int _repeated;

    /// <summary>Every machine is heard of once, so that its tenant is known to be there.</summary>
    public async Task BeginAsync(CancellationToken cancel)
    {
        foreach (var some in Instances.Chunk(8))
            await Task.WhenAll(some.Select(instance => SendAsync(instance, _clock.GetUtcNow(), null, cancel)));
    }

    public Task BeatAsync(TimeSpan length, CancellationToken cancel)
    {
        var began = _clock.GetUtcNow();
        return Task.WhenAll(Instances.Select(
            (instance, number) => BeatAsync(instance, began + Interval * ((double)number / Instances.Count), began + length, cancel)));
    }

    public void Dispose()
    {
        foreach (var http in _http.Values)
            http.Dispose();
    }

    private async Task BeatAsync(LoadInstance instance, DateTimeOffset due, DateTimeOffset end, CancellationToken cancel)
    {
        for (; due < end; due += Interval)
        {
            if (due - _clock.GetUtcNow() is { Ticks: > 0 } early)
                await Task.Delay(early, _clock, cancel);
            await SendAsync(instance, due, Booked, cancel);
        }
    }

    private async Task SendAsync(LoadInstance instance, DateTimeOffset due, Times? times, CancellationToken cancel)
    {
        // Sampled when it is due, unless the one before took so long that this would be no second after it.
        var heartbeat = instance.Sample(due > instance.SampledAt.AddSeconds(1) ? due : _clock.GetUtcNow());
        while (!await IsTakenAsync(instance, heartbeat, cancel))
        {
            Interlocked.Increment(ref _repeated);
            await Task.Delay(Pause, _clock, cancel);
        }
        times?.Add(_clock.GetUtcNow() - due);
    }

    private async Task<bool> IsTakenAsync(LoadInstance instance, Heartbeat heartbeat, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_local.PrivateApi.Endpoint, "/metering/heartbeat"))
        {
            Content = new ByteArrayContent(heartbeat.Body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
        };
        foreach (var (name, value) in heartbeat.HeadersAt(_clock.GetUtcNow(), instance.Id, [instance.Tenant.Key]))
            request.Headers.TryAddWithoutValidation(name, value);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(Patience);
        try
        {
            using var answer = await _http[instance.Tenant].SendAsync(request, patience.Token);
            if (answer.IsSuccessStatusCode)
                return true;
            if ((int)answer.StatusCode < 500 && (int)answer.StatusCode != 429)
                throw new InvalidOperationException($"{instance.Id} was answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(cancel)}");
            return false;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException && !cancel.IsCancellationRequested) { return false; }
    }
}
