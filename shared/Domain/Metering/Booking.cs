namespace ControlPlane.Metering;

/// <summary>What a heartbeat means next to the last one accepted.</summary>
public abstract record Booking
{
    private Booking() { }

    /// <param name="Gap">Samples that are missing before this one. Nothing is lost with them: totals are cumulative.</param>
    /// <param name="Restarted">Whether it begins a new epoch.</param>
    public sealed record Booked(long Gap, bool Restarted) : Booking;

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

    /// <summary>With it, the instance's lifetime usage would pass what can be kept exactly.</summary>
    public sealed record Overflowing : Booking;
}

/// <summary>A <see cref="Metering.Booking"/>, and for a heartbeat that is booked what the instance's state becomes.</summary>
/// <param name="Closed">The month that this heartbeat ends.</param>
public sealed record BookingDecision(Booking Booking, InstanceState? Next = null, ClosedMonth? Closed = null);

/// <summary>The table of counters, and the arithmetic of usage.</summary>
/// <remarks>Usage = base + totals, always. The base moves only with the epoch. A month's usage is the difference of two such sums: what was used between two
/// samples belongs to the month of the later one, by its <c>sampled_at</c>; a sample dated before the month being counted belongs to that month.</remarks>
public static class BookingRule
{
    /// <param name="last">Null when nothing was ever accepted from this instance.</param>
    public static BookingDecision Decide(InstanceState? last, Heartbeat heartbeat, DateTimeOffset now) => last switch
    {
        null => new(new Booking.Booked(Gap: 0, Restarted: false), First(heartbeat, now)),
        _ when heartbeat.Epoch < last.Epoch => new(Replayed(last)),
        _ when heartbeat.Epoch > last.Epoch => Book(last, heartbeat, now, last.Lifetime, new(heartbeat.Counter - 1, Restarted: true)),
        _ when heartbeat.Counter < last.Counter => new(Replayed(last)),
        _ when heartbeat.Counter == last.Counter => new(heartbeat.BodyHash == last.BodyHash ? new Booking.Repeated() : new Booking.Rival()),
        _ when !heartbeat.Totals.IsAtLeast(last.Totals) => new(new Booking.Shrunk()),
        _ => Book(last, heartbeat, now, last.Base, new(heartbeat.Counter - last.Counter - 1, Restarted: false)),
    };

    private static Booking.Replayed Replayed(InstanceState last) => new(last.Epoch, last.Counter + 1);

    private static InstanceState First(Heartbeat heartbeat, DateTimeOffset now) => new()
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
    };

    private static BookingDecision Book(InstanceState last, Heartbeat heartbeat, DateTimeOffset now, ComputeTime newBase, Booking.Booked booked)
    {
        if (!new ComputeTime(ComputeTime.Highest, ComputeTime.Highest).IsAtLeast(newBase + heartbeat.Totals))
            return new(new Booking.Overflowing());

        var next = last with
        {
            Epoch = heartbeat.Epoch,
            Counter = heartbeat.Counter,
            BodyHash = heartbeat.BodyHash,
            Base = newBase,
            Totals = heartbeat.Totals,
            SampledAt = heartbeat.SampledAt,
            LastSeen = now,
        };
        var month = Quotas.Month.Of(heartbeat.SampledAt);
        return month.CompareTo(last.Month) <= 0
            ? new(booked, next)
            : new(booked, next with { Month = month, AtMonthStart = last.Lifetime }, new ClosedMonth(last.Tenant, last.Instance, last.Month, last.InMonth));
    }
}
