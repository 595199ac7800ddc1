using System.Buffers.Binary;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using ControlPlane.Tenants;
using NSec.Cryptography;
using Ed25519PublicKey = NSec.Cryptography.PublicKey;

namespace ControlPlane.Tokens;

/// <summary>An Ed25519 public key that may sign heartbeats.</summary>
/// <remarks>The library takes any 32 bytes for a key. A point of small order would let one signature fit many messages, so those are refused here.</remarks>
public sealed class SidecarPublicKey
{
    public const int Length = 32;

    private static readonly SignatureAlgorithm Algorithm = SignatureAlgorithm.Ed25519;

    // The prime 2^255 − 19 without its lowest word, which is FF…FF but for the top bit; little-endian.
    private const ulong LowestWordOfPrime = 0xFFFF_FFFF_FFFF_FFED;

    // The y of the eight points whose order divides 8, each with either sign of x: order 4, 1, 2, and twice order 8.
    private static readonly byte[][] SmallOrder =
    [
        Convert.FromHexString("0000000000000000000000000000000000000000000000000000000000000000"),
        Convert.FromHexString("0100000000000000000000000000000000000000000000000000000000000000"),
        Convert.FromHexString("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        Convert.FromHexString("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
        Convert.FromHexString("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    ];

    private readonly Ed25519PublicKey _key;

    private SidecarPublicKey(Ed25519PublicKey key, KeyId keyId) => (_key, KeyId) = (key, keyId);

    /// <summary>The thumbprint of the key as a JWK (RFC 8037 §2).</summary>
    public KeyId KeyId { get; }

    /// <summary>Takes 32 bytes as RFC 8032 §5.1.2 encodes a point: y below the prime, and no point of small order.</summary>
    public static bool TryImport(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out SidecarPublicKey? key)
    {
        key = null;
        if (bytes.Length != Length)
            return false;

        Span<byte> y = stackalloc byte[Length];
        bytes.CopyTo(y);
        y[^1] &= 0x7F;                                      // the top bit is the sign of x
        if (!IsBelowPrime(y) || IsOfSmallOrder(y) || !Ed25519PublicKey.TryImport(Algorithm, bytes, KeyBlobFormat.RawPublicKey, out var imported))
            return false;

        key = new(imported!, IdOf(bytes));
        return true;
    }

    /// <summary>The same for a key that is new: also refuses bytes that are no point, so that a key that was cut or retyped is found out now and not by
    /// heartbeats that never verify.</summary>
    /// <remarks>Costs big-number arithmetic, which a heartbeat whose key is on record need not pay.</remarks>
    public static bool TryAdmit(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out SidecarPublicKey? key)
    {
        if (TryImport(bytes, out key) && !EdwardsPoint.IsOnCurve(bytes))
            key = null;
        return key is not null;
    }

    /// <returns>False also for a signature of the wrong length; never an exception.</returns>
    public bool Verify(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) => Algorithm.Verify(_key, message, signature);

    private static bool IsBelowPrime(ReadOnlySpan<byte> y) =>
        BinaryPrimitives.ReadUInt64LittleEndian(y) < LowestWordOfPrime || y[8..^1].ContainsAnyExcept((byte)0xFF) || y[^1] != 0x7F;

    private static bool IsOfSmallOrder(ReadOnlySpan<byte> y)
    {
        foreach (var known in SmallOrder)
            if (y.SequenceEqual(known))
                return true;
        return false;
    }

    private static KeyId IdOf(ReadOnlySpan<byte> bytes) => Thumbprint.Of($$"""{"crv":"Ed25519","kty":"OKP","x":"{{Base64Url.EncodeToString(bytes)}}"}""");
}
