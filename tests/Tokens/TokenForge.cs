using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using ControlPlane.Executions;
using ControlPlane.Secrets;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;
using ControlPlane.Tokens;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.Tokens;
using PublicKey = ControlPlane.Tokens.PublicKey;

namespace ControlPlane.Tests.Tokens;

/// <summary>Makes tokens that no minter of ours would make, with keys that a verifier of ours knows.</summary>
internal sealed partial class TokenForge : IDisposable
{
    public static readonly Uri Issuer = new("https://api.example.com");
    public static readonly TenantId Tenant1 = TenantId.Parse("tenant-1");
    public static readonly TenantId Tenant2 = TenantId.Parse("tenant-2");
    public static readonly ExecutionId Execution = ExecutionId.Of("T0001", "one");

    public const string ValidHeader = """{"alg":"ES256","typ":"${typ}","kid":"${kid}"}""";
    public const string ValidPayload = """{"iss":"${iss}","aud":"${aud}","sub":"${sub}","jti":"${jti}","iat":${now},"nbf":${now},"exp":${now+60}${more}}""";

    private readonly ECDsa _attacker = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly TenantSigningKey _ours;
    private readonly TenantSigningKey _theirs;

    private TokenForge(TenantSigningKey ours, TenantSigningKey theirs, TenantKeys keys, FakeTimeProvider clock)
    {
        (_ours, _theirs, Clock) = (ours, theirs, clock);
        Minter = new(Issuer, clock);
        Verifier = new(keys, Issuer, clock);
    }

    public FakeTimeProvider Clock { get; }
    public TokenMinter Minter { get; }
    public TokenVerifier Verifier { get; }
    public PublicKey OurKey => _ours.Public;
    public PublicKey TheirKey => _theirs.Public;

    public static async Task<TokenForge> CreateAsync()
    {
        // IdentityModel's own lifetime check reads the system's clock, so the tests that compare with it start there.
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var secrets = KeptSecrets.WithRoot("v1", clock.GetUtcNow() - TimeSpan.FromDays(30));
        var keys = new TenantKeys(new RotatingSecret<RootSecret>(secrets, "root", RootSecret.Parse, RootSecret.Overlap, clock), clock);
        return new(await keys.ToSignAsync(Tenant1, CancellationToken.None), await keys.ToSignAsync(Tenant2, CancellationToken.None), keys, clock);
    }

    /// <summary>Builds a token as a case of <c>callback_token_cases.json</c> describes it.</summary>
    public string Build(string header, string payload, string sign = "es256", string? text = null)
    {
        if (sign == "dispatch-token")
            return Minter.ForDispatch(_ours, Tenant1, Execution, WorkflowName.Parse("wf_sched"), "{}"u8).Text;

        var head = Encoding.UTF8.GetBytes(Fill(header));
        var body = Bytes(Fill(payload), text);
        var signed = $"{Base64Url.EncodeToString(head)}.{Base64Url.EncodeToString(body)}";
        var signature = sign switch
        {
            "absent" => null,
            "es256-of-valid-header" => Sign($"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(Fill(ValidHeader)))}.{Base64Url.EncodeToString(body)}", "es256"),
            _ => Sign(signed, sign),
        };
        return Alter(signature is null ? signed : $"{signed}.{Base64Url.EncodeToString(signature)}", text);
    }

    public void Dispose() => _attacker.Dispose();

    private static ECDsa Private(TenantSigningKey key) => ((ECDsaSecurityKey)key.Credentials.Key).ECDsa;

    private byte[] Sign(string signed, string how)
    {
        var data = Encoding.ASCII.GetBytes(signed);
        if (how.StartsWith("hs256:", StringComparison.Ordinal))
            return HMACSHA256.HashData(PublicBytes(how["hs256:".Length..]), data);
        var key = how switch { "es256-other-tenant" => Private(_theirs), "es256-attacker" => _attacker, _ => Private(_ours) };
        var good = key.SignData(
            data, how switch { "es256key-sha384" => HashAlgorithmName.SHA384, "es256key-sha512" => HashAlgorithmName.SHA512, _ => HashAlgorithmName.SHA256 });
        return how switch
        {
            "empty" => [],
            "es256:der" => key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence),
            "es256:r-zero" => [.. new byte[32], .. good[32..]],
            "es256:s-zero" => [.. good[..32], .. new byte[32]],
            "es256:ff" => [.. Enumerable.Repeat((byte)0xff, 64)],
            "es256:one" => [.. new byte[31], 1, .. new byte[31], 1],
            "es256:65-end" => [.. good, 0],
            "es256:65-front" => [0, .. good],
            "es256:double" => [.. good, .. good],
            "es256:flip" => [.. good[..63], (byte)(good[63] ^ 1)],
            "es256" or "es256-other-tenant" or "es256-attacker" or "es256key-sha384" or "es256key-sha512" => good,
            _ => throw new ArgumentOutOfRangeException(nameof(how), how, "unknown way to sign"),
        };
    }

    private byte[] PublicBytes(string form)
    {
        var key = Private(_ours);
        var point = key.ExportParameters(false).Q;
        return form switch
        {
            "spki-der" => key.ExportSubjectPublicKeyInfo(),
            "spki-pem" => Encoding.ASCII.GetBytes(key.ExportSubjectPublicKeyInfoPem()),
            "xy" => [.. point.X!, .. point.Y!],
            "uncompressed-point" => [4, .. point.X!, .. point.Y!],
            "empty" => [],
            _ => throw new ArgumentOutOfRangeException(nameof(form), form, "unknown form"),
        };
    }

    // What alters the payload comes before signing, so that the signature is not what refuses it.
    private static byte[] Bytes(string payload, string? text) => text switch
    {
        "payload-bom" => [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(payload)],
        "payload-latin1" => Encoding.Latin1.GetBytes(payload.Insert(1, "\"x\":\"\u00e9\",")),
        "300k" => Encoding.UTF8.GetBytes(payload.Insert(1, $"\"x\":\"{new string('A', 300_000)}\",")),
        _ => Encoding.UTF8.GetBytes(payload),
    };

    private string Alter(string token, string? text) => text switch
    {
        null or "payload-bom" or "payload-latin1" or "300k" => token,
        "pad1" => token + "=",
        "pad2" => token + "==",
        "space-front" => " " + token,
        "space-end" => token + " ",
        "trailing-bits" => token[..^1] + NextOf(token[^1]),
        "newline-inside" => token.Insert(token.Length / 2, "\n"),
        "bearer" => "Bearer " + token,
        "fourth-part" => token + ".AAAA",
        "five-parts" => token + ".AAAA.AAAA",
        "thousand-dots" => new string('.', 1000),
        "nothing" => "",
        "payload-swapped" => string.Join('.', token.Split('.') is var parts
            ? [parts[0],
                Base64Url.EncodeToString(
                    Encoding.UTF8.GetBytes(Fill(ValidPayload.Replace("${sub}", ExecutionId.Of("T0001", "two").ToString(), StringComparison.Ordinal)))),
                parts[2]]
            : []),
        _ => throw new ArgumentOutOfRangeException(nameof(text), text, "unknown alteration"),
    };

    // The last of 86 characters carries two bits: the next letter decodes to the same bytes.
    private static char NextOf(char last)
    {
        const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        return Alphabet[Alphabet.IndexOf(last, StringComparison.Ordinal) + 1];
    }

    private string Fill(string template) => Placeholder().Replace(template, match => match.Groups[1].Value switch
    {
        "iss" => Issuer.OriginalString,
        "other_iss" => "https://api.example.org",
        "aud" => TokenKinds.OutcomeAudience,
        "AUD" => TokenKinds.OutcomeAudience.ToUpperInvariant(),
        "sub" => Execution.ToString(),
        "other_sub" => ExecutionId.Of("T0002", "one").ToString(),
        "jti" => "AAAAAAAAAAAAAAAAAAAAAA",
        "kid" => _ours.Id.ToString(),
        "KID" => _ours.Id.ToString().ToUpperInvariant(),
        "other_kid" => _theirs.Id.ToString(),
        "typ" => TokenKinds.OutcomeType,
        "more" => ",\"tenant_id\":\"tenant-1\"",
        "attacker_jwk" => AttackerJwk(),
        "attacker_cert" => AttackerCertificate(),
        ['n', 'o', 'w', .. var offset] =>
            (Clock.GetUtcNow().ToUnixTimeSeconds() + (offset.Length == 0 ? 0 : long.Parse(offset, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture)))
                .ToString(CultureInfo.InvariantCulture),
        ['A', '*', .. var count] => new string('A', int.Parse(count, CultureInfo.InvariantCulture)),
        ['[', '*', .. var depth] => int.Parse(depth, CultureInfo.InvariantCulture) is var n ? new string('[', n) + new string(']', n) : "",
        var unknown => throw new ArgumentOutOfRangeException(nameof(template), unknown, "unknown placeholder"),
    });

    private string AttackerJwk()
    {
        using var document = JsonDocument.Parse(JwkSet.Write([new PublicKey(ECDsa.Create(_attacker.ExportParameters(false)))]));
        return document.RootElement.GetProperty("keys")[0].GetRawText();
    }

    private string AttackerCertificate()
    {
        using var certificate = new CertificateRequest("CN=attacker", _attacker, HashAlgorithmName.SHA256)
            .CreateSelfSigned(Clock.GetUtcNow().AddDays(-1), Clock.GetUtcNow().AddDays(1));
        return Convert.ToBase64String(certificate.Export(X509ContentType.Cert));
    }

    [GeneratedRegex(@"\$\{([^}]+)\}")]
    private static partial Regex Placeholder();
}
