using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.MeteringCollector.Sweeper;

/// <summary>Tells the operators, and the tenant's channel, when its month reaches 80 or 100 per cent of its executions or of its GPU time.</summary>
/// <remarks>A warning is taken by a conditional write, told, and then noted as told. What its teller died over is told by a later sweep.</remarks>
internal sealed class WarnOfUsage(
    QuotaLedger ledger, UsageWarningStore warnings, MessageQueue<UsageNotice> notices, MeteringEvents events, TimeProvider clock)
{
    /// <param name="plane">With its usage of the running month.</param>
    public async Task RunAsync(Tenant tenant, DataPlane plane, CancellationToken cancel)
    {
        if (tenant.Status == TenantStatus.Deleting)
            return;
        var month = await ledger.RecentMonthAsync(tenant.Id, plane.Month, cancel);
        await RunAsync(tenant, plane.Month, new(MonthlyLimit.Executions, month.Charged, tenant.Limits.MonthlyQuota), cancel);
        if (tenant.Limits.MonthlyGpuMs is { } most)
            await RunAsync(tenant, plane.Month, new(MonthlyLimit.Gpu, plane.Usage.GpuMs, most), cancel);
    }

    private async Task RunAsync(Tenant tenant, Month month, LimitedUse use, CancellationToken cancel)
    {
        if (UsageWarningRule.ReachedBy(use) is not { } percent)
            return;
        var last = await warnings.FindAsync(tenant.Id, month, use.Limit, cancel);
        if (!UsageWarningRule.IsDue(percent, last, clock.GetUtcNow())
            || !await warnings.TryClaimAsync(tenant.Id, month, use.Limit, percent, last, cancel))
            return;
        if (tenant.Channel is { } place)
            await notices.SendAsync(NoticeOf(tenant.Id, month, use, percent, place), cancel, group: tenant.Id.ToString());
        events.UsageReached(tenant.Id, month, use, percent);
        await warnings.MarkToldAsync(tenant.Id, month, use.Limit, percent, cancel);
    }

    private static UsageNotice NoticeOf(TenantId tenant, Month month, LimitedUse use, int percent, TenantChannel place) => new(
        UsageNotice.SchemaV1, tenant.ToString(), month.ToString(), use.Limit, percent, use.Used, use.Most, place.Team, place.Channel);
}
