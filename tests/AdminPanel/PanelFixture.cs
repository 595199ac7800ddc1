using System.Text;
using Amazon.DynamoDBv2;
using Amazon.Lambda.ApplicationLoadBalancerEvents;
using Amazon.Lambda.TestUtilities;
using Amazon.SQS;
using ControlPlane.AdminPanel;
using ControlPlane.AdminPanel.Identity;
using ControlPlane.AdminPanel.Stores;
using ControlPlane.Audit;
using ControlPlane.Aws;
using ControlPlane.Aws.Logs;
using ControlPlane.Executions;
using ControlPlane.Http;
using ControlPlane.MeteringCollector;
using ControlPlane.MeteringCollector.Sweeper;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.AdminPanel;

/// <summary>The panel's function on tables and queues of its own, behind a load balancer that signs as AWS's does.</summary>
internal sealed class PanelFixture : IAsyncDisposable
{
    public static readonly TenantId Seven = TenantId.Parse("tenant-7");

    public static readonly Uri PublicUrl = new("https://api.example.com");

    /// <summary>Whose role the panel's calls to tables and queues are held to; null for nobody's.</summary>
    private static string? Role => "AdminPanelFunction";

    private readonly TestTables _tables;
    private readonly TestQueues _queues;
    private readonly BalancerKeys _keys;

    private PanelFixture(TestTables tables, TestQueues queues)
    {
        (_tables, _queues) = (tables, queues);
        Seam = new(call => Plan(call)) { MetersCapacity = true };
        Registry = new(tables.Client, tables.Tenants);
        Executions = new(tables.Client, tables.Executions, tables.Quotas, Clock);
        _keys = new(Balancer.KeysUrl, ConnectRoutes.None, Clock);
        Identity = new(
            new(SigningBalancer.Arn, SigningBalancer.Client, SigningBalancer.Issuer),
            RoleRules.Parse("groups:ops=operator,groups:all=viewer,email:boss@example.com=operator"), _keys, Clock);
        var hub = new Hub(DynamoInRole, QueuesInRole, new(
            tables.Tenants, tables.Executions, tables.Quotas, tables.Instances, tables.Metering, tables.Audit), new Dictionary<string, QueueUrls>
            {
                ["execution-requests"] = new(queues.ExecutionRequests, queues.Urls["ExecutionRequestsDeadLetters"]),
                ["dispatch"] = new(queues.Dispatch, queues.Urls["DispatchDeadLetters"]),
                ["notifications"] = new(queues.Notifications, queues.Urls["NotificationsDeadLetters"]),
            }, PublicUrl, Clock);
        Function = new(Identity, new Routes(hub), new AdminPanelEvents(new JsonLog(_logged, Clock), Clock), new PatientClock(Clock));
    }

    public TestTables Tables => _tables;

    public TestQueues Queues => _queues;

    public SetClock Clock { get; } = new(new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));

    public DateTimeOffset Now => Clock.Now;

    public SigningBalancer Balancer { get; } = new();

    public IdentityCheck Identity { get; }

    public AdminPanelFunction Function { get; }

    public TenantRegistry Registry { get; }

    public ExecutionStore Executions { get; }

    public FaultSeam Seam { get; }

    /// <summary>What the seam does to a call of the panel's; nothing unless a test says so.</summary>
    public Func<SeamCall, Fault?> Plan { get; set; } = _ => null;

    private readonly MemoryStream _logged = new();

    /// <summary>The lines of the log so far, those of metrics left out.</summary>
    public IReadOnlyList<string> Log =>
        [.. LogText.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.Contains("\"_aws\"", StringComparison.Ordinal))];

    public string LogText => Encoding.UTF8.GetString(_logged.ToArray());

    private IAmazonDynamoDB DynamoInRole => Role is null ? Seam.DynamoDb(_tables.Endpoint) : _tables.ClientOf(Role, Seam);

    private IAmazonSQS QueuesInRole => Role is null ? Seam.Sqs(_queues.Endpoint) : _queues.ClientOf(Role, _tables, Seam);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>With nothing in it.</summary>
    public static async Task<PanelFixture> StartEmptyAsync(LocalCloud cloud) => new(await cloud.TablesAsync(), await cloud.QueuesAsync());

    /// <summary>With tenant-7 and one workflow.</summary>
    public static async Task<PanelFixture> StartAsync(LocalCloud cloud)
    {
        var panel = await StartEmptyAsync(cloud);
        await panel.RegisterAsync(Seven);
        await panel.Registry.SaveAsync(Seven, Workflow("report"), Cancel);
        return panel;
    }

    public Browser Operator(string subject = "jane", string? mail = "jane@example.com") => new(this, Balancer.Of(subject, mail, "all", "ops"));

    public Browser Viewer(string subject = "vera", string? mail = "vera@example.com") => new(this, Balancer.Of(subject, mail, "all"));

    public Task RegisterAsync(TenantId tenant, string name = "Acme", TenantStatus status = TenantStatus.Active)
    {
        Assert.True(EngineAddress.TryParse($"10.{99 + tenant.Number}.128.10", tenant, allowPublicSubnet: false, out var engine));
        return Registry.SaveAsync(new Tenant(tenant, name, status, engine, false, TenantLimits.Default), Cancel);
    }

    public static Workflow Workflow(string name, params IReadOnlyList<WorkflowParameter> parameters) => new(
        WorkflowName.Parse(name), WebhookPath.Of(WorkflowName.Parse(name)), parameters, TimeSpan.FromHours(1), Idempotent: false, Enabled: true, [], [], []);

    /// <summary>One that waits for its engine.</summary>
    public async Task<Execution> QueueAsync(string trigger = "t1", TenantId? tenant = null, string inputs = "{}", string workflow = "report")
    {
        var execution = Execution(ExecutionId.Of("T0007", trigger), tenant ?? Seven, ExecutionState.Queued, Now, workflow, inputs);
        Assert.IsType<Creation.Created>(await Executions.CreateAsync(
            execution, new(execution.Id, execution.Tenant, WebhookPath.Of(execution.Workflow), [1], "a token", Now + TimeSpan.FromMinutes(10)),
            TenantLimits.Default, Cancel));
        return execution;
    }

    public static Execution Execution(
        ExecutionId id, TenantId tenant, ExecutionState state, DateTimeOffset at, string workflow = "report", string inputs = "{}", string user = "U0001") =>
        FullHub.Execution(id, tenant, state, at, workflow, inputs, user);

    /// <summary>Straight into the table, many at once.</summary>
    public Task SeedAsync(IEnumerable<Execution> executions) => FullHub.WriteAsync(
        Tables.Client, Tables.Executions, executions.Select(one => ExecutionItems.Of(one, one.State.IsTerminal ? null : one.DeadlineAt)), Cancel);

    /// <summary>What the sweeper does for the overview, in its own role.</summary>
    public Task CountAsync()
    {
        var dynamo = Tables.ClientOf("SweeperFunction", new FaultSeam(_ => null));
        var events = new MeteringEvents(new JsonLog(Stream.Null, Clock), Clock);
        var ledger = new QuotaLedger(dynamo, Tables.Quotas);
        var warnOfUsage = new WarnOfUsage(
            ledger, new(dynamo, Tables.Quotas, Clock), new(Queues.Client, Queues.Notifications, DomainJson.Default.UsageNotice), events, Clock);
        var takeCensus = new TakeCensus(ledger, new(dynamo, Tables.Executions, Tables.Quotas, Clock), new(dynamo, Tables.Instances));
        return new WatchDataPlanes(new(dynamo, Tables.Tenants), new(dynamo, Tables.Instances, Clock), warnOfUsage, takeCensus, events, new PatientClock(Clock))
            .RunAsync(Guid.NewGuid().ToString("N"), Cancel);
    }

    /// <summary>Everything that the audit trail has, oldest first.</summary>
    public async Task<IReadOnlyList<AuditEntry>> AuditAsync() =>
        [.. (await new AuditTrail(Tables.Client, Tables.Audit, Clock).NewestAsync(null, null, Now - TimeSpan.FromDays(3), Now + TimeSpan.FromDays(3), Cancel)
            .ToListAsync(Cancel)).AsEnumerable().Reverse()];

    /// <summary>Every item of every table, each as one line: what nothing may have changed is the same text before and after.</summary>
    public async Task<string> ContentAsync()
    {
        var lines = new List<string>();
        foreach (var (id, table) in Tables.Names)
            foreach (var item in (await Tables.Client.ScanAsync(new() { TableName = table }, Cancel)).Items ?? [])
                lines.Add($"{id}: {Golden.Text(item).ReplaceLineEndings(" | ")}");
        foreach (var (id, url) in Queues.Urls)
            if (await Queues.Client.GetQueueAttributesAsync(url, ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"], Cancel) is var depth)
                lines.Add($"{id}: {depth.ApproximateNumberOfMessages + depth.ApproximateNumberOfMessagesNotVisible} messages");
        return string.Join('\n', lines.Order(StringComparer.Ordinal));
    }

    /// <summary>As the load balancer invokes the function.</summary>
    public async Task<Answer> SendAsync(ApplicationLoadBalancerRequest request) =>
        new(await Function.AnswerAsync(request, new TestLambdaContext { AwsRequestId = "request-1", RemainingTime = TimeSpan.FromSeconds(15) }));

    public async ValueTask DisposeAsync()
    {
        _keys.Dispose();
        await Balancer.DisposeAsync();
    }
}
