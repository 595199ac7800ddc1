using System.Text.Json;
using ControlPlane.Aws;
using ControlPlane.Aws.Logs;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Orchestrator;
using ControlPlane.Orchestrator.Jwks;
using ControlPlane.Orchestrator.Plans;
using ControlPlane.Orchestrator.Policy;
using ControlPlane.Orchestrator.Requests;
using ControlPlane.Quotas;
using ControlPlane.Secrets;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;
using ControlPlane.Tokens;

namespace ControlPlane.Tests.Orchestrator;

/// <summary>An orchestrator on real tables and queues, with tenant-43 registered, one workflow published and a clock that stands still.</summary>
internal sealed class OrchestratorFixture
{
    public static readonly TenantId Tenant = TenantId.Parse("tenant-43");
    public static readonly WorkflowName Scheduler = WorkflowName.Parse("wf_sched");
    public static readonly Uri Outcomes = new("https://api.example.internal/outcomes/execution");
    public static readonly Uri Issuer = new("https://api.example.com");

    public TestTables Tables { get; }
    private readonly TestQueues _queues;
    private readonly Uri _queueEndpoint;

    private OrchestratorFixture(TestTables tables, TestQueues queues, Uri queueEndpoint, HttpMessageHandler? below = null)
    {
        (Tables, _queues, _queueEndpoint) = (tables, queues, queueEndpoint);
        Seam = new(call => Plan(call), below) { MetersCapacity = true };
        var dynamo = Seam.DynamoDb(tables.Endpoint);
        var sqs = Seam.Sqs(queueEndpoint);

        Secrets = KeptSecrets.WithRoot("v1", Clock.GetUtcNow() - TimeSpan.FromDays(30));
        Keys = new(new RotatingSecret<RootSecret>(Secrets, "root", RootSecret.Parse, RootSecret.Overlap, Clock), Clock);
        Registry = new(dynamo, tables.Tenants);
        Executions = new(dynamo, tables.Executions, tables.Quotas, Clock);
        Ledger = new(dynamo, tables.Quotas);
        Instances = new(dynamo, tables.Instances, Clock);

        var planner = new Planner(Outcomes);
        var events = new OrchestratorEvents(new JsonLog(Logged, Clock), Clock);
        // The fixture's own stores arrange; the function has its role.
        var (inRole, queuesInRole) = (tables.ClientOf("ExecutionRequestsFunction", Seam), queues.ClientOf("ExecutionRequestsFunction", tables, Seam));
        var situations = new SituationReader(
            new StandingStore(inRole, tables.Tenants, tables.Quotas, Clock), new InstanceStore(inRole, tables.Instances, Clock), planner, events);
        var tokens = new TokenService(Keys, new TokenMinter(Issuer, Clock), planner);
        var executions = new ExecutionStore(inRole, tables.Executions, tables.Quotas, Clock);
        var dispatches = new MessageQueue<DispatchRequest>(queuesInRole, queues.Dispatch, DomainJson.Default.DispatchRequest);
        var notifications = new MessageQueue<Notification>(queuesInRole, queues.Notifications, DomainJson.Default.Notification);
        StartExecution = new(situations, tokens, executions, dispatches, notifications, events, Clock);
        SeeToApproval = new(situations, tokens, executions, dispatches, notifications, events, Clock);
        Function = new(StartExecution, SeeToApproval, events, below is null ? Clock : new HastyClock(Clock));
        Jwks = new(Keys, Issuer, events, Clock);
    }

    public SetClock Clock { get; } = new(new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));
    public FaultSeam Seam { get; }

    /// <summary>What the seam does to a call; nothing unless a test says so.</summary>
    public Func<SeamCall, Fault?> Plan { get; set; } = _ => null;
    public MemoryStream Logged { get; } = new();
    public KeptSecrets Secrets { get; }
    public TenantKeys Keys { get; }
    public TenantRegistry Registry { get; }
    public ExecutionStore Executions { get; }
    public QuotaLedger Ledger { get; }
    public InstanceStore Instances { get; }
    public StartExecution StartExecution { get; }
    public SeeToApproval SeeToApproval { get; }
    public ExecutionRequestsFunction Function { get; }
    public JwksFunction Jwks { get; }

    public DateTimeOffset Now => Clock.GetUtcNow();

    public Month Month => Month.Of(Now);

    public static async Task<OrchestratorFixture> StartAsync(LocalCloud cloud)
    {
        var world = new OrchestratorFixture(
            await cloud.TablesAsync(), await cloud.QueuesAsync(), await cloud.QueueEndpointAsync());
        await world.RegisterAsync(TenantLimits.Default);
        await world.PublishAsync(Workflow());
        await world.HeardFromAsync(world.Now);
        return world;
    }

    /// <summary>A new process on the same tables and queues, with nothing in memory and nothing that breaks.</summary>
    public OrchestratorFixture Restarted() => new(Tables, _queues, _queueEndpoint);

    /// <summary>The same, over something that stands between it and its tables.</summary>
    public OrchestratorFixture Above(HttpMessageHandler below) => new(Tables, _queues, _queueEndpoint, below);

    public static Workflow Workflow(params IReadOnlyList<WorkflowParameter> parameters) =>
        new(Scheduler, WebhookPath.Of(WorkflowName.Parse("sched-v2")), parameters, TimeSpan.FromHours(1), Idempotent: false, Enabled: true, [], [], []);

    public Task RegisterAsync(TenantLimits limits, TenantStatus status = TenantStatus.Active)
    {
        Assert.True(EngineAddress.TryParse("10.142.128.10", Tenant, allowPublicSubnet: false, out var engine));
        return Registry.SaveAsync(new Tenant(Tenant, "Acme", status, engine, false, limits), Cancel);
    }

    public Task PublishAsync(Workflow workflow) => Registry.SaveAsync(Tenant, workflow, Cancel);

    /// <summary>Makes it as if the tenant's one instance was last heard of then.</summary>
    public Task HeardFromAsync(DateTimeOffset lastSeen, long gpuMs = 0) => Tables.Client.PutItemAsync(
        Tables.Instances,
        InstanceItems.Of(new InstanceState
        {
            Tenant = Tenant,
            Instance = InstanceId.Parse("i-0abc1234def567890"),
            Epoch = 1,
            Counter = 1,
            BodyHash = "00",
            Base = ComputeTime.Zero,
            Totals = new(0, gpuMs),
            Month = Month,
            AtMonthStart = ComputeTime.Zero,
            SampledAt = lastSeen,
            LastSeen = lastSeen,
            FirstSeen = lastSeen,
        }),
        Cancel);

    public Task<Dictionary<string, Amazon.DynamoDBv2.Model.AttributeValue>> ItemAsync(ExecutionId id, string sk) =>
        ItemAsync(Tables.Executions, id.ToString(), sk);

    public async Task<Dictionary<string, Amazon.DynamoDBv2.Model.AttributeValue>> ItemAsync(string table, string pk, string sk) =>
        (await Tables.Client.GetItemAsync(table, Items.Key(pk, sk), consistentRead: true, Cancel)).Item;

    public StartRequest Request(string trigger = "t1", string inputs = "{}", TenantId? tenant = null) => new(
        ExecutionId.Of("T0001", trigger), tenant ?? Tenant, Scheduler, JsonDocument.Parse(inputs).RootElement, Requesters.OfSlack(),
        IsPublic: false, Now);

    public async Task<Execution> StartAsync(StartRequest request)
    {
        await StartExecution.RunAsync(request, Cancel);
        return (await Executions.FindAsync(request.Execution, Cancel))!;
    }

    /// <summary>The bodies of all messages waiting to be dispatched; they stay hidden for a while afterwards.</summary>
    public Task<IReadOnlyList<string>> DispatchesAsync() => ReceiveAsync(_queues.Dispatch);

    public Task<IReadOnlyList<string>> NotificationsAsync() => ReceiveAsync(_queues.Notifications);

    private async Task<IReadOnlyList<string>> ReceiveAsync(string queue)
    {
        var bodies = new List<string>();
        while (await _queues.Client.ReceiveMessageAsync(new Amazon.SQS.Model.ReceiveMessageRequest { QueueUrl = queue, MaxNumberOfMessages = 10 },
            Cancel) is { Messages: { Count: > 0 } messages })
            bodies.AddRange(messages.Select(message => message.Body));
        return bodies;
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
