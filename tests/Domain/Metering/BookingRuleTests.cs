using ControlPlane.Metering;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Domain.Metering;

/// <summary>The table of counters, its bounds and its arithmetic, a row at a time and each bound from both sides.</summary>
public sealed class BookingRuleTests
{
    private static readonly DateTimeOffset Began = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
    private static readonly long Epoch = Began.ToUnixTimeSeconds();
    private static readonly Machine TwoCoresOneGpu = new(Cpus: 2, Gpus: 1);

    // Sample 5 of its epoch, five minutes in; 1,000 and 100 ms in epochs before, of which 400 and 40 before this month.
    private static readonly InstanceState Last = new()
    {
        Tenant = TenantId.Parse("tenant-1"),
        Instance = InstanceId.Parse("i-1"),
        Epoch = Epoch,
        Counter = 5,
        BodyHash = "five",
        Base = new(1000, 100),
        Totals = new(500, 50),
        Month = new(2026, 11),
        AtMonthStart = new(400, 40),
        SampledAt = Began.AddMinutes(5),
        LastSeen = Began.AddMinutes(5),
        FirstSeen = Began.AddDays(-1),
    };

    [Fact]
    public void The_next_sample_moves_the_totals_alone()
    {
        var next = Booked(Last, Next() with { GpuUnreadableSince = Began }, new(Gap: 0, Restarted: false));
        Assert.Equal(Last with
        {
            Counter = 6,
            BodyHash = "six",
            Totals = new(600, 60),
            SampledAt = Began.AddMinutes(6),
            LastSeen = Now,
            GpuUnreadableSince = Began,
        }, next);
        Assert.Equal((new(1600, 160), new ComputeTime(1200, 120)), (next.Lifetime, next.InMonth));
    }

    [Theory]
    [InlineData(6, 0), InlineData(7, 1), InlineData(105, 99)]
    public void Numbers_left_out_are_a_gap(long counter, long gap) => Booked(Last, Next() with { Counter = counter }, new(gap, Restarted: false));

    [Fact]
    public void The_same_number_is_a_repeat_or_a_rival()
    {
        Assert.Equal(new(new Booking.Repeated()), Decide(Last, Next() with { Counter = 5, BodyHash = "five" }));
        Assert.Equal(new(new Booking.Rival()), Decide(Last, Next() with { Counter = 5 }));
    }

    [Theory]
    [InlineData(0, 4), InlineData(0, 1), InlineData(-1, 5), InlineData(-1, 6), InlineData(-1, 1000)]
    public void What_is_older_is_a_replay_and_hears_what_comes_next(int epoch, long counter) =>
        Assert.Equal(new(new Booking.Replayed(Epoch, 6)), Decide(Last, Next() with { Epoch = Epoch + epoch, Counter = counter }));

    [Theory]
    [InlineData(499, 60, false), InlineData(600, 49, false), InlineData(499, 49, false), InlineData(500, 50, true), InlineData(501, 50, true)]
    public void Neither_total_falls_within_an_epoch(long cpu, long gpu, bool isTaken)
    {
        var decision = Decide(Last, Next() with { Totals = new(cpu, gpu) });
        Assert.Equal(isTaken ? new Booking.Booked(Gap: 0, Restarted: false) : new Booking.Shrunk(), decision.Booking);
    }

    [Theory]
    [InlineData(1, 0), InlineData(3, 2)]
    public void A_new_epoch_takes_the_old_ones_totals_into_the_base(long counter, long gap)
    {
        var next = Booked(Last, Next() with { Epoch = Epoch + 330, Counter = counter, Totals = new(30, 3) }, new(gap, Restarted: true));
        Assert.Equal((new(1500, 150), new ComputeTime(30, 3), Epoch + 330, counter), (next.Base, next.Totals, next.Epoch, next.Counter));
        Assert.Equal([Now], next.Restarts);
    }

    [Theory]
    [InlineData(new[] { 1, 2 }, false, 3)]
    [InlineData(new[] { 1, 2, 3 }, true, 3)]
    [InlineData(new[] { 1, 2, 10 }, false, 3)]      // the first is ten minutes ago
    [InlineData(new[] { 11, 12, 13 }, false, 1)]
    public void Four_epochs_within_ten_minutes_are_no_accident(int[] minutesAgo, bool isTooOften, int kept)
    {
        var last = Last with { Restarts = [.. minutesAgo.OrderDescending().Select(minutes => Now.AddMinutes(-minutes))] };
        var next = Booked(last, Next() with { Epoch = Epoch + 1, Counter = 1 }, new(Gap: 0, Restarted: true, isTooOften));
        Assert.Equal((kept, Now), (next.Restarts.Count, next.Restarts[^1]));
    }

    [Theory]
    [InlineData(0.999, false), InlineData(1, true), InlineData(-30, false)]
    public void A_second_lies_between_two_samples(double seconds, bool isTaken)
    {
        foreach (var heartbeat in new[] { Next(), Next() with { Epoch = Epoch + 1, Counter = 1 } })
            Assert.Equal(isTaken, Decide(Last, heartbeat with { SampledAt = Last.SampledAt.AddSeconds(seconds) }).Booking is Booking.Booked);
        Assert.IsType<Booking.TooSoon>(Decide(Last, Next() with { SampledAt = Last.SampledAt }).Booking);
    }

    // Since the last sample a minute passed, and clocks may be off by five.
    [Theory]
    [InlineData(720_000, 360_000, true), InlineData(720_001, 360_000, false), InlineData(720_000, 360_001, false)]
    public void Nothing_adds_more_than_its_machine_has(long cpu, long gpu, bool isTaken)
    {
        var totals = Last.Totals + new ComputeTime(cpu, gpu);
        Assert.Equal(isTaken, Decide(Last, Next() with { Totals = totals }).Booking is Booking.Booked);
        var newEpoch = Decide(Last, Next() with { Epoch = Epoch + 1, Counter = 1, Totals = new(cpu, gpu) }).Booking;
        Assert.Equal(isTaken, newEpoch is Booking.Booked);
        if (!isTaken)
            Assert.IsType<Booking.TooMuch>(newEpoch);
    }

    // A day and five minutes of two cores and one device.
    [Theory]
    [InlineData(173_400_000, 86_700_000, true), InlineData(173_400_001, 0, false), InlineData(0, 86_700_001, false)]
    public void A_first_sample_tells_of_a_day_at_most(long cpu, long gpu, bool isTaken) =>
        Assert.Equal(isTaken, Decide(null, Next() with { SampledAt = Now, Totals = new(cpu, gpu) }).Booking is Booking.Booked);

    [Fact]
    public void A_first_sample_begins_the_count()
    {
        var first = Next() with { GpuUnreadableSince = Began };
        Assert.Equal(
            new InstanceState
            {
                Tenant = first.Tenant,
                Instance = first.Instance,
                Epoch = Epoch,
                Counter = 6,
                BodyHash = "six",
                Base = ComputeTime.Zero,
                Totals = new(600, 60),
                Month = new(2026, 11),
                AtMonthStart = ComputeTime.Zero,
                SampledAt = first.SampledAt,
                LastSeen = Now,
                FirstSeen = Now,
                GpuUnreadableSince = Began,
            },
            Booked(null, first, new(Gap: 0, Restarted: false)));
    }

    [Theory]
    [InlineData(0, true), InlineData(-0.001, false)]
    public void A_sample_from_long_before_its_instance_was_heard_of_is_no_news(double seconds, bool isTaken)
    {
        var booking = Decide(null, Next() with { SampledAt = Now.AddHours(-24).AddSeconds(seconds), Totals = ComputeTime.Zero }).Booking;
        Assert.Equal(isTaken ? new Booking.Booked(Gap: 0, Restarted: false) : new Booking.TooOld(), booking);
    }

    [Fact]
    public void What_is_used_between_two_months_samples_is_the_later_ones()
    {
        var december = Next() with { SampledAt = new(2026, 12, 1, 0, 0, 0, TimeSpan.Zero), Counter = 12_600 };
        var decision = Decide(Last, december);
        Assert.Equal(new ClosedMonth(Last.Tenant, Last.Instance, new(2026, 11), new(1100, 110)), decision.Closed);
        var next = decision.Next!;
        Assert.Equal((new Month(2026, 12), new(1500, 150), new ComputeTime(100, 10)), (next.Month, next.AtMonthStart, next.InMonth));

        var restarted = Decide(Last, december with { Epoch = Epoch + 330, Counter = 1 });
        Assert.Equal(new Booking.Booked(Gap: 0, Restarted: true), restarted.Booking);
        Assert.Equal(decision.Closed, restarted.Closed);
        Assert.Equal((new(1500, 150), new ComputeTime(600, 60)), (restarted.Next!.AtMonthStart, restarted.Next.InMonth));
    }

    [Fact]
    public void A_month_that_has_begun_is_not_left_again()
    {
        var inDecember = Last with { Month = new(2026, 12) };
        var decision = Decide(inDecember, Next());
        Assert.Equal((null, new Month(2026, 12), Last.AtMonthStart), (decision.Closed, decision.Next!.Month, decision.Next.AtMonthStart));
    }

    [Theory]
    [InlineData(0, true), InlineData(1, false)]
    public void Usage_stays_what_a_number_holds_exactly(long above, bool isTaken)
    {
        foreach (var far in new[] { new ComputeTime(ComputeTime.Highest - 600 + above, 0), new ComputeTime(0, ComputeTime.Highest - 60 + above) })
            Assert.Equal(isTaken, Decide(Last with { Base = far }, Next()).Booking is Booking.Booked);
    }

    [Fact]
    public void After_a_reset_the_next_sample_adds_nothing_whatever_it_says()
    {
        var reset = Last with { Epoch = 0, Counter = 0 };
        var next = Booked(reset, Next() with { Epoch = 1, Counter = 1, Totals = new(7, 70_000_000) }, new(Gap: 0, Restarted: false));
        Assert.Equal((reset.Lifetime, reset.InMonth, 1, 1L), (next.Lifetime, next.InMonth, next.Epoch, next.Counter));
    }

    [Fact]
    public void Who_had_given_up_its_place_goes_on_where_it_stopped()
    {
        var (kept, closed) = FoldRule.Fold(Last);
        Assert.True(kept.IsFolded);
        Assert.Equal((new ComputeTime(1100, 110), ComputeTime.Zero), (closed.Usage, kept.InMonth));
        var next = Booked(kept, Next(), new(Gap: 0, Restarted: false));
        Assert.False(next.IsFolded);
        Assert.Equal(new ComputeTime(100, 10), next.InMonth);
    }

    [Theory]
    [InlineData(31, true), InlineData(30.999, false)]
    public void A_place_is_given_up_after_31_days(double days, bool isDue) => Assert.Equal(isDue, FoldRule.IsDue(Last, Last.LastSeen.AddDays(days)));

    [Fact]
    public void What_is_always_believed_is_what_a_second_and_the_clocks_allow() =>
        Assert.Equal(new ComputeTime(602_000, 301_000), BookingRule.AlwaysBelieved(Next()));

    [Fact]
    public void A_machine_uses_nothing_in_less_than_no_time() => Assert.Equal(ComputeTime.Zero, TwoCoresOneGpu.In(TimeSpan.FromSeconds(-1)));

    private static DateTimeOffset Now => Began.AddMinutes(6).AddSeconds(1);

    private static Heartbeat Next() => new()
    {
        Tenant = Last.Tenant,
        Instance = Last.Instance,
        Epoch = Epoch,
        Counter = 6,
        SampledAt = Began.AddMinutes(6),
        Interval = TimeSpan.FromSeconds(60),
        Totals = new(600, 60),
        Machine = TwoCoresOneGpu,
        BodyHash = "six",
        Metrics = "{}",
        KeyId = KeyIds.Of("k"),
    };

    private static BookingDecision Decide(InstanceState? last, Heartbeat heartbeat) => BookingRule.Decide(last, heartbeat, Now);

    private static InstanceState Booked(InstanceState? last, Heartbeat heartbeat, Booking.Booked expected)
    {
        var decision = Decide(last, heartbeat);
        Assert.Equal(expected, decision.Booking);
        return decision.Next!;
    }
}
