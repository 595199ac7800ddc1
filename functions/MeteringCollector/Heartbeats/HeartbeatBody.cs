using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using ControlPlane.Metering;
using ControlPlane.Text;

namespace ControlPlane.MeteringCollector.Heartbeats;

/// <summary>A heartbeat as it is written on the wire.</summary>
internal sealed record HeartbeatBody(
    string Schema, string TenantId, string InstanceId, long Epoch, long Counter, string SampledAt, int IntervalS, HeartbeatTotals Totals,
    HeartbeatMetrics Metrics,
    HeartbeatExecutions? Executions = null, string? GpuUnreadableSince = null)
{
    public const string SchemaV1 = "heartbeat.v1";

    private const int MostGpus = 16;
    private const int LongestName = 64;
    private const int MostCpus = 65_536;
    private const double HighestPercent = 1000;             // gauges overshoot; nonsense does not pass
    private const int LongestInterval = 3600;

    /// <summary>Reads a body whose every member is of its type and range. What it means next to the clock and to others is judged later.</summary>
    public static bool TryParse(ReadOnlySpan<byte> json, [NotNullWhen(true)] out HeartbeatBody? body, out InstanceId instance, out DateTimeOffset sampledAt)
    {
        instance = default;
        sampledAt = default;
        return StrictJson.TryParse(json, HeartbeatJson.Default.HeartbeatBody, out body)
            && body.Schema == SchemaV1
            && Metering.InstanceId.TryParse(body.InstanceId, out instance)
            && Rfc3339.TryParse(body.SampledAt, out sampledAt)
            && body.Epoch >= 1 && body.Counter >= 1
            && body.IntervalS is >= 1 and <= LongestInterval
            && body.Totals is { CpuMs: >= 0, GpuMs: >= 0 }
            && (body.GpuUnreadableSince is null || body.UnreadableSince is not null)
            && HasSense(body.Metrics);
    }

    /// <summary>Since when something of the machine's GPUs is not known; null while all is.</summary>
    public DateTimeOffset? UnreadableSince => Rfc3339.TryParse(GpuUnreadableSince, out var since) ? since : null;

    /// <summary>The gauges alone, without members that nobody asked for.</summary>
    public string MetricsJson => JsonSerializer.Serialize(Metrics, HeartbeatJson.Default.HeartbeatMetrics);

    private static bool HasSense(HeartbeatMetrics metrics) =>
        metrics.Cpu is { Count: >= 1 and <= MostCpus } cpu && IsPercent(cpu.UtilizationPct)
        && metrics.Memory is null or { UsedBytes: null or >= 0, TotalBytes: null or >= 0 }
        && metrics.Gpus.Count <= MostGpus && metrics.Gpus.All(HasSense);

    private static bool HasSense(HeartbeatGpu gpu) =>
        gpu is { Index: >= 0 and <= 255, Uuid.Length: <= LongestName, Model.Length: <= LongestName, MemoryUsedBytes: >= 0, MemoryTotalBytes: >= 0 }
        && IsPercent(gpu.UtilizationPct)
        && gpu.PowerW is null or (>= 0 and <= 100_000)
        && gpu.TemperatureC is null or (>= -100 and <= 1000);

    private static bool IsPercent(double value) => value is >= 0 and <= HighestPercent;
}

internal sealed record HeartbeatTotals(long CpuMs, long GpuMs);

internal sealed record HeartbeatMetrics(HeartbeatCpu Cpu, IReadOnlyList<HeartbeatGpu> Gpus, HeartbeatMemory? Memory = null);

internal sealed record HeartbeatCpu(int Count, double UtilizationPct);

internal sealed record HeartbeatMemory(long? UsedBytes = null, long? TotalBytes = null);

internal sealed record HeartbeatGpu(
    int Index, string Uuid, string Model, double UtilizationPct, long MemoryUsedBytes, long MemoryTotalBytes, double? PowerW = null,
    double? TemperatureC = null);

/// <param name="Running">Ids of the executions that the engine is busy with. Read for their type; nothing depends on them.</param>
internal sealed record HeartbeatExecutions(IReadOnlyList<string>? Running = null);

/// <summary>The answer to a heartbeat that is booked.</summary>
/// <param name="Gap">Samples missing before this one.</param>
/// <param name="Restarted">Present and true when it began a new epoch.</param>
/// <param name="Directives">What the sidecar should know: <c>suspended</c>.</param>
internal sealed record HeartbeatReceipt(
    string Status, bool Duplicate, long Epoch, long Counter, long Gap, bool? Restarted, string ServerTime, int NextIntervalS, IReadOnlyList<string> Directives);
