using System.Net;
using System.Net.Sockets;

namespace ControlPlane.Load;

/// <summary>The way to an engine, which can be cut: connections that are open break, and new ones are refused.</summary>
internal sealed class Line : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly HashSet<Socket> _open = [];
    private Socket? _near;
    private int _far;

    private Line() { }

    public IPEndPoint Near { get; private set; } = new(IPAddress.Loopback, 0);

    public static Line Open()
    {
        var line = new Line();
        line.Mend();
        return line;
    }

    public void LeadTo(int port) => _far = port;

    public void Mend()
    {
        if (_near is not null)
            return;
        var near = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        near.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        near.Bind(Near);
        near.Listen(512);
        (_near, Near) = (near, (IPEndPoint)near.LocalEndPoint!);
        _ = TakeAsync(near);
    }

    public void Cut()
    {
        _near?.Dispose();
        _near = null;
        lock (_open)
        {
            foreach (var socket in _open)
                socket.Dispose();
            _open.Clear();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Cut();
        _stop.Dispose();
    }

    private async Task TakeAsync(Socket near)
    {
        try
        {
            while (true)
                _ = PassAsync(await near.AcceptAsync(_stop.Token));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException) { }
    }

    private async Task PassAsync(Socket caller)
    {
        using var engine = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using (caller)
        {
            lock (_open)
                _open.UnionWith([caller, engine]);
            try
            {
                await engine.ConnectAsync(new IPEndPoint(IPAddress.Loopback, _far), _stop.Token);
                await using var there = new NetworkStream(engine);
                await using var here = new NetworkStream(caller);
                await Task.WhenAny(here.CopyToAsync(there, _stop.Token), there.CopyToAsync(here, _stop.Token));
            }
            catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException or OperationCanceledException) { }
            lock (_open)
                _open.ExceptWith([caller, engine]);
        }
    }
}
