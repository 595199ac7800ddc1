using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using ControlPlane.Http;
using ControlPlane.Text;

namespace ControlPlane.AdminPanel.Identity;

/// <summary>Whom to believe.</summary>
/// <param name="Arn">The load balancer's, as it signs.</param>
/// <param name="Client">Its client id at the identity provider.</param>
/// <param name="Issuer">The identity provider.</param>
internal sealed record TrustedBalancer(string Arn, string Client, string Issuer);

/// <summary>What came of looking who somebody is.</summary>
internal abstract record IdentityResult
{
    private IdentityResult() { }

    public sealed record Known(Visitor Visitor) : IdentityResult;

    /// <param name="Why">For the log: which check failed.</param>
    public sealed record Unknown(string Why) : IdentityResult;

    /// <summary>Somebody, but none of those who may come in.</summary>
    public sealed record NoRole(string Subject) : IdentityResult;

    /// <summary>The key could not be had: nobody is let in, and it is worth another try.</summary>
    public sealed record NoKey(Exception Why) : IdentityResult;
}

/// <summary>Decides who somebody is, from what the load balancer signed and nothing else.</summary>
/// <remarks><c>x-amzn-oidc-data</c> is a JWT whose three parts AWS pads with <c>=</c>, which the signature covers:
/// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html#user-claims-encoding</remarks>
internal sealed partial class IdentityCheck(TrustedBalancer balancer, RoleRules roles, BalancerKeys keys, TimeProvider clock)
{
    private const string Header = "x-amzn-oidc-data";

    // https://openid.net/specs/openid-connect-core-1_0.html#IDToken: a subject has 255 characters at most.
    private const int LongestToken = 16 * 1024, LongestSubject = 255;

    public async Task<IdentityResult> OfAsync(RawRequest request, CancellationToken cancel)
    {
        if (!request.TryHeader(Header, out var token))
            return new IdentityResult.Unknown(request.HasHeader(Header) ? "header-repeated" : "header-missing");
        if (token.Length > LongestToken)
            return new IdentityResult.Unknown("header-long");
        if (token.Split('.') is not [var head, var body, var seal] || Decode(head) is not { } headBytes || Decode(body) is not { } bodyBytes
            || Decode(seal) is not { Length: 64 } signature)
            return new IdentityResult.Unknown("malformed");
        if (!StrictJson.TryParseObject(headBytes, out var header) || StrictJson.TextOf(header, "alg") != "ES256")
            return new IdentityResult.Unknown("algorithm");
        if (StrictJson.TextOf(header, "signer") != balancer.Arn)
            return new IdentityResult.Unknown("signer");
        if (StrictJson.TextOf(header, "client") != balancer.Client || StrictJson.TextOf(header, "iss") != balancer.Issuer)
            return new IdentityResult.Unknown("client");
        if (!header.TryGetProperty("exp", out var exp) || exp.ValueKind != JsonValueKind.Number || !exp.TryGetInt64(out var seconds)
            || seconds <= clock.GetUtcNow().ToUnixTimeSeconds())
            return new IdentityResult.Unknown("expired");
        if (StrictJson.TextOf(header, "kid") is not { } keyId || !KeyIdShape().IsMatch(keyId))
            return new IdentityResult.Unknown("key-id");

        ECDsa? key;
        try
        {
            key = await keys.FindAsync(keyId, cancel);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return new IdentityResult.NoKey(e);
        }
        if (key is null)
            return new IdentityResult.Unknown("key-unknown");
        if (!key.VerifyData(Encoding.ASCII.GetBytes(token[..(head.Length + 1 + body.Length)]), signature, HashAlgorithmName.SHA256))
            return new IdentityResult.Unknown("signature");
        return StrictJson.TryParseObject(bodyBytes, out var claims) && StrictJson.TextOf(claims, "sub") is { Length: > 0 and <= LongestSubject } subject
            ? Known(claims, subject)
            : new IdentityResult.Unknown("claims");
    }

    private IdentityResult Known(JsonElement claims, string subject) => roles.Of(claims) is { } role
        ? new IdentityResult.Known(new(balancer.Issuer, subject, StrictJson.TextOf(claims, "email"), role))
        : new IdentityResult.NoRole(subject);

    // base64url with its padding: without it, or with more, the token is not one of the load balancer's.
    private static byte[]? Decode(string part) =>
        part.Length > 0 && !part.AsSpan().ContainsAny('+', '/') ? StrictBase64.Decode(part.Replace('-', '+').Replace('_', '/')) : null;

    [GeneratedRegex(@"\A[A-Za-z0-9-]{1,64}\z")]
    private static partial Regex KeyIdShape();
}
