using System.Globalization;

namespace ControlPlane.Quotas;

/// <summary>A calendar month in UTC, the period of every quota: <c>2026-11</c>.</summary>
public readonly record struct Month(int Year, int Number) : IComparable<Month>
{
    public static Month Of(DateTimeOffset time) => new(time.UtcDateTime.Year, time.UtcDateTime.Month);

    /// <exception cref="FormatException"><paramref name="text"/> is not a month.</exception>
    public static Month Parse(string text) =>
        DateTime.ParseExact(text, "yyyy-MM", CultureInfo.InvariantCulture) is var first ? new(first.Year, first.Month) : default;

    /// <summary>The month that lies so many before it.</summary>
    public Month Before(int months) => Of(new DateTimeOffset(Year, Number, 1, 0, 0, 0, TimeSpan.Zero).AddMonths(-months));

    public int CompareTo(Month other) => (Year, Number).CompareTo((other.Year, other.Number));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Year:D4}-{Number:D2}");
}
