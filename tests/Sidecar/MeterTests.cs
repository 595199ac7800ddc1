using System.Text.Json;
using ControlPlane.Sidecar;
using Microsoft.Extensions.Time.Testing;

namespace ControlPlane.Tests.Sidecar;

/// <summary>When samples are taken, what they tell of the GPUs, and what is left of it after a bad end.</summary>
public sealed class MeterTests : IDisposable
{
    private static readonly Gpu A10 = new(0, "GPU-a", "NVIDIA A10G", null, 1 << 30, 2L << 30, PowerW: null, TemperatureC: 41);

    private readonly string _folder = RunningSidecar.NewFolder();
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.FromUnixTimeSeconds(1767225600));
    private readonly FakeMachine _machine = new();
    private readonly FakeGpus _gpus = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_sample_tells_the_average_since_the_one_before()
    {
        using var sidecar = Start();
        Find(busyMs: 5000, coveredMs: 5000);
        await LookAsync(sidecar);
        Find(busyMs: 0, coveredMs: 5000);
        await sidecar.Meter.SampleAsync(Cancel);
        Assert.Equal((5000, 50.0), (GpuMsOf(sidecar.OnDisk[0]), UtilizationOf(sidecar.OnDisk[0])));
        await sidecar.Meter.SampleAsync(Cancel);
        Assert.Equal((5000, 0.0), (GpuMsOf(sidecar.OnDisk[1]), UtilizationOf(sidecar.OnDisk[1])));
    }

    [Fact]
    public async Task Unreadable_is_said_once_with_its_begin_and_told_in_every_heartbeat_until_it_is_over()
    {
        using var sidecar = Start();
        Find(busyMs: 1000, coveredMs: 1000);
        await sidecar.Meter.SampleAsync(Cancel);
        _gpus.Look = _ => Task.FromResult(new GpuReading([], ["the driver answers VersionMismatch"]));
        for (var minute = 0; minute < 2; minute++)
        {
            _clock.Advance(TimeSpan.FromMinutes(1));
            await sidecar.Meter.SampleAsync(Cancel);
        }
        Find(busyMs: 1000, coveredMs: 1000, lostMs: 119_000);
        _clock.Advance(TimeSpan.FromMinutes(1));
        await sidecar.Meter.SampleAsync(Cancel);

        Assert.Equal([null, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", null], sidecar.OnDisk.Select(SinceOf));
        Assert.Equal([1, 0, 0, 1], sidecar.OnDisk.Select(body => body.GetProperty("metrics").GetProperty("gpus").GetArrayLength()));    // unknown is not idle
        Assert.Equal([1000, 1000, 1000, 2000], sidecar.OnDisk.Select(GpuMsOf));
        Assert.Equal(
            ["gpu unreadable since=2026-01-01T00:00:00Z because the driver answers VersionMismatch", "gpu readable again",
                "gap gpu_ms=119000: what the GPUs did in this time is not known and not counted"],
            sidecar.Said.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Gpu_time_is_told_with_a_gpu_and_else_kept_for_the_next_sample()
    {
        using (var first = Start())
        {
            await first.Meter.SampleAsync(Cancel);
            Find(busyMs: 9000, coveredMs: 10_000);
            await LookAsync(first, 10);                     // and then it is killed
        }
        _gpus.Look = _ => Task.FromResult(GpuReading.Unreadable("the driver does not answer"));
        using var second = Start();
        await second.Meter.SampleAsync(Cancel);
        Find(busyMs: 1000, coveredMs: 1000);
        await second.Meter.SampleAsync(Cancel);
        Assert.Equal([0, 0, 10_000], second.OnDisk.Select(GpuMsOf));
    }

    [Fact]
    public async Task A_kill_loses_no_gpu_time_that_was_seen_ten_seconds_before_and_counts_none_twice()
    {
        using (var first = Start())
        {
            Find(busyMs: 5000, coveredMs: 5000);
            await first.Meter.SampleAsync(Cancel);
            for (var look = 0; look < 11; look++)
                await LookAsync(first);                     // 55 s, and then kill -9
        }
        using var second = Start();
        await second.Meter.SampleAsync(Cancel);
        using var third = Restart(second);
        await third.Meter.SampleAsync(Cancel);
        // The running sum is written every ten seconds: of eleven looks, ten are on the disk.
        Assert.Equal([5000, 50_000 + 5000, 5000], third.OnDisk.Select(GpuMsOf));
    }

    [Fact]
    public async Task A_power_cut_loses_no_cpu_time_that_was_seen_ten_seconds_before()
    {
        using (var first = Start())
        {
            _machine.Busy(1000);
            await first.Meter.SampleAsync(Cancel);
            _machine.Busy(400);
            await LookAsync(first, 10);
        }
        _machine.Boot();
        _machine.Busy(70);
        using (var second = Start())
            await LookAsync(second, 10);                    // and again, before it took a sample
        _machine.Busy(5);
        using var third = Start();
        await third.Meter.SampleAsync(Cancel);
        Assert.Equal([1000, 400 + 70 + 5], third.OnDisk.Select(CpuMsOf));
    }

    [Fact]
    public async Task The_last_sample_is_taken_when_the_process_is_asked_to_end()
    {
        using var stop = new CancellationTokenSource();
        using var sidecar = Start();
        var looks = new SemaphoreSlim(0);
        _gpus.Look = _ =>
        {
            looks.Release();
            return Task.FromResult(new GpuReading([new(A10, new(700, 1000, 0))], []));
        };
        _machine.Busy(10);
        var running = sidecar.Meter.RunAsync(stop.Token);
        await looks.WaitAsync(Cancel);
        _machine.Busy(32);
        _clock.Advance(TimeSpan.FromSeconds(3));
        await stop.CancelAsync();
        await running;
        Assert.Equal([(10, 700), (42, 1400)], sidecar.OnDisk.Select(body => (CpuMsOf(body), GpuMsOf(body))));
    }

    [Fact]
    public async Task Asked_to_end_within_a_second_of_a_sample_it_leaves_the_rest_to_its_next_start()
    {
        using (var stop = new CancellationTokenSource())
        using (var sidecar = Start())
        {
            Find(busyMs: 500, coveredMs: 1000);
            var running = sidecar.Meter.RunAsync(stop.Token);
            while (sidecar.OnDisk.Count == 0)
                await Task.Yield();
            await LookAsync(sidecar, 0);
            await stop.CancelAsync();
            await running;
            Assert.Single(sidecar.OnDisk);
        }
        using var next = Start();
        await next.Meter.SampleAsync(Cancel);
        Assert.Equal([500, 1000], next.OnDisk.Select(GpuMsOf));
    }

    [Fact]
    public async Task However_slow_the_readings_are_samples_come_at_their_interval()
    {
        using var stop = new CancellationTokenSource();
        var clock = new JumpingClock(_clock.GetUtcNow());
        var until = clock.GetUtcNow() + TimeSpan.FromMinutes(31) + TimeSpan.FromSeconds(30);
        _gpus.Look = _ =>
        {
            clock.Pass(TimeSpan.FromSeconds(4));            // as long as a look is waited for
            if (clock.GetUtcNow() >= until)
                stop.Cancel();
            return Task.FromResult(GpuReading.Nothing);
        };
        using var sidecar = RunningSidecar.Start(_folder, _machine, _gpus, clock);
        await sidecar.Meter.RunAsync(stop.Token);
        Assert.Equal(32 + 1, sidecar.OnDisk.Count);         // one a minute from the first second on, and the last
    }

    private RunningSidecar Start() => RunningSidecar.Start(_folder, _machine, _gpus, _clock);

    private RunningSidecar Restart(RunningSidecar sidecar)
    {
        sidecar.Dispose();
        return Start();
    }

    private void Find(double busyMs, double coveredMs, double lostMs = 0) =>
        _gpus.Look = _ => Task.FromResult(new GpuReading([new(A10, new(busyMs, coveredMs, lostMs))], []));

    private async Task LookAsync(RunningSidecar sidecar, int afterSeconds = 5)
    {
        _clock.Advance(TimeSpan.FromSeconds(afterSeconds));
        await sidecar.Meter.LookAtGpusAsync(Cancel);
    }

    private static long GpuMsOf(JsonElement body) => body.GetProperty("totals").GetProperty("gpu_ms").GetInt64();

    private static long CpuMsOf(JsonElement body) => body.GetProperty("totals").GetProperty("cpu_ms").GetInt64();

    private static double UtilizationOf(JsonElement body) => body.GetProperty("metrics").GetProperty("gpus")[0].GetProperty("utilization_pct").GetDouble();

    private static string? SinceOf(JsonElement body) => body.TryGetProperty("gpu_unreadable_since", out var since) ? since.GetString() : null;

    /// <summary>A clock that is at once where it is waited for.</summary>
    private sealed class JumpingClock(DateTimeOffset start) : TimeProvider
    {
        private long _passed;

        public void Pass(TimeSpan time) => Interlocked.Add(ref _passed, time.Ticks);

        public override DateTimeOffset GetUtcNow() => start + new TimeSpan(Interlocked.Read(ref _passed));

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Read(ref _passed);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Pass(dueTime);
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
