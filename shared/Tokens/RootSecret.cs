using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Tokens;

/// <summary>The one secret behind every tenant's signing key, <c>{"root":"base64 of at least 32 bytes"}</c> in Secrets Manager.</summary>
public sealed class RootSecret
{
    public const int LeastBytes = 32;

    /// <summary>For how long after a rotation the previous version still signs: until every copy of the public keys that may be cached has the new
    /// one.</summary>
    public static readonly TimeSpan PublishFirst = TimeSpan.FromMinutes(10);

    /// <summary>For how long after a rotation the previous version is accepted: the longest life of a token that it signed last.</summary>
    public static readonly TimeSpan Overlap = PublishFirst + TokenLives.LongestOutcome;

    private const int ExpandedBytes = 48;                   // FIPS 186-5 A.2.1: at least 64 bits more than the order has

    private static readonly BigInteger OrderMinusOne =
        BigInteger.Parse("0FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551", System.Globalization.NumberStyles.HexNumber) - 1;

    private readonly byte[] _root;

    private RootSecret(byte[] root) => _root = root;

    /// <exception cref="FormatException">This is no root secret. The message does not quote it.</exception>
    public static RootSecret Parse(string json) =>
        Read(json) is { Length: >= LeastBytes } root
        ? new(root)
        : throw new FormatException($"The token root secret is not {{\"root\":\"base64 of at least {LeastBytes} bytes\"}}.");

    /// <summary>The tenant's own key under this version of the secret: nobody else's verifies with it.</summary>
    /// <remarks>48 bytes of HKDF-SHA256 (RFC 5869, no salt, info = the ASCII bytes of <c>tenant-43|version id</c>), read as a big-endian number x;
    /// d = x mod (n − 1) + 1. tests/Tokens/derivation.json has examples that another implementation computed.</remarks>
    public TenantSigningKey KeyOf(TenantId tenant, string versionId)
    {
        Span<byte> expanded = stackalloc byte[ExpandedBytes];
        var scalar = new byte[32];
        try
        {
            HKDF.DeriveKey(HashAlgorithmName.SHA256, _root, expanded, salt: [], info: Encoding.ASCII.GetBytes($"{tenant}|{versionId}"));
            var d = new BigInteger(expanded, isUnsigned: true, isBigEndian: true) % OrderMinusOne + 1;
            var missing = scalar.Length - d.GetByteCount(isUnsigned: true);
            d.TryWriteBytes(scalar.AsSpan(missing), out _, isUnsigned: true, isBigEndian: true);
            return new(ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = scalar }));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(expanded);
            CryptographicOperations.ZeroMemory(scalar);
        }
    }

    public override string ToString() => nameof(RootSecret);

    private static byte[]? Read(string json) =>
        StrictJson.TryParseObject(json, out var value) && StrictJson.TextOf(value, "root") is { } root ? StrictBase64.Decode(root) : null;
}
