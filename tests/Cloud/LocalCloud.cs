using System.Collections.Concurrent;
using Amazon.DynamoDBv2;
using Amazon.SQS;
using Amazon.SQS.Model;
using ControlPlane.Audit;
using ControlPlane.Aws;
using ControlPlane.Local.DynamoDb;
using ControlPlane.Local.Queues;
using ControlPlane.Local.Template;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Cloud;

/// <summary>DynamoDB Local and a queue server, started by the first test that asks: one queue server for all, and a table server for so many sets of
/// tables.</summary>
/// <remarks>Take it in a test class's constructor. Every call gives tables or queues of one's own, so tests may run side by side.</remarks>
public sealed class LocalCloud : IAsyncDisposable
{
    // The more tables it has ever had, the slower it makes the next, deleted or not: of the first fifty sets each takes it 70 ms, around the 400th 200.
    private const int SetsPerServer = 100;

    private readonly ConcurrentDictionary<int, Service<DynamoDbLocal>> _dynamo = new();
    private readonly UsedTables _used = new();
    private int _sets = -1;
    private readonly Service<QueueServer> _queues = new("The queue server", () => QueueServer.StartAsync());

    internal static TemplateReader Template { get; } = TemplateReader.Read(Path.Combine(RepositoryRoot.Find(), "serverless.template"));

    /// <summary>All tables of the template, empty. Nothing expires in them: tests have a clock of their own, and DynamoDB Local would go by the real
    /// one.</summary>
    public async Task<TestTables> TablesAsync()
    {
        var tables = await _used.TryTakeAsync(TestContext.Current.CancellationToken) ?? await NewTablesAsync();
        _used.GiveBackAfterTest(tables);
        return tables;
    }

    private async Task<TestTables> NewTablesAsync()
    {
        var number = Interlocked.Increment(ref _sets) / SetsPerServer;
        var server = await _dynamo.GetOrAdd(number, _ => new("The table server", () => DynamoDbLocal.StartAsync())).StartedAsync();
        var client = server.NewClient();
        var tables = Template.Tables.Select(table => table with { TimeToLive = null });
        return new(server.Endpoint, client, await TableBuilder.CreateAsync(client, tables, Prefix(), TestContext.Current.CancellationToken));
    }

    /// <summary>All queues of the template, empty, with their dead letters.</summary>
    public async Task<TestQueues> QueuesAsync()
    {
        var server = await _queues.StartedAsync();
        var client = server.NewClient();
        var addresses = await QueueBuilder.CreateAsync(client, Template.Queues, Prefix(), TestContext.Current.CancellationToken);
        return new(server.Endpoint, client, addresses.ToDictionary(one => one.Key, one => one.Value.Url));
    }

    /// <summary>For tests that bring their own client.</summary>
    public async Task<Uri> QueueEndpointAsync() => (await _queues.StartedAsync()).Endpoint;

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _dynamo.Values)
            await server.DisposeAsync();
        await _queues.DisposeAsync();
        FunctionRole.AssertNothingRefused();
    }

    private static string Prefix() => $"t{Guid.NewGuid():N}-";
}

/// <summary>A server that is started by the first test that needs it. One that does not start is one failure with its cause: the tests after it are
/// skipped.</summary>
internal sealed class Service<T>(string name, Func<Task<T>> startAsync) : IAsyncDisposable where T : class, IAsyncDisposable
{
    private readonly Lazy<Task<T>> _started = new(startAsync);
    private int _failures;

    public async Task<T> StartedAsync()
    {
        try
        {
            return await _started.Value;
        }
        catch (Exception e) when (Interlocked.Increment(ref _failures) > 1)
        {
            Assert.Skip($"{name} did not start; the test that failed says why: {e.Message}");
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_started is { IsValueCreated: true, Value.IsCompletedSuccessfully: true })
            await (await _started.Value).DisposeAsync();
    }
}

/// <param name="Names">By logical id, as in the template.</param>
public sealed record TestTables(Uri Endpoint, IAmazonDynamoDB Client, IReadOnlyDictionary<string, string> Names)
{
    private readonly ConcurrentDictionary<string, IAmazonDynamoDB> _clients = new();

    public string Tenants => Names["TenantsTable"];

    public string Executions => Names["ExecutionsTable"];

    public string Quotas => Names["QuotasTable"];

    public string RateLimits => Names["RateLimitsTable"];

    public string Metering => Names["MeteringTable"];

    public string Instances => Names["InstancesTable"];

    public string Audit => Names["AuditTable"];

    /// <summary>Of changes that are only there for the sake of what is tested.</summary>
    public Auditor Auditor => new AuditTrail(Client, Audit, TimeProvider.System).For(Actor.Parse("local:tests"), "a test");

    /// <summary>A client that may do what a function's role allows.</summary>
    /// <param name="function">Its logical id in the template.</param>
    /// <param name="seam">What its calls go through besides.</param>
    public IAmazonDynamoDB ClientOf(string function, FaultSeam? seam = null) =>
        seam?.DynamoDb(Endpoint, FunctionRole.Of(function, this))
        ?? _clients.GetOrAdd(function, name => FaultSeam.None().DynamoDb(Endpoint, FunctionRole.Of(name, this)));

    /// <summary>As after a table was restored: a tenant's counters are gone.</summary>
    public async Task LoseLedgerAsync(TenantId tenant, Month month, CancellationToken cancel)
    {
        foreach (var key in new[] { QuotaLedger.KeyOf(tenant, month), QuotaLedger.ActiveKeyOf(tenant) })
            await Client.DeleteItemAsync(Quotas, key, cancel);
    }
}

/// <param name="Urls">By logical id, as in the template.</param>
public sealed record TestQueues(Uri Endpoint, IAmazonSQS Client, IReadOnlyDictionary<string, string> Urls)
{
    private readonly ConcurrentDictionary<string, IAmazonSQS> _clients = new();

    public string ExecutionRequests => Urls["ExecutionRequestsQueue"];

    public string Dispatch => Urls["DispatchQueue"];

    public string Notifications => Urls["NotificationsQueue"];

    /// <summary>Takes every message that waits.</summary>
    public async Task<List<Message>> TakeAllAsync(string queue, CancellationToken cancel)
    {
        var taken = new List<Message>();
        var ten = new ReceiveMessageRequest { QueueUrl = queue, MaxNumberOfMessages = 10, WaitTimeSeconds = 0 };
        while (await Client.ReceiveMessageAsync(ten, cancel) is { Messages: { Count: > 0 } messages })
        {
            foreach (var message in messages)
                await Client.DeleteMessageAsync(queue, message.ReceiptHandle, cancel);
            taken.AddRange(messages);
        }
        return taken;
    }

    /// <inheritdoc cref="TestTables.ClientOf"/>
    public IAmazonSQS ClientOf(string function, TestTables tables, FaultSeam? seam = null) =>
        seam?.Sqs(Endpoint, role: FunctionRole.Of(function, tables, this))
        ?? _clients.GetOrAdd(function, name => FaultSeam.None().Sqs(Endpoint, role: FunctionRole.Of(name, tables, this)));
}
