using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Tokens;

/// <summary>A signed token's three parts, taken apart and held to one spelling before any key is looked for.</summary>
/// <remarks>Refuses what IdentityModel lets through: header members other than <c>alg</c>, <c>typ</c> and <c>kid</c> (so <c>crit</c>, <c>b64</c>, <c>zip</c>,
/// <c>jwk</c>…),
/// duplicate members, text behind an object, padding, unused bits.</remarks>
internal sealed class CompactToken
{
    /// <summary>The longest token that is looked at.</summary>
    public const int LongestText = 8192;

    private const int SignatureLength = 86;                 // 64 bytes in base64url

    private static readonly SearchValues<char> Alphabet = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    private CompactToken(string type, KeyId keyId, byte[] payload) => (Type, KeyId, Payload) = (type, keyId, payload);

    public string Type { get; }

    public KeyId KeyId { get; }

    public byte[] Payload { get; }

    public static bool TryRead(string text, [NotNullWhen(true)] out CompactToken? token)
    {
        token = null;
        if (text.Length > LongestText || text.AsSpan().ContainsAnyExcept(Alphabet))
            return false;
        if (text.Split('.') is not [var head, var body, { Length: SignatureLength } signature])
            return false;
        if (Decode(head) is not { } header || Decode(body) is not { } payload || Decode(signature) is null)
            return false;
        if (!TryReadHeader(header, out var type, out var keyId))
            return false;
        token = new(type, keyId, payload);
        return true;
    }

    /// <summary>Decodes base64url in its one canonical spelling: unpadded, no unused bits (RFC 7515 §2).</summary>
    public static byte[]? Decode(ReadOnlySpan<char> text)
    {
        var bytes = new byte[Base64Url.GetMaxDecodedLength(text.Length)];
        if (Base64Url.DecodeFromChars(text, bytes, out var read, out var written) != OperationStatus.Done || read != text.Length)
            return null;
        var decoded = bytes[..written];
        return Base64Url.EncodeToString(decoded).AsSpan().SequenceEqual(text) ? decoded : null;
    }

    private static bool TryReadHeader(byte[] header, [NotNullWhen(true)] out string? type, out KeyId keyId)
    {
        (type, keyId) = (null, default);
        if (!StrictJson.TryParseObject(header, out var json) || json.GetPropertyCount() != 3)
            return false;
        type = StrictJson.TextOf(json, "typ");
        return StrictJson.TextOf(json, "alg") == TokenKinds.Algorithm && type is not null && KeyId.TryParse(StrictJson.TextOf(json, "kid"), out keyId);
    }
}
