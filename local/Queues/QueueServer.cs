using System.Text.Json.Nodes;
using Amazon.Runtime;
using Amazon.SQS;
using ControlPlane.Local.Preparation;
using ControlPlane.Local.Processes;

namespace ControlPlane.Local.Queues;

/// <summary>An SQS server on a free port of 127.0.0.1.</summary>
internal sealed class QueueServer : IAsyncDisposable
{
    private readonly ChildProcess _server;

    private QueueServer(ChildProcess server, int port) => (_server, Endpoint) = (server, new($"http://127.0.0.1:{port}"));

    public Uri Endpoint { get; }

    /// <param name="file">Keeps what is queued over a restart; null keeps nothing.</param>
    /// <exception cref="Processes.CannotStart">The file is damaged.</exception>
    public static async Task<QueueServer> StartAsync(string? file = null, Action<string>? say = null, CancellationToken cancel = default)
    {
        if (file is not null && File.Exists(file) && !HoldsMessages(await File.ReadAllTextAsync(file, cancel)))
            throw StateFolder.Unreadable(file, "what was queued is lost; the sweeper closes its executions at their deadlines");
        var fauxqs = await Downloads.FauxqsAsync(say ?? (_ => { }), cancel);
        var port = new PortAnnouncement();
        string[] keep = file is null ? [] : [Path.GetFullPath(file)];
        var server = ChildProcess.Start("node", [Path.Combine(AppContext.BaseDirectory, "Queues", "queue-server.mjs"), fauxqs, .. keep], port.Line);
        return new(server, await port.PortOfAsync(server, "The queue server", cancel));
    }

    public AmazonSQSClient NewClient() =>
        new(new BasicAWSCredentials("local", "local"), new AmazonSQSConfig { ServiceURL = Endpoint.ToString(), AuthenticationRegion = "us-east-1" });

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    // Messages by the name of their queue.
    private static bool HoldsMessages(string text)
    {
        try
        {
            return JsonNode.Parse(text) is JsonObject queues
                && queues.All(queue => queue.Value is JsonArray messages && messages.All(one => one is JsonObject));
        }
        catch (System.Text.Json.JsonException) { return false; }
    }
}
