using System.Net;
using System.Net.Sockets;
using ControlPlane.Configuration;

namespace ControlPlane.Http;

/// <summary>Where a dialled address really lies. None in production; a local control plane routes the peered network through it, and dials nothing
/// else.</summary>
public sealed class ConnectRoutes
{
    public static readonly ConnectRoutes None = new(() => null);

    private readonly Func<IReadOnlyDictionary<DnsEndPoint, EndPoint>?> _routes;

    private ConnectRoutes(Func<IReadOnlyDictionary<DnsEndPoint, EndPoint>?> routes) => _routes = routes;

    /// <param name="text">
    /// <c>10.142.1.10:5678=127.0.0.1:41000,hooks.slack.com:443=127.0.0.1:41001</c>, or <c>@</c> and the path of a file that holds such a list and is read at
    /// every dial, for routes come and go with tenants. Null for none. Only loopback can be routed to; what is routed to itself, as in
    /// <c>slack.com:443=slack.com:443</c>, is dialled as it is.
    /// </param>
    /// <exception cref="SettingException">The text is not of that form.</exception>
    public static ConnectRoutes Parse(string? text)
    {
        if (text is ['@', .. var file])
            return new(() => ListIn(File.ReadAllText(file)));
        var routes = ListIn(text ?? "");
        return routes.Count == 0 ? None : new(() => routes);
    }

    /// <exception cref="NotRoutedException">There are routes, and none leads there: nothing is dialled beside them.</exception>
    public EndPoint Of(DnsEndPoint dialled)
    {
        if (_routes() is not { } routes)
            return dialled;
        return routes.TryGetValue(new(dialled.Host, dialled.Port, AddressFamily.Unspecified), out var to) ? to : throw new NotRoutedException(dialled);
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

    private const string Form = "is not a list of host:port=127.0.0.1:port";

    private static Dictionary<DnsEndPoint, EndPoint> ListIn(string text)
    {
        var routes = new Dictionary<DnsEndPoint, EndPoint>();
        foreach (var route in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = route.IndexOf(':', StringComparison.Ordinal);
            var equals = route.IndexOf('=', StringComparison.Ordinal);
            if (colon <= 0 || equals <= colon || !ushort.TryParse(route.AsSpan(colon + 1, equals - colon - 1), out var port))
                throw new SettingException("CONNECT_ROUTES", Form);
            var dialled = new DnsEndPoint(route[..colon], port, AddressFamily.Unspecified);
            routes[dialled] = route[..equals] == route[(equals + 1)..] ? dialled
                : IPEndPoint.TryParse(route.AsSpan(equals + 1), out var to) && IPAddress.IsLoopback(to.Address) ? to
                : throw new SettingException("CONNECT_ROUTES", Form);
        }
        return routes;
    }
}

/// <summary>A local control plane was asked for an address that is not on this machine.</summary>
public sealed class NotRoutedException(DnsEndPoint dialled) : IOException(
    $"{dialled.Host}:{dialled.Port} is not on this machine, and nothing outside of it is dialled.{Mend(dialled.Host)}")
{
    // A tenant's number decides its network: 10.(99 + N).0.0/16.
    private static string Mend(string host) => IPAddress.TryParse(host, out var address) && address.GetAddressBytes() is [10, > 99 and var second, _, _]
        ? $" An engine here is named to ./run: --engine tenant-{second - 99}=127.0.0.1:5678."
        : "";
}
