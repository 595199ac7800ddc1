namespace ControlPlane.Schedules;

/// <summary>What a schedule that is due does now.</summary>
/// <param name="Run">The planned time to order; null when none is.</param>
/// <param name="Next">The planned time after those that are settled by this; null when there is none.</param>
/// <param name="Noted">What became of the planned times that are settled by this, the oldest first.</param>
public sealed record FiringDecision(DateTimeOffset? Run, DateTimeOffset? Next, IReadOnlyList<Firing> Noted);

/// <summary>Which planned times run: each one while the hub is up, and after an absence the latest, unless it is an hour late.</summary>
public static class FiringRule
{
    /// <summary>As long as the hub was not away: the sweeper comes every minute, and one run of it may fail or be late.</summary>
    public static readonly TimeSpan Punctual = TimeSpan.FromMinutes(5);

    /// <summary>What is as late as this does not run any more.</summary>
    public static readonly TimeSpan TooLate = TimeSpan.FromHours(1);

    /// <param name="due">The earliest planned time that nothing became of yet, not after <paramref name="now"/>.</param>
    /// <param name="nextAfter">The first planned time after a moment; null when there is none.</param>
    /// <param name="isBusy">Whether its last execution is under way, and it runs one at a time.</param>
    public static FiringDecision Decide(DateTimeOffset due, Func<DateTimeOffset, DateTimeOffset?> nextAfter, bool isBusy, DateTimeOffset now)
    {
        if (due > now)
            throw new ArgumentException("It is not due.", nameof(due));
        var noted = new List<Firing>();
        DateTimeOffset? run = due;
        if (now - due > Punctual)
            run = Latest(due, nextAfter, now, noted);
        if (run is { } planned)
            noted.Add(new(planned, isBusy ? FiringKind.Overlapped : FiringKind.Ordered));
        return new(isBusy ? null : run, nextAfter(run ?? now), noted);
    }

    /// <summary>The latest planned time that is not too late; what lies before it was missed.</summary>
    private static DateTimeOffset? Latest(DateTimeOffset due, Func<DateTimeOffset, DateTimeOffset?> nextAfter, DateTimeOffset now, List<Firing> noted)
    {
        // Of a long absence only the last hour is walked through.
        DateTimeOffset? latest = now - due < TooLate ? due : null;
        for (var next = nextAfter(latest ?? now - TooLate); next <= now; next = nextAfter(next.Value))
            latest = next;
        if (latest != due)
            noted.Add(new(due, FiringKind.Missed, Until: nextAfter(due) < (latest ?? now) ? latest ?? now : null));
        return latest;
    }
}
