using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.SlackHandler.Messages;

/// <summary>Text in Slack's markup. Whatever is put into its holes is escaped, unless it is such text itself.</summary>
/// <remarks>https://docs.slack.dev/messaging/formatting-message-text: with <c>&amp; &lt; &gt;</c> escaped there is no link and no mention but ours.</remarks>
internal readonly partial record struct SlackText
{
    private const int LongestHole = 2000;
    private const int LongestLink = 1000;

    private readonly string? _markup;

    private SlackText(string markup) => _markup = markup;

    public static SlackText Of(Handler text) => new(text.ToString());

    /// <summary>Whether a reader would see nothing: Slack takes no such text.</summary>
    public bool IsBlank => Invisible.IsBlank(_markup);

    /// <summary>Escaped text, cut so that the escaped form has at most <paramref name="longest"/> characters.</summary>
    public static SlackText Cut(string? text, int longest) => new(Escape(text, longest));

    /// <summary>The same of a text from elsewhere, without what is invisible around it; null when nothing is left.</summary>
    public static SlackText? Visible(string? text, int longest) => Invisible.IsBlank(text) ? null : Cut(Invisible.Trim(text!), longest);

    /// <summary>Text to copy: an id, a command. Slack has no way to write a back-tick inside, nor nothing at all.</summary>
    public static SlackText Code(string? text, int longest = 200) =>
        new(Invisible.IsBlank(text) ? "`\"\"`" : $"`{Escape(text!.Replace('`', '\'').Replace('\n', ' '), longest)}`");

    /// <summary>A time, shown in the reader's own zone.</summary>
    public static SlackText Time(DateTimeOffset time) => new(string.Create(
        CultureInfo.InvariantCulture, $"<!date^{time.ToUnixTimeSeconds()}^{{date_short_pretty}} {{time_secs}}|{time.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC>"));

    public static SlackText User(UserId user) => new($"<@{user}>");

    public static SlackText Channel(ChannelId channel) => new($"<#{channel}>");

    /// <summary>A link that shows where it leads; null unless it is an absolute HTTP address, and one of sensible length: a part of it would lead
    /// elsewhere.</summary>
    public static SlackText? Link(string? url) =>
        url is { Length: <= 2000 } && Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme is "https" or "http" && parsed.UserInfo.Length == 0
            && $"<{parsed.AbsoluteUri.Replace("&", "&amp;", StringComparison.Ordinal).Replace("|", "%7C", StringComparison.Ordinal)}>" is { Length: <= LongestLink } link
            ? new(link)
            : null;

    public static SlackText Join(string separator, IEnumerable<SlackText> parts) => new(string.Join(separator, parts));

    /// <summary>At most <paramref name="longest"/> characters of it. A link, a mention or an escape stays whole or goes.</summary>
    public SlackText Within(int longest) => new(Within(ToString(), longest));

    public static string Within(string markup, int longest)
    {
        if (markup.Length <= longest)
            return markup;
        var end = longest - 1;
        if (char.IsLowSurrogate(markup[end]))
            end--;
        // Escaped text has no such characters, so each begins something of ours.
        if (markup.AsSpan(0, end).LastIndexOf('<') is var mark && mark > markup.AsSpan(0, end).LastIndexOf('>'))
            end = mark;
        if (markup.AsSpan(0, end).LastIndexOf('&') is var escape && escape > markup.AsSpan(0, end).LastIndexOf(';'))
            end = escape;
        return string.Concat(markup.AsSpan(0, end), "…");
    }

    /// <summary>Words of ours without their markup: emphasis, emoji, escapes.</summary>
    public static string WithoutMarkup(string markup) => Ornament().Replace(markup, "")
        .Replace("&lt;", "<", StringComparison.Ordinal).Replace("&gt;", ">", StringComparison.Ordinal).Replace("&amp;", "&", StringComparison.Ordinal);

    public override string ToString() => _markup ?? "";

    [GeneratedRegex("""(?<![A-Za-z0-9]):[a-z_]+: ?|[*`]""")]
    private static partial Regex Ornament();

    private static string Escape(string? text, int longest)
    {
        var escaped = new StringBuilder();
        foreach (var rune in (text ?? "").EnumerateRunes())
        {
            var piece = rune.Value switch
            {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '\n' => "\n",
                _ when Rune.IsControl(rune) || TurnsText(rune) => " ",
                _ => rune.ToString(),
            };
            if (escaped.Length + piece.Length > longest - 1)
                return escaped.Append('…').ToString();
            escaped.Append(piece);
        }
        return escaped.ToString();
    }

    // Marks that reorder what follows them could make an answer read as something else.
    private static bool TurnsText(Rune rune) => rune.Value is >= 0x202A and <= 0x202E or >= 0x2066 and <= 0x2069 or 0x2028 or 0x2029;

    [InterpolatedStringHandler]
    public readonly ref struct Handler(int literalLength, int formattedCount)
    {
        private readonly StringBuilder _text = new(literalLength + 16 * formattedCount);

        public void AppendLiteral(string markup) => _text.Append(markup);

        public void AppendFormatted(SlackText text) => _text.Append(text.ToString());

        public void AppendFormatted(string? text) => _text.Append(Escape(text, LongestHole));

        public void AppendFormatted(long number) => _text.Append(number.ToString("N0", CultureInfo.InvariantCulture));

        public override string ToString() => _text.ToString();
    }
}
