using ControlPlane.Aws;
using ControlPlane.Metering;
using ControlPlane.Quotas;
using ControlPlane.SlackHandler.Messages;
using ControlPlane.Tenants;

namespace ControlPlane.SlackHandler.Commands;

/// <summary><c>usage</c>: what of the quota is gone, what the machines used this month, and whether they are well.</summary>
internal sealed class UsageCommand(QuotaLedger quotas, InstanceStore instances, TimeProvider clock)
{
    public async Task<SlackMessage> AnswerAsync(Caller caller, CancellationToken cancel)
    {
        var reading = await ReadAsync(caller, cancel);
        return SlackMessage.Private(Headline(reading), Details(reading));
    }

    /// <summary>The same, for the App Home.</summary>
    public async Task<IReadOnlyList<Block>> BlocksAsync(Caller caller, CancellationToken cancel)
    {
        var reading = await ReadAsync(caller, cancel);
        return [Block.Header("Usage and health"), Block.Section(Headline(reading)), .. Details(reading)];
    }

    private async Task<Reading> ReadAsync(Caller caller, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var month = Month.Of(now);
        var usage = quotas.MonthAsync(caller.Tenant, month, cancel);
        var active = quotas.ActiveAsync(caller.Tenant, cancel);
        var dataPlane = instances.OfTenantAsync(caller.Tenant, month, cancel);
        await Task.WhenAll(usage, active, dataPlane);
        return new(caller.Catalogue.Tenant.Limits, month, await usage, await active, await dataPlane, now);
    }

    private static SlackText Headline(Reading reading) => SlackText.Of(
        $"*Usage in {reading.Month.ToString()}*: {reading.Left} of {reading.Limits.MonthlyQuota} executions left\n{Bar(reading.Usage.Charged, reading.Limits.MonthlyQuota)}");

    private static IEnumerable<Block> Details(Reading reading)
    {
        var gpuLimit = reading.Limits.MonthlyGpuMs is { } most ? SlackText.Of($" of {Hours(most)}") : default;
        var health = reading.DataPlane.HealthAt(reading.Now);
        return
        [
            Block.Facts(
                SlackText.Of($"*Used*\n{reading.Usage.Used}"),
                SlackText.Of($"*Reserved*\n{reading.Usage.Reserved}"),
                SlackText.Of($"*Left*\n{reading.Left}"),
                SlackText.Of($"*Under way*\n{reading.Active} of {reading.Limits.Concurrency}"),
                SlackText.Of($"*GPU time*\n{Hours(reading.DataPlane.Usage.GpuMs)}{gpuLimit}"),
                SlackText.Of($"*CPU time*\n{Hours(reading.DataPlane.Usage.CpuMs)}")),
            Block.Section(SlackText.Of($"{Health(health)}{Gpus(health)}")),
            Block.SmallPrint(SlackText.Of($"Executions count from the first of the month, UTC. Compute time is metered on your machines.")),
        ];
    }

    /// <summary>How much of the quota is gone, drawn, and in per cent for whoever does not see the drawing.</summary>
    internal static SlackText Bar(long charged, long quota)
    {
        const int width = 20;
        var share = quota <= 0 ? 1 : Math.Clamp(charged / (double)quota, 0, 1);
        var full = (int)Math.Round(share * width);
        return SlackText.Of($"{SlackText.Code(new string('█', full) + new string('░', width - full))} {(long)Math.Floor(share * 100)} % used or reserved");
    }

    private sealed record Reading(TenantLimits Limits, Month Month, MonthUsage Usage, int Active, DataPlane DataPlane, DateTimeOffset Now)
    {
        public long Left => Math.Max(0, Limits.MonthlyQuota - Usage.Charged);
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
