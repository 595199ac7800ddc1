using ControlPlane.Schedules;
using ControlPlane.Text;
using ControlPlane.Timetables;
using CsCheck;

namespace ControlPlane.Tests.Domain.Schedules;

public sealed class FiringRuleTests
{
    // Between two sweeps as far apart as that the hub was not away.
    private static readonly TimeSpan UpWithin = TimeSpan.FromMinutes(5);

    private static readonly DateTimeOffset Eight = new(2026, 11, 30, 8, 0, 0, TimeSpan.Zero);
    private static readonly Timetable Daily = Timetable.Parse("0 8 * * *", "UTC"), EveryMinute = Timetable.Parse("* * * * *", "UTC");

    private static FiringDecision Decide(Timetable timetable, DateTimeOffset due, TimeSpan late, bool isBusy = false) =>
        FiringRule.Decide(due, timetable.NextAfter, isBusy, due + late);

    [Theory]
    [InlineData(0)]
    [InlineData(59)]
    public void What_is_less_than_an_hour_late_runs(int minutes)
    {
        var decision = Decide(Daily, Eight, TimeSpan.FromMinutes(minutes) + TimeSpan.FromSeconds(59));
        Assert.Equal((Eight, Eight.AddDays(1)), (decision.Run, decision.Next));
        Assert.Equal([new Firing(Eight, FiringKind.Ordered)], decision.Noted);
    }

    [Fact]
    public void What_is_an_hour_late_is_noted_as_missed()
    {
        var decision = Decide(Daily, Eight, TimeSpan.FromHours(1));
        Assert.Null(decision.Run);
        Assert.Equal(Eight.AddDays(1), decision.Next);
        Assert.Equal([new Firing(Eight, FiringKind.Missed)], decision.Noted);
    }

    [Fact]
    public void After_an_absence_the_latest_runs_and_the_rest_are_noted()
    {
        var decision = Decide(EveryMinute, Eight, TimeSpan.FromMinutes(90) + TimeSpan.FromSeconds(20));
        Assert.Equal(Eight.AddMinutes(90), decision.Run);
        Assert.Equal(Eight.AddMinutes(91), decision.Next);
        Assert.Equal([new Firing(Eight, FiringKind.Missed, Eight.AddMinutes(90)), new Firing(Eight.AddMinutes(90), FiringKind.Ordered)], decision.Noted);
    }

    [Fact]
    public void A_sweep_that_was_late_is_no_absence()
    {
        var decision = Decide(EveryMinute, Eight, FiringRule.Punctual);
        Assert.Equal((Eight, Eight.AddMinutes(1)), (decision.Run, decision.Next));
        Assert.Equal([new Firing(Eight, FiringKind.Ordered)], decision.Noted);
        Assert.Equal(Eight.AddMinutes(5), Decide(EveryMinute, Eight, FiringRule.Punctual + TimeSpan.FromSeconds(1)).Run);
    }

    [Fact]
    public void While_the_last_one_is_under_way_it_is_left_out_and_noted()
    {
        var decision = Decide(Daily, Eight, TimeSpan.Zero, isBusy: true);
        Assert.Null(decision.Run);
        Assert.Equal(Eight.AddDays(1), decision.Next);
        Assert.Equal([new Firing(Eight, FiringKind.Overlapped)], decision.Noted);
    }

    [Fact]
    public void Two_missed_ones_are_told_from_one()
    {
        var hourly = Timetable.Parse("0 * * * *", "UTC");
        Assert.Equal(
            [new Firing(Eight, FiringKind.Missed), new Firing(Eight.AddHours(1), FiringKind.Ordered)], Decide(hourly, Eight, TimeSpan.FromMinutes(65)).Noted);
        Assert.Equal(
            [new Firing(Eight, FiringKind.Missed, Eight.AddHours(2)), new Firing(Eight.AddHours(2), FiringKind.Ordered)],
            Decide(hourly, Eight, TimeSpan.FromMinutes(125)).Noted);
    }

    /// <summary>Whatever the sweeps: each planned time is settled once, in order; it runs at most once, and where the hub was not away exactly once.</summary>
    [Fact]
    public void Each_planned_time_runs_at_most_once_and_exactly_once_while_the_hub_is_up() => Check.Sample(
        Gen.Select(
            Gen.OneOf("* * * * *", "*/5 * * * *", "30 2 * * *", "15,45 1-3 * * *", "0 0 L * *"),
            Gen.OneOf("Europe/Berlin", "America/New_York", "Australia/Lord_Howe"),
            // Around both changes of each zone, and months' ends.
            Gen.OneOf("2026-03-28", "2026-10-24", "2026-03-07", "2026-10-31", "2026-04-04", "2026-10-03", "2026-02-28"),
            Gen.Int[1, 240].Array[120]),
        (fields, zone, day, pauses) =>
        {
            var timetable = Timetable.Parse(fields, zone);
            var start = Rfc3339.Parse($"{day}T12:00:00Z");
            var (now, due) = (start, timetable.NextAfter(start));
            var (run, settled) = (new List<DateTimeOffset>(), new List<Firing>());
            var sweeps = new List<DateTimeOffset> { start };
            foreach (var pause in pauses)
            {
                // A minute, more or less; and once in a while the hub is away for an hour and a half.
                now += pause > 236 ? TimeSpan.FromMinutes(90) : TimeSpan.FromSeconds(pause);
                sweeps.Add(now);
                while (due <= now)
                {
                    var decision = FiringRule.Decide(due.Value, timetable.NextAfter, isBusy: false, now);
                    if (decision.Run is { } planned)
                        run.Add(planned);
                    settled.AddRange(decision.Noted);
                    due = decision.Next;
                }
            }

            var all = timetable.After(start, 2000).TakeWhile(time => time <= now).ToList();
            Assert.Equal(run.Distinct(), run);
            Assert.Equal(run.Order(), run);
            Assert.Subset(all.ToHashSet(), run.ToHashSet());
            foreach (var planned in all)
            {
                var isNoted = settled.Exists(one => one.PlannedAt == planned || (one.Until is { } until && one.PlannedAt <= planned && planned < until));
                Assert.True(isNoted, $"{planned:u} came to nothing");
                if (sweeps.First(sweep => sweep >= planned) - planned <= UpWithin && WasUpBefore(planned))
                    Assert.Contains(planned, run);
            }

            // What was due already while the hub was away is settled together with it.
            bool WasUpBefore(DateTimeOffset planned)
            {
                var before = sweeps.Last(sweep => sweep < planned || sweep == start);
                var after = sweeps.First(sweep => sweep >= planned);
                return after - before <= UpWithin;
            }
        });
}
