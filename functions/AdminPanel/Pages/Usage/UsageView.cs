using ControlPlane.AdminPanel.Http;
using ControlPlane.AdminPanel.Look;
using ControlPlane.AdminPanel.Stores;
using ControlPlane.Metering;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.AdminPanel.Pages.Usage;

/// <param name="Compute">What was used in it; null where nothing was sampled.</param>
/// <param name="Missing">Samples that never came.</param>
public sealed record Slice(DateTimeOffset From, ComputeTime? Compute, long Missing);

/// <summary>A tenant's compute time, hour by hour or day by day, as its samples have it; and its months.</summary>
public sealed record UsageView(
    Frame Frame, TenantId Tenant, int Days, IReadOnlyList<Slice> Slices, IReadOnlyList<(Month Month, MonthUsage Executions, ComputeTime Compute)> Months)
{
    /// <summary>How far back one can look: a day of one machine is 1,440 samples, and all of them are read.</summary>
    public static readonly IReadOnlyList<int> Choices = [1, 7, 30];

    private const int MonthsShown = 6;

    internal static async Task<PanelAnswer> AnswerAsync(Hub hub, PanelRequest request, string id, CancellationToken cancel)
    {
        if (!TenantId.TryParse(id, out var tenant) || await hub.Tenants.FindRecentAsync(tenant, cancel) is null)
            return new PanelAnswer.NotFound("No tenant of that number is registered.");
        var days = Choices.FirstOrDefault(one => one.ToString(System.Globalization.CultureInfo.InvariantCulture) == request.Asked("days"), 1);
        var months = Enumerable.Range(0, MonthsShown).Select(Month.Of(request.Now).Before).Select(async month =>
            (month, await hub.Quotas.RecentMonthAsync(tenant, month, cancel), (await hub.Instances.OfTenantAsync(tenant, month, cancel)).Usage));
        var slices = await SlicesAsync(hub, tenant, days, request.Now, cancel);
        return new PanelAnswer.Page(UsageViewPage.Create(new(
            Frame.Of($"Usage of {tenant}", "Usage", request), tenant, days, slices, await Task.WhenAll(months))));
    }

    private static async Task<IReadOnlyList<Slice>> SlicesAsync(Hub hub, TenantId tenant, int days, DateTimeOffset now, CancellationToken cancel)
    {
        var length = days == 1 ? TimeSpan.FromHours(1) : TimeSpan.FromDays(1);
        var end = new DateTimeOffset((now.UtcTicks / length.Ticks + 1) * length.Ticks, TimeSpan.Zero);
        var count = days == 1 ? 24 : days;
        var begin = end - (count * length);
        var (compute, missing) = (new ComputeTime?[count], new long[count]);
        var last = new Dictionary<InstanceId, MeteringRecord>();
        // One slice more is read: what the first sample of the first slice added is known from the one before it.
        await foreach (var sample in hub.Samples.SinceAsync(tenant, begin - length, cancel))
        {
            var at = (int)((sample.SampledAt - begin).Ticks / length.Ticks);
            if (last.TryGetValue(sample.Instance, out var before) && sample.GapAfter(before) is { } gap && sample.SampledAt >= begin && at < count)
            {
                var added = sample.Epoch == before.Epoch ? sample.Totals - before.Totals : sample.Totals;
                compute[at] = (compute[at] ?? ComputeTime.Zero) + added;
                missing[at] += gap;
            }
            last[sample.Instance] = sample;
        }
        return [.. Enumerable.Range(0, count).Select(i => new Slice(begin + (i * length), compute[i], missing[i]))];
    }
}
