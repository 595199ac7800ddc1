using System.Diagnostics.CodeAnalysis;

namespace ControlPlane.SlackHandler.Replies;

/// <summary>A <c>response_url</c> that may be posted to: HTTPS, Slack's own hosts, the default port, nothing in front of the host.</summary>
/// <remarks>Whoever knows it can post in the user's channel: it is never printed.</remarks>
internal sealed class ReplyUrl
{
    private const int Longest = 511;

    private static readonly string[] Places = ["https://hooks.slack.com/", "https://hooks.slack-gov.com/"];

    private ReplyUrl(Uri url) => Url = url;

    public Uri Url { get; }

    public override string ToString() => "ReplyUrl";

    public static bool TryParse(string? text, [NotNullWhen(true)] out ReplyUrl? url)
    {
        url = null;
        // The slash that ends the host is part of the comparison, so nothing can follow the host or stand before it.
        if (text is not { Length: <= Longest } || text.AsSpan().ContainsAnyExceptInRange('!', '~') || text.Contains('\\', StringComparison.Ordinal)
            || HasDotSegment(text)
            || Array.Find(Places, place => text.StartsWith(place, StringComparison.Ordinal)) is not { } place
            || !Uri.TryCreate(text, UriKind.Absolute, out var parsed) || !parsed.AbsoluteUri.StartsWith(place, StringComparison.Ordinal))
            return false;
        url = new(parsed);
        return true;
    }

    // On the text as it came: what parses it afterwards would have taken such segments away, and with them what stood before.
    private static bool HasDotSegment(string text) =>
        text.Contains("%2e", StringComparison.OrdinalIgnoreCase) || text.Split('/', '?', '#').Any(segment => segment is "." or "..");
}
