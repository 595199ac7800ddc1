using System.Net;
using System.Net.Sockets;

namespace ControlPlane.Local.Peering;

/// <summary>An HTTP client that calls from inside a tenant's network.</summary>
internal static class PeeredClient
{
    public static HttpClient From(IPAddress address) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        ConnectCallback = async (context, cancel) =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                Bind(socket, address);
                await socket.ConnectAsync(context.DnsEndPoint, cancel);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
    });

    private static void Bind(Socket socket, IPAddress address)
    {
        try { socket.Bind(new IPEndPoint(RoutingTable.StandInFor(address), 0)); }
        catch (SocketException) { }    // only Linux has all of 127.0.0.0/8 from the start; elsewhere the default source stands in
    }
}
