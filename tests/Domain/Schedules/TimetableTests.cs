using ControlPlane.Text;
using ControlPlane.Timetables;
using CsCheck;

namespace ControlPlane.Tests.Domain.Schedules;

public sealed class TimetableTests
{
    private static Timetable Of(string fields, string zone) => Timetable.Parse(fields, zone);

    private static IEnumerable<string> After(string fields, string zone, string moment, int count) =>
        Of(fields, zone).After(Rfc3339.Parse(moment), count).Select(time => time.ToString("yyyy-MM-ddTHH:mm'Z'", System.Globalization.CultureInfo.InvariantCulture));

    [Fact]
    public void Fields_are_read_on_the_clocks_of_their_zone() => Assert.Equal(
        ["2026-11-27T07:00Z", "2026-11-30T07:00Z", "2026-12-01T07:00Z"], After("0 8 * * 1-5", "Europe/Berlin", "2026-11-26T20:00:00Z", 3));

    [Theory]        // forward: what the clocks leave out is at the end of the gap, once
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-03-28T02:00:00Z", "2026-03-29T01:00Z", "2026-03-30T00:30Z")]
    [InlineData("30 2 * * *", "America/New_York", "2026-03-07T08:00:00Z", "2026-03-08T07:00Z", "2026-03-09T06:30Z")]
    [InlineData("15 2 * * *", "Australia/Lord_Howe", "2026-10-02T16:00:00Z", "2026-10-03T15:30Z", "2026-10-04T15:15Z")]
    [InlineData("*/20 2 * * *", "Europe/Berlin", "2026-03-28T02:00:00Z", "2026-03-29T01:00Z", "2026-03-30T00:00Z")]
    // back: what comes twice is planned once, the first time
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-10-24T01:00:00Z", "2026-10-25T00:30Z", "2026-10-26T01:30Z")]
    [InlineData("30 1 * * *", "America/New_York", "2026-10-31T06:00:00Z", "2026-11-01T05:30Z", "2026-11-02T06:30Z")]
    [InlineData("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", "2026-04-04T14:45Z", "2026-04-05T15:15Z")]
    // asked within the hour that comes again
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", "2026-10-26T01:30Z", "2026-10-27T01:30Z")]
    [InlineData("0 0 31 * *", "Europe/Berlin", "2026-03-31T12:00:00Z", "2026-05-30T22:00Z", "2026-07-30T22:00Z")]
    [InlineData("0 12 L * *", "UTC", "2026-02-27T13:00:00Z", "2026-02-28T12:00Z", "2026-03-31T12:00Z")]
    [InlineData("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", "2028-02-29T00:00Z", "2032-02-29T00:00Z")]
    public void Daylight_saving_and_the_months_end(string fields, string zone, string moment, string first, string second) =>
        Assert.Equal([first, second], After(fields, zone, moment, 2));

    [Theory]
    [InlineData("0 8 * *", "UTC", "not five fields")]
    [InlineData("0 0 8 * * 1", "UTC", "not five fields")]
    [InlineData("0 25 * * *", "UTC", "25 is no hour")]
    [InlineData("0 8 * * mox", "UTC", "mox is no day of the week")]
    [InlineData("0 8 30 2 *", "UTC", "names no day that there is")]
    [InlineData("H 8 * * *", "UTC", "H is no minute")]
    [InlineData("0 8 * * *", "Europe/Berln", "no time zone Europe/Berln")]
    [InlineData("0 8 * * *", "CET+1", "no time zone")]
    public void What_cannot_be_read_is_said(string fields, string zone, string said)
    {
        Assert.False(Timetable.TryParse(fields, zone, out _, out var fault));
        Assert.Contains(said, fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_zone_is_found_in_any_case_and_keeps_its_own() => Assert.Equal("Europe/Berlin", Of(" 0  8 * * MON ", "europe/berlin").Zone);

    [Fact]
    public void A_moment_is_said_as_its_zone_says_it() =>
        Assert.Equal("Monday 30 November 2026, 08:00", Of("0 8 * * *", "Europe/Berlin").InWords(Rfc3339.Parse("2026-11-30T07:00:00Z")));

    /// <summary>The same times as Cronos itself has where no clock is changed, and in every zone ever later ones that begin a minute.</summary>
    [Fact]
    public void Planned_times_only_grow() => Check.Sample(
        Gen.Select(
            Gen.OneOf("* * * * *", "*/7 * * * *", "30 2 * * *", "0 0 1 * *", "59 23 L * *", "15,45 1-3 * * *", "0 8 * * 1-5"),
            Gen.OneOf("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kathmandu"), Gen.Int[0, 2 * 366 * 24 * 60]),
        (fields, zone, minute) =>
        {
            var timetable = Of(fields, zone);
            var moment = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddMinutes(minute).AddSeconds(17);
            var last = moment;
            foreach (var next in timetable.After(moment, 40))
            {
                Assert.True(next > last);
                Assert.Equal(0, next.Second);
                Assert.Equal(next, timetable.NextAfter(next.AddMilliseconds(-1)));      // from wherever one asks
                last = next;
            }
        });
}
