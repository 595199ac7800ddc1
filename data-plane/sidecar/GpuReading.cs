namespace ControlPlane.Sidecar;

/// <summary>A way to learn what the GPUs did.</summary>
internal interface IGpuReader
{
    /// <summary>How often it wants to be asked.</summary>
    TimeSpan Every { get; }

    /// <summary>The GPUs seen so far, and up to when the driver's samples of them are counted.</summary>
    IReadOnlyList<GpuMark> Marks { get; }

    /// <returns>What they did since the last time; a GPU that cannot be read is a fault in it, never an exception.</returns>
    Task<GpuReading> ReadAsync(CancellationToken cancel);
}

/// <summary>What one look at the GPUs found.</summary>
/// <param name="Faults">What could not be read, in words, in a fixed order; none when all is known.</param>
internal sealed record GpuReading(IReadOnlyList<GpuUse> Gpus, IReadOnlyList<string> Faults)
{
    public static readonly GpuReading Nothing = new([], []);

    public static GpuReading Unreadable(string fault) => new([], [fault]);
}

/// <summary>What one GPU did since the look before.</summary>
internal sealed record GpuUse(Gpu Gpu, GpuSpan Span);

/// <summary>A stretch of one GPU's time, in milliseconds: how much of it is known, how much of that was busy, and how much is lost.</summary>
internal readonly record struct GpuSpan(double BusyMs, double CoveredMs, double LostMs)
{
    public double Percent => CoveredMs > 0 ? Math.Clamp(100 * BusyMs / CoveredMs, 0, 100) : 0;

    public static GpuSpan operator +(GpuSpan one, GpuSpan other) => new(one.BusyMs + other.BusyMs, one.CoveredMs + other.CoveredMs, one.LostMs + other.LostMs);

    /// <summary>An estimate: how busy it was at one moment stands for the time since the last look, but not for longer than <paramref name="most"/>.</summary>
    public static GpuSpan Estimate(double percent, TimeSpan since, TimeSpan most)
    {
        var covered = Math.Min(since.TotalMilliseconds, most.TotalMilliseconds);
        return new(percent / 100 * covered, covered, since.TotalMilliseconds - covered);
    }
}

/// <summary>Up to when a GPU's time is counted, by the driver's clock.</summary>
internal sealed record GpuMark(string Uuid, long SeenUs);

/// <summary>Values as a heartbeat may carry them: one that no device can have is left out, and never costs the heartbeat.</summary>
internal static class Plausible
{
    /// <summary>What a heartbeat may carry.</summary>
    public const int MostGpus = 16;

    private const int LongestName = 64;
    private const double MostBytes = 1L << 50;

    public static string Name(string text) => text.Length <= LongestName ? text : text[..LongestName];

    public static double? Percent(double? value) => value is >= 0 and <= 100 ? value : null;

    public static long Bytes(double? value) => value is >= 0 and <= MostBytes ? (long)value : 0;

    public static double? Watts(double? value) => value is >= 0 and <= 100_000 ? value : null;

    public static double? Celsius(double? value) => value is >= -100 and <= 1000 ? value : null;
}
