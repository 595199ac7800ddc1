using ControlPlane.Sidecar;
using CsCheck;

namespace ControlPlane.Tests.Sidecar;

/// <summary>Busy time as the sum of a driver's samples.</summary>
public sealed class GpuTimeTests
{
    private const long Start = 1_767_225_600_000_000;       // 2026-01-01, in microseconds

    [Fact]
    public void Each_sample_tells_of_the_period_that_it_ends()
    {
        var time = new GpuTime(Start);
        var span = time.Add([new(Start + 200_000, 100), new(Start + 400_000, 0), new(Start + 600_000, 50)], since: null);
        Assert.Equal(new GpuSpan(300, 600, 0), span);
        Assert.Equal(50, span.Percent);
    }

    [Fact]
    public void A_sample_that_was_counted_is_not_counted_again_and_their_order_does_not_matter()
    {
        var time = new GpuTime(Start);
        time.Add([new(Start + 400_000, 100), new(Start + 200_000, 100)], since: null);
        Assert.Equal(new GpuSpan(200, 200, 0), time.Add([new(Start + 200_000, 100), new(Start + 600_000, 100), new(Start + 400_000, 100)], since: null));
    }

    [Fact]
    public void Where_samples_are_missing_the_time_between_is_lost_and_not_busy()
    {
        var time = new GpuTime(Start);
        time.Add([new(Start + 200_000, 100), new(Start + 400_000, 100)], since: null);
        Assert.Equal(new GpuSpan(400, 400, 1800), time.Add([new(Start + 2_400_000, 100), new(Start + 2_600_000, 100)], TimeSpan.FromSeconds(2.2)));
    }

    [Theory]
    [InlineData(-1), InlineData(101), InlineData(double.NaN)]
    public void A_value_that_no_gpu_can_have_is_lost_time(double percent)
    {
        var time = new GpuTime(Start);
        Assert.Equal(new GpuSpan(200, 200, 200), time.Add([new(Start + 200_000, 100), new(Start + 400_000, percent)], since: null));
    }

    [Fact]
    public void A_clock_that_is_set_forward_invents_no_lost_hour()
    {
        var time = new GpuTime(Start);
        time.Add([new(Start + 200_000, 0), new(Start + 400_000, 0)], since: null);
        var hour = 3_600_000_000;
        Assert.Equal(new GpuSpan(0, 400, 4600), time.Add([new(Start + hour, 0), new(Start + hour + 200_000, 0)], TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public void Time_that_a_clock_hides_when_it_is_set_back_counts_as_lost()
    {
        // For four seconds of ten, the driver's times are ones that were seen before.
        var time = new GpuTime(Start);
        time.Add(Every(200_000, Start, 50), TimeSpan.FromSeconds(10));
        var span = time.Add(Every(200_000, Start + 6_000_000, 50), TimeSpan.FromSeconds(10));
        Assert.Equal(6000, span.CoveredMs);
        Assert.InRange(span.LostMs, 3900, 4100);
    }

    /// <summary>Ten minutes of a GPU: bursts and pauses, a driver that samples at its own period and keeps the last so many, readings when they come.</summary>
    [Fact]
    public void Whatever_the_bursts_and_the_readings_the_sum_is_within_2_percent_or_the_rest_is_counted_as_lost()
    {
        var product = Gen.Select(Gen.Int[160_000, 1_000_000], Gen.Int[0, 20], Gen.Int[60, 240]);    // period in microseconds, jitter in percent, buffer
        var bursts = Gen.Select(Gen.Int[1, 4000], Gen.Int[1, 12_000]).Array[1, 40];                 // milliseconds busy, milliseconds idle
        var readings = Gen.Frequency((8, Gen.Int[100, 5_000]), (1, Gen.Int[5_000, 60_000]), (1, Gen.Int[60_000, 400_000])).Array[1, 40];
        Gen.Select(product, bursts, readings, Gen.Int).Sample((its, bursts, readings, seed) =>
        {
            var ((period, jitter, buffer), random) = (its, new Random(seed));
            var driver = new List<(UtilizationSample Sample, double BusyMs, double Ms)>();
            for (double at = 0; at < 600_000;)
            {
                var ms = period / 1000.0 * (1 + jitter / 100.0 * (random.NextDouble() - 0.5));
                var busy = BusyMs(bursts, at, at + ms);
                at += ms;
                driver.Add((new(Start + (long)(at * 1000), Math.Round(100 * busy / ms)), busy, ms));
            }

            var time = new GpuTime(Start);
            GpuSpan sum = default;
            var (last, until) = (0.0, 0.0);
            for (var i = 0; until < 600_000; i++)
            {
                until = Math.Min(600_000, until + readings[i % readings.Length]);
                var kept = driver.Where(one => one.Sample.TimeUs <= Start + (long)(until * 1000)).TakeLast(buffer).Select(one => one.Sample);
                sum += time.Add(kept, TimeSpan.FromMilliseconds(until - last));
                last = until;
            }

            // The truth of all the time up to the last sample, and how wrong whole percents alone can make it.
            var truth = driver.Where(one => one.Sample.TimeUs <= time.SeenUs).Sum(one => one.BusyMs);
            var rounding = sum.CoveredMs * 0.005;
            Assert.InRange(sum.BusyMs, truth * 0.98 - sum.LostMs - rounding, truth * 1.02 + rounding + period / 1000.0);
            Assert.InRange(sum.CoveredMs + sum.LostMs, 0.98 * 600_000 - 3000, 600_000 + period / 500.0);
            if (readings.Max() * 1000L < (long)period * 8 / 10 * (buffer - 2))
                Assert.Equal(0, sum.LostMs);                // read in time, nothing is lost
        }, iter: 1000);
    }

    private static IEnumerable<UtilizationSample> Every(long periodUs, long from, int samples) =>
        Enumerable.Range(1, samples).Select(i => new UtilizationSample(from + i * periodUs, 100));

    private static double BusyMs((int Busy, int Idle)[] bursts, double from, double to)
    {
        var (sum, at) = (0.0, 0.0);
        for (var i = 0; at < to; i++)
        {
            var (busy, idle) = bursts[i % bursts.Length];
            sum += Math.Max(0, Math.Min(to, at + busy) - Math.Max(from, at));
            at += busy + idle;
        }
        return sum;
    }
}
