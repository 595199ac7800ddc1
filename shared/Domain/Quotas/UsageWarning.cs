namespace ControlPlane.Quotas;

/// <summary>What a tenant has a limit of in each month.</summary>
public enum MonthlyLimit
{
    /// <summary>Executions, those under way included.</summary>
    Executions,

    /// <summary>Metered GPU time, in milliseconds.</summary>
    Gpu,
}

/// <summary>How much of a monthly limit is gone.</summary>
/// <param name="Most">The limit, as it is now.</param>
public readonly record struct LimitedUse(MonthlyLimit Limit, long Used, long Most);

/// <summary>The latest warning about one limit in one month.</summary>
/// <param name="ClaimedAt">When somebody took it to tell it.</param>
/// <param name="ToldAt">Null while it is being told, or its teller died over it.</param>
public sealed record UsageWarning(int Percent, DateTimeOffset ClaimedAt, DateTimeOffset? ToldAt);

/// <summary>What came of claiming the post of a warning.</summary>
public enum PostClaim
{
    Claimed,

    /// <summary>Somebody is at it, or Slack asked for a pause.</summary>
    NotYet,

    /// <summary>It was posted, or a higher one was.</summary>
    Posted,
}

/// <summary>When a tenant's month is worth a warning: at 80 and at 100 per cent of a limit, each once a month, and the lower never after the higher.</summary>
public static class UsageWarningRule
{
    /// <summary>How long whoever took a warning has to tell it: longer than a sweep lasts.</summary>
    public static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(2);

    private static readonly int[] Thresholds = [100, 80];

    /// <summary>The highest threshold that is reached; null below the lowest.</summary>
    /// <remarks>A limit of nothing is no limit to run into: whoever set it wants everything refused.</remarks>
    public static int? ReachedBy(LimitedUse use)
    {
        if (use.Most <= 0)
            return null;
        foreach (var percent in Thresholds)
            if ((Int128)use.Used * 100 >= (Int128)use.Most * percent)
                return percent;
        return null;
    }

    /// <param name="percent">What is reached now.</param>
    /// <param name="last">Null where this month had no warning about the limit.</param>
    public static bool IsDue(int percent, UsageWarning? last, DateTimeOffset now) =>
        last is null || last.Percent < percent || (last.Percent == percent && last.ToldAt is null && now - last.ClaimedAt >= RetryAfter);
}
