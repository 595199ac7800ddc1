using Amazon.DynamoDBv2.Model;
using ControlPlane.Aws;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Aws;

public class StandingStoreTests(LocalCloud cloud)
{
    private static readonly TenantId Tenant = TenantId.Parse("tenant-43");
    private static readonly WorkflowName Scheduler = WorkflowName.Parse("wf_sched");
    private static readonly Month November = new(2026, 11);

    [Fact]
    public async Task A_tenant_that_nobody_registered_has_nothing()
    {
        var (tables, store) = await StartAsync();
        Assert.NotEmpty(tables.Tenants);

        Assert.Equivalent(new Standing(null, null, [], MonthUsage.None, 0), await store.OfAsync(Tenant, Scheduler, November, Cancel));
    }

    [Fact]
    public async Task Limits_that_were_never_set_are_the_documented_defaults()
    {
        var (tables, store) = await StartAsync();
        await PutProfileAsync(tables, item => { });

        Assert.Equal(new TenantLimits(1000, 10, null), (await store.OfAsync(Tenant, Scheduler, November, Cancel)).Tenant!.Limits);
    }

    [Theory]
    [InlineData("monthly_quota")]
    [InlineData("concurrency")]
    [InlineData("monthly_gpu_ms")]
    public async Task A_negative_limit_is_a_fault_of_the_set_up(string limit)
    {
        var (tables, store) = await StartAsync();
        await PutProfileAsync(tables, item => item[limit] = Items.Number(-1));

        var standing = await store.OfAsync(Tenant, Scheduler, November, Cancel);

        Assert.Null(standing.Tenant);
        Assert.Contains("negative", standing.Fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.143.128.10")]
    [InlineData("169.254.169.254")]
    [InlineData("127.0.0.1")]
    [InlineData("10.142.128.1")]
    public async Task An_engine_outside_the_tenants_network_is_a_fault_of_the_set_up(string engine)
    {
        var (tables, store) = await StartAsync();
        await PutProfileAsync(tables, item => item["engine"] = Items.Text(engine));

        Assert.NotNull((await store.OfAsync(Tenant, Scheduler, November, Cancel)).Fault);
    }

    [Fact]
    public async Task A_workflow_that_cannot_be_read_is_a_fault_of_the_set_up()
    {
        var (tables, store) = await StartAsync();
        await PutProfileAsync(tables, item => { });
        var workflow = TenantRegistry.WorkflowKeyOf(Tenant, Scheduler);
        workflow["definition"] = Items.Text("{");
        await tables.Client.PutItemAsync(tables.Tenants, workflow, Cancel);

        Assert.NotNull((await store.OfAsync(Tenant, Scheduler, November, Cancel)).Fault);
    }

    [Fact]
    public async Task Only_the_month_asked_for_counts()
    {
        var (tables, store) = await StartAsync();
        await PutMonthAsync(tables, new(2026, 10), charged: 7);
        await PutMonthAsync(tables, November, charged: 3);

        Assert.Equal(3, (await store.OfAsync(Tenant, Scheduler, November, Cancel)).Month.Charged);
        Assert.Equal(0, (await store.OfAsync(Tenant, Scheduler, new(2026, 12), Cancel)).Month.Charged);
    }

    [Theory]
    [InlineData(3, true)]
    [InlineData(4, false)]
    public async Task What_the_tables_did_not_get_to_is_asked_for_again_for_a_while(int refusals, bool isRead)
    {
        var (tables, _) = await StartAsync();
        await PutProfileAsync(tables, item => { });
        await PutMonthAsync(tables, November, charged: 3);
        using var dynamo = new FaultSeam(_ => null, new Unprocessed(refusals)).DynamoDb(tables.Endpoint);
        var store = new StandingStore(dynamo, tables.Tenants, tables.Quotas, TimeProvider.System);
        if (!isRead)
        {
            await Assert.ThrowsAsync<ProvisionedThroughputExceededException>(() => store.OfAsync(Tenant, Scheduler, November, Cancel));
            return;
        }
        var standing = await store.OfAsync(Tenant, Scheduler, November, Cancel);
        Assert.Equal(("Acme", 3L), (standing.Tenant!.Name, standing.Month.Charged));
    }

    /// <summary>Answers a batch so many times with nothing processed.</summary>
    private sealed class Unprocessed(int times) : DelegatingHandler(new SocketsHttpHandler())
    {
        private int _left = times;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (--_left < 0)
                return await base.SendAsync(request, cancellationToken);
            var wanted = System.Text.Json.Nodes.JsonNode.Parse(await request.Content!.ReadAsStringAsync(cancellationToken))!["RequestItems"]!;
            return new()
            {
                Content = new StringContent($$"""{"Responses":{},"UnprocessedKeys":{{wanted.ToJsonString()}}}""", System.Text.Encoding.UTF8,
                "application/x-amz-json-1.0")
            };
        }
    }

    private async Task<(TestTables Tables, StandingStore Store)> StartAsync()
    {
        var tables = await cloud.TablesAsync();
        return (tables, new(tables.Client, tables.Tenants, tables.Quotas, TimeProvider.System));
    }

    private static Task PutProfileAsync(TestTables tables, Action<Dictionary<string, AttributeValue>> change)
    {
        var item = TenantRegistry.ProfileKeyOf(Tenant);
        item["name"] = Items.Text("Acme");
        item["status"] = Items.Text("active");
        item["engine"] = Items.Text("10.142.128.10");
        change(item);
        return tables.Client.PutItemAsync(tables.Tenants, item, Cancel);
    }

    private static Task PutMonthAsync(TestTables tables, Month month, long charged)
    {
        var item = QuotaLedger.KeyOf(Tenant, month);
        item["charged"] = Items.Number(charged);
        return tables.Client.PutItemAsync(tables.Quotas, item, Cancel);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
