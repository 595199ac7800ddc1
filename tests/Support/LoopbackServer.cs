using System.Net;
using System.Net.Sockets;

namespace ControlPlane.Tests.Support;

/// <summary>An HTTP server on a free port of 127.0.0.1.</summary>
public sealed class LoopbackServer : IAsyncDisposable
{
    private readonly HttpListener _listener;
    private readonly CancellationTokenSource _stopped = new();
    private readonly Task _serving;

    public LoopbackServer(Func<HttpListenerContext, CancellationToken, Task> answer)
    {
        (_listener, Endpoint) = Listen();
        _serving = ServeAsync(answer);
    }

    /// <summary>Host and port.</summary>
    public string Endpoint { get; }

    /// <summary>A port that was free a moment ago.</summary>
    public static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopped.CancelAsync();
        _listener.Close();
        await _serving;
        _stopped.Dispose();
    }

    private static (HttpListener, string) Listen()
    {
        for (var attempt = 1; ; attempt++)
        {
            var endpoint = $"127.0.0.1:{FreePort()}";
            var listener = new HttpListener { Prefixes = { $"http://{endpoint}/" } };
            try
            {
                listener.Start();
                return (listener, endpoint);
            }
            catch (HttpListenerException) when (attempt < 10)
            {
                // Somebody else took the port in between.
            }
        }
    }

    private async Task ServeAsync(Func<HttpListenerContext, CancellationToken, Task> answer)
    {
        var answers = new List<Task>();
        while (!_stopped.IsCancellationRequested)
        {
            try
            {
                answers.Add(AnswerAsync(await _listener.GetContextAsync()));
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                break;
            }
        }
        await Task.WhenAll(answers);

        async Task AnswerAsync(HttpListenerContext http)
        {
            try
            {
                await answer(http, _stopped.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or HttpListenerException or ObjectDisposedException or IOException)
            {
                // The client or the test is gone.
            }
        }
    }
}
