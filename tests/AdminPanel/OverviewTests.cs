using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.AdminPanel;

/// <summary>The overview, which shows what the sweeper counted.</summary>
public sealed class OverviewTests(ManyTenants many, LocalCloud cloud) : IClassFixture<ManyTenants>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task With_156_tenants_it_is_read_for_six_units()
    {
        var before = many.Panel.Seam.Capacity.Count;

        var page = await many.Panel.Viewer().GetAsync("/");

        var costs = many.Panel.Seam.Capacity.Skip(before).ToList();
        TestContext.Current.SendDiagnosticMessage($"/: {costs.Sum(one => one.Units)} read units in {costs.Count} calls");
        Assert.InRange(costs.Sum(one => one.Units), 0.5, 6);
        Assert.Single(costs);
        Assert.All(ManyTenants.Tenants, tenant => Assert.Contains($"<a href=\"/tenants/{tenant}\">{tenant}</a>", page.Text, StringComparison.Ordinal));
        Assert.Equal(ManyTenants.Count, many.Executions.Count(one => one.CreatedAt.UtcDateTime.Date == many.Panel.Now.UtcDateTime.Date));
        foreach (var state in ExecutionStates.All)
            Assert.Contains($"{many.Executions.Count(one => one.State == state)} {state.Name}", page.Words, StringComparison.Ordinal);
    }

    [Fact]
    public async Task As_full_as_it_can_be_it_is_one_item_read_for_six_units()
    {
        var panel = await PanelFixture.StartEmptyAsync(cloud);
        await using var _ = panel;
        // No two names share anything, and each state of each tenant has another number.
        var random = new Random(17);
        string Name() => new([.. Enumerable.Range(0, 80).Select(_ => (char)random.Next(0x4e00, 0x9fff))]);
        var census = new HubCensus(
            panel.Now,
            [
                .. ManyTenants.Tenants.Select(tenant => new TenantCount(
                    tenant, Name(), TenantStatus.Suspended, random.NextInt64(), random.NextInt64(),
                    new(Liveness.Healthy, panel.Now.AddMilliseconds(-random.Next()), random.Next(), random.Next(), panel.Now.AddMilliseconds(-random.Next())),
                    random.Next())),
            ],
            ExecutionStates.All.ToDictionary(state => state.Name, _ => random.Next()), [], []);
        await new CensusStore(panel.Tables.Client, panel.Tables.Instances).SaveAsync(census, Cancel);

        var page = await panel.Viewer().GetAsync("/");

        TestContext.Current.SendDiagnosticMessage($"the fullest: {panel.Seam.Capacity.Sum(one => one.Units)} read units");
        Assert.True(CensusStore.Of(census)["census"].B.Length < 100_000);
        Assert.Equal(200, page.Status);
        Assert.InRange(panel.Seam.Capacity.Sum(one => one.Units), 0.5, 6);
    }

    [Fact]
    public async Task Before_the_first_sweep_it_says_so_and_shows_the_queues()
    {
        await using var panel = await PanelFixture.StartAsync(cloud);

        var page = await panel.Viewer().GetAsync("/");

        Assert.Equal(200, page.Status);
        Assert.Contains("No tenant was counted yet", page.Words, StringComparison.Ordinal);
        Assert.Contains("execution-requests", page.Words, StringComparison.Ordinal);
        Assert.DoesNotContain("No tenant yet", page.Words, StringComparison.Ordinal);
        Assert.DoesNotContain("Nothing: every data plane", page.Words, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_another_version_counted_is_no_fault()
    {
        await using var panel = await PanelFixture.StartAsync(cloud);
        var item = CensusStore.Of(new(panel.Now, [], new Dictionary<string, int>(), [], []));
        using var packed = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionLevel.Fastest))
            gzip.Write("""{"at":"2026-11-22T12:00:00Z","tenants":[{"id":"tenant-7"}],"today":{},"uncounted":[],"faulty":[]}"""u8);
        item["census"] = Items.Bytes(packed.ToArray());
        await panel.Tables.Client.PutItemAsync(panel.Tables.Instances, item, Cancel);

        var page = await panel.Viewer().GetAsync("/");

        Assert.Equal(200, page.Status);
        Assert.Contains("No tenant was counted yet", page.Words, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(60, false), InlineData(179, false), InlineData(180, true), InlineData(86_400, true)]
    public async Task Its_age_is_shown_and_what_is_old_is_said_to_be(int seconds, bool old)
    {
        await using var panel = await PanelFixture.StartAsync(cloud);
        await SeenAsync(panel, panel.Now.AddSeconds(-30));
        await panel.CountAsync();
        var countedAt = panel.Now;
        panel.Clock.Advance(TimeSpan.FromSeconds(seconds));

        var page = await panel.Viewer().GetAsync("/");

        Assert.Contains($"Counted <time datetime=\"{ControlPlane.Text.Rfc3339.Format(countedAt)}\"", page.Text, StringComparison.Ordinal);
        Assert.Equal(old, page.Words.Contains("The sweeper has not counted for minutes", StringComparison.Ordinal));
        // As it was then: a hub that does not look knows of nobody's silence.
        Assert.Contains("HEALTHY", page.Words, StringComparison.Ordinal);
        Assert.DoesNotContain("OFFLINE", page.Words, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_wrong_comes_first_and_leads_to_a_page_that_says_more()
    {
        await using var panel = await PanelFixture.StartAsync(cloud);
        await SeenAsync(panel, panel.Now.AddMinutes(-4));
        var (spent, broken) = (TenantId.Parse("tenant-8"), TenantId.Parse("tenant-9"));
        await panel.RegisterAsync(spent);
        await panel.Registry.SaveAsync(
            (await panel.Registry.FindAsync(spent, Cancel))! with { Limits = TenantLimits.Default with { MonthlyQuota = 0 } }, Cancel);
        await panel.RegisterAsync(broken);
        var profile = TenantRegistry.ProfileKeyOf(broken);
        await panel.Tables.Client.UpdateItemAsync(
            new()
            {
                TableName = panel.Tables.Tenants,
                Key = profile,
                UpdateExpression = "SET engine = :elsewhere",
                ExpressionAttributeValues = new() { [":elsewhere"] = Items.Text("10.1.1.1:5678") },
            }, Cancel);
        await panel.CountAsync();
        var jane = panel.Operator();

        var page = await jane.GetAsync("/");

        Assert.Contains("tenant-7 is OFFLINE", page.Words, StringComparison.Ordinal);
        Assert.Contains("tenant-8 has used up its month", page.Words, StringComparison.Ordinal);
        Assert.Contains("tenant-9 is stored wrong", page.Words, StringComparison.Ordinal);
        foreach (var method in (string[])["view", "change"])
        {
            var more = method == "view" ? await jane.GetAsync("/tenants/tenant-9") : await jane.PostAsync("/tenants/tenant-9/suspend");
            Assert.Equal((method, 500), (method, more.Status));
            Assert.Contains("The stored engine address of tenant-9", more.Words, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_tenant_that_could_not_be_read_is_not_left_out_in_silence()
    {
        await using var panel = await PanelFixture.StartAsync(cloud);
        await panel.RegisterAsync(TenantId.Parse("tenant-8"));
        await panel.Tables.Client.PutItemAsync(
            panel.Tables.Quotas, new(QuotaLedger.KeyOf(PanelFixture.Seven, Month.Of(panel.Now))) { ["charged"] = Items.Text("many") }, Cancel);

        await panel.CountAsync();

        var page = (await panel.Viewer().GetAsync("/")).Words;
        Assert.Contains("tenant-7 could not be read", page, StringComparison.Ordinal);
        Assert.DoesNotContain("tenant-8 could not be read", page, StringComparison.Ordinal);
    }

    private static Task SeenAsync(PanelFixture panel, DateTimeOffset at) => panel.Tables.Client.PutItemAsync(
        panel.Tables.Instances,
        InstanceItems.Of(new InstanceState
        {
            Tenant = PanelFixture.Seven,
            Instance = InstanceId.Parse("i-1"),
            Epoch = 1,
            Counter = 1,
            BodyHash = "00",
            Base = ComputeTime.Zero,
            Totals = new(1000, 2000),
            Month = Month.Of(panel.Now),
            AtMonthStart = ComputeTime.Zero,
            SampledAt = at,
            LastSeen = at,
            FirstSeen = at,
        }), Cancel);
}
