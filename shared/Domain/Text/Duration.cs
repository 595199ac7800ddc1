using System.Globalization;
using System.Text.RegularExpressions;

namespace ControlPlane.Text;

/// <summary>Lengths of time as people type and read them: <c>90s</c>, <c>60m</c>, <c>1h30m</c>.</summary>
public static partial class Duration
{
    /// <summary>Hours, minutes and seconds in this order, each once at most.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        if (Shape().Match(text) is not { Success: true } match || text.Length == 0)
            return false;
        duration = TimeSpan.FromSeconds((Part(match, "h") * 3600) + (Part(match, "m") * 60) + Part(match, "s"));
        return true;
    }

    public static string Format(TimeSpan duration) => duration switch
    {
        { Ticks: < 0 } => "-" + Format(-duration),
        { TotalSeconds: < 1 } => "0s",
        _ => string.Concat(Part((long)duration.TotalHours, "h"), Part(duration.Minutes, "m"), Part(duration.Seconds, "s")),
    };

    private static string Part(long number, string unit) => number == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{number}{unit}");

    private static long Part(Match match, string unit) =>
        match.Groups[unit] is { Success: true, Value: var digits } ? long.Parse(digits, CultureInfo.InvariantCulture) : 0;

    [GeneratedRegex(@"\A(?:(?<h>[0-9]{1,6})h)?(?:(?<m>[0-9]{1,6})m)?(?:(?<s>[0-9]{1,6})s)?\z")]
    private static partial Regex Shape();
}
