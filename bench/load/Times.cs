using System.Globalization;
using HdrHistogram;

namespace ControlPlane.Load;

/// <summary>How long things of one kind took, from when they were due: a queue before the door counts.</summary>
internal sealed class Times(string what)
{
    public const string Head = "| | count | p50 ms | p90 ms | p99 ms | p99.9 ms | most ms |\n|---|---:|---:|---:|---:|---:|---:|";

    // Microseconds, to three digits, up to an hour.
    private readonly LongConcurrentHistogram _taken = new(1, 3_600_000_000, 3);

    public void Add(TimeSpan taken) => _taken.RecordValue(Math.Max(1, (long)taken.TotalMicroseconds));

    public string Row => _taken.TotalCount == 0
        ? $"| {what} | 0 | | | | | |"
        : string.Create(
            CultureInfo.InvariantCulture, $"| {what} | {_taken.TotalCount} | {At(50):0.0} | {At(90):0.0} | {At(99):0.0} | {At(99.9):0.0} | {At(100):0.0} |");

    private double At(double percentile) => _taken.GetValueAtPercentile(percentile) / 1000.0;
}
