using System.Text;
using System.Text.Json;
using ControlPlane.Aws.Logs;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.MeteringCollector;
using ControlPlane.MeteringCollector.Sweeper;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.MeteringCollector;

/// <summary>The warnings of a month's usage: each threshold of each limit once, whatever breaks.</summary>
public sealed class WarnOfUsageTests(LocalCloud cloud)
{
    private static readonly Tenant Acme = SweeperTests.TenantOf(43, TenantStatus.Active) with
    {
        Channel = new(TeamId.Parse("T0001"), ChannelId.Parse("C0001")),
    };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_threshold_is_told_once_a_month()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        Assert.Empty(await WarnedAsync(desk, charged: 799));
        Assert.Equal(["Executions 80"], await WarnedAsync(desk, charged: 800));
        Assert.Empty(await WarnedAsync(desk, charged: 999));
        Assert.Equal(["Executions 100"], await WarnedAsync(desk, charged: 1000));
        Assert.Empty(await WarnedAsync(desk, charged: 900));         // given back: that was told before
        Assert.Empty(await WarnedAsync(desk, charged: 1000));
        Assert.Equal([80, 100], (await NoticesAsync(desk)).Select(one => one.Percent));

        desk.Clock.Advance(TimeSpan.FromDays(30));
        Assert.Empty(await WarnedAsync(desk));
        Assert.Equal(["Executions 100"], await WarnedAsync(desk, charged: 1000));
    }

    [Fact]
    public async Task Metered_GPU_time_is_warned_of_where_it_has_a_limit()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var limited = Acme with { Limits = TenantLimits.Default with { MonthlyGpuMs = 1000 } };
        Assert.Empty(await WarnedAsync(desk, Acme, gpuMs: 5000));
        Assert.Empty(await WarnedAsync(desk, limited, gpuMs: 799));
        Assert.Equal(["Gpu 80"], await WarnedAsync(desk, limited, gpuMs: 800));
        Assert.Equal(["Gpu 100", "Executions 80"], (await WarnedAsync(desk, limited, gpuMs: 1000, charged: 800)).OrderDescending());
        Assert.Empty(await WarnedAsync(desk, limited, gpuMs: 1000));
    }

    [Fact]
    public async Task The_channel_is_told_what_was_reached_and_of_what()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        await WarnedAsync(desk, charged: 812);
        Assert.Equal(
            new UsageNotice(
                UsageNotice.SchemaV1, "tenant-43", "2026-11", MonthlyLimit.Executions, 80, 812, 1000, TeamId.Parse("T0001"), ChannelId.Parse("C0001")),
            Assert.Single(await NoticesAsync(desk)));
    }

    [Fact]
    public async Task Without_a_channel_the_operators_alone_are_told_and_of_a_tenant_that_is_removed_nobody()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        Assert.Empty(await WarnedAsync(desk, Acme with { Status = TenantStatus.Deleting }, charged: 1000));
        Assert.Equal(["Executions 100"], await WarnedAsync(desk, Acme with { Channel = null }, charged: 1000));
        Assert.Empty(await NoticesAsync(desk));
    }

    [Fact]
    public async Task Several_sweepers_at_once_tell_it_once()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        await SweeperTests.UseAsync(desk, 43, charged: 1000);
        var told = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => RunAsync(desk, Acme, gpuMs: 0)));
        Assert.Equal(["Executions 100"], told.SelectMany(one => one));
        Assert.Single(await NoticesAsync(desk));
    }

    [Fact]
    public async Task A_sweep_that_breaks_over_a_warning_leaves_it_to_a_later_one()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var repeats = 0;
        var breaks = await CrashPoints.ForEachAsync(async (seam, name) =>
        {
            desk.Clock.Advance(TimeSpan.FromDays(31));              // a month of its own
            await SweeperTests.UseAsync(desk, 43, charged: 800);
            var told = await RunAsync(desk, Acme, gpuMs: 0, seam);

            told.AddRange(await WarnedAsync(desk));
            desk.Clock.Advance(UsageWarningRule.RetryAfter);
            told.AddRange(await WarnedAsync(desk));
            Assert.True(told.Count > 0, $"{name}: nobody was told");
            Assert.NotEmpty(await NoticesAsync(desk));
            repeats += told.Count - 1;

            desk.Clock.Advance(UsageWarningRule.RetryAfter);
            Assert.Empty(await WarnedAsync(desk));
        });

        Assert.True(breaks >= 5 * FaultSeam.AllFaults.Count, $"only {breaks} breaks");
        // Where it was told, and the note of that was lost.
        Assert.InRange(repeats, 1, FaultSeam.AllFaults.Count);
    }

    [Fact]
    public async Task The_sweeper_asks_about_every_tenant()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        await SweeperTests.RegisterAsync(desk, 43, 44);
        await SweeperTests.UseAsync(desk, 43, charged: 800);
        await SweeperTests.UseAsync(desk, 44, charged: 1000);
        var log = new MemoryStream();
        await SweeperTests.SweepAsync(desk, log: log);
        Assert.Equal(["Executions 100", "Executions 80"], WarningsIn(log).Order());
    }

    private static async Task<List<string>> WarnedAsync(OutcomeFixture desk, Tenant? tenant = null, long? charged = null, long gpuMs = 0)
    {
        if (charged is { } count)
            await SweeperTests.UseAsync(desk, 43, count);
        return await RunAsync(desk, tenant ?? Acme, gpuMs);
    }

    private static async Task<List<string>> RunAsync(OutcomeFixture desk, Tenant tenant, long gpuMs, FaultSeam? seam = null)
    {
        var log = new MemoryStream();
        var dynamo = desk.Tables.ClientOf("SweeperFunction", seam);
        var warnOfUsage = new WarnOfUsage(
            new(dynamo, desk.Tables.Quotas), new(dynamo, desk.Tables.Quotas, desk.Clock),
            new(desk.Queues.ClientOf("SweeperFunction", desk.Tables, seam), desk.Queues.Notifications, DomainJson.Default.UsageNotice),
            new MeteringEvents(new JsonLog(log, desk.Clock), desk.Clock), desk.Clock);
        var month = Month.Of(desk.Clock.Now);
        try { await warnOfUsage.RunAsync(tenant, new(tenant.Id, month, [], [new(tenant.Id, InstanceId.Parse("i-1"), month, new(0, gpuMs))], null), Cancel); }
        catch (Exception) when (seam is not null) { /* the sweep counts it and goes on */ }
        return WarningsIn(log);
    }

    private static async Task<List<UsageNotice>> NoticesAsync(OutcomeFixture desk) =>
        [.. (await desk.Queues.TakeAllAsync(desk.Queues.Notifications, Cancel)).Select(message =>
            JsonSerializer.Deserialize(message.Body, DomainJson.Default.UsageNotice)!)];

    private static List<string> WarningsIn(MemoryStream log) =>
    [
        .. Encoding.UTF8.GetString(log.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)
            .Where(line => line.TryGetProperty("event", out var name) && name.GetString() == "usage_reached")
            .Select(line => $"{line.GetProperty("limit")} {line.GetProperty("percent")}"),
    ];
}
