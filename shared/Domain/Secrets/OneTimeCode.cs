using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace ControlPlane.Secrets;

/// <summary>128 random bits that let their holder do one thing, as 22 characters of base64url. Only its hash is ever stored.</summary>
public sealed class OneTimeCode
{
    private const int Bytes = 16;
    private const int Length = 22;

    private static readonly System.Buffers.SearchValues<char> Alphabet =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    private OneTimeCode(string text) => Text = text;

    public string Text { get; }

    /// <summary>SHA-256 in hexadecimal. Nobody guesses 128 bits, so there is nothing to slow down.</summary>
    public string Hash => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(Text)));

    public static OneTimeCode Make() => new(Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(Bytes)));

    /// <returns>False for what is none by its form: no table is asked for it.</returns>
    public static bool TryParse(string? text, [NotNullWhen(true)] out OneTimeCode? code)
    {
        // The last character carries the last two bits, so four of the 64 can stand there.
        var valid = text is { Length: Length } && !text.AsSpan().ContainsAnyExcept(Alphabet) && "AQgw".Contains(text[^1], StringComparison.Ordinal);
        code = valid ? new(text!) : null;
        return valid;
    }

    public override string ToString() => "OneTimeCode";

    /// <summary>What a person calls a code by, of its hash: enough to tell a tenant's few apart, and no help in finding the code.</summary>
    public static string IdOf(string hash) => hash[..12];
}
