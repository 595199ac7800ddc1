using System.Diagnostics.CodeAnalysis;

namespace ControlPlane.Slack;

/// <summary>A workspace's bot token. Whoever knows it can post in that workspace: it is never printed.</summary>
public sealed class BotToken
{
    private const int Longest = 512;

    private BotToken(string value) => Value = value;

    /// <summary>For the <c>Authorization</c> header and the seal alone.</summary>
    public string Value { get; }

    public override string ToString() => "BotToken";

    /// <remarks>https://docs.slack.dev/authentication/tokens: a bot's begin with <c>xoxb-</c>. The app does not opt in to token rotation, so none
    /// expires.</remarks>
    public static bool TryParse(string? text, [NotNullWhen(true)] out BotToken? token)
    {
        var valid = text is { Length: > 5 and <= Longest } && text.StartsWith("xoxb-", StringComparison.Ordinal)
            && !text.AsSpan().ContainsAnyExceptInRange('!', '~');
        token = valid ? new(text!) : null;
        return valid;
    }
}
