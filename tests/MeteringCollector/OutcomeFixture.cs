using System.Text;
using System.Text.Json;
using Amazon.DynamoDBv2;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.TestUtilities;
using Amazon.SQS;
using ControlPlane.Aws;
using ControlPlane.Aws.Logs;
using ControlPlane.Executions;
using ControlPlane.MeteringCollector;
using ControlPlane.MeteringCollector.Outcomes;
using ControlPlane.Quotas;
using ControlPlane.Secrets;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;
using ControlPlane.Tokens;

namespace ControlPlane.Tests.MeteringCollector;

/// <summary>The outcomes function over real tables and queues, with executions to report on.</summary>
internal sealed class OutcomeFixture
{
    public static readonly TenantId Tenant = TenantId.Parse("tenant-43");
    public static readonly TenantId Neighbour = TenantId.Parse("tenant-44");
    public static readonly Uri Issuer = new("https://api.example.com");

    private readonly MemoryStream _log = new();
    private int _executions;

    private OutcomeFixture(TestTables tables, TestQueues queues, Uri queueEndpoint)
    {
        (Tables, Queues, QueueEndpoint) = (tables, queues, queueEndpoint);
        Secrets = KeptSecrets.WithRoot("v1", Clock.Now.AddDays(-30));
        Restart();
    }

    public TestTables Tables { get; }
    public TestQueues Queues { get; }
    public Uri QueueEndpoint { get; }
    public KeptSecrets Secrets { get; }
    public SetClock Clock { get; } = new(new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));
    public SourceNetworkCheck SourceNetworkCheck { get; set; } = SourceNetworkCheck.Enforce;
    public OutcomesFunction Function { get; private set; } = null!;
    public ExecutionStore Executions => new(Tables.Client, Tables.Executions, Tables.Quotas, Clock);
    public QuotaLedger Ledger => new(Tables.Client, Tables.Quotas);
    public Month Month => new(2026, 11);
    public string Logged => Encoding.UTF8.GetString(_log.ToArray());

    public static async Task<OutcomeFixture> OpenAsync(LocalCloud cloud) =>
        new(await cloud.TablesAsync(), await cloud.QueuesAsync(), await cloud.QueueEndpointAsync());

    /// <summary>A new process, whose calls pass this seam.</summary>
    public void Restart(FaultSeam? seam = null) =>
        Function = NewFunction(Tables.ClientOf("OutcomesFunction", seam), Queues.ClientOf("OutcomesFunction", Tables, seam));

    public OutcomesFunction NewFunction(IAmazonDynamoDB dynamo, IAmazonSQS sqs)
    {
        var events = new MeteringEvents(new JsonLog(_log, Clock), Clock);
        var recordOutcome = new RecordOutcome(
            new TokenVerifier(NewKeys(), Issuer, Clock),
            new ExecutionStore(dynamo, Tables.Executions, Tables.Quotas, Clock),
            new MessageQueue<Notification>(sqs, Queues.Notifications, DomainJson.Default.Notification),
            new SourceNetwork(SourceNetworkCheck, events), events, Clock);
        return new(recordOutcome, Issuer, events, Clock);
    }

    public TenantKeys NewKeys() => new(new RotatingSecret<RootSecret>(Secrets, "root", RootSecret.Parse, RootSecret.Overlap, Clock), Clock);

    /// <summary>An execution that its engine has, unless another state is asked for.</summary>
    public async Task<Job> StartAsync(ExecutionState state = ExecutionState.Dispatched, TenantId? tenant = null, ExecutionId? named = null)
    {
        var id = named ?? ExecutionId.Of("T0001", $"trigger-{++_executions}");
        var owner = tenant ?? Tenant;
        var execution = new Execution
        {
            Id = id,
            Tenant = owner,
            Workflow = WorkflowName.Parse("wf_sched"),
            RequestedBy = Requesters.OfSlack("T0001", "U1", "C1"),
            State = ExecutionState.Queued,
            CreatedAt = Clock.Now,
            DeadlineAt = Clock.Now.AddHours(1),
            Month = Month,
            Inputs = JsonDocument.Parse("{}").RootElement,
        };
        var order = new DispatchOrder(id, owner, WebhookPath.Of(execution.Workflow), "{}"u8.ToArray(), "token", Clock.Now.AddMinutes(10));
        Assert.IsType<Creation.Created>(await Executions.CreateAsync(execution, order, TenantLimits.Default with { Concurrency = 1000 }, Cancel));
        if (state != ExecutionState.Queued)
        {
            var claimed = Assert.IsType<Claim.Held>(await Executions.ClaimAsync(id, owner, "dispatcher-1", TimeSpan.FromMinutes(1), Cancel)).Execution;
            if (state != ExecutionState.Dispatching)
                await Executions.RecordAttemptAsync(
                    claimed, state == ExecutionState.DispatchUnknown
                        ? Signal.Ambiguous
                        : Signal.Accepted, new(1, Clock.Now, 5, new AttemptResult.Accepted(), 200), notFound: false, Cancel);
        }
        var token = new TokenMinter(Issuer, Clock).ForOutcome(await NewKeys().ToSignAsync(owner, Cancel), owner, id, execution.DeadlineAt);
        return new(id, owner, token.Text);
    }

    public Task<Answer> SendAsync(Job job, string body) =>
        SendAsync(Request($"Bearer {job.Token}", Encoding.UTF8.GetBytes(body), $"10.{99 + job.Tenant.Number}.128.10"));

    public Task<Answer> SendAsync(Job job, OutcomeText text) => SendAsync(job, text.For(job.Id));

    public async Task<Answer> SendAsync(APIGatewayProxyRequest request, OutcomesFunction? function = null) =>
        new(await (function ?? Function).AnswerAsync(request, new TestLambdaContext { RemainingTime = TimeSpan.FromSeconds(10) }));

    public static APIGatewayProxyRequest Request(string? authorization, string body) => Request(authorization, Encoding.UTF8.GetBytes(body));

    public static APIGatewayProxyRequest Request(string? authorization, byte[] body, string? sourceIp = "10.142.128.10")
    {
        var headers = new Dictionary<string, string> { ["Content-Type"] = "application/json" };
        if (authorization is not null)
            headers["Authorization"] = authorization;
        return SidecarSigner.Post(body, sourceIp, headers);
    }

    public async Task<Execution> ReadAsync(Job job) => (await Executions.FindAsync(job.Id, Cancel))!;

    public Task LoseLedgerAsync() => Tables.LoseLedgerAsync(Tenant, Month, Cancel);

    /// <summary>Takes every notification that waits: the executions they are about.</summary>
    public async Task<List<string>> NotifiedAsync() =>
        [.. (await Queues.TakeAllAsync(Queues.Notifications, Cancel)).Select(message =>
            JsonSerializer.Deserialize(message.Body, DomainJson.Default.Notification)!.ExecutionId)];

    /// <summary>Takes every order that waits.</summary>
    public async Task<List<ExecutionRequest>> OrdersAsync() =>
        [.. (await Queues.TakeAllAsync(Queues.ExecutionRequests, Cancel)).Select(message =>
            JsonSerializer.Deserialize(message.Body, DomainJson.Default.ExecutionRequest)!)];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}

/// <summary>An execution under way, and the token with which its engine calls back.</summary>
internal sealed record Job(ExecutionId Id, TenantId Tenant, string Token);

/// <summary>An outcome's text, so that a test can write any member wrongly.</summary>
internal sealed record OutcomeText(string Status)
{
    public static readonly OutcomeText Succeeded = new("\"succeeded\"");
    public static readonly OutcomeText Failed = new("\"failed\"") { More = ",\"error\":{\"code\":\"boom\",\"message\":\"It broke.\"}" };
    public static readonly OutcomeText Cancelled = new("\"cancelled\"");
    public static readonly OutcomeText Running = new("\"running\"");

    public string CpuMs { get; init; } = "1200";
    public string Run { get; init; } = "8123";
    public string More { get; init; } = "";

    public string For(ExecutionId id) => For(id.ToString());

    public string For(string id) =>
        $$"""{"schema":"outcome.v1","execution_id":"{{id}}","status":{{Status}},"started_at":"2026-11-22T11:59:00Z","finished_at":"2026-11-22T12:00:00Z","engine_execution_id":"{{Run}}","usage":{"cpu_ms":{{CpuMs}},"gpu_ms":30,"input_tokens":4,"output_tokens":5}{{More}}}""";
}
