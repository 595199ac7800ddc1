using System.CommandLine;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Deployments;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Operator.Commands;

/// <summary><c>usage</c>: what a month's quota has been spent on, and the compute time that was metered.</summary>
internal static class UsageCommand
{
    public static Command Build(Runner runner)
    {
        var (id, month) = (TypedArguments.TenantOrAll(), TypedArguments.Month());
        var history = TypedArguments.Count("--history", "So many months, the newest first.", standard: 1, most: 36);
        return runner.RunsInRows(new("usage", "Quota used, reserved and left, and metered CPU and GPU time, of one tenant or all.") { id, month, history },
            async (hub, given, cancel) =>
        {
            var period = given.GetValue(month) ?? Month.Of(hub.Clock.GetUtcNow());
            IReadOnlyList<Tenant> tenants;
            IReadOnlyList<(TenantId, string)> faulty = [];
            if (given.GetValue(id) is not { } only)
                (tenants, faulty) = await hub.Tenants.ReadableAsync(cancel);
            else if (await hub.Tenants.FindAsync(only, cancel) is { } found)
                tenants = [found];
            else
                return Refusals.NotRegistered(only);

            if (given.GetValue(history) is > 1 and var count)
                return await HistoryAsync(hub, tenants, period, count, cancel) with { Warnings = ViewMapper.Faults(faulty) };
            var usage = await Task.WhenAll(tenants.OrderBy(tenant => tenant.Id.Number).Select(tenant => OfAsync(hub, tenant, period, cancel)));
            return Answer.Show(new UsagesView(period.ToString(), usage), CtlJson.Default.UsagesView, page =>
            {
                page.Line($"Usage in {period} (UTC)");
                page.Table(
                    [
                        "TENANT", Column.Number("QUOTA", 2), Column.Number("USED"), Column.Number("RESERVED", 3), Column.Number("LEFT"),
                        Column.Number("UNDER WAY", 4), Column.Number("CPU", 1), Column.Number("GPU"), Column.Number("GPU LIMIT", 5),
                    ],
                    usage.Select(one => (string?[])
                    [
                        one.Tenant, DisplayText.Of(one.MonthlyQuota), DisplayText.Of(one.Used), DisplayText.Of(one.Reserved), DisplayText.Of(one.Left),
                        $"{DisplayText.Of(one.UnderWay)} of {DisplayText.Of(one.Concurrency)}",
                        DisplayText.OfMilliseconds(one.Metered.CpuMs), DisplayText.OfMilliseconds(one.Metered.GpuMs), one.Metered.GpuLimitMs is { } limit
                            ? DisplayText.OfMilliseconds(limit)
                            : null,
                    ]));
                foreach (var one in usage.Where(one => one.Metered.GpuUnreadableSince is not null))
                    page.Line(DisplayText.GpuUnreadable(one.Tenant, one.Metered.GpuUnreadableSince!));
            }) with
            { Rows = RowsOf([new(period.ToString(), usage)]), Warnings = ViewMapper.Faults(faulty) };
        });
    }

    private static async Task<Answer.Shown> HistoryAsync(
        ControlPlaneClient hub, IReadOnlyList<Tenant> tenants, Month newest, int count, CancellationToken cancel)
    {
        var months = new List<UsagesView>();
        foreach (var month in Enumerable.Range(0, count).Select(newest.Before))
            months.Add(new(
                month.ToString(), await Task.WhenAll(tenants.OrderBy(tenant => tenant.Id.Number).Select(tenant => OfAsync(hub, tenant, month, cancel)))));
        return Answer.Show(new UsageHistoryView(months), CtlJson.Default.UsageHistoryView, page => page.Table(
            ["MONTH", "TENANT", Column.Number("USED"), Column.Number("RESERVED", 3), Column.Number("CPU", 1), Column.Number("GPU"), Column.Number("TOKENS", 2)],
            from month in months
            from one in month.Usage
            select (string?[])
            [
                month.Month, one.Tenant, DisplayText.Of(one.Used), DisplayText.Of(one.Reserved), DisplayText.OfMilliseconds(one.Metered.CpuMs),
                DisplayText.OfMilliseconds(one.Metered.GpuMs), DisplayText.Of(one.Reported.InputTokens + one.Reported.OutputTokens),
            ])) with
        { Rows = RowsOf(months) };
    }

    private static Rows RowsOf(IEnumerable<UsagesView> months) => new(
        ["month", "tenant", "used", "reserved", "cpu_ms", "gpu_ms", "reported_cpu_ms", "reported_gpu_ms", "input_tokens", "output_tokens"],
        [
            .. from month in months
               from one in month.Usage
               select (IReadOnlyList<object?>)
               [
                   month.Month, one.Tenant, one.Used, one.Reserved, one.Metered.CpuMs, one.Metered.GpuMs, one.Reported.CpuMs, one.Reported.GpuMs,
                   one.Reported.InputTokens, one.Reported.OutputTokens,
               ],
        ]);

    private static async Task<UsageView> OfAsync(ControlPlaneClient hub, Tenant tenant, Month period, CancellationToken cancel)
    {
        var month = hub.Quotas.MonthAsync(tenant.Id, period, cancel);
        var active = hub.Quotas.ActiveAsync(tenant.Id, cancel);
        var dataPlane = hub.Instances.OfTenantAsync(tenant.Id, period, cancel);
        await Task.WhenAll(month, active, dataPlane);

        var (quota, metered) = (await month, (await dataPlane).Usage);
        var unreadable = (await dataPlane).HealthAt(hub.Clock.GetUtcNow())?.GpuUnreadableSince;
        return new(
            tenant.Id.ToString(), tenant.Limits.MonthlyQuota, quota.Used, quota.Reserved, Math.Max(0, tenant.Limits.MonthlyQuota - quota.Charged),
            await active, tenant.Limits.Concurrency,
            new(metered.CpuMs, metered.GpuMs, tenant.Limits.MonthlyGpuMs, unreadable is { } since ? Rfc3339.Format(since) : null),
            quota.Metered);
    }
}
