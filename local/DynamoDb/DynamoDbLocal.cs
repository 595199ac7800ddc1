using Amazon.DynamoDBv2;
using Amazon.Runtime;
using ControlPlane.Local.Preparation;
using ControlPlane.Local.Processes;

namespace ControlPlane.Local.DynamoDb;

/// <summary>Amazon's own DynamoDB Local, on a free port of 127.0.0.1.</summary>
internal sealed class DynamoDbLocal : IAsyncDisposable
{
    private readonly ChildProcess _server;

    private DynamoDbLocal(ChildProcess server, int port) => (_server, Endpoint) = (server, new($"http://127.0.0.1:{port}"));

    public Uri Endpoint { get; }

    /// <param name="folder">Where the tables are kept; null keeps them in memory.</param>
    /// <remarks>Its main method would listen on every address, so Jetty's own launcher builds the same server from dynamodb-local.xml. Telemetry stays out
    /// too.</remarks>
    public static async Task<DynamoDbLocal> StartAsync(string? folder = null, Action<string>? say = null, CancellationToken cancel = default)
    {
        var emulator = await Downloads.DynamoDbLocalAsync(say ?? (_ => { }), cancel);
        if (folder is not null)
            StateFolder.CreateFolder(folder);
        var port = new PortAnnouncement();
        var server = ChildProcess.Start(
            "java",
            [
                "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",    // ready in under a second: it lives for minutes, not days
                "-Dorg.eclipse.jetty.util.log.announce=false", "-Dorg.eclipse.jetty.LEVEL=WARN",
                "-Djava.library.path=DynamoDBLocal_lib", "-cp", "DynamoDBLocal.jar:DynamoDBLocal_lib/*",
                "org.eclipse.jetty.xml.XmlConfiguration", Path.Combine(AppContext.BaseDirectory, "DynamoDb", "dynamodb-local.xml"),
                folder is null ? "in-memory=true" : $"folder={Path.GetFullPath(folder)}",
            ],
            port.Line, folder: emulator);
        return new(server, await port.PortOfAsync(server, "DynamoDB Local", cancel));
    }

    public AmazonDynamoDBClient NewClient(string region = "us-east-1") =>
        new(new BasicAWSCredentials("local", "local"), new AmazonDynamoDBConfig { ServiceURL = Endpoint.ToString(), AuthenticationRegion = region });

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
