using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ControlPlane.Http;

namespace ControlPlane.Tests.Support;

/// <summary>An engine on a real socket that misbehaves as told: the script gets each connection, and nothing stands between it and the bytes.</summary>
public sealed class ScriptedEngine : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<EngineConnection, Task> _script;
    private readonly ConcurrentBag<Task> _running = [];
    private int _connections;
    private readonly Task _accepting;

    private ScriptedEngine(Func<EngineConnection, Task> script)
    {
        _script = script;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    public ConcurrentQueue<EngineRequest> Requests { get; } = [];

    public int Connections => Volatile.Read(ref _connections);

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndPoint!;

    /// <param name="script">Run for each connection; the connection is closed when it ends.</param>
    public static ScriptedEngine Start(Func<EngineConnection, Task> script) => new(script);

    /// <summary>Answers every request of every connection with the same text.</summary>
    public static ScriptedEngine Answering(string answer) => Start(async connection =>
    {
        while (await connection.ReadRequestAsync() is not null)
            await connection.WriteAsync(answer);
    });

    public static ScriptedEngine Answering(int status, string? contentType = "application/json", string body = "{}", string headers = "") =>
        Answering(EngineConnection.Answer(status, contentType, body, headers));

    /// <summary>Leads the dispatcher's dial to this engine.</summary>
    public ConnectRoutes RouteFrom(string engineAddress) => ConnectRoutes.Parse($"{engineAddress}:5678={Address}");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        await Task.WhenAll(_running);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptAsync(_stop.Token);
                // Before it is served: who has its answer looks at once.
                Interlocked.Increment(ref _connections);
                _running.Add(ServeAsync(socket));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using var connection = new EngineConnection(this, socket, _stop.Token);
        try
        {
            await _script(connection);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException or IOException)
        {
            // The dispatcher hung up, or the test is over.
        }
    }
}

/// <param name="Head">The request line and the headers, as sent.</param>
public sealed record EngineRequest(string Head, byte[] Body)
{
    public string? Header(string name) => Head.Split("\r\n").Skip(1)
        .Where(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))
        .Select(line => line[(name.Length + 1)..].Trim())
        .SingleOrDefault();
}

public sealed class EngineConnection(ScriptedEngine engine, Socket socket, CancellationToken stop) : IDisposable
{
    private readonly NetworkStream _stream = new(socket, ownsSocket: true);

    public CancellationToken Stop => stop;

    public static string Answer(int status, string? contentType, string body = "{}", string headers = "") =>
        $"HTTP/1.1 {status} As-Told\r\n{headers}{(contentType is null ? "" : $"Content-Type: {contentType}\r\n")}"
        + (status == 204 ? "\r\n" : $"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");

    /// <returns>Null when the dispatcher closed the connection instead.</returns>
    public async Task<EngineRequest?> ReadRequestAsync()
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await _stream.ReadAsync(one, stop) == 0)
                return null;
            head.Append((char)one[0]);
        }
        var request = new EngineRequest(head.ToString(), []);
        var body = new byte[int.Parse(request.Header("Content-Length") ?? "0", CultureInfo.InvariantCulture)];
        await _stream.ReadExactlyAsync(body, stop);
        request = request with { Body = body };
        engine.Requests.Enqueue(request);
        return request;
    }

    public Task WriteAsync(string text) => WriteAsync(Encoding.Latin1.GetBytes(text));

    public async Task WriteAsync(byte[] bytes) => await _stream.WriteAsync(bytes, stop);

    /// <summary>Ends with a reset instead of a clean close.</summary>
    public void Reset()
    {
        socket.LingerState = new(true, 0);
        socket.Close();
    }

    public Task SilenceAsync() => Task.Delay(Timeout.Infinite, stop);

    public void Dispose() => _stream.Dispose();
}
