using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ControlPlane.Tests.AwsCompat;

/// <summary>A Runtime API that has one event and resets the connection as soon as the answer to it begins.</summary>
internal sealed class CuttingRuntimeApi : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private bool _handedOut;

    public CuttingRuntimeApi()
    {
        _listener.Start();
        _ = ServeAsync();
    }

    public string Endpoint => _listener.LocalEndpoint.ToString()!;

    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync()
    {
        try
        {
            while (true)
                _ = AnswerAsync(await _listener.AcceptSocketAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task AnswerAsync(Socket socket)
    {
        using var stream = new NetworkStream(socket, ownsSocket: true);
        while (true)
        {
            var head = await HeadAsync(stream);
            if (head.StartsWith("GET ") && !_handedOut)
            {
                _handedOut = true;
                await stream.WriteAsync("HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: id-1\r\nContent-Length: 2\r\n\r\n{}"u8.ToArray());
            }
            else if (head.Contains("/response "))
            {
                socket.LingerState = new LingerOption(enable: true, seconds: 0);
                return;
            }
        }
    }

    private static async Task<string> HeadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        var buffer = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n"))
        {
            await stream.ReadExactlyAsync(buffer);
            head.Append((char)buffer[0]);
        }
        return head.ToString();
    }
}
