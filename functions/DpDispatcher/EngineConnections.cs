using System.Net;
using System.Net.Sockets;
using ControlPlane.Http;
using ControlPlane.Tenants;

namespace ControlPlane.DpDispatcher;

/// <summary>Opens connections to engines: the last place where an address is checked, on the address that is dialled.</summary>
internal sealed class EngineConnections(ConnectRoutes routes, TimeProvider clock)
{
    /// <summary>On every request: whose engine it is for.</summary>
    public static readonly HttpRequestOptionsKey<Engine> EngineOf = new("engine");

    /// <summary>An engine hangs up after five idle seconds. Ours are gone before.</summary>
    public static readonly TimeSpan KeptIdle = TimeSpan.FromSeconds(3);

    /// <summary>Idle for so long a connection is not written to, whatever the pool thinks of it.</summary>
    public static readonly TimeSpan StaleAfter = TimeSpan.FromSeconds(4);

    /// <exception cref="AddressRefusedException">The address is not one that the request's tenant may have.</exception>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        var dialled = context.DnsEndPoint;
        if (dialled.Port != EngineAddress.Port
            || !context.InitialRequestMessage.Options.TryGetValue(EngineOf, out var engine)
            || !EngineAddress.TryParse(dialled.Host, engine.Tenant, engine.AllowPublicSubnet, out var address))
            throw new AddressRefusedException();

        var to = routes.Of(dialled) as IPEndPoint ?? new IPEndPoint(address.Address, EngineAddress.Port);
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(to, cancel);
            return new EngineStream(new NetworkStream(socket, ownsSocket: true), clock);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>Someone asked for a connection outside the tenant's network.</summary>
internal sealed class AddressRefusedException() : IOException("The address is not one that this tenant's engine may have.");
