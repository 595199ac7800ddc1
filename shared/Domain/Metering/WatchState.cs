namespace ControlPlane.Metering;

/// <summary>What the sweeper noted of the hub itself: whether anyone looked, and whether most tenants are silent together.</summary>
/// <param name="SweptAt">The latest sweep; null when there was none.</param>
/// <param name="BackSince">The first sweep after a time without any.</param>
/// <param name="OutageSince">Since when most tenants are silent together; null while they are not.</param>
/// <param name="OutageEndedAt">When they last ceased to be.</param>
public sealed record WatchState(DateTimeOffset? SweptAt, DateTimeOffset? BackSince, DateTimeOffset? OutageSince, DateTimeOffset? OutageEndedAt)
{
    /// <summary>Without a sweep for so long, the hub was away: nobody could be heard of.</summary>
    public static readonly TimeSpan AwayAfter = TimeSpan.FromMinutes(3);

    /// <summary>How long after an outage a silence may still be its echo.</summary>
    public static readonly TimeSpan SettlesWithin = TimeSpan.FromMinutes(5);

    /// <summary>For how long one alert stands for all: after that each tenant that is still silent is told by itself.</summary>
    public static readonly TimeSpan MutesFor = TimeSpan.FromMinutes(30);

    /// <summary>Whether a tenant that is silent is so by itself: not during, or just after, an outage of the hub or of most tenants.</summary>
    public bool CanTellSilence(DateTimeOffset now) =>
        SweptAt is { } swept && now - swept < AwayAfter && OutageSince is null && !IsRecent(BackSince, now) && !IsRecent(OutageEndedAt, now);

    public bool MutesAt(DateTimeOffset now) => OutageSince is { } since && now - since < MutesFor;

    private static bool IsRecent(DateTimeOffset? time, DateTimeOffset now) => time is { } at && now - at < SettlesWithin;
}
