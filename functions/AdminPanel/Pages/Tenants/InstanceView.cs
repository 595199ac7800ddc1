using System.Text.Json;
using ControlPlane.AdminPanel.Http;
using ControlPlane.AdminPanel.Look;
using ControlPlane.AdminPanel.Stores;
using ControlPlane.Metering;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.AdminPanel.Pages.Tenants;

/// <param name="Busy">CPUs' use in per cent, hour by hour over a day; null where nothing was sampled.</param>
/// <param name="Metrics">Of the last sample, as its sidecar sent them; null where none is kept.</param>
public sealed record InstanceView(
    Frame Frame, TenantId Tenant, InstanceState Instance, IReadOnlyList<double?> Busy, long Missing, string? Metrics, DateTimeOffset? SampledAt)
{
    private static readonly TimeSpan Day = TimeSpan.FromHours(24), Slice = TimeSpan.FromMinutes(30);

    internal static async Task<PanelAnswer> AnswerAsync(Hub hub, PanelRequest request, string tenantText, string text, CancellationToken cancel)
    {
        if (!TenantId.TryParse(tenantText, out var tenant) || !InstanceId.TryParse(text, out var id)
            || (await hub.Instances.OfTenantAsync(tenant, Month.Of(request.Now), cancel)).Instances.FirstOrDefault(one => one.Instance == id)
                is not { } instance)
            return new PanelAnswer.NotFound("No such instance has reported.");
        var samples = await hub.Samples.SinceAsync(tenant, request.Now - Day, cancel).Where(one => one.Instance == id).ToListAsync(cancel);
        return new PanelAnswer.Page(InstanceViewPage.Create(new(
            Frame.Of($"{id}", "Tenants", request), tenant, instance, BusyOf(samples, request.Now),
            samples.Skip(1).Zip(samples, (now, last) => now.GapAfter(last) ?? 0).Sum(),
            samples.Count > 0 ? Indented(samples[^1].Metrics) : null, samples.Count > 0 ? samples[^1].SampledAt : null)));
    }

    private static List<double?> BusyOf(IReadOnlyList<MeteringRecord> samples, DateTimeOffset now)
    {
        var busy = new List<double?>();
        for (var from = now - Day; from < now; from += Slice)
        {
            var some = samples.Where(one => one.SampledAt >= from && one.SampledAt < from + Slice).Select(CpuOf).OfType<double>().ToList();
            busy.Add(some.Count > 0 ? some.Average() : null);
        }
        return busy;
    }

    private static double? CpuOf(MeteringRecord sample)
    {
        using var metrics = JsonDocument.Parse(sample.Metrics);
        return metrics.RootElement is { ValueKind: JsonValueKind.Object } all && all.TryGetProperty("cpu", out var cpu) && cpu.ValueKind == JsonValueKind.Object
            && cpu.TryGetProperty("utilization_pct", out var percent) && percent.ValueKind == JsonValueKind.Number && percent.TryGetDouble(out var value)
            ? Math.Clamp(value, 0, 100)
            : null;
    }

    private static string Indented(string metrics)
    {
        using var json = JsonDocument.Parse(metrics);
        using var text = new MemoryStream();
        using (var writer = new Utf8JsonWriter(text, new() { Indented = true }))
            json.RootElement.WriteTo(writer);
        return System.Text.Encoding.UTF8.GetString(text.ToArray());
    }
}
