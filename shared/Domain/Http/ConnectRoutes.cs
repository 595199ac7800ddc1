using System.Net;
using System.Net.Sockets;
using ControlPlane.Configuration;

namespace ControlPlane.Http;

/// <summary>Where a dialled address really lies. Empty in production; a local control plane routes the peered network through it, and dials nothing
/// else.</summary>
public sealed class ConnectRoutes
{
    public static readonly ConnectRoutes None = new([]);

    private readonly Dictionary<DnsEndPoint, IPEndPoint> _routes;

    private ConnectRoutes(Dictionary<DnsEndPoint, IPEndPoint> routes) => _routes = routes;

    /// <param name="text"><c>10.142.1.10:5678=127.0.0.1:41000,hooks.slack.com:443=127.0.0.1:41001</c>; null for none. Only loopback can be routed to.</param>
    /// <exception cref="SettingException">The text is not of that form.</exception>
    public static ConnectRoutes Parse(string? text)
    {
        var routes = new Dictionary<DnsEndPoint, IPEndPoint>();
        foreach (var route in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = route.IndexOf(':', StringComparison.Ordinal);
            var equals = route.IndexOf('=', StringComparison.Ordinal);
            if (colon <= 0 || equals <= colon || !ushort.TryParse(route.AsSpan(colon + 1, equals - colon - 1), out var port)
                || !IPEndPoint.TryParse(route.AsSpan(equals + 1), out var to) || !IPAddress.IsLoopback(to.Address))
                throw new SettingException("CONNECT_ROUTES", "is not a list of host:port=127.0.0.1:port");
            routes[new(route[..colon], port, AddressFamily.Unspecified)] = to;
        }
        return routes.Count == 0 ? None : new(routes);
    }

    /// <exception cref="NotRoutedException">There are routes, and none leads there: nothing is dialled beside them.</exception>
    public EndPoint Of(DnsEndPoint dialled)
    {
        if (_routes.Count == 0)
            return dialled;
        return _routes.TryGetValue(new(dialled.Host, dialled.Port, AddressFamily.Unspecified), out var to) ? to : throw new NotRoutedException(dialled);
    }

    /// <summary>Opens the connection for <see cref="SocketsHttpHandler.ConnectCallback"/>.</summary>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(Of(context.DnsEndPoint), cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>A local control plane was asked for an address that is not on this machine.</summary>
public sealed class NotRoutedException(DnsEndPoint dialled) : IOException(
    $"{dialled.Host}:{dialled.Port} is not on this machine, and nothing outside of it is dialled. An engine here is named to ./run: --engine tenant-7=127.0.0.1:5678.");
