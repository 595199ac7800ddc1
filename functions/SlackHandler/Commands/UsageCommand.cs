using ControlPlane.Aws;
using ControlPlane.Metering;
using ControlPlane.Quotas;
using ControlPlane.SlackHandler.Messages;

namespace ControlPlane.SlackHandler.Commands;

/// <summary><c>usage</c>: what of the quota is gone, what the machines used this month, and whether they are well.</summary>
internal sealed class UsageCommand(QuotaLedger quotas, InstanceStore instances, TimeProvider clock)
{
    public async Task<SlackMessage> AnswerAsync(Caller caller, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var month = Month.Of(now);
        var usage = quotas.MonthAsync(caller.Tenant, month, cancel);
        var active = quotas.ActiveAsync(caller.Tenant, cancel);
        var dataPlane = instances.OfTenantAsync(caller.Tenant, month, cancel);
        await Task.WhenAll(usage, active, dataPlane);
        return Answer(caller, month, await usage, await active, await dataPlane, now);
    }

    private static SlackMessage Answer(Caller caller, Month month, MonthUsage usage, int active, DataPlane dataPlane, DateTimeOffset now)
    {
        var limits = caller.Catalogue.Tenant.Limits;
        var left = Math.Max(0, limits.MonthlyQuota - usage.Charged);
        var gpuLimit = limits.MonthlyGpuMs is { } most ? SlackText.Of($" of {Hours(most)}") : default;
        return SlackMessage.Private(
            SlackText.Of($"*Usage in {month.ToString()}*: {left} of {limits.MonthlyQuota} executions left"),
            Block.Facts(
                SlackText.Of($"*Used*\n{usage.Used}"),
                SlackText.Of($"*Reserved*\n{usage.Reserved}"),
                SlackText.Of($"*Left*\n{left}"),
                SlackText.Of($"*Under way*\n{active} of {limits.Concurrency}"),
                SlackText.Of($"*GPU time*\n{Hours(dataPlane.Usage.GpuMs)}{gpuLimit}"),
                SlackText.Of($"*CPU time*\n{Hours(dataPlane.Usage.CpuMs)}")),
            Block.Section(SlackText.Of($"{Health(dataPlane.HealthAt(now))}{Gpus(dataPlane.HealthAt(now))}")),
            Block.SmallPrint(SlackText.Of($"Executions count from the first of the month, UTC. Compute time is metered on your machines.")));
    }

    private static SlackText Health(TenantHealth? health) => health switch
    {
        null => SlackText.Of($":black_circle: *Data plane*: has not reported yet"),
        { Liveness: Liveness.Healthy } => SlackText.Of($":large_green_circle: *Data plane*: healthy{Count(health)}"),
        { Liveness: Liveness.Late } => SlackText.Of($":large_yellow_circle: *Data plane*: late, last heard from {SlackText.Time(health.LastSeen)}"),
        _ => SlackText.Of($":red_circle: *Data plane*: offline, last heard from {SlackText.Time(health.LastSeen)}"),
    };

    private static SlackText Gpus(TenantHealth? health) => health?.GpuUnreadableSince is { } since
        ? SlackText.Of($"\n:warning: GPUs unreadable since {SlackText.Time(since)}: their time is not metered in full. The sidecar's journal says why.")
        : default;

    private static SlackText Count(TenantHealth health) => health.Instances > 1 ? SlackText.Of($", {health.Healthy} of {health.Instances} instances") : default;

    private static string Hours(long milliseconds) => ExecutionText.Text(milliseconds);
}
