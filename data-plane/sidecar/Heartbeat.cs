using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace ControlPlane.Sidecar;

/// <summary>A sample as it was taken: its place in the order, and the bytes that every attempt to deliver it repeats.</summary>
internal sealed record Heartbeat(long Epoch, long Counter, byte[] Body)
{
    /// <summary>The headers of one attempt: the sample's own id, the time of the attempt, and a signature by each key.</summary>
    /// <remarks>Standard Webhooks 1.0, <c>v1a</c>: https://github.com/standard-webhooks/standard-webhooks</remarks>
    public IEnumerable<(string Name, string Value)> HeadersAt(DateTimeOffset now, string instance, IReadOnlyList<SigningKey> keys)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"hb_{instance}_{Epoch}_{Counter}");
        return SignedHeaders.Of(id, now, Body, keys);
    }

    public static byte[] BodyOf(string tenant, string instance, long epoch, long counter, DateTimeOffset sampledAt, TimeSpan interval, Sample sample)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("schema", "heartbeat.v1");
            json.WriteString("tenant_id", tenant);
            json.WriteString("instance_id", instance);
            json.WriteNumber("epoch", epoch);
            json.WriteNumber("counter", counter);
            json.WriteString("sampled_at", Seconds(sampledAt));
            json.WriteNumber("interval_s", (int)interval.TotalSeconds);
            json.WriteStartObject("totals");
            json.WriteNumber("cpu_ms", sample.CpuMs);
            json.WriteNumber("gpu_ms", sample.GpuMs);
            json.WriteEndObject();
            json.WriteStartObject("metrics");
            json.WriteStartObject("cpu");
            json.WriteNumber("count", sample.CpuCount);
            json.WriteNumber("utilization_pct", Rounded(sample.CpuPercent));
            json.WriteEndObject();
            json.WriteStartArray("gpus");
            foreach (var gpu in sample.Gpus)
                Write(json, gpu);
            json.WriteEndArray();
            if (sample.Memory is { } memory)
            {
                json.WriteStartObject("memory");
                json.WriteNumber("used_bytes", memory.UsedBytes);
                json.WriteNumber("total_bytes", memory.TotalBytes);
                json.WriteEndObject();
            }
            json.WriteEndObject();
            if (sample.GpuUnreadableSince is { } since)
                json.WriteString("gpu_unreadable_since", Seconds(since));
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter json, Gpu gpu)
    {
        json.WriteStartObject();
        json.WriteNumber("index", gpu.Index);
        json.WriteString("uuid", gpu.Uuid);
        json.WriteString("model", gpu.Model);
        json.WriteNumber("utilization_pct", Rounded(gpu.UtilizationPercent ?? 0));
        json.WriteNumber("memory_used_bytes", gpu.MemoryUsedBytes);
        json.WriteNumber("memory_total_bytes", gpu.MemoryTotalBytes);
        if (gpu.PowerW is { } power)
            json.WriteNumber("power_w", Rounded(power));
        if (gpu.TemperatureC is { } temperature)
            json.WriteNumber("temperature_c", Rounded(temperature));
        json.WriteEndObject();
    }

    private static string Seconds(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static double Rounded(double value) => Math.Round(value, 1);
}

/// <summary>What the machine did.</summary>
/// <param name="CpuMs">Busy core-milliseconds since the epoch began.</param>
/// <param name="GpuMs">Busy device-milliseconds since the epoch began.</param>
/// <param name="CpuPercent">Busy part of all cores since the sample before.</param>
/// <param name="GpuUnreadableSince">Since when something of the GPUs is not known: their time since then is missing in the total.</param>
internal sealed record Sample(
    long CpuMs, long GpuMs, int CpuCount, double CpuPercent, IReadOnlyList<Gpu> Gpus, Memory? Memory, DateTimeOffset? GpuUnreadableSince = null);

internal sealed record Memory(long UsedBytes, long TotalBytes);

/// <param name="UtilizationPercent">On average since the sample before; null where that is not known, and then it is not told.</param>
internal sealed record Gpu(int Index, string Uuid, string Model, double? UtilizationPercent, long MemoryUsedBytes, long MemoryTotalBytes, double? PowerW,
    double? TemperatureC);
