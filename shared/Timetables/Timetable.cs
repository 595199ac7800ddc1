using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Cronos;
using NodaTime;
using NodaTime.TimeZones;

namespace ControlPlane.Timetables;

/// <summary>Planned times: five cron fields on the clocks of a time zone.</summary>
/// <remarks>
/// <para>A time that daylight saving leaves out is planned where the gap ends; one that occurs twice is planned the first time. Two that fall on one moment are
/// one.</para>
/// <para>Cronos reads the fields (https://github.com/HangfireIO/Cronos), on the clocks of the place as if they were UTC's. NodaTime knows what moment they
/// mean, by the IANA database that it carries itself: neither ICU nor a folder of zones is needed.</para>
/// </remarks>
public sealed class Timetable
{
    private static readonly string[] FieldNames = ["minute", "hour", "day of the month", "month", "day of the week"];

    private static readonly ZoneLocalMappingResolver AtItsEndOrFirst =
        Resolvers.CreateMappingResolver(Resolvers.ReturnEarlier, Resolvers.ReturnStartOfIntervalAfter);

    private readonly CronExpression _cron;
    private readonly DateTimeZone _zone;

    private Timetable(string fields, CronExpression cron, DateTimeZone zone) => (Fields, _cron, _zone) = (fields, cron, zone);

    /// <summary>The five fields, with a blank between them.</summary>
    public string Fields { get; }

    /// <summary>The zone's IANA id in its usual case.</summary>
    public string Zone => _zone.Id;

    /// <summary>The version of the IANA database.</summary>
    public static string ZonesVersion => TzdbDateTimeZoneSource.Default.TzdbVersion;

    /// <param name="fields">Minute, hour, day of the month, month, day of the week.</param>
    /// <param name="zone">An IANA id, in whatever case.</param>
    /// <param name="fault">What is wrong, in plain words that may quote what was given.</param>
    public static bool TryParse(string fields, string zone, [NotNullWhen(true)] out Timetable? timetable, [NotNullWhen(false)] out string? fault)
    {
        (timetable, fault) = (null, null);
        if (ZoneOf(zone) is not { } known)
            fault = $"There is no time zone {zone}. Zones are named like Europe/Berlin, America/New_York or UTC.";
        else if (fields.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is not { Length: 5 } five)
            fault = $"\"{fields}\" is not five fields: {string.Join(", ", FieldNames)}. \"0 8 * * 1-5\" is 8:00 from Monday to Friday.";
        else if (!CronExpression.TryParse(string.Join(' ', five), out var cron))
            fault = $"\"{fields}\" cannot be read: {FaultOf(five)}.";
        else
            timetable = new(string.Join(' ', five), cron, known);
        if (timetable is not null && timetable.NextAfter(DateTimeOffset.UnixEpoch.AddYears(50)) is null)
            (timetable, fault) = (null, $"\"{fields}\" names no day that there is.");
        return timetable is not null;
    }

    /// <exception cref="FormatException">What is kept of a schedule is no timetable.</exception>
    public static Timetable Parse(string fields, string zone) =>
        TryParse(fields, zone, out var timetable, out var fault) ? timetable : throw new FormatException(fault);

    /// <summary>The first planned time after a moment; null when there is none.</summary>
    public DateTimeOffset? NextAfter(DateTimeOffset moment)
    {
        // On the clocks of the place, as if they were UTC's. From there times that came already are passed over: those of an hour that comes twice.
        var clocks = DateTime.SpecifyKind(Instant.FromDateTimeOffset(moment).InZone(_zone).LocalDateTime.ToDateTimeUnspecified(), DateTimeKind.Utc);
        for (var planned = _cron.GetNextOccurrence(clocks, inclusive: true); planned is { } next; planned = _cron.GetNextOccurrence(next))
        {
            var at = _zone.ResolveLocal(LocalDateTime.FromDateTime(next), AtItsEndOrFirst).ToInstant().ToDateTimeOffset();
            if (at > moment)
                return at;
        }
        return null;
    }

    /// <summary>The next planned times after a moment, as many as there are of them.</summary>
    public IEnumerable<DateTimeOffset> After(DateTimeOffset moment, int count)
    {
        for (var next = NextAfter(moment); next is { } planned && count > 0; next = NextAfter(planned), count--)
            yield return planned;
    }

    /// <summary>A moment as people of the zone say it: <c>Monday 30 November 2026, 08:00</c>.</summary>
    public string InWords(DateTimeOffset moment) =>
        Instant.FromDateTimeOffset(moment).InZone(_zone).LocalDateTime.ToString("dddd d MMMM yyyy', 'HH':'mm", CultureInfo.InvariantCulture);

    private static DateTimeZone? ZoneOf(string id) =>
        DateTimeZoneProviders.Tzdb.GetZoneOrNull(id)
            ?? (DateTimeZoneProviders.Tzdb.Ids.FirstOrDefault(one => one.Equals(id, StringComparison.OrdinalIgnoreCase)) is { } known
                ? DateTimeZoneProviders.Tzdb[known]
                : null);

    // Which one: the others of a sound expression in its place.
    private static string FaultOf(string[] five)
    {
        for (var i = 0; i < five.Length; i++)
            if (!CronExpression.TryParse(string.Join(' ', Enumerable.Range(0, five.Length).Select(at => at == i ? five[i] : "*")), out _))
                return $"{five[i]} is no {FieldNames[i]}";
        return "its fields do not go together";
    }
}
