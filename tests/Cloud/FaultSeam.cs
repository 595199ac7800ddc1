using System.Net;
using System.Text;
using System.Text.Json;
using Amazon.DynamoDBv2;
using Amazon.Runtime;
using Amazon.SQS;

namespace ControlPlane.Tests.Cloud;

/// <summary>What can go wrong with one call to a table or a queue.</summary>
public enum Fault
{
    /// <summary>The process dies before the call leaves.</summary>
    StopBefore,

    /// <summary>The process dies after the call took effect.</summary>
    StopAfter,

    /// <summary>The call takes effect, its answer does not arrive.</summary>
    AnswerLost,

    /// <summary>The call has no effect and is answered 500.</summary>
    Error,
    Throttled,

    /// <summary>Another transaction is on the same item.</summary>
    Conflict,

    /// <summary>No effect and no answer within the client's time.</summary>
    Silence,
}

/// <param name="Number">From 1, in the order sent; the SDK's own retries count.</param>
/// <param name="Operation"><c>UpdateItem</c>, <c>SendMessage</c>, …</param>
public sealed record SeamCall(int Number, string Operation);

/// <summary>Stands below the AWS SDK, where answers get lost: counts its calls and breaks those that the plan names.</summary>
/// <remarks>After a stop nothing leaves any more: whatever the handler still does is what a dead process does.</remarks>
/// <param name="below">Answers the calls that get through; the network, unless a test brings something else.</param>
public sealed class FaultSeam(Func<SeamCall, Fault?> plan, HttpMessageHandler? below = null) : HttpClientFactory
{
    // One for all: a connection for each call would be the most of its cost.
    private static readonly SocketsHttpHandler Network = new();

    private readonly HttpMessageHandler _below = below ?? Network;
    private readonly List<SeamCall> _calls = [];
    private readonly List<(string Operation, double Units)> _capacity = [];

    public static readonly IReadOnlyList<Fault> AllFaults = Enum.GetValues<Fault>();

    /// <summary>Breaks one call and lets all others through.</summary>
    public static FaultSeam At(int number, Fault fault) => new(call => call.Number == number ? fault : null);

    public static FaultSeam None() => new(_ => null);

    public IReadOnlyList<SeamCall> Calls { get { lock (_calls) return [.. _calls]; } }

    public bool IsDead { get; private set; }

    /// <summary>Lets calls through again: those of the next process.</summary>
    public void Revive() => IsDead = false;

    /// <summary>Whether tables are asked for what each call costs.</summary>
    public bool MetersCapacity { get; init; }

    /// <summary>The units of each call to a table, in the order answered.</summary>
    public IReadOnlyList<(string Operation, double Units)> Capacity { get { lock (_capacity) return [.. _capacity]; } }

    /// <param name="role">What its calls are held to; nothing when left out.</param>
    public AmazonDynamoDBClient DynamoDb(Uri endpoint, FunctionRole? role = null) => new(
        new BasicAWSCredentials("local", "local"),
        new AmazonDynamoDBConfig { ServiceURL = endpoint.ToString(), AuthenticationRegion = "us-east-1", HttpClientFactory = Below(role), MaxErrorRetry = 2 });

    /// <inheritdoc cref="DynamoDb" path="/param"/>
    public AmazonSQSClient Sqs(Uri endpoint, int retries = 2, FunctionRole? role = null) => new(
        new BasicAWSCredentials("local", "local"),
        new AmazonSQSConfig { ServiceURL = endpoint.ToString(), AuthenticationRegion = "us-east-1", HttpClientFactory = Below(role), MaxErrorRetry = retries });

    public override HttpClient CreateHttpClient(IClientConfig clientConfig) => new(new Handler(this, _below), disposeHandler: false);

    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

    private HttpClientFactory Below(FunctionRole? role) => role is null ? this : new InRole(this, role);

    private sealed class InRole(FaultSeam seam, FunctionRole role) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => new(new Handler(seam, role.Above(seam._below)), disposeHandler: false);

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;
    }

    private SeamCall Next(HttpRequestMessage request)
    {
        var target = request.Headers.TryGetValues("X-Amz-Target", out var values) ? values.First() : request.RequestUri!.AbsolutePath;
        lock (_calls)
        {
            var call = new SeamCall(_calls.Count + 1, target[(target.LastIndexOf('.') + 1)..]);
            _calls.Add(call);
            return call;
        }
    }

    private sealed class Handler(FaultSeam seam, HttpMessageHandler below) : DelegatingHandler(below)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancel)
        {
            if (seam.IsDead)
                throw new ProcessDiedException();
            var call = seam.Next(request);
            var fault = seam._plan(call);
            switch (fault)
            {
                case Fault.StopBefore:
                    seam.IsDead = true;
                    throw new ProcessDiedException();
                case Fault.StopAfter:
                    (await base.SendAsync(request, cancel)).Dispose();
                    seam.IsDead = true;
                    throw new ProcessDiedException();
                case Fault.AnswerLost:
                    (await base.SendAsync(request, cancel)).Dispose();
                    throw new HttpRequestException("The connection was reset.", new IOException("reset"));
                case Fault.Silence:
                    throw new TaskCanceledException("The request timed out.", new TimeoutException());
                case Fault.Error:
                    return Answer(HttpStatusCode.InternalServerError, "InternalServerError");
                case Fault.Throttled:
                    return Answer(HttpStatusCode.BadRequest, "ProvisionedThroughputExceededException");
                case Fault.Conflict when call.Operation == "TransactWriteItems":
                    return Answer(HttpStatusCode.BadRequest, "TransactionCanceledException", await ReasonsAsync(request, cancel));
                case Fault.Conflict:
                    return Answer(HttpStatusCode.BadRequest, "TransactionConflictException");
                default:
                    return await (seam.MetersCapacity ? MeteredAsync(request, call, cancel) : base.SendAsync(request, cancel));
            }
        }

        private async Task<HttpResponseMessage> MeteredAsync(HttpRequestMessage request, SeamCall call, CancellationToken cancel)
        {
            var body = await request.Content!.ReadAsStringAsync(cancel);
            var type = request.Content.Headers.ContentType;
            request.Content = new StringContent(body.Insert(1, """ "ReturnConsumedCapacity":"TOTAL", """));
            request.Content.Headers.ContentType = type;
            var response = await base.SendAsync(request, cancel);
            await response.Content.LoadIntoBufferAsync(cancel);
            using var answer = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancel));
            if (answer.RootElement.TryGetProperty("ConsumedCapacity", out var consumed))
            {
                var units = consumed.ValueKind == JsonValueKind.Array
                    ? consumed.EnumerateArray().Sum(table => table.GetProperty("CapacityUnits").GetDouble())
                    : consumed.GetProperty("CapacityUnits").GetDouble();
                lock (seam._capacity)
                    seam._capacity.Add((call.Operation, units));
            }
            return response;
        }

        private static async Task<string> ReasonsAsync(HttpRequestMessage request, CancellationToken cancel)
        {
            using var body = JsonDocument.Parse(await request.Content!.ReadAsByteArrayAsync(cancel));
            var parts = body.RootElement.GetProperty("TransactItems").GetArrayLength();
            return $$""","CancellationReasons":[{{string.Join(',', Enumerable.Repeat("""{"Code":"TransactionConflict","Message":"conflict"}""", parts))}}]""";
        }

        private static HttpResponseMessage Answer(HttpStatusCode status, string type, string more = "") => new(status)
        {
            Content = new StringContent(
                $$"""{"__type":"com.amazonaws.dynamodb.v20120810#{{type}}","message":"by the fault seam"{{more}}}""", Encoding.UTF8,
                "application/x-amz-json-1.0"),
        };
    }

    private readonly Func<SeamCall, Fault?> _plan = plan;

    private sealed class ProcessDiedException() : Exception("The process died here.");
}
