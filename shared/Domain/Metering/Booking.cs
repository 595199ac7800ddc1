namespace ControlPlane.Metering;

/// <summary>What a heartbeat means next to the last one accepted.</summary>
public abstract record Booking
{
    private Booking() { }

    /// <param name="Gap">Samples that are missing before this one. Nothing is lost with them: totals are cumulative.</param>
    /// <param name="Restarted">Whether it begins a new epoch.</param>
    /// <param name="RestartsTooOften">Whether so many epochs began lately that two sidecars may be taking turns under one name.</param>
    public sealed record Booked(long Gap, bool Restarted, bool RestartsTooOften = false) : Booking;

    /// <summary>It was booked before.</summary>
    public sealed record Repeated : Booking;

    /// <summary>Another body under the same number: two machines sign with one key.</summary>
    public sealed record Rival : Booking;

    /// <summary>It is older than the last one accepted.</summary>
    /// <param name="Epoch">The epoch being counted.</param>
    /// <param name="Expected">The number that comes next in it.</param>
    public sealed record Replayed(long Epoch, long Expected) : Booking;

    /// <summary>Its totals are lower than before, within one epoch.</summary>
    public sealed record Shrunk : Booking;

    /// <summary>It was taken less than a second after the last one accepted, or before it.</summary>
    public sealed record TooSoon : Booking;

    /// <summary>It was taken long before its instance was first heard of.</summary>
    public sealed record TooOld : Booking;

    /// <summary>It adds more than its machine can have used in the time, or lifetime usage would pass what can be kept exactly.</summary>
    public sealed record TooMuch : Booking;

    /// <summary>It would be the first of one instance more than its tenant may have.</summary>
    public sealed record TooManyInstances : Booking;
}

/// <summary>A <see cref="Metering.Booking"/>, and for a heartbeat that is booked what the instance's state becomes.</summary>
/// <param name="Closed">The month that this heartbeat ends.</param>
public sealed record BookingDecision(Booking Booking, InstanceState? Next = null, ClosedMonth? Closed = null);

/// <summary>The table of counters, the bounds of what is believed, and the arithmetic of usage.</summary>
/// <remarks>Usage = base + totals, always. The base moves only with the epoch. A month's usage is the difference of two such sums: what was used between two
/// samples belongs to the month of the later one, by its <c>sampled_at</c>; a month that has begun is not left again.</remarks>
public static class BookingRule
{
    /// <summary>The least time between two samples of an instance.</summary>
    public static readonly TimeSpan LeastPause = TimeSpan.FromSeconds(1);

    /// <summary>How far clocks may be off.</summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(300);

    /// <summary>How long before it was first heard of an instance can have been at work.</summary>
    public static readonly TimeSpan BeforeFirstSight = TimeSpan.FromHours(24);

    /// <summary>More restarts than this in <see cref="RestartsWithin"/> are no accident.</summary>
    public const int MostRestarts = 3;

    public static readonly TimeSpan RestartsWithin = TimeSpan.FromMinutes(10);

    /// <summary>What any sample may add to the one before it, for there is <see cref="LeastPause"/> between the two: enough for every ordinary one, and known
    /// without a look at the last.</summary>
    public static ComputeTime AlwaysBelieved(Heartbeat heartbeat) => heartbeat.Machine.In(LeastPause + ClockTolerance);

    /// <param name="last">Null when nothing was ever accepted from this instance.</param>
    public static BookingDecision Decide(InstanceState? last, Heartbeat heartbeat, DateTimeOffset now) => last switch
    {
        null => Bounded(First(heartbeat, now), last, heartbeat),
        { IsReset: true } => Bounded(Book(last, heartbeat, now, last.Lifetime - heartbeat.Totals, new(Gap: 0, Restarted: false)), last, heartbeat),
        _ when heartbeat.Epoch < last.Epoch => new(Replayed(last)),
        _ when heartbeat.Epoch > last.Epoch => Bounded(Restart(last, heartbeat, now), last, heartbeat),
        _ when heartbeat.Counter < last.Counter => new(Replayed(last)),
        _ when heartbeat.Counter == last.Counter => new(heartbeat.BodyHash == last.BodyHash ? new Booking.Repeated() : new Booking.Rival()),
        _ when !heartbeat.Totals.IsAtLeast(last.Totals) => new(new Booking.Shrunk()),
        _ => Bounded(Book(last, heartbeat, now, last.Base, new(heartbeat.Counter - last.Counter - 1, Restarted: false)), last, heartbeat),
    };

    private static Booking.Replayed Replayed(InstanceState last) => new(last.Epoch, last.Counter + 1);

    private static BookingDecision Bounded(BookingDecision decision, InstanceState? last, Heartbeat heartbeat)
    {
        if (decision.Next is not { } next)
            return decision;
        if (heartbeat.SampledAt < last?.SampledAt + LeastPause)
            return new(new Booking.TooSoon());
        if (heartbeat.SampledAt < next.FirstSeen - BeforeFirstSight)
            return new(new Booking.TooOld());
        var added = next.Lifetime - (last?.Lifetime ?? ComputeTime.Zero);
        // Not since the epoch: a sidecar whose epoch was not taken begins another with what it had not delivered yet.
        var since = last?.SampledAt ?? next.FirstSeen - BeforeFirstSight;
        return heartbeat.Machine.In(heartbeat.SampledAt - since + ClockTolerance).IsAtLeast(added) ? decision : new(new Booking.TooMuch());
    }

    private static BookingDecision First(Heartbeat heartbeat, DateTimeOffset now) => new(new Booking.Booked(Gap: 0, Restarted: false), new()
    {
        Tenant = heartbeat.Tenant,
        Instance = heartbeat.Instance,
        Epoch = heartbeat.Epoch,
        Counter = heartbeat.Counter,
        BodyHash = heartbeat.BodyHash,
        Base = ComputeTime.Zero,
        Totals = heartbeat.Totals,
        Month = Quotas.Month.Of(heartbeat.SampledAt),
        AtMonthStart = ComputeTime.Zero,
        SampledAt = heartbeat.SampledAt,
        LastSeen = now,
        FirstSeen = now,
        GpuUnreadableSince = heartbeat.GpuUnreadableSince,
    });

    private static BookingDecision Restart(InstanceState last, Heartbeat heartbeat, DateTimeOffset now)
    {
        IReadOnlyList<DateTimeOffset> restarts = [.. last.Restarts.Where(at => at > now - RestartsWithin), now];
        var decision = Book(last, heartbeat, now, last.Lifetime, new(heartbeat.Counter - 1, Restarted: true, RestartsTooOften: restarts.Count > MostRestarts));
        return decision.Next is null ? decision : decision with { Next = decision.Next with { Restarts = [.. restarts.TakeLast(MostRestarts)] } };
    }

    private static BookingDecision Book(InstanceState last, Heartbeat heartbeat, DateTimeOffset now, ComputeTime newBase, Booking.Booked booked)
    {
        if (!new ComputeTime(ComputeTime.Highest, ComputeTime.Highest).IsAtLeast(newBase + heartbeat.Totals))
            return new(new Booking.TooMuch());

        var next = last with
        {
            Epoch = heartbeat.Epoch,
            Counter = heartbeat.Counter,
            BodyHash = heartbeat.BodyHash,
            Base = newBase,
            Totals = heartbeat.Totals,
            SampledAt = heartbeat.SampledAt,
            LastSeen = now,
            IsFolded = false,
            GpuUnreadableSince = heartbeat.GpuUnreadableSince,
        };
        var month = Quotas.Month.Of(heartbeat.SampledAt);
        return month.CompareTo(last.Month) <= 0
            ? new(booked, next)
            : new(booked, next with { Month = month, AtMonthStart = last.Lifetime }, new ClosedMonth(last.Tenant, last.Instance, last.Month, last.InMonth));
    }
}
