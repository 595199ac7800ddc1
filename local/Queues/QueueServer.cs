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
    public static async Task<QueueServer> StartAsync(string? file = null, Action<string>? say = null)
    {
        var fauxqs = await Downloads.FauxqsAsync(say ?? (_ => { }));
        var port = new PortAnnouncement();
        string[] keep = file is null ? [] : [Path.GetFullPath(file)];
        var server = ChildProcess.Start("node", [Path.Combine(AppContext.BaseDirectory, "Queues", "queue-server.mjs"), fauxqs, .. keep], port.Line);
        return new(server, await port.PortOfAsync(server, "The queue server", TimeSpan.FromSeconds(30)));
    }

    public AmazonSQSClient NewClient() =>
        new(new BasicAWSCredentials("local", "local"), new AmazonSQSConfig { ServiceURL = Endpoint.ToString(), AuthenticationRegion = "us-east-1" });

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
