using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Audit;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Aws;

/// <summary>The items of the tables that every function shares.</summary>
public class ItemGoldenTests(LocalCloud cloud)
{
    private static readonly TenantId Tenant = TenantId.Parse("tenant-43");

    [Fact]
    public async Task An_execution_through_its_life()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var execution = await world.DispatchedAsync();
        Golden.Matches(
            "execution-dispatched.golden.txt", await ItemAsync(world.Tables, world.Tables.Executions, execution.Id.ToString(), "EXECUTION", cutOwner: true));

        world.Clock.Advance(TimeSpan.FromMinutes(1));
        await world.Store.FinishAsync(
            execution,
            new(
                OutcomeStatus.Failed, world.Now.AddSeconds(-50), world.Now, "8123", new(1200, 30, 5, 6), new("three of four", "https://example.com/r"),
                new("E42", "the fourth")),
            "4fe6a93920ae2da50f5910e4859bb81bf8eca5870108d6f8a80c09b62983c54a",
            Cancel);
        Golden.Matches(
            "execution-finished.golden.txt", await ItemAsync(world.Tables, world.Tables.Executions, execution.Id.ToString(), "EXECUTION", cutOwner: true));
        Golden.Matches("month.golden.txt", await ItemAsync(world.Tables, world.Tables.Quotas, "tenant-43", "MONTH#2026-11"));
        Golden.Matches("active.golden.txt", await ItemAsync(world.Tables, world.Tables.Quotas, "tenant-43", "ACTIVE"));

        await world.Store.MarkToldAsync(execution.Id, ExecutionState.Failed, Cancel);
        Golden.Matches(
            "execution-told.golden.txt", await ItemAsync(world.Tables, world.Tables.Executions, execution.Id.ToString(), "EXECUTION", cutOwner: true));
    }

    [Fact]
    public async Task A_tenant_and_its_catalogue()
    {
        var tables = await cloud.TablesAsync();
        var registry = new TenantRegistry(tables.Client, tables.Tenants);
        Assert.True(EngineAddress.TryParse("10.142.1.10", Tenant, allowPublicSubnet: true, out var engine));
        await registry.SaveAsync(new Tenant(Tenant, "Acme", TenantStatus.Active, engine, true, new(1000, 10, 3_600_000)), Cancel);
        await registry.SaveAsync(
            Tenant,
            new Workflow(
                WorkflowName.Parse("wf_sched"), WebhookPath.Of(WorkflowName.Parse("sched-v2")),
                [
                    new("city", ParameterType.String, Required: true, MaxLength: 80, Description: "Where"),
                    new("days", ParameterType.Integer, Default: JsonDocument.Parse("7").RootElement, Minimum: 1, Maximum: 14),
                    new("size", ParameterType.Enum, Values: ["small", "large"]),
                ],
                TimeSpan.FromMinutes(60), Idempotent: true, Enabled: true, ["U0001"], ["ops"], [ChannelId.Parse("C0001")]),
            Cancel);
        await registry.SaveAsync(Tenant, new UserGroup("ops", ["U0001", "U0002"]), Cancel);
        await registry.SaveAsync(Tenant, new UserGroup("dev", []), Cancel);
        await registry.TryLinkAsync(new(TeamId.Parse("T0043"), Tenant), Cancel);

        Golden.Matches("tenant.golden.txt", await ItemAsync(tables, tables.Tenants, "tenant-43", "PROFILE"));
        Golden.Matches("workflow.golden.txt", await ItemAsync(tables, tables.Tenants, "tenant-43", "WORKFLOW#wf_sched"));
        Golden.Matches("groups.golden.txt", await ItemAsync(tables, tables.Tenants, "tenant-43", "GROUPS"));
        Golden.Matches("slack-link.golden.txt", await ItemAsync(tables, tables.Tenants, "SLACK#T0043", "LINK"));

        var catalogue = await registry.CatalogueAsync(Tenant, Cancel);
        Assert.Equal(["dev", "ops"], catalogue!.Groups.Select(group => group.Name).Order(StringComparer.Ordinal));
        Assert.Equal(TimeSpan.FromMinutes(60), Assert.Single(catalogue.Workflows).Deadline);
    }

    [Fact]
    public async Task A_record_of_a_change()
    {
        var tables = await cloud.TablesAsync();
        var at = new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
        var entry = new AuditEntry(
            at, "0123456789ab", Actor.OfSubject("auth0|5f7c"), "jane@example.com", "tenant.limits", Tenant, "tenant-43",
            [new("monthly_quota", "100", "500"), new("monthly_gpu_ms", null, "3600000")], "a request");
        var trail = new AuditTrail(tables.Client, tables.Audit, new Support.SetClock(at));
        await trail.PutAsync(entry, Cancel);
        Golden.Matches("audit.golden.txt", await ItemAsync(tables, tables.Audit, "2026-11-22", "2026-11-22T12:00:00.000Z#0123456789ab"));

        var read = await trail.NewestAsync(Tenant, null, at, at, Cancel).SingleAsync(Cancel);
        Assert.Equal(entry with { Values = [] }, read with { Values = [] });
        Assert.Equal(entry.Values, read.Values);
        await Assert.ThrowsAsync<ConditionalCheckFailedException>(() => trail.PutAsync(entry with { Action = "nothing" }, Cancel));
    }

    [Fact]
    public async Task The_census()
    {
        var tables = await cloud.TablesAsync();
        var at = new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
        var census = new HubCensus(
            at,
            [
                new(Tenant, "Acme «Süd»", TenantStatus.Active, 812, 1000, new(Liveness.Late, at.AddSeconds(-100), 1, 2, at.AddHours(-1)), 12),
                new(TenantId.Parse("tenant-44"), "Never heard of", TenantStatus.Suspended, 0, 1000, Health: null, 0),
            ],
            new Dictionary<string, int> { ["SUCCEEDED"] = 11, ["FAILED"] = 1 }, [TenantId.Parse("tenant-7")],
            [new(TenantId.Parse("tenant-9"), "The stored status of tenant-9 is unknown.")]);
        var store = new CensusStore(tables.Client, tables.Instances);

        await store.SaveAsync(census, Cancel);

        var item = (await tables.Client.GetItemAsync(tables.Instances, Items.Key("HUB", "CENSUS"), consistentRead: true, Cancel)).Item;
        Assert.Equal("2026-11-22T12:00:00.000Z", item["at"].S);
        using var unpacked = new MemoryStream();
        using (var gzip = new GZipStream(item["census"].B, CompressionMode.Decompress))
            await gzip.CopyToAsync(unpacked, Cancel);
        Golden.MatchesJson("census.golden.json", Encoding.UTF8.GetString(unpacked.ToArray()));
        var read = (await store.LatestAsync(Cancel))!;
        Assert.Equal((census.At, census.Tenants, census.Uncounted, census.Faulty), (read.At, read.Tenants, read.Uncounted, read.Faulty), (one, other) =>
            one.At == other.At && one.Tenants.SequenceEqual(other.Tenants) && one.Uncounted.SequenceEqual(other.Uncounted)
            && one.Faulty.SequenceEqual(other.Faulty));
        Assert.Equal(census.Today, read.Today);
    }

    private static async Task<string> ItemAsync(TestTables tables, string table, string pk, string sk, bool cutOwner = false)
    {
        var item = (await tables.Client.GetItemAsync(table, Items.Key(pk, sk), consistentRead: true, Cancel)).Item;
        Assert.NotEmpty(item);
        if (cutOwner)
            item["lease_owner"].S = "ONE";
        return Golden.Text(item);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
