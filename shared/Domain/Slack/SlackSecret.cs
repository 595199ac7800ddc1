using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ControlPlane.Secrets;
using ControlPlane.Text;

namespace ControlPlane.Slack;

/// <summary>What Slack signs with, what reply addresses and bot tokens are encrypted with, what CloudFront proves itself with, and the app's
/// credentials.</summary>
public sealed class SlackSecret
{
    private readonly byte[] _origin;

    private SlackSecret(byte[] signingKey, byte[] replyKey, byte[] origin) => (SigningKey, ReplyKey, _origin) = (signingKey, replyKey, origin);

    /// <summary>The app's own credentials for OAuth; null where the app is not distributed, so that nobody can install it.</summary>
    public SlackClient? Client { get; private init; }

    /// <summary>32 bytes, AES-256, for workspaces' bot tokens; null where there are none.</summary>
    public byte[]? TokenKey { get; private init; }

    /// <summary>How long the previous version is honoured: Slack keeps signing with an old secret for 24 hours after it was replaced.</summary>
    public static readonly TimeSpan Overlap = TimeSpan.FromHours(24);

    public byte[] SigningKey { get; }

    /// <summary>32 bytes, AES-256.</summary>
    public byte[] ReplyKey { get; }

    /// <summary>Whether this is the value that CloudFront adds. Hashed first, so that not even its length shows in the time it takes.</summary>
    public bool IsOrigin(ReadOnlySpan<byte> value) => CryptographicOperations.FixedTimeEquals(SHA256.HashData(value), _origin);

    public override string ToString() => "SlackSecret";

    /// <param name="text"><c>{"signing_secret":"…","response_url_key":"base64 of 32 bytes","origin_verify":"…"}</c>, and where
    /// workspaces may install the app <c>"client_id":"…","client_secret":"…","bot_token_key":"base64 of 32 bytes"</c>.</param>
    /// <exception cref="FormatException">Not such an object, or a value is empty, blank or has blanks or line feeds around it.</exception>
    /// <remarks>A line feed at the end is refused rather than trimmed: it is there because somebody piped a file, and then the other end has it or has it
    /// not.</remarks>
    public static SlackSecret Parse(string text)
    {
        if (!StrictJson.TryParseObject(text, out var json))
            throw new FormatException("The Slack secret is not the JSON object it should be.");
        return new(
            Encoding.UTF8.GetBytes(Required(json, "signing_secret")),
            Key(json, "response_url_key"),
            SHA256.HashData(Encoding.UTF8.GetBytes(Required(json, "origin_verify"))))
        {
            Client = Optional(json, "client_id") is { } id && Optional(json, "client_secret") is { } secret ? new(id, secret) : null,
            TokenKey = Optional(json, "bot_token_key") is not null ? Key(json, "bot_token_key") : null,
        };
    }

    // What is there has to be right.
    private static string? Optional(JsonElement json, string name) => json.TryGetProperty(name, out _) ? Required(json, name) : null;

    private static byte[] Key(JsonElement json, string name) =>
        StrictBase64.Decode(Required(json, name)) is { Length: Seal.KeySize } key ? key : throw new FormatException($"{name} is not base64 of 32 bytes.");

    private static string Required(JsonElement json, string name)
    {
        var text = StrictJson.TextOf(json, name) ?? throw new FormatException($"The Slack secret lacks {name}.");
        return text.Length > 0 && text.AsSpan().Trim().Length == text.Length
            ? text
            : throw new FormatException($"The Slack secret's {name} is empty or has blanks around it.");
    }
}

/// <summary>What the app proves itself with when it exchanges an installation's code: https://docs.slack.dev/authentication/installing-with-oauth</summary>
/// <param name="Id">Public: it stands in the address that a browser is sent to.</param>
public sealed record SlackClient(string Id, string Secret)
{
    public override string ToString() => $"SlackClient {Id}";
}
