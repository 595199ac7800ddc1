using Amazon.DynamoDBv2;
using Amazon.SQS;
using ControlPlane.Local.DynamoDb;
using ControlPlane.Local.Queues;
using ControlPlane.Local.Template;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Cloud;

/// <summary>DynamoDB Local and a queue server, one of each for all tests, started by the first test that asks.</summary>
/// <remarks>Take it in a test class's constructor. Every call gives tables or queues of one's own, so tests may run side by side.</remarks>
public sealed class LocalCloud : IAsyncDisposable
{
    private readonly Lazy<Task<DynamoDbLocal>> _dynamo = new(() => DynamoDbLocal.StartAsync());
    private readonly Lazy<Task<QueueServer>> _queues = new(() => QueueServer.StartAsync());

    internal static TemplateReader Template { get; } = TemplateReader.Read(Path.Combine(RepositoryRoot.Find(), "serverless.template"));

    /// <summary>All tables of the template, empty.</summary>
    public async Task<TestTables> TablesAsync()
    {
        var client = (await _dynamo.Value).NewClient();
        return new(client, await TableBuilder.CreateAsync(client, Template.Tables, Prefix(), TestContext.Current.CancellationToken));
    }

    /// <summary>All queues of the template, empty, with their dead letters.</summary>
    public async Task<TestQueues> QueuesAsync()
    {
        var client = (await _queues.Value).NewClient();
        var addresses = await QueueBuilder.CreateAsync(client, Template.Queues, Prefix(), TestContext.Current.CancellationToken);
        return new(client, addresses.ToDictionary(one => one.Key, one => one.Value.Url));
    }

    /// <summary>For tests that bring their own client.</summary>
    public async Task<Uri> DynamoDbEndpointAsync() => (await _dynamo.Value).Endpoint;

    /// <summary>For tests that bring their own client.</summary>
    public async Task<Uri> QueueEndpointAsync() => (await _queues.Value).Endpoint;

    public async ValueTask DisposeAsync()
    {
        if (_dynamo.IsValueCreated) await (await _dynamo.Value).DisposeAsync();
        if (_queues.IsValueCreated) await (await _queues.Value).DisposeAsync();
    }

    private static string Prefix() => $"t{Guid.NewGuid():N}-";
}

/// <param name="Names">By logical id, as in the template.</param>
public sealed record TestTables(IAmazonDynamoDB Client, IReadOnlyDictionary<string, string> Names)
{
    public string Tenants => Names["TenantsTable"];

    public string Executions => Names["ExecutionsTable"];

    public string Quotas => Names["QuotasTable"];

    public string RateLimits => Names["RateLimitsTable"];

    public string Metering => Names["MeteringTable"];

    public string Instances => Names["InstancesTable"];
}

/// <param name="Urls">By logical id, as in the template.</param>
public sealed record TestQueues(IAmazonSQS Client, IReadOnlyDictionary<string, string> Urls)
{
    public string ExecutionRequests => Urls["ExecutionRequestsQueue"];

    public string Dispatch => Urls["DispatchQueue"];

    public string Notifications => Urls["NotificationsQueue"];
}
