using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ControlPlane.Local.Peering;

/// <summary>A certificate authority that lives for one run, so that calls to Slack can be caught under Slack's own name.</summary>
/// <remarks>Its key never leaves this process. Functions trust it through SSL_CERT_FILE, which .NET honours on Linux.</remarks>
internal sealed class LocalAuthority : IDisposable
{
    private readonly X509Certificate2 _root;
    private readonly TimeProvider _clock;

    private LocalAuthority(X509Certificate2 root, string file, TimeProvider clock) => (_root, File, _clock) = (root, file, clock);

    /// <summary>The authority's certificate as PEM.</summary>
    public string File { get; }

    public static LocalAuthority Create(string folder, TimeProvider clock)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Local control plane of this run", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(
            new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var root = request.CreateSelfSigned(clock.GetUtcNow().AddHours(-1), clock.GetUtcNow().AddDays(30));

        var file = Path.Combine(folder, "slack-authority.pem");
        System.IO.File.WriteAllText(file, root.ExportCertificatePem());
        return new(root, file, clock);
    }

    /// <param name="hosts">Names or addresses.</param>
    public X509Certificate2 Issue(params IReadOnlyList<string> hosts)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={hosts[0]}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts)
        {
            if (IPAddress.TryParse(host, out var address))
                names.AddIpAddress(address);
            else
                names.AddDnsName(host);
        }
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));    // server authentication
        request.CertificateExtensions.Add(
            X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_root, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        using var bare = request.Create(_root, _clock.GetUtcNow().AddHours(-1), _clock.GetUtcNow().AddDays(29), RandomNumberGenerator.GetBytes(16));
        return bare.CopyWithPrivateKey(key);
    }

    public void Dispose() => _root.Dispose();
}
