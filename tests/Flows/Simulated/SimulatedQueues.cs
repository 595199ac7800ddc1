using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace ControlPlane.Tests.Flows.Simulated;

/// <summary>A message on its way to a function.</summary>
internal sealed record Delivery(string Queue, string Id, string Body, string? Group, int Receives);

/// <summary>Speaks SQS's protocol to the SDK. What was sent the simulation takes, and decides when it arrives and how often. Calls to others pass by.</summary>
internal sealed class SimulatedQueues(TimeProvider clock) : DelegatingHandler(new SocketsHttpHandler())
{
    /// <summary>Where the SDK's clients are to send.</summary>
    public static readonly Uri Endpoint = new("http://queues.test");

    private static readonly TimeSpan DeduplicatedFor = TimeSpan.FromMinutes(5);

    private readonly Dictionary<string, DateTimeOffset> _deduplicated = [];
    private readonly List<Delivery> _sent = [];
    private readonly Lock _lock = new();

    /// <summary>What the function under way asked to be kept from it for so long; receipt handles are message ids here.</summary>
    public Dictionary<string, TimeSpan> Pauses { get; } = [];

    /// <summary>What was sent since the last time, in an order that does not depend on who of several at once was first.</summary>
    public IReadOnlyList<Delivery> Take()
    {
        lock (_lock)
        {
            List<Delivery> taken = [.. _sent.OrderBy(message => (message.Queue, message.Body))];
            _sent.Clear();
            return taken;
        }
    }

    public static string UrlOf(string queue) => $"{Endpoint}{queue}";

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        if (request.RequestUri!.Host != Endpoint.Host)
            return await base.SendAsync(request, cancel);
        var body = JsonNode.Parse(await request.Content!.ReadAsStringAsync(cancel))!;
        JsonNode answer;
        lock (_lock)
            answer = request.Headers.GetValues("X-Amz-Target").Single() switch
            {
                "AmazonSQS.SendMessage" => Send(body),
                "AmazonSQS.ChangeMessageVisibilityBatch" => Pause(body),
                var other => throw new NotSupportedException(other),
            };
        return new(HttpStatusCode.OK) { Content = new StringContent(answer.ToJsonString(), Encoding.UTF8, "application/x-amz-json-1.0") };
    }

    private JsonObject Send(JsonNode message)
    {
        var text = (string)message["MessageBody"]!;
        if ((string?)message["MessageDeduplicationId"] is { } deduplication)
        {
            if (_deduplicated.TryGetValue(deduplication, out var first) && clock.GetUtcNow() - first < DeduplicatedFor)
                return Answer(text);
            _deduplicated[deduplication] = clock.GetUtcNow();
        }
        _sent.Add(new(new Uri((string)message["QueueUrl"]!).Segments[^1], "", text, (string?)message["MessageGroupId"], Receives: 0));
        return Answer(text);
    }

    private static JsonObject Answer(string text) => new()
    {
        ["MessageId"] = "any",
        // The SDK compares it.
#pragma warning disable CA5351 // MD5 is what the protocol says
        ["MD5OfMessageBody"] = Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(text))),
#pragma warning restore CA5351
    };

    private JsonObject Pause(JsonNode batch)
    {
        foreach (var entry in batch["Entries"]!.AsArray())
            Pauses[(string)entry!["ReceiptHandle"]!] = TimeSpan.FromSeconds((int)entry["VisibilityTimeout"]!);
        return new() { ["Successful"] = new JsonArray(), ["Failed"] = new JsonArray() };
    }
}
