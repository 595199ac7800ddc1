using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Amazon.DynamoDBv2.Model;

namespace ControlPlane.Tests.Cloud;

/// <summary>What some work is charged for by tables and queues.</summary>
/// <param name="TableCalls">Requests to tables, whatever is in them.</param>
/// <param name="Queues">Requests to each queue, by the last segment of its address.</param>
/// <param name="Refused">Calls that a table answered with an error: what they cost is not in the units.</param>
public sealed record Charge(double WriteUnits, double ReadUnits, double TableCalls, IReadOnlyDictionary<string, int> Queues, int Refused);

/// <summary>Stands below the AWS SDK and adds up what each call is charged: DynamoDB's units as DynamoDB Local reports them, and requests to queues.</summary>
/// <remarks>
/// Seen with DynamoDB Local 1.25.1: single reads and writes, their indexes and updates of grown items are reported as the price list has them. What is not, is
/// set right here.
/// <list type="bullet">
/// <item>Transactions: one item of 1 KB is reported as four units, two items as four, and indexes are multiplied too. AWS charges an item twice and its indexes
/// once
/// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html; measured there: https://github.com/nubo-db/dynoxide/pull/188). So
/// each part goes out as the single
/// write that it is, and its item's units are doubled. This is for work that goes well: a part whose condition fails ends the measurement.</item>
/// <item>What is not there: a query or a batch that finds nothing is reported as nothing. It is counted as the smallest read, as GetItem is.</item>
/// </list>
/// </remarks>
public sealed class UnitMeter(HttpMessageHandler below) : DelegatingHandler(below)
{
    private const string DynamoDb = "DynamoDB_20120810.";

    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _queues = [];
    private double _writes;
    private double _reads;
    private int _calls;
    private int _refused;

    /// <summary>What was charged since the last time.</summary>
    public Charge Take()
    {
        lock (_lock)
        {
            var charge = new Charge(_writes, _reads, _calls, new Dictionary<string, int>(_queues), _refused);
            (_writes, _reads, _calls, _refused) = (0, 0, 0, 0);
            _queues.Clear();
            return charge;
        }
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var target = request.Headers.GetValues("X-Amz-Target").Single();
        var body = JsonNode.Parse(await request.Content!.ReadAsStringAsync(cancellationToken))!;
        if (!target.StartsWith(DynamoDb, StringComparison.Ordinal))
        {
            lock (_lock)
            {
                var queue = new Uri((string)body["QueueUrl"]!).Segments[^1];
                _queues[queue] = _queues.GetValueOrDefault(queue) + 1;
            }
            return await base.SendAsync(request, cancellationToken);
        }

        Interlocked.Increment(ref _calls);
        var operation = target[DynamoDb.Length..];
        if (operation == "TransactWriteItems")
            return await SendPartsAsync(request, body["TransactItems"]!.AsArray(), cancellationToken);
        var (response, answer) = await SendAsync(request, operation, body, cancellationToken);
        if (response.StatusCode != HttpStatusCode.OK)
            Interlocked.Increment(ref _refused);
        else if (operation is "PutItem" or "UpdateItem")
            Add(writes: TotalOf(answer["ConsumedCapacity"]), reads: 0);
        else
            Add(writes: 0, reads: ReadsOf(operation, body, answer));
        return response;
    }

    private async Task<HttpResponseMessage> SendPartsAsync(HttpRequestMessage request, JsonArray parts, CancellationToken cancel)
    {
        foreach (var part in parts)
        {
            var (kind, write) = part!.AsObject().Single();
            var (response, answer) = await SendAsync(request, OperationOf(kind), write!, cancel);
            response.Dispose();
            if (response.StatusCode != HttpStatusCode.OK)
                throw new InvalidOperationException($"A part of a transaction failed, and only those that go well are measured: {answer.ToJsonString()}");
            var consumed = answer["ConsumedCapacity"]!;
            Add(writes: TotalOf(consumed) + (double)consumed["Table"]!["CapacityUnits"]!, reads: 0);
        }
        return new(HttpStatusCode.OK) { Content = new StringContent("{}", Encoding.UTF8, "application/x-amz-json-1.0") };
    }

    private static string OperationOf(string kind) => kind switch
    {
        "Put" => "PutItem",
        "Update" => "UpdateItem",
        // A check that something is not there costs what it costs to delete it: all that is checked here.
        "Delete" or "ConditionCheck" => "DeleteItem",
        _ => throw new NotSupportedException(kind),
    };

    // The signature does not fit the changed body: DynamoDB Local does not look at it.
    private async Task<(
        HttpResponseMessage Response, JsonNode Answer)> SendAsync(HttpRequestMessage request, string operation, JsonNode body, CancellationToken cancel)
    {
        body["ReturnConsumedCapacity"] = "INDEXES";
        using var measured = new HttpRequestMessage(
            request.Method, request.RequestUri)
        { Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/x-amz-json-1.0") };
        foreach (var (name, values) in request.Headers)
            measured.Headers.TryAddWithoutValidation(name, name.Equals("X-Amz-Target", StringComparison.OrdinalIgnoreCase) ? [DynamoDb + operation] : values);
        var response = await base.SendAsync(measured, cancel);
        await response.Content.LoadIntoBufferAsync(cancel);
        return (response, JsonNode.Parse(await response.Content.ReadAsStringAsync(cancel))!);
    }

    private static double ReadsOf(string operation, JsonNode body, JsonNode answer) => operation switch
    {
        "GetItem" => TotalOf(answer["ConsumedCapacity"]),
        "Query" => Math.Max(TotalOf(answer["ConsumedCapacity"]), Least(body)),
        "BatchGetItem" => answer["ConsumedCapacity"]!.AsArray().Sum(TotalOf)
            + body["RequestItems"]!.AsObject().Sum(table => MissingOf(table.Value!, answer["Responses"]![table.Key]!.AsArray())),
        _ => throw new NotSupportedException(operation),
    };

    private static double MissingOf(JsonNode wanted, JsonArray found) => (wanted["Keys"]!.AsArray().Count - found.Count) * Least(wanted);

    private static double Least(JsonNode read) => (bool?)read["ConsistentRead"] == true ? 1 : 0.5;

    private static double TotalOf(JsonNode? consumed) =>
        (double?)consumed?["CapacityUnits"] ?? throw new InvalidDataException("The table did not say what it charged.");

    private void Add(double writes, double reads)
    {
        lock (_lock)
            (_writes, _reads) = (_writes + writes, _reads + reads);
    }
}

/// <summary>What an item takes up in a table.</summary>
/// <remarks>https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html</remarks>
public static class ItemSize
{
    /// <summary>Charged with every item that is stored, in a table and in an index.</summary>
    public const int Overhead = 100;

    /// <summary>Names and values, in bytes. Of a number's digits two fit a byte.</summary>
    public static int Of(Dictionary<string, AttributeValue> item) => item.Sum(attribute => Encoding.UTF8.GetByteCount(attribute.Key) + Of(attribute.Value));

    private static int Of(AttributeValue value) => value switch
    {
        { S: { } text } => Encoding.UTF8.GetByteCount(text),
        { N: { } digits } => (digits.TrimStart('-').Length + 1) / 2 + 1,
        { B: { } bytes } => (int)bytes.Length,
        { BOOL: not null } => 1,
        { L: { } list } => 3 + list.Sum(one => Of(one) + 1),
        _ => throw new NotSupportedException("No item of ours holds such a value."),
    };
}
