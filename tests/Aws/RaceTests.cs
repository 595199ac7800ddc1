using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Aws;

/// <summary>What is decided on a look is written over that very state, or not at all.</summary>
public sealed class RaceTests(LocalCloud cloud)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    // Charged, used and under way, as they were read and as they are by now.
    [Theory]
    [InlineData(new[] { 3, 1, 2 }, new[] { 3, 1, 2 }, true), InlineData(new[] { 0, 0, 0 }, new[] { 0, 0, 0 }, true), InlineData(new[] { 0, 0, 0 }, null, true)]
    [InlineData(new[] { 3, 1, 2 }, new[] { 4, 1, 2 }, false), InlineData(new[] { 3, 1, 2 }, new[] { 3, 2, 2 }, false)]
    [InlineData(new[] { 3, 1, 2 }, new[] { 3, 1, 3 }, false), InlineData(new[] { 3, 1, 2 }, null, false)]
    [InlineData(new[] { 0, 0, 0 }, new[] { 1, 0, 0 }, false), InlineData(new[] { 0, 0, 0 }, new[] { 0, 1, 0 }, false)]
    [InlineData(new[] { 0, 0, 0 }, new[] { 0, 0, 1 }, false)]
    [InlineData(new[] { 3, 0, 2 }, new[] { 3, 0, 2 }, true), InlineData(new[] { 3, 0, 2 }, new[] { 4, 0, 2 }, false)]
    [InlineData(new[] { 3, 0, 2 }, new[] { 3, 1, 2 }, false), InlineData(new[] { 3, 0, 2 }, new[] { 3, 0, 3 }, false)]
    public async Task A_ledger_is_corrected_where_it_is_what_it_was_counted_against(int[] read, int[]? now, bool isCorrected)
    {
        var world = await StoreFixture.StartAsync(cloud);
        if (now is [var charged, var used, var active])
            await WriteAsync(world, charged, used, active);
        var wanted = new LedgerCount(new(7, 6, ExecutionUsage.None), 5);

        Assert.Equal(isCorrected, await CorrectAsync(world, read, wanted));

        Assert.Equal(isCorrected ? (7, 6, 5) : now is null ? (0, 0, 0) : (now[0], now[1], now[2]), await world.BooksAsync());
    }

    [Theory]
    [InlineData(2), InlineData(0)]
    public async Task Another_regions_ledger_is_corrected_there(int active)
    {
        var world = await StoreFixture.StartAsync(cloud);
        await WriteAsync(world, 3, 1, active);
        await world.Ledger.GiveToAsync(StoreFixture.Tenant, "us-west-2", world.Tables.Auditor, Cancel);

        Assert.False(await CorrectAsync(world, [3, 1, active], new(new(7, 6, ExecutionUsage.None), 5)));

        Assert.Equal((3, 1, active), await world.BooksAsync());
    }

    [Fact]
    public async Task Of_two_sweepers_one_tells_each_change_of_an_instance_and_of_its_tenant()
    {
        var (world, instances) = await MeteredAsync();
        var plane = await instances.OfTenantAsync(StoreFixture.Tenant, Month.Of(world.Now), Cancel);
        var instance = Assert.Single(plane.Instances);
        foreach (var (sweep, isTold) in new[] { ("one", true), ("two", false), ("one", true) })
        {
            Assert.Equal(isTold, await instances.TryTellAsync(instance, Liveness.Late, sweep, Cancel));
            Assert.Equal(isTold, await instances.TryTellAsync(plane, Liveness.Late, sweep, Cancel));
        }

        plane = await instances.OfTenantAsync(StoreFixture.Tenant, Month.Of(world.Now), Cancel);
        Assert.Equal((Liveness.Late, Liveness.Late), (plane.Told, plane.Instances[0].Told));
        Assert.True(await instances.TryTellAsync(plane, Liveness.Offline, "two", Cancel));
        Assert.False(await instances.TryTellAsync(plane, Liveness.Healthy, "one", Cancel));
        Assert.Equal(Liveness.Offline, (await instances.OfTenantAsync(StoreFixture.Tenant, Month.Of(world.Now), Cancel)).Told);
    }

    [Fact]
    public async Task An_instance_that_is_not_there_is_neither_reset_nor_brought_about()
    {
        var (world, instances) = await MeteredAsync();
        Assert.False(await instances.TryResetAsync(StoreFixture.Tenant, InstanceId.Parse("i-2"), world.Tables.Auditor, Cancel));
        Assert.Single((await instances.OfTenantAsync(StoreFixture.Tenant, Month.Of(world.Now), Cancel)).Instances);
        Assert.True(await instances.TryResetAsync(StoreFixture.Tenant, InstanceId.Parse("i-1"), world.Tables.Auditor, Cancel));
    }

    [Fact]
    public async Task A_tenant_has_as_many_instances_as_it_may()
    {
        var (world, instances) = await MeteredAsync();
        Assert.IsType<Booking.TooManyInstances>(await instances.BookAsync(Beat(world) with { Instance = InstanceId.Parse("i-2") }, 1, world.Now, Cancel));
        Assert.IsType<Booking.Booked>(await instances.BookAsync(Beat(world) with { Instance = InstanceId.Parse("i-2") }, 2, world.Now, Cancel));
    }

    // What an operator does, and what another did between the first one's look and its write.
    [Theory]
    [InlineData("suspend", "remove", ChangeResult.NothingThere, "DELETING"), InlineData("resume", "remove", ChangeResult.NothingThere, "DELETING")]
    [InlineData("rename", "rename", ChangeResult.Made, "tenant.rename name: Second → Third"), InlineData("remove", "suspend", ChangeResult.Made, "DELETING")]
    [InlineData("limit", "limit", ChangeResult.Made, "tenant.limits monthly_gpu_ms: 5 → 7"), InlineData("lift", "limit", ChangeResult.Made, "tenant.limits monthly_gpu_ms: 5 → ")]
    [InlineData("limit", "vanish", ChangeResult.NothingThere, "nobody"), InlineData("rename", "vanish", ChangeResult.NothingThere, "nobody")]
    public async Task An_operators_change_is_decided_on_what_is_there_when_it_is_written(string what, string meanwhile, ChangeResult result, string left)
    {
        var tables = await cloud.TablesAsync();
        var (clock, registry) = (new SetClock(new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero)), new TenantRegistry(tables.Client, tables.Tenants));
        Assert.True(EngineAddress.TryParse("10.142.128.10", StoreFixture.Tenant, allowPublicSubnet: false, out var engine));
        var limits = TenantLimits.Default with { MonthlyGpuMs = what == "lift" ? 3 : null };
        await registry.TryRegisterAsync(
            new(StoreFixture.Tenant, "First", what == "resume" ? TenantStatus.Suspended : TenantStatus.Active, engine, false, limits), Cancel);
        var other = new TenantAdministration(tables.Client, tables.Tenants, tables.Auditor, clock);
        var between = new Interleaved("TransactWriteItems", () => meanwhile switch
        {
            "remove" => other.RemoveAsync(StoreFixture.Tenant, Cancel),
            "suspend" => other.SuspendAsync(StoreFixture.Tenant, Cancel),
            "rename" => other.RenameAsync(StoreFixture.Tenant, "Second", Cancel),
            "limit" => other.LimitAsync(StoreFixture.Tenant, new(MonthlyGpuMs: 5), Cancel),
            _ => tables.Client.DeleteItemAsync(tables.Tenants, TenantRegistry.ProfileKeyOf(StoreFixture.Tenant), Cancel),
        });
        var ours = new TenantAdministration(new FaultSeam(_ => null, between).DynamoDb(tables.Endpoint), tables.Tenants, tables.Auditor, clock);

        Assert.Equal(result, await (what switch
        {
            "suspend" => ours.SuspendAsync(StoreFixture.Tenant, Cancel),
            "resume" => ours.ResumeAsync(StoreFixture.Tenant, Cancel),
            "remove" => ours.RemoveAsync(StoreFixture.Tenant, Cancel),
            "rename" => ours.RenameAsync(StoreFixture.Tenant, "Third", Cancel),
            "lift" => ours.LimitAsync(StoreFixture.Tenant, new(LiftsGpuLimit: true), Cancel),
            _ => ours.LimitAsync(StoreFixture.Tenant, new(MonthlyGpuMs: 7), Cancel),
        }));

        Assert.True(between.Happened);
        if (left == "nobody")
            Assert.Null(await registry.FindAsync(StoreFixture.Tenant, Cancel));
        else if (left == "DELETING")
            Assert.Equal(TenantStatus.Deleting, (await registry.FindAsync(StoreFixture.Tenant, Cancel))!.Status);
        else
            Assert.Contains(left, await RecordsAsync(tables));
        if (what == "remove")
            Assert.Contains("tenant.remove status: suspended → deleting", await RecordsAsync(tables));
    }

    private static async Task<List<string>> RecordsAsync(TestTables tables)
    {
        var now = TimeProvider.System.GetUtcNow();
        return await new AuditTrail(tables.Client, tables.Audit, TimeProvider.System)
            .NewestAsync(StoreFixture.Tenant, null, now.AddDays(-1), now.AddDays(1), Cancel)
            .Select(entry => $"{entry.Action} {entry.Values[0].Name}: {entry.Values[0].Was} → {entry.Values[0].Is}").ToListAsync(Cancel);
    }

    private async Task<(StoreFixture World, InstanceStore Instances)> MeteredAsync()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var instances = new InstanceStore(world.Tables.Client, world.Tables.Instances, world.Clock);
        Assert.IsType<Booking.Booked>(await instances.BookAsync(Beat(world), 1, world.Now, Cancel));
        return (world, instances);
    }

    private static Heartbeat Beat(StoreFixture world) => new()
    {
        Tenant = StoreFixture.Tenant,
        Instance = InstanceId.Parse("i-1"),
        Epoch = 1,
        Counter = 1,
        SampledAt = world.Now,
        Interval = TimeSpan.FromMinutes(1),
        Totals = new(1, 0),
        Machine = new(1, 0),
        BodyHash = "00",
        Metrics = "{}",
        KeyId = KeyIds.Of("k"),
    };

    private static async Task WriteAsync(StoreFixture world, int charged, int used, int active)
    {
        var (month, places) = (QuotaLedger.KeyOf(StoreFixture.Tenant, Month.Of(world.Now)), QuotaLedger.ActiveKeyOf(StoreFixture.Tenant));
        await world.Tables.Client.PutItemAsync(
            world.Tables.Quotas, new(month) { ["charged"] = Items.Number(charged), ["used"] = Items.Number(used) }, Cancel);
        await world.Tables.Client.PutItemAsync(world.Tables.Quotas, new(places) { ["active"] = Items.Number(active) }, Cancel);
    }

    private static Task<bool> CorrectAsync(StoreFixture world, int[] read, LedgerCount counted) => world.Ledger.TryCorrectAsync(
        StoreFixture.Tenant, Month.Of(world.Now), new(new(read[0], read[1], ExecutionUsage.None), read[2]), counted, world.Tables.Auditor, Cancel);
}
