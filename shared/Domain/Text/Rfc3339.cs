using System.Globalization;

namespace ControlPlane.Text;

/// <summary>Times as the wire and the tables have them: RFC 3339, UTC, milliseconds.</summary>
public static class Rfc3339
{
    public static string Format(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <exception cref="FormatException">Not what <see cref="TryParse"/> reads.</exception>
    public static DateTimeOffset Parse(string text) => TryParse(text, out var time) ? time : throw new FormatException("That is not an RFC 3339 time in UTC.");

    private const int MostDigits = 7;                        // of a fraction: what a DateTimeOffset keeps

    /// <summary>Reads a time with any offset that the standard knows, and makes it UTC.</summary>
    public static bool TryParseWithOffset(string? text, out DateTimeOffset time)
    {
        const int zone = 6;                                  // ±hh:mm
        if (TryParse(text, out time))
            return true;
        if (text is not { Length: > zone } || text[^zone] is not ('+' or '-') || text[^3] != ':' || !TryParse($"{text[..^zone]}Z", out var local)
            || !int.TryParse(text.AsSpan()[^5..^3], NumberStyles.None, CultureInfo.InvariantCulture, out var hours) || hours > 23
            || !int.TryParse(text.AsSpan()[^2..], NumberStyles.None, CultureInfo.InvariantCulture, out var minutes) || minutes > 59)
            return false;
        var ahead = (hours * TimeSpan.FromHours(1) + minutes * TimeSpan.FromMinutes(1)) * (text[^zone] == '-' ? -1 : 1);
        var ticks = local.UtcTicks - ahead.Ticks;
        if (ticks < 0 || ticks > DateTimeOffset.MaxValue.UtcTicks)
            return false;
        time = new(ticks, TimeSpan.Zero);
        return true;
    }

    /// <summary>Reads a time in UTC (<c>Z</c>, <c>+00:00</c> or <c>-00:00</c>) with up to nine digits of a second's fraction; the last two are cut
    /// off.</summary>
    public static bool TryParse(string? text, out DateTimeOffset time)
    {
        time = default;
        var local = text.AsSpan();
        if (local.EndsWith('Z'))
            local = local[..^1];
        else if (local.EndsWith("+00:00") || local.EndsWith("-00:00"))
            local = local[..^"+00:00".Length];
        else
            return false;

        const int seconds = 19;                              // yyyy-MM-ddTHH:mm:ss
        if (local.Length is < seconds or seconds + 1 or > seconds + 1 + 9 || local[10] != 'T')
            return false;
        if (local.Length > seconds && (local[seconds] != '.' || local[(seconds + 1)..].ContainsAnyExceptInRange('0', '9')))
            return false;
        return DateTimeOffset.TryParseExact(
            local[..Math.Min(local.Length, seconds + 1 + MostDigits)], "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal, out time);
    }
}
