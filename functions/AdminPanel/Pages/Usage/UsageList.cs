using System.Globalization;
using System.Text;
using ControlPlane.AdminPanel.Http;
using ControlPlane.AdminPanel.Look;
using ControlPlane.AdminPanel.Stores;
using ControlPlane.Metering;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.AdminPanel.Pages.Usage;

public sealed record TenantUsage(Tenant Tenant, MonthUsage Executions, ComputeTime Compute);

public sealed record UsageList(Frame Frame, Month Month, IReadOnlyList<Month> Months, IReadOnlyList<TenantUsage> Usage)
{
    private const int MonthsShown = 13, TenantsAtOnce = 32;

    internal static async Task<PanelAnswer> AnswerAsync(Hub hub, PanelRequest request, CancellationToken cancel)
    {
        var (month, usage) = await ReadAsync(hub, request, cancel);
        var now = Month.Of(request.Now);
        return new PanelAnswer.Page(UsageListPage.Create(new(
            Frame.Of($"Usage in {month}", "Usage", request), month, [.. Enumerable.Range(0, MonthsShown).Select(now.Before)], usage)));
    }

    /// <summary>The same for a spreadsheet.</summary>
    internal static async Task<PanelAnswer> DownloadAsync(Hub hub, PanelRequest request, CancellationToken cancel)
    {
        var (month, usage) = await ReadAsync(hub, request, cancel);
        var csv = new StringBuilder("month,tenant,used,reserved,cpu_ms,gpu_ms,reported_cpu_ms,reported_gpu_ms,input_tokens,output_tokens\r\n");
        foreach (var one in usage)
            csv.Append(CultureInfo.InvariantCulture, $"{month},{one.Tenant.Id},{one.Executions.Used},{one.Executions.Reserved},{one.Compute.CpuMs},{one.Compute.GpuMs},")
                .Append(
                    CultureInfo.InvariantCulture,
                    $"{one.Executions.Metered.CpuMs},{one.Executions.Metered.GpuMs},{one.Executions.Metered.InputTokens},{one.Executions.Metered.OutputTokens}\r\n");
        return new PanelAnswer.File("text/csv; charset=utf-8", Encoding.UTF8.GetBytes(csv.ToString()), $"usage-{month}.csv");
    }

    private static async Task<(Month Month, IReadOnlyList<TenantUsage> Usage)> ReadAsync(Hub hub, PanelRequest request, CancellationToken cancel)
    {
        var month = MonthOf(request.Asked("month")) ?? Month.Of(request.Now);
        var usage = new List<TenantUsage>();
        foreach (var some in (await hub.Tenants.ReadableAsync(cancel)).Tenants.OrderBy(one => one.Id.Number).Chunk(TenantsAtOnce))
            usage.AddRange(await Task.WhenAll(some.Select(async tenant =>
            {
                var executions = hub.Quotas.RecentMonthAsync(tenant.Id, month, cancel);
                var plane = hub.Instances.OfTenantAsync(tenant.Id, month, cancel);
                return new TenantUsage(tenant, await executions, (await plane).Usage);
            })));
        return (month, usage);
    }

    private static Month? MonthOf(string? text) =>
        DateTime.TryParseExact(text, "yyyy-MM", CultureInfo.InvariantCulture, DateTimeStyles.None, out var first) ? new(first.Year, first.Month) : null;
}
