using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using ControlPlane.Aws;
using ControlPlane.Local.Peering;

namespace ControlPlane.ColdStart;

/// <summary>TLS before the tables, queues and secrets of <c>./run</c>, as functions find it on AWS: they are given the addresses here, and a bundle with the
/// authority that vouches for them.</summary>
internal sealed class TlsFront : IDisposable
{
    /// <summary>Where OpenSSL looks for authorities. Lambda sets neither.</summary>
    /// <remarks>https://docs.openssl.org/3.0/man3/SSL_CTX_load_verify_locations/</remarks>
    private const string Bundle = "SSL_CERT_FILE", Folder = "SSL_CERT_DIR";

    private readonly Dictionary<int, TcpListener> _fronts = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("tls-front-").FullName;
    private readonly LocalAuthority _authority;
    private readonly X509Certificate2 _certificate;

    public TlsFront(TimeProvider clock)
    {
        _authority = LocalAuthority.Create(_folder, clock);
        _certificate = _authority.Issue($"{IPAddress.Loopback}");
    }

    /// <summary>The same settings, with every address of this machine behind TLS.</summary>
    public Dictionary<string, string?> Before(IReadOnlyDictionary<string, string?> environment)
    {
        // Beside all that a machine has: they are read before the first connection. The small Slack is behind TLS already, and has an authority of its own.
        string?[] parts = [_authority.File, environment.GetValueOrDefault(Bundle), .. Authorities.Bundles];
        var bundle = Path.Combine(_folder, "bundle.pem");
        File.WriteAllLines(bundle, parts.Where(File.Exists).Select(part => File.ReadAllText(part!)));
        // A queue's address is its name, and stays.
        var secure = new Dictionary<string, string?>(environment) { [Bundle] = bundle, [Folder] = null };
        foreach (var (name, value) in environment)
        {
            if (name.StartsWith("AWS_ENDPOINT_URL_", StringComparison.Ordinal))
                secure[name] = Front(new Uri(value!).Port);
        }
        return secure;
    }

    public void Dispose()
    {
        _stop.Cancel();
        foreach (var front in _fronts.Values)
            front.Dispose();
        _stop.Dispose();
        _certificate.Dispose();
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private string Front(int behind)
    {
        if (!_fronts.TryGetValue(behind, out var front))
        {
            front = _fronts[behind] = new(IPAddress.Loopback, 0);
            front.Start();
            _ = TakeAsync(front, behind);
        }
        return $"https://{front.LocalEndpoint}";
    }

    private async Task TakeAsync(TcpListener front, int behind)
    {
        try
        {
            while (true)
                _ = PassAsync(await front.AcceptTcpClientAsync(_stop.Token), behind);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException) { }
    }

    private async Task PassAsync(TcpClient caller, int behind)
    {
        using var server = new TcpClient { NoDelay = true };
        using (caller)
        {
            try
            {
                caller.NoDelay = true;
                await using var secure = new SslStream(caller.GetStream());
                await secure.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _stop.Token);
                await server.ConnectAsync(IPAddress.Loopback, behind, _stop.Token);
                await using var plain = server.GetStream();
                await Task.WhenAny(secure.CopyToAsync(plain, _stop.Token), plain.CopyToAsync(secure, _stop.Token));
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException
                or System.Security.Authentication.AuthenticationException)
            { }
        }
    }
}
