using System.Text.Json;
using ControlPlane.Aws;
using ControlPlane.Executions;
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
