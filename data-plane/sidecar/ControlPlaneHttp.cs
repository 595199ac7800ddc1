using System.Net;
using System.Net.Sockets;

namespace ControlPlane.Sidecar;

/// <summary>How the control plane's private API is called: by nobody's redirect or proxy, in bounded time, for a bounded answer.</summary>
internal static class ControlPlaneHttp
{
    private const int LongestAnswer = 64 * 1024;

    extension(Uri url)
    {
        /// <summary>A resource of the API whose address, with its stage, this is.</summary>
        public Uri Of(string resource) => new($"{url.AbsoluteUri.TrimEnd('/')}/{resource}");
    }

    /// <param name="source">The local address to call from; null lets the system choose.</param>
    public static HttpClient Client(IPAddress? source)
    {
        var client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            ConnectCallback = source is null ? null : (context, cancel) => ConnectFromAsync(source, context.DnsEndPoint, cancel),
        })
        {
            Timeout = TimeSpan.FromSeconds(15),
            MaxResponseContentBufferSize = LongestAnswer,
        };
        client.DefaultRequestHeaders.TryAddWithoutValidation("User-Agent", "metering-sidecar/1");
        return client;
    }

    private static async ValueTask<Stream> ConnectFromAsync(IPAddress source, DnsEndPoint to, CancellationToken cancel)
    {
        var socket = new Socket(source.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Bind(new IPEndPoint(source, 0));
            await socket.ConnectAsync(to, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
