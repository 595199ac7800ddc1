using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json;
using ControlPlane.Tenants;
using Microsoft.IdentityModel.Tokens;

namespace ControlPlane.Tokens;

/// <summary>A P-256 key that verifies ES256 signatures.</summary>
/// <remarks>Lives as long as the process: it is made once per tenant and generation and never disposed while a request may use it.</remarks>
public sealed class PublicKey : IDisposable
{
    private const int CoordinateBytes = 32;

    private readonly ECDsa _key;
    private readonly string _x;
    private readonly string _y;

    internal PublicKey(ECDsa key)
    {
        _key = key;
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        _x = Base64Url.EncodeToString(point.X);
        _y = Base64Url.EncodeToString(point.Y);

        Id = Thumbprint.Of($$"""{"crv":"P-256","kty":"EC","x":"{{_x}}","y":"{{_y}}"}""");
        ForVerifying = KeyObject(_key, Id);
    }

    /// <summary>The <c>kid</c> of every token this key verifies.</summary>
    public KeyId Id { get; }

    internal SecurityKey ForVerifying { get; }

    /// <summary>Reads a JSON Web Key, unless it says of itself that it is for something else than verifying ES256 signatures, or carries the private half: who
    /// shows that has lost it.</summary>
    /// <remarks>IdentityModel does not look at <c>use</c> and <c>key_ops</c> (RFC 7517 §4.2, §4.3), so they are judged here.</remarks>
    public static bool TryImport(JsonElement jwk, [NotNullWhen(true)] out PublicKey? key)
    {
        key = null;
        if (!Is(jwk, "kty", "EC") || !Is(jwk, "crv", "P-256") || !IsAbsentOr(jwk, "use", "sig") || !IsAbsentOr(jwk, "alg", TokenKinds.Algorithm)
            || !MayVerify(jwk)
            || jwk.TryGetProperty("d", out _))
            return false;
        if (Coordinate(jwk, "x") is not { } x || Coordinate(jwk, "y") is not { } y)
            return false;
        try
        {
            key = new(ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new() { X = x, Y = y } }));
            return true;
        }
        catch (CryptographicException)
        {
            return false;                                   // not a point of the curve
        }
    }

    /// <summary>The form in which an engine's credential takes the key.</summary>
    public string ToPem() => _key.ExportSubjectPublicKeyInfoPem();

    public void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("kty", "EC");
        json.WriteString("crv", "P-256");
        json.WriteString("x", _x);
        json.WriteString("y", _y);
        json.WriteString("kid", Id.ToString());
        json.WriteString("use", "sig");
        json.WriteString("alg", TokenKinds.Algorithm);
        json.WriteEndObject();
    }

    public override string ToString() => Id.ToString();

    public void Dispose() => _key.Dispose();

    // IdentityModel caches signature providers by thumbprint; one whose key object is gone makes valid tokens fail on and off.
    internal static ECDsaSecurityKey KeyObject(ECDsa key, KeyId id) =>
        new(key) { KeyId = id.ToString(), CryptoProviderFactory = new() { CacheSignatureProviders = false } };

    private static bool Is(JsonElement jwk, string name, string value) =>
        jwk.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String && member.ValueEquals(value);

    private static bool IsAbsentOr(JsonElement jwk, string name, string value) => !jwk.TryGetProperty(name, out _) || Is(jwk, name, value);

    private static bool MayVerify(JsonElement jwk) =>
        !jwk.TryGetProperty("key_ops", out var operations)
        || (operations.ValueKind == JsonValueKind.Array
            && operations.EnumerateArray().Any(one => one.ValueKind == JsonValueKind.String && one.ValueEquals("verify")));

    private static byte[]? Coordinate(JsonElement jwk, string name) =>
        jwk.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String
        && CompactToken.Decode(member.GetString()) is { Length: CoordinateBytes } bytes
            ? bytes
            : null;
}
