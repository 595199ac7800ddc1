using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

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
    private readonly X509Certificate2 _certificate;
    private readonly string _authority, _bundle = Path.GetTempFileName();

    public TlsFront(TimeProvider clock)
    {
        var now = clock.GetUtcNow();
        // RSA with 2,048 bits, the most usual.
        using RSA root = RSA.Create(2048), key = RSA.Create(2048);
        var authority = new CertificateRequest("CN=Cold start", root, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        using var issuer = authority.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(issuer, now.AddHours(-1), now.AddHours(23), RandomNumberGenerator.GetBytes(8));
        _certificate = certificate.CopyWithPrivateKey(key);
        _authority = issuer.ExportCertificatePem();
    }

    /// <summary>The same settings, with every address of this machine behind TLS.</summary>
    public Dictionary<string, string?> Before(IReadOnlyDictionary<string, string?> environment)
    {
        // Beside all that a machine has: they are read before the first connection. The small Slack is behind TLS already, and has an authority of its own.
        string?[] others = [environment.GetValueOrDefault(Bundle), "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];
        File.WriteAllLines(_bundle, [_authority, .. others.Where(File.Exists).Select(other => File.ReadAllText(other!))]);
        // A queue's address is its name, and stays.
        var secure = new Dictionary<string, string?>(environment) { [Bundle] = _bundle, [Folder] = null };
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
        File.Delete(_bundle);
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
