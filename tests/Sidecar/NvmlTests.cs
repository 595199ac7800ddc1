using ControlPlane.Sidecar;
using Microsoft.Extensions.Time.Testing;

namespace ControlPlane.Tests.Sidecar;

/// <summary>GPUs through NVIDIA's library: good days and bad ones, on a library that plays them.</summary>
public sealed class NvmlTests : IDisposable
{
    private const int GpuIsLost = 15, NotSupported = 3, DriverNotLoaded = 9;

    private readonly string _folder = RunningSidecar.NewFolder();
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.FromUnixTimeSeconds(1767225600));
    private readonly StringWriter _said = new();
    private GpuWatch? _watch;
    private TimeSpan _driversClock;                         // against ours

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _watch?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(10_000, 2000, 12_000), InlineData(1000, 400, 24_000), InlineData(1000, 1000, 60_000), InlineData(1000, 0, 0)]
    public async Task Bursts_between_two_looks_are_counted(int everyMs, int busyMs, int truthMs)
    {
        var driver = FakeNvml.Build(_folder);
        driver.HasGpu(0, "GPU-a");
        var watch = Watch(driver);
        var sum = new GpuSpan();
        for (var look = 0; look < 12; look++)
        {
            _clock.Advance(TimeSpan.FromSeconds(5));
            driver.Samples(0, _clock.GetUtcNow(), TimeSpan.FromSeconds(5), at => (at.ToUnixTimeMilliseconds() - 1) % everyMs < busyMs ? 100 : 0);
            sum += Assert.Single((await watch.ReadAsync(Cancel)).Gpus).Span;
        }
        Assert.Equal(new GpuSpan(truthMs, 60_000, 0), sum);
        Assert.Contains("gpus are read by nvml", _said.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_of_several_gpus_has_its_own_time_and_gauges()
    {
        var driver = FakeNvml.Build(_folder);
        driver.HasGpu(0, "GPU-a");
        driver.HasGpu(1, "GPU-b");
        driver.Says("gauges 0 1024 4096 61250 41");
        var watch = Watch(driver);
        _clock.Advance(TimeSpan.FromSeconds(5));
        driver.Samples(0, _clock.GetUtcNow(), TimeSpan.FromSeconds(5), _ => 100);
        driver.Samples(1, _clock.GetUtcNow(), TimeSpan.FromSeconds(5), _ => 25);
        var reading = await watch.ReadAsync(Cancel);
        Assert.Equal(
            [
                new(new(0, "GPU-a", "NVIDIA Fake 80GB", null, 1024, 4096, 61.25, 41), new(5000, 5000, 0)),
                new GpuUse(new(1, "GPU-b", "NVIDIA Fake 80GB", null, 0, 0, null, null), new(1250, 5000, 0)),
            ],
            reading.Gpus);
        Assert.Empty(reading.Faults);
    }

    [Theory]
    [InlineData(0), InlineData(1), InlineData(3), InlineData(4), InlineData(5)]
    public async Task The_values_are_read_as_the_type_that_they_are(int valueType)
    {
        var driver = FakeNvml.Build(_folder);
        driver.HasGpu(0, "GPU-a", valueType: valueType);
        var watch = Watch(driver);
        _clock.Advance(TimeSpan.FromSeconds(1));
        driver.Samples(0, _clock.GetUtcNow(), TimeSpan.FromSeconds(1), _ => 60);
        Assert.Equal(new GpuSpan(600, 1000, 0), Assert.Single((await watch.ReadAsync(Cancel)).Gpus).Span);
    }

    [Fact]
    public async Task What_the_drivers_buffer_no_longer_holds_is_counted_as_lost()
    {
        var driver = FakeNvml.Build(_folder);
        driver.HasGpu(0, "GPU-a");
        driver.Says("buffer 0 100");
        var watch = Watch(driver);
        await LookAfter(watch, driver, 5, _ => 100);
        var span = Assert.Single((await LookAfter(watch, driver, 60, _ => 100)).Gpus).Span;
        Assert.Equal(new GpuSpan(20_000, 20_000, 40_000), span);
    }

    [Theory]
    [InlineData("gauges 0 1 4 4000000000 99999"), InlineData("gauges 0 1 4 4294967295 -200")]
    public async Task Gauges_that_no_gpu_can_show_are_left_out(string gauges)
    {
        var driver = FakeNvml.Build(_folder);
        driver.HasGpu(0, "GPU-a");
        driver.Says(gauges);
        var gpu = Assert.Single((await LookAfter(Watch(driver), driver, 5, _ => 1)).Gpus).Gpu;
        Assert.Equal((null, null), (gpu.PowerW, gpu.TemperatureC));
    }

    [Fact]
    public async Task A_gpu_that_falls_off_the_bus_costs_its_own_time_alone_and_is_back_within_a_minute()
    {
        var driver = FakeNvml.Build(_folder);
        driver.HasGpu(0, "GPU-a");
        driver.HasGpu(1, "GPU-b");
        var watch = Watch(driver);
        await LookAfter(watch, driver, 5, _ => 100, gpus: 2);

        driver.HasGpu(0, "GPU-a", handleReturn: GpuIsLost);
        driver.Says("count 0 2");
        var fallen = await LookAfter(watch, driver, 5, _ => 100, gpus: 2);
        Assert.Equal("GPU-b", Assert.Single(fallen.Gpus).Gpu.Uuid);
        Assert.Equal(5000, fallen.Gpus[0].Span.BusyMs);
        Assert.Equal(["GPU 0 answers GpuIsLost", "GPU-a is gone"], fallen.Faults);

        driver.Forgets("sample 0");                         // a reset empties the buffer
        driver.HasGpu(0, "GPU-a");
        driver.Says("count 0 2");
        await LookAfter(watch, driver, 60, _ => 0, gpus: 2);    // the minute in which the library is begun anew
        await LookAfter(watch, driver, 5, _ => 0, gpus: 2);
        var back = await LookAfter(watch, driver, 5, _ => 100, gpus: 2);
        Assert.Equal((2, 0), (back.Gpus.Count, back.Faults.Count));
        Assert.Equal(5000, back.Gpus[0].Span.BusyMs);
    }

    [Theory]
    [InlineData("count 18 0", "VersionMismatch"), InlineData("count 999 0", "999")]
    public async Task A_driver_that_is_exchanged_under_us_is_found_again_with_what_it_noted_meanwhile(string broken, string reason)
    {
        var driver = FakeNvml.Build(_folder);
        driver.HasGpu(0, "GPU-a");
        var watch = Watch(driver);
        await LookAfter(watch, driver, 5, _ => 100);

        driver.Says(broken, $"init {DriverNotLoaded}");
        var gone = await LookAfter(watch, driver, 5, _ => 100);
        Assert.Equal(($"the driver answers {reason}", 0), (Assert.Single(gone.Faults), gone.Gpus.Count));

        driver.Says("init 0", "count 0 1");
        Assert.Single((await LookAfter(watch, driver, 30, _ => 100)).Faults);       // it is not asked again before a minute has passed
        var back = await LookAfter(watch, driver, 30, _ => 100);
        Assert.Empty(back.Faults);
        Assert.Equal(new GpuSpan(65_000, 65_000, 0), Assert.Single(back.Gpus).Span);
    }

    [Fact]
    public async Task A_driver_that_came_after_us_is_found_within_a_minute()
    {
        var driver = FakeNvml.Build(_folder);
        driver.HasGpu(0, "GPU-a");
        File.Move(driver.Library, driver.Library + ".later");
        var watch = Watch(driver, expectsGpus: true);
        var absent = await LookAfter(watch, driver, 5, _ => 100);
        Assert.Equal([$"there is neither {driver.Library} nor {Path.Combine(_folder, "nvidia-smi")}"], absent.Faults);
        File.Move(driver.Library + ".later", driver.Library);
        var span = Assert.Single((await LookAfter(watch, driver, 60, _ => 100)).Gpus).Span;
        Assert.Equal((65_000, 0), (span.BusyMs, span.LostMs));
    }

    [Theory]
    [InlineData(true, "the driver answers DriverNotLoaded"), InlineData(false, null)]
    public async Task A_library_without_a_gpu_is_no_fault(bool expectsGpus, string? fault)
    {
        var driver = FakeNvml.Build(_folder);
        driver.Says($"init {DriverNotLoaded}");
        Assert.Equal(fault, (await Watch(driver, expectsGpus).ReadAsync(Cancel)).Faults.SingleOrDefault());
    }

    [Fact]
    public async Task A_driver_that_sees_no_gpu_where_there_is_one_is_said()
    {
        var driver = FakeNvml.Build(_folder);
        driver.Says("count 0 0");
        Assert.Equal(["the driver knows of no GPU"], (await Watch(driver, expectsGpus: true).ReadAsync(Cancel)).Faults);
    }

    [Fact]
    public async Task A_machine_without_any_of_it_has_no_gpus()
    {
        _watch = new GpuWatch("/nonexistent/libnvidia-ml.so.1", "/nonexistent/nvidia-smi", expectsGpus: () => false, [], new(_said), _clock);
        var reading = await _watch.ReadAsync(Cancel);
        Assert.Equal((0, 0), (reading.Gpus.Count, reading.Faults.Count));
    }

    [Fact]
    public async Task A_clock_that_is_set_back_costs_one_look_and_is_counted()
    {
        var driver = FakeNvml.Build(_folder);
        driver.HasGpu(0, "GPU-a");
        driver.Says("buffer 0 25");
        var watch = Watch(driver);
        await LookAfter(watch, driver, 5, _ => 100);
        _driversClock = TimeSpan.FromHours(-1);
        Assert.Equal(new GpuSpan(0, 0, 5000), Assert.Single((await LookAfter(watch, driver, 5, _ => 100)).Gpus).Span);
        Assert.Equal(new GpuSpan(5000, 5000, 0), Assert.Single((await LookAfter(watch, driver, 5, _ => 100)).Gpus).Span);
    }

    [Fact]
    public async Task A_driver_that_stops_sampling_is_unreadable_and_not_idle()
    {
        var driver = FakeNvml.Build(_folder);
        driver.HasGpu(0, "GPU-a");
        var watch = Watch(driver);
        await LookAfter(watch, driver, 5, _ => 100);
        _clock.Advance(TimeSpan.FromSeconds(5));
        await watch.ReadAsync(Cancel);
        _clock.Advance(TimeSpan.FromSeconds(5));
        var silent = await watch.ReadAsync(Cancel);
        Assert.Equal(("GPU-a is not sampled by its driver any more", 0), (Assert.Single(silent.Faults), silent.Gpus.Count));
    }

    [Fact]
    public async Task A_driver_that_hangs_holds_up_no_heartbeat_and_loses_nothing()
    {
        var driver = FakeNvml.Build(_folder);
        driver.HasGpu(0, "GPU-a");
        var watch = Watch(driver);
        await LookAfter(watch, driver, 5, _ => 100);

        driver.Says("hang");
        _clock.Advance(TimeSpan.FromSeconds(5));
        var waiting = watch.ReadAsync(Cancel);
        Assert.False(waiting.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(["the driver does not answer"], (await waiting).Faults);

        driver.Samples(0, _clock.GetUtcNow(), TimeSpan.FromSeconds(10), _ => 100);
        driver.Forgets("hang");
        var back = await watch.ReadAsync(Cancel);
        Assert.Equal(new GpuSpan(10_000, 10_000, 0), Assert.Single(back.Gpus).Span);
    }

    [Fact]
    public async Task A_divided_gpu_counts_its_instances_by_their_share_of_the_slices()
    {
        var driver = FakeNvml.Build(_folder);
        driver.HasGpu(0, "GPU-a", samplesReturn: NotSupported);
        // Instance 2 has three of the seven slices, instance 9 one; two compute instances share instance 2.
        driver.Says("divided 0 7", "instance 0 0 2 3", "instance 0 1 2 3", "instance 0 3 9 1", "counters 2 0 0 1000000", "counters 9 0 0 1000000");
        var watch = Watch(driver);
        await watch.ReadAsync(Cancel);
        _clock.Advance(TimeSpan.FromSeconds(7));
        driver.Says("counters 2 0 7000000 8000000", "counters 9 0 3500000 8000000");
        var reading = await watch.ReadAsync(Cancel);
        Assert.Empty(reading.Faults);
        Assert.Equal(new GpuSpan(3000 + 500, 7000, 0), Assert.Single(reading.Gpus).Span);
    }

    [Theory]
    [InlineData("WITHOUT_COUNTERS"), InlineData("UNKNOWN")]
    public async Task A_divided_gpu_whose_driver_tells_nothing_of_its_instances_is_unknown_and_never_idle(string version)
    {
        var driver = FakeNvml.Build(_folder, version);
        driver.HasGpu(0, "GPU-a", samplesReturn: NotSupported);
        driver.Says("divided 0 7", "instance 0 0 2 3");
        var watch = Watch(driver);
        await watch.ReadAsync(Cancel);
        _clock.Advance(TimeSpan.FromSeconds(5));
        var reading = await watch.ReadAsync(Cancel);
        Assert.Equal(("GPU-a is divided (MIG), and its driver does not tell how busy instance 2 is", 0), (Assert.Single(reading.Faults), reading.Gpus.Count));
    }

    [Fact]
    public async Task A_driver_without_samples_is_estimated_by_the_moment()
    {
        var driver = FakeNvml.Build(_folder, "WITHOUT_SAMPLES");
        driver.HasGpu(0, "GPU-a", ratesReturn: 0, percent: 40);
        var watch = Watch(driver);
        await watch.ReadAsync(Cancel);
        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(new GpuSpan(2000, 5000, 0), Assert.Single((await watch.ReadAsync(Cancel)).Gpus).Span);
    }

    [Fact]
    public async Task After_a_restart_the_drivers_buffer_still_has_what_was_not_counted()
    {
        var driver = FakeNvml.Build(_folder);
        driver.HasGpu(0, "GPU-a");
        var watch = Watch(driver);
        await LookAfter(watch, driver, 5, _ => 100);
        var marks = watch.Marks;
        watch.Dispose();

        _clock.Advance(TimeSpan.FromSeconds(12));
        driver.Samples(0, _clock.GetUtcNow(), TimeSpan.FromSeconds(12), _ => 100);
        var next = Watch(driver, marks: marks);
        Assert.Equal(new GpuSpan(12_000, 12_000, 0), Assert.Single((await next.ReadAsync(Cancel)).Gpus).Span);
    }

    [Fact]
    public async Task What_was_before_the_first_start_is_not_counted()
    {
        var driver = FakeNvml.Build(_folder);
        driver.HasGpu(0, "GPU-a");
        driver.Samples(0, _clock.GetUtcNow(), TimeSpan.FromSeconds(15), _ => 100);
        Assert.Equal(0, Assert.Single((await Watch(driver).ReadAsync(Cancel)).Gpus).Span.BusyMs);
    }

    private GpuWatch Watch(FakeNvml driver, bool expectsGpus = false, IReadOnlyList<GpuMark>? marks = null) =>
        _watch = new(driver.Library, Path.Combine(_folder, "nvidia-smi"), () => expectsGpus, marks ?? [], new(_said), _clock);

    private async Task<GpuReading> LookAfter(GpuWatch watch, FakeNvml driver, int seconds, Func<DateTimeOffset, double> percentAt, int gpus = 1)
    {
        _clock.Advance(TimeSpan.FromSeconds(seconds));
        for (var index = 0; index < gpus; index++)
            driver.Samples(index, _clock.GetUtcNow() + _driversClock, TimeSpan.FromSeconds(seconds), percentAt);
        return await watch.ReadAsync(Cancel);
    }
}
