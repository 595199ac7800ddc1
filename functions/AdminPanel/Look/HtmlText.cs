using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Unicode;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Text;
using Microsoft.AspNetCore.Html;

namespace ControlPlane.AdminPanel.Look;

/// <summary>Values as the pages show them.</summary>
internal static class HtmlText
{
    /// <summary>Letters of all scripts stay letters; what is markup never is.</summary>
    public static readonly HtmlEncoder Encoder = HtmlEncoder.Create(UnicodeRanges.All);

    /// <summary>Relative, and exact on hover: the script adds the reader's own zone.</summary>
    public static IHtmlContent Time(DateTimeOffset? at, DateTimeOffset now) => at is not { } time
        ? new HtmlString("<span class=\"none\">–</span>")
        : new HtmlString($"<time datetime=\"{Rfc3339.Format(time)}\" title=\"{Rfc3339.Format(time)}\">{Ago(time, now)}</time>");

    /// <summary>An id that a click copies.</summary>
    /// <param name="shown">How much of it is shown; the whole is copied.</param>
    public static IHtmlContent Id(string id, string? shown = null) =>
        new HtmlString($"<code data-copy=\"{Encoder.Encode(id)}\">{Encoder.Encode(shown ?? id)}</code>");

    public static IHtmlContent State(ExecutionState state) => Badge(state.Name, state switch
    {
        ExecutionState.Succeeded => "good",
        ExecutionState.Failed or ExecutionState.TimedOut => "bad",
        ExecutionState.Denied or ExecutionState.DispatchUnknown or ExecutionState.AwaitingApproval => "warn",
        ExecutionState.Cancelled => "quiet",
        _ => "busy",
    });

    public static IHtmlContent Health(Liveness? liveness) => liveness is not { } known ? Badge("never heard of", "quiet") : Badge(known.Name, known switch
    {
        Liveness.Healthy => "good",
        Liveness.Late => "warn",
        Liveness.Offline => "bad",
    });

    /// <param name="kind">good, warn, bad, busy or quiet. The word says it too: colour alone is not for everyone.</param>
    public static IHtmlContent Badge(string word, string kind) => new HtmlString($"<span class=\"badge {kind}\">{Encoder.Encode(word)}</span>");

    public static string Of(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    public static string Duration(TimeSpan duration) => ControlPlane.Text.Duration.Format(duration);

    public static string Milliseconds(long milliseconds) => Duration(TimeSpan.FromMilliseconds(milliseconds));

    /// <summary>Text from outside: what nobody sees or what turns the line around is shown as what it is.</summary>
    public static string Foreign(string? text, int most = 4000)
    {
        if (string.IsNullOrEmpty(text))
            return "";
        var shown = new System.Text.StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (shown.Length >= most)
                return shown.Append(" … (cut)").ToString();
            if (rune.Value is '\n' or '\t')
                shown.Append(rune.ToString());
            else if (System.Text.Rune.GetUnicodeCategory(rune)
                is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
                shown.Append(CultureInfo.InvariantCulture, $"[U+{rune.Value:X4}]");
            else
                shown.Append(rune.ToString());
        }
        return shown.ToString();
    }

    private static string Ago(DateTimeOffset time, DateTimeOffset now)
    {
        var ago = now - time;
        var words = InOneUnit(ago < TimeSpan.Zero ? -ago : ago);
        return ago < TimeSpan.FromSeconds(-1) ? $"in {words}" : ago < TimeSpan.FromSeconds(1) ? "now" : $"{words} ago";
    }

    private static string InOneUnit(TimeSpan time) => time switch
    {
        { TotalSeconds: < 60 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0} s"),
        { TotalMinutes: < 60 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMinutes:0} min"),
        { TotalHours: < 48 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalHours:0} h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{time.TotalDays:0} d"),
    };
}
