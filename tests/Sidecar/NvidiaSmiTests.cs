using ControlPlane.Sidecar;
using Microsoft.Extensions.Time.Testing;

namespace ControlPlane.Tests.Sidecar;

/// <summary>GPUs through NVIDIA's tool, where its library does not serve: an estimate, and its bad days.</summary>
public sealed class NvidiaSmiTests : IDisposable
{
    private readonly string _folder = RunningSidecar.NewFolder();
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.FromUnixTimeSeconds(1767225600));
    private readonly StringWriter _said = new();
    private readonly GpuWatch _watch;

    public NvidiaSmiTests() => _watch = new(Path.Combine(_folder, "libnvidia-ml.so.1"), Tool, expectsGpus: () => true, [], new(_said), _clock);

    private string Tool => Path.Combine(_folder, "nvidia-smi");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _watch.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Gpus_are_read_with_what_they_do_not_measure_left_out()
    {
        var reading = NvidiaSmi.Parse(
            """
            0, GPU-5d0a, NVIDIA A10G, 37, 1024, 23028, 61.25, 41
            1, GPU-77aa, Tesla T4, 0, 0, 15360, [Not Supported], 30
            Failed to initialize NVML
            """, TimeSpan.FromSeconds(10));
        Assert.Equal(
            [
                new(new(0, "GPU-5d0a", "NVIDIA A10G", 37, 1024L << 20, 23028L << 20, 61.25, 41), new(3700, 10_000, 0)),
                new GpuUse(new(1, "GPU-77aa", "Tesla T4", 0, 0, 15360L << 20, null, 30), new(0, 10_000, 0)),
            ],
            reading.Gpus);
        Assert.Empty(reading.Faults);
    }

    [Theory]
    [InlineData("[N/A]"), InlineData("-5"), InlineData("101"), InlineData("[GPU requires reset]")]
    public void A_utilization_that_is_none_is_unknown_and_not_idle(string text)
    {
        var reading = NvidiaSmi.Parse($"0, GPU-a, NVIDIA A100, {text}, 1, 2, 3, 4\n1, GPU-b, NVIDIA A100, 50, 1, 2, 3, 4\n", TimeSpan.FromSeconds(10));
        Assert.Equal(("GPU-b", $"GPU-a has no utilization: {text}"), (Assert.Single(reading.Gpus).Gpu.Uuid, Assert.Single(reading.Faults)));
    }

    [Theory]
    [InlineData("-5, 23028, 61.25, 41", 0, 61.25, 41.0), InlineData("1, 23028, -3, 99999", 1, null, null)]
    [InlineData("1, 23028, 61,25, 41", 1, 61.25, 41.0), InlineData("1e300, 23028, inf, nan", 0, null, null)]
    public void Gauges_that_no_gpu_can_show_are_left_out_and_a_decimal_comma_is_one(string gauges, long usedMiB, double? watts, double? celsius)
    {
        var gpu = Assert.Single(NvidiaSmi.Parse($"0, GPU-a, NVIDIA A10G, 37, {gauges}", TimeSpan.FromSeconds(10)).Gpus).Gpu;
        Assert.Equal((usedMiB << 20, watts, celsius), (gpu.MemoryUsedBytes, gpu.PowerW, gpu.TemperatureC));
    }

    [Fact]
    public async Task One_fallen_gpu_costs_no_other()
    {
        Prints("0, GPU-a, NVIDIA A10G, 50, 1, 2, 3, 4\\n1, GPU-b, NVIDIA A10G, 50, 1, 2, 3, 4\\n");
        Assert.Equal(2, (await LookAfter(10)).Gpus.Count);
        Prints("0, GPU-a, NVIDIA A10G, 50, 1, 2, 3, 4\\nUnable to determine the device handle for GPU1: GPU is lost.\\n", afterwards: "exit 15");
        var fallen = await LookAfter(10);
        Assert.Equal(("GPU-a", 5000), (Assert.Single(fallen.Gpus).Gpu.Uuid, fallen.Gpus[0].Span.BusyMs));
        Assert.Equal(["nvidia-smi ended with 15", "GPU-b is gone"], fallen.Faults);
    }

    [Fact]
    public async Task A_tool_that_was_absent_is_looked_for_again_every_minute_and_its_time_is_lost_but_for_what_it_can_stand_for()
    {
        Assert.Equal([$"there is neither {Path.Combine(_folder, "libnvidia-ml.so.1")} nor {Tool}"], (await LookAfter(10)).Faults);
        Prints("0, GPU-a, NVIDIA A10G, 50, 1, 2, 3, 4\\n");
        Assert.Single((await LookAfter(40)).Faults);
        var back = await LookAfter(20);
        Assert.Empty(back.Faults);
        Assert.Equal(new GpuSpan(10_000, 20_000, 50_000), Assert.Single(back.Gpus).Span);
        Assert.Contains("gpus are read by nvidia-smi, an estimate, because there is no ", _said.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_slow_answer_holds_up_no_heartbeat_and_counts_when_it_comes()
    {
        Prints("0, GPU-a, NVIDIA A10G, 50, 1, 2, 3, 4\\n", before: $"while [ ! -e {_folder}/answer ]; do sleep 0.01; done");
        _clock.Advance(TimeSpan.FromSeconds(10));
        var waiting = _watch.ReadAsync(Cancel);
        _clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(["the driver does not answer"], (await waiting).Faults);
        File.WriteAllText($"{_folder}/answer", "");
        var late = await _watch.ReadAsync(Cancel);
        Assert.Empty(late.Faults);
        Assert.InRange(Assert.Single(late.Gpus).Span.BusyMs, 5000, 8000);
    }

    [Fact]
    public async Task When_the_library_is_back_no_second_is_counted_twice()
    {
        Prints("0, GPU-a, NVIDIA A10G, 100, 1, 2, 3, 4\\n");
        await LookAfter(10);
        var driver = FakeNvml.Build(_folder);
        driver.HasGpu(0, "GPU-a");
        _clock.Advance(TimeSpan.FromMinutes(1));
        driver.Samples(0, _clock.GetUtcNow(), TimeSpan.FromSeconds(70), _ => 100);
        Assert.Equal(new GpuSpan(60_000, 60_000, 0), Assert.Single((await _watch.ReadAsync(Cancel)).Gpus).Span);
    }

    private async Task<GpuReading> LookAfter(int seconds)
    {
        _clock.Advance(TimeSpan.FromSeconds(seconds));
        return await _watch.ReadAsync(Cancel);
    }

    private void Prints(string lines, string before = "", string afterwards = "")
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "a shell script stands in for the tool");
        File.WriteAllText(Tool + ".new", $"#!/bin/sh\n{before}\nprintf '{lines}'\n{afterwards}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(Tool + ".new", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.Move(Tool + ".new", Tool, overwrite: true);
    }
}
