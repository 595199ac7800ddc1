using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ControlPlane.Text;

namespace ControlPlane.Slack;

/// <summary>What Slack signs with, what reply addresses are encrypted with, and what CloudFront proves itself with.</summary>
public sealed class SlackSecret
{
    private readonly byte[] _origin;

    private SlackSecret(byte[] signingKey, byte[] replyKey, byte[] origin) => (SigningKey, ReplyKey, _origin) = (signingKey, replyKey, origin);

    /// <summary>How long the previous version is honoured: Slack keeps signing with an old secret for 24 hours after it was replaced.</summary>
    public static readonly TimeSpan Overlap = TimeSpan.FromHours(24);

    public byte[] SigningKey { get; }

    /// <summary>32 bytes, AES-256.</summary>
    public byte[] ReplyKey { get; }

    /// <summary>Whether this is the value that CloudFront adds. Hashed first, so that not even its length shows in the time it takes.</summary>
    public bool IsOrigin(ReadOnlySpan<byte> value) => CryptographicOperations.FixedTimeEquals(SHA256.HashData(value), _origin);

    public override string ToString() => "SlackSecret";

    /// <param name="text"><c>{"signing_secret":"…","response_url_key":"base64 of 32 bytes","origin_verify":"…"}</c></param>
    /// <exception cref="FormatException">Not such an object, or a value is empty, blank or has blanks or line feeds around it.</exception>
    /// <remarks>A line feed at the end is refused rather than trimmed: it is there because somebody piped a file, and then the other end has it or has it
    /// not.</remarks>
    public static SlackSecret Parse(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new() { AllowDuplicateProperties = false, MaxDepth = 4 });
            var key = StrictBase64.Decode(Required(document.RootElement, "response_url_key"));
            if (key is not { Length: 32 })
                throw new FormatException("response_url_key is not base64 of 32 bytes.");
            return new(
                Encoding.UTF8.GetBytes(Required(document.RootElement, "signing_secret")),
                key,
                SHA256.HashData(Encoding.UTF8.GetBytes(Required(document.RootElement, "origin_verify"))));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The parser's message quotes what it stumbled over.
            throw new FormatException("The Slack secret is not the JSON object it should be.");
        }
    }

    private static string Required(JsonElement json, string name)
    {
        if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.String)
            throw new FormatException($"The Slack secret lacks {name}.");
        var text = value.GetString()!;
        return text.Length > 0 && text.AsSpan().Trim().Length == text.Length
            ? text
            : throw new FormatException($"The Slack secret's {name} is empty or has blanks around it.");
    }
}
