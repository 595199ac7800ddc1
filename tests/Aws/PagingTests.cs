using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Aws;

/// <summary>Every query, where each page holds one item and some hold none.</summary>
public sealed class PagingTests(LocalCloud cloud)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Executions_are_listed_and_found_due_to_the_limit_or_the_end()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var made = new List<ExecutionId>();
        for (var i = 0; i < 5; i++)
        {
            made.Add((await world.CreatedAsync($"t{i}")).Id);
            world.Clock.Advance(TimeSpan.FromSeconds(1));
        }
        var store = new ExecutionStore(DynamoOf(world.Tables), world.Tables.Executions, world.Tables.Quotas, world.Clock);

        Assert.Equal(Enumerable.Reverse(made), (await store.LatestAsync(StoreFixture.Tenant, 10, Cancel)).Select(one => one.Id));
        Assert.Equal(made[4..].Prepend(made[3]).Reverse(), (await store.LatestAsync(StoreFixture.Tenant, 2, Cancel)).Select(one => one.Id));
        Assert.Equal(made.Order(Comparer<ExecutionId>.Create((a, b) => string.CompareOrdinal(a.ToString(), b.ToString()))).Select(id => id.ToString()),
            (await store.OpenAsync(StoreFixture.Tenant, Cancel)).Select(id => id.ToString()).Order(StringComparer.Ordinal));

        world.Clock.Advance(TimeSpan.FromHours(2));
        var due = new List<string>();
        for (var shard = 0; shard < ExecutionStore.DueShards; shard++)
            due.AddRange((await store.DueAsync(shard, 10, Cancel)).Select(id => id.ToString()));
        Assert.Equal(made.Select(id => id.ToString()).Order(StringComparer.Ordinal), due.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Tenants_their_catalogue_keys_and_workspaces_are_all_found()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var registry = new TenantRegistry(world.Tables.Client, world.Tables.Tenants);
        for (var n = 1; n <= 3; n++)
        {
            var id = TenantId.Parse($"tenant-{n}");
            Assert.True(EngineAddress.TryParse($"10.{99 + n}.128.10", id, allowPublicSubnet: false, out var engine));
            await registry.SaveAsync(new Tenant(id, "A tenant", TenantStatus.Active, engine, false, TenantLimits.Default), Cancel);
            await registry.SaveAsync(
                TenantId.Parse("tenant-1"),
                new Workflow(WorkflowName.Parse($"wf_{n}"), WebhookPath.Of(WorkflowName.Parse("x")), [], TimeSpan.FromHours(1), false, true, [], [], []), Cancel);
            await registry.TryLinkAsync(new(TeamId.Parse($"T{n}"), TenantId.Parse("tenant-1")), Cancel);
            await registry.TryAddAsync(new(KeyIds.Of($"key-{n}"), TenantId.Parse("tenant-1"), null, new byte[32], world.Now, null, null), Cancel);
        }
        var paged = new TenantRegistry(DynamoOf(world.Tables), world.Tables.Tenants);

        Assert.Equal(3, (await paged.AllAsync(Cancel)).Count);
        Assert.Equal(3, (await paged.ReadableAsync(Cancel)).Tenants.Count);
        Assert.Equal(3, (await paged.CatalogueAsync(TenantId.Parse("tenant-1"), Cancel))!.Workflows.Count);
        Assert.Equal(3, (await paged.KeysOfAsync(TenantId.Parse("tenant-1"), Cancel)).Count);
        Assert.Equal(3, (await paged.LinksOfAsync(TenantId.Parse("tenant-1"), Cancel)).Count);
    }

    [Fact]
    public async Task Instances_samples_and_the_hubs_own_note_are_all_found()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var instances = new InstanceStore(world.Tables.Client, world.Tables.Instances, world.Clock);
        var samples = new MeteringStore(world.Tables.Client, world.Tables.Metering, world.Clock);
        await instances.NoteSweepAsync(await instances.WatchAsync(Cancel), world.Now, Cancel);
        for (var n = 1; n <= 3; n++)
        {
            var heartbeat = new Heartbeat
            {
                Tenant = StoreFixture.Tenant,
                Instance = InstanceId.Parse($"i-{n}"),
                Epoch = 1,
                Counter = 1,
                SampledAt = world.Now,
                Interval = TimeSpan.FromMinutes(1),
                Totals = new(n, 0),
                Machine = new(1, 0),
                BodyHash = "00",
                Metrics = "{}",
                KeyId = KeyIds.Of("k"),
            };
            await instances.BookAsync(heartbeat, 200, world.Now, Cancel);
            await samples.PutAsync(MeteringRecord.Of(heartbeat), Cancel);
        }
        var dynamo = DynamoOf(world.Tables);

        var paged = new InstanceStore(dynamo, world.Tables.Instances, world.Clock);
        Assert.Equal(6, (await paged.OfTenantAsync(StoreFixture.Tenant, new(2026, 11), Cancel)).Usage.CpuMs);
        Assert.Equal(world.Now, (await paged.WatchAsync(Cancel)).SweptAt);
        var found = 0;
        await foreach (var _ in new MeteringStore(dynamo, world.Tables.Metering, world.Clock).SinceAsync(StoreFixture.Tenant, world.Now.AddHours(-1), Cancel))
            found++;
        Assert.Equal(3, found);
    }

    private static Amazon.DynamoDBv2.AmazonDynamoDBClient DynamoOf(TestTables tables) =>
        new FaultSeam(_ => null, new EmptyPages()).DynamoDb(tables.Endpoint);
}
