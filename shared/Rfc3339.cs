using System.Globalization;

namespace ControlPlane;

/// <summary>Times as the wire and the tables have them: RFC 3339, UTC, milliseconds.</summary>
public static class Rfc3339
{
    public static string Format(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <exception cref="FormatException">Not what <see cref="Format"/> writes.</exception>
    public static DateTimeOffset Parse(string text) => TryParse(text, out var time) ? time : throw new FormatException("That is not an RFC 3339 time in UTC.");

    /// <summary>Reads a time of day in UTC (<c>Z</c>), with up to seven digits of a second's fraction.</summary>
    public static bool TryParse(string? text, out DateTimeOffset time)
    {
        time = default;
        return text is { Length: >= 20 and <= 28 } && text[10] == 'T' && text[^1] == 'Z' && char.IsAsciiDigit(text[^2])
            && DateTimeOffset.TryParseExact(text, "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);
    }
}
