using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Amazon.DynamoDBv2;
using Amazon.Lambda.SQSEvents;
using Amazon.Lambda.TestUtilities;
using Amazon.SQS;
using Amazon.SQS.Model;
using ControlPlane.Aws;
using ControlPlane.Aws.Logs;
using ControlPlane.DpDispatcher;
using ControlPlane.Executions;
using ControlPlane.Http;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.DpDispatcher;

/// <summary>A dispatcher on real tables and queues, with a clock that the test moves. Engines are where the routes say.</summary>
internal sealed class DispatchFixture : IDisposable
{
    private static readonly DispatchLimits Limits = new(TimeSpan.FromMilliseconds(400), TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(100), 64 * 1024, 16);

    public TestTables Tables { get; }
    private readonly TestQueues _queues;
    private readonly ConnectRoutes _routes;
    private readonly MemoryStream _log = new();
    private DataPlaneClient _engines;

    private DispatchFixture(TestTables tables, TestQueues queues, ConnectRoutes routes)
    {
        (Tables, _queues, _routes) = (tables, queues, routes);
        Executions = new(tables.Client, tables.Executions, tables.Quotas, Clock);
        Tenants = new(tables.Client, tables.Tenants);
        Quotas = new(tables.Client, tables.Quotas);
        Dispatches = new(queues.Client, queues.Dispatch, DomainJson.Default.DispatchRequest);
        Restart();
    }

    public SetClock Clock { get; } = new(DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()));
    public ExecutionStore Executions { get; }
    public TenantRegistry Tenants { get; }
    public QuotaLedger Quotas { get; }
    public MessageQueue<DispatchRequest> Dispatches { get; }
    public TenantGates Gates { get; private set; }
    public DispatchFunction Function { get; private set; }

    public string Log { get { lock (_log) return System.Text.Encoding.UTF8.GetString(_log.ToArray()); } }

    public static async Task<DispatchFixture> SetAsync(LocalCloud cloud, params (string Tenant, ScriptedEngine? Engine)[] engines)
    {
        var routes = string.Join(',', engines.Select(one => $"{AddressOf(one.Tenant)}:5678={(one.Engine is null ? "127.0.0.1:1" : one.Engine.Address)}"));
        var stage = new DispatchFixture(await cloud.TablesAsync(), await cloud.QueuesAsync(), ConnectRoutes.Parse(routes));
        foreach (var (tenant, _) in engines)
            await stage.RegisterAsync(tenant);
        return stage;
    }

    /// <summary>A new dispatcher on the same tables and queues, with nothing in memory.</summary>
    [MemberNotNull(nameof(_engines), nameof(Gates), nameof(Function))]
    public void Restart(IAmazonDynamoDB? dynamo = null, IAmazonSQS? sqs = null, TimeProvider? timers = null)
    {
        dynamo ??= Tables.ClientOf("DispatchFunction");
        sqs ??= _queues.ClientOf("DispatchFunction", Tables);
        var events = new DispatcherEvents(new JsonLog(_log, Clock), Clock);
        _engines?.Dispose();
        _engines = new(Limits, _routes, TimeProvider.System);
        Gates = new(Clock);
        var dispatchExecution = new DispatchExecution(
            new(dynamo, Tables.Executions, Tables.Quotas, Clock), new(dynamo, Tables.Tenants), _engines, Gates,
            new(sqs, _queues.Notifications, DomainJson.Default.Notification), events, Clock);
        Function = new(dispatchExecution, new MessagePauses(sqs, _queues.Dispatch, events), events, timers ?? Clock);
    }

    public static string AddressOf(string tenant) => $"10.{99 + TenantId.Parse(tenant).Number}.128.10";

    public async Task RegisterAsync(string tenant, TenantStatus status = TenantStatus.Active)
    {
        var id = TenantId.Parse(tenant);
        Assert.True(EngineAddress.TryParse(AddressOf(tenant), id, allowPublicSubnet: false, out var address));
        await Tenants.SaveAsync(new Tenant(id, tenant, status, address, AllowPublicSubnet: false, new(1000, 1000, null)), Cancel);
    }

    /// <summary>Writes a profile as no registration would.</summary>
    public async Task StoreEngineAsync(string tenant, string address, bool allowPublicSubnet = false)
    {
        await RegisterAsync(tenant);
        await Tables.Client.UpdateItemAsync(new()
        {
            TableName = Tables.Tenants,
            Key = new() { ["pk"] = new() { S = tenant }, ["sk"] = new() { S = "PROFILE" } },
            UpdateExpression = "SET engine = :engine, allow_public_subnet = :allow",
            ExpressionAttributeValues = new() { [":engine"] = new() { S = address }, [":allow"] = new() { BOOL = allowPublicSubnet } },
        }, Cancel);
    }

    /// <summary>A queued execution with its order, as the Orchestrator leaves it; the message is not sent.</summary>
    public async Task<ExecutionId> QueueAsync(string tenant = "tenant-43", bool idempotent = false, string token = "aGVhZA.Y2xhaW1z.c2ln", string? otherToken = null)
    {
        var id = ExecutionId.Of("T1", Guid.NewGuid().ToString());
        var now = Clock.GetUtcNow();
        var execution = new Execution
        {
            Id = id,
            Tenant = TenantId.Parse(tenant),
            Workflow = WorkflowName.Parse("wf_sched"),
            RequestedBy = Requesters.OfSlack("T1", "U1", "C1"),
            State = ExecutionState.Queued,
            CreatedAt = now,
            DeadlineAt = now.AddHours(1),
            Month = Month.Of(now),
            IsIdempotent = idempotent,
            Inputs = JsonDocument.Parse("{}").RootElement,
        };
        var order = new DispatchOrder(
            id, execution.Tenant, WebhookPath.Of(execution.Workflow), """{"schema":"dispatch.v1"}"""u8.ToArray(), token, now.AddSeconds(600), otherToken);
        Assert.IsType<Creation.Created>(await Executions.CreateAsync(execution, order, new(1000, 1000, null), Cancel));
        return id;
    }

    public Task LoseLedgerAsync(string tenant) => Tables.LoseLedgerAsync(TenantId.Parse(tenant), Month.Of(Clock.GetUtcNow()), Cancel);

    public Task<SQSBatchResponse> DispatchAsync(ExecutionId id, string tenant = "tenant-43", int receives = 1) =>
        DeliverAsync(Message("m1",
            JsonSerializer.Serialize(new DispatchRequest(DispatchRequest.SchemaV1, id.ToString(), tenant), DomainJson.Default.DispatchRequest), receives));

    /// <summary>One batch, as Lambda hands it over.</summary>
    public Task<SQSBatchResponse> DeliverAsync(params SQSEvent.SQSMessage[] messages) =>
        Function.DispatchAsync(new() { Records = [.. messages] }, new TestLambdaContext { RemainingTime = TimeSpan.FromSeconds(30) });

    public static SQSEvent.SQSMessage Message(string id, string body, int receives = 1, string receipt = "none") => new()
    {
        MessageId = id,
        ReceiptHandle = receipt,
        Body = body,
        Attributes = new() { ["ApproximateReceiveCount"] = receives.ToString(System.Globalization.CultureInfo.InvariantCulture) },
    };

    /// <summary>Plays the event source once: receives a batch, hands it over, deletes what is done.</summary>
    public async Task<(int Received, int Failed)> PollAsync()
    {
        var received = (await _queues.Client.ReceiveMessageAsync(
            new ReceiveMessageRequest { QueueUrl = _queues.Dispatch, MaxNumberOfMessages = 10, MessageSystemAttributeNames = ["All"] }, Cancel)).Messages ?? [];
        if (received.Count == 0)
            return (0, 0);
        var answer = await DeliverAsync([.. received.Select(one => new SQSEvent.SQSMessage
        {
            MessageId = one.MessageId, ReceiptHandle = one.ReceiptHandle, Body = one.Body, Attributes = one.Attributes,
        })]);
        var failed = answer.BatchItemFailures.Select(one => one.ItemIdentifier).ToHashSet();
        foreach (var done in received.Where(one => !failed.Contains(one.MessageId)))
            await _queues.Client.DeleteMessageAsync(_queues.Dispatch, done.ReceiptHandle, Cancel);
        return (received.Count, failed.Count);
    }

    public async Task<Execution> ReadAsync(ExecutionId id) => (await Executions.FindAsync(id, Cancel))!;

    public async Task<long> ChargedAsync(string tenant = "tenant-43") =>
        (await Quotas.MonthAsync(TenantId.Parse(tenant), Month.Of(Clock.GetUtcNow()), Cancel)).Charged;

    /// <summary>The executions whose users are to be told, read off the queue.</summary>
    public async Task<IReadOnlyList<string>> NotificationsAsync()
    {
        var told = new List<string>();
        while ((await _queues.Client.ReceiveMessageAsync(new ReceiveMessageRequest { QueueUrl = _queues.Notifications, MaxNumberOfMessages = 10 },
            Cancel)).Messages is { Count: > 0 } messages)
            told.AddRange(messages.Select(one => JsonSerializer.Deserialize(one.Body, DomainJson.Default.Notification)!.ExecutionId));
        return told;
    }

    public IAmazonSQS Sqs => _queues.Client;
    public string DispatchQueueUrl => _queues.Dispatch;

    public void Dispose() => _engines.Dispose();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
