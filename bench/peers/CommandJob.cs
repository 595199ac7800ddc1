using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Amazon.SQS;
using Amazon.SQS.Model;
using ControlPlane.Aws;
using ControlPlane.ColdStart;
using ControlPlane.Executions;
using ControlPlane.Local.DataPlane;
using ControlPlane.Local.Hub;
using ControlPlane.Secrets;

namespace ControlPlane.Peers;

/// <summary>A signed slash command. It is counted; one that orders leaves its note in the table and its order in the queue.</summary>
internal sealed class CommandJob : Job
{
    private readonly LocalControlPlane _local;
    private readonly TimeProvider _clock;
    private readonly IAmazonSQS _sqs;
    private readonly string _queue;
    private readonly bool _orders;
    private readonly ReplyStore _replies;

    private long _minute;
    private long _counted;

    /// <param name="queue">Orders go there, where nobody takes them.</param>
    /// <param name="orders">Whether the command orders an execution.</param>
    public CommandJob(LocalControlPlane local, Probes probes, string what, string text, string queue, bool orders, TimeProvider clock)
        : base(new("SlackCommandsFunction", () => probes.Command(text, DemoData.User), answer => IsAnswer(answer, orders)) { What = what }, "commands")
    {
        (_local, _queue, _orders, _clock) = (local, queue, orders, clock);
        _sqs = local.QueueServer.NewClient();
        _replies = new(local.DynamoClient, local.Tables["ExecutionsTable"], clock);
    }

    public override async Task NoteAsync(CancellationToken cancel)
    {
        _minute = Minute;
        _counted = await CountedAsync(_minute, cancel);
    }

    public override async Task<string> CheckAsync(int events, CancellationToken cancel)
    {
        var counted = -_counted;
        for (var minute = _minute; minute <= Minute; minute++)
            counted += await CountedAsync(minute, cancel);
        Expect(counted == events, $"{counted} of {events} commands were counted");

        var (ids, shape) = (new HashSet<string>(), "");
        while (await OrdersAsync(cancel) is { Count: > 0 } messages)
        {
            foreach (var message in messages)
                if (ids.Add(message.Body))
                    shape = await CheckOrderAsync(message, cancel);
            await _sqs.DeleteMessageBatchAsync(
                _queue, [.. messages.Select((message, number) => new DeleteMessageBatchRequestEntry($"{number}", message.ReceiptHandle))], cancel);
        }
        Expect(ids.Count == (_orders ? events : 0), $"{ids.Count} orders of {events} commands are in the queue");
        return shape;
    }

    private long Minute => _clock.GetUtcNow().ToUnixTimeSeconds() / 60;

    private static bool IsAnswer(JsonNode? answer, bool orders)
    {
        if (!Probes.IsOk(answer) || JsonNode.Parse((string?)answer!["body"] ?? "null") is not JsonObject message)
            return false;
        var text = (string?)message["text"] ?? "";
        return (string?)message["response_type"] == "ephemeral" && message["blocks"] is JsonArray { Count: >= 3 }
            && text.Contains($"{DemoData.Workflow}", StringComparison.Ordinal)
            && text.Contains(orders ? "Working on" : "What you can do here", StringComparison.Ordinal);
    }

    private async Task<List<Message>> OrdersAsync(CancellationToken cancel)
    {
        var answer = await _sqs.ReceiveMessageAsync(
            new ReceiveMessageRequest { QueueUrl = _queue, MaxNumberOfMessages = 10, MessageSystemAttributeNames = ["All"] }, cancel);
        return answer.Messages ?? [];
    }

    /// <summary>Our own stores read what the process wrote: the order, and where its answer goes.</summary>
    private async Task<string> CheckOrderAsync(Message message, CancellationToken cancel)
    {
        var order = JsonSerializer.Deserialize(message.Body, DomainJson.Default.ExecutionRequest)!;
        Expect(
            order is { Schema: ExecutionRequest.SchemaV1, Public: false, RequestedBy: Requester.Slack } && order.Workflow == $"{DemoData.Workflow}"
                && order.TenantId == $"{DemoData.Tenant}" && order.Inputs.GetProperty("city").GetString() == "Paris",
            "the order is another");
        Expect(
            message.Attributes["MessageGroupId"] == order.ExecutionId && message.Attributes["MessageDeduplicationId"] == order.ExecutionId,
            "the order is not sent once and in turn");

        var id = ExecutionId.Parse(order.ExecutionId);
        var reply = await _replies.FindAsync(id, cancel);
        Expect(reply?.Order is { } noted && noted with { Inputs = order.Inputs } == order, "the note does not say what was ordered");
        var address = Seal.Open(reply!.SealedUrl!, [ReplyKey], $"response_url|{id}");
        Expect(address?.StartsWith("https://hooks.slack.com/commands/", StringComparison.Ordinal) == true, "the reply address cannot be read");
        var item = await _local.DynamoClient.GetItemAsync(
            new() { TableName = _local.Tables["ExecutionsTable"], Key = new() { ["pk"] = new($"{id}"), ["sk"] = new("REPLY") } }, cancel);
        await _replies.SettleAsync(id, cancel);     // or the sweeper would find it lost
        return Shape.Of(item.Item);
    }

    private byte[] ReplyKey
    {
        get
        {
            using var secret = JsonDocument.Parse(_local.Secrets.Vault.Get("SlackSecret", null, null).Text);
            return secret.RootElement.GetProperty("response_url_key").GetBytesFromBase64();
        }
    }

    private async Task<long> CountedAsync(long minute, CancellationToken cancel)
    {
        var answer = await _local.DynamoClient.GetItemAsync(
            new() { TableName = _local.Tables["RateLimitsTable"], Key = new() { ["pk"] = new($"{DemoData.Tenant}#{minute}") }, ConsistentRead = true }, cancel);
        return answer.IsItemSet ? long.Parse(answer.Item["total"].N, CultureInfo.InvariantCulture) : 0;
    }
}
