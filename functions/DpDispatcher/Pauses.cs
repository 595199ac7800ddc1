namespace ControlPlane.DpDispatcher;

/// <summary>How long a message waits before it is tried again.</summary>
internal static class Pauses
{
    public static readonly TimeSpan Least = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause of our own choosing.</summary>
    public static readonly TimeSpan Greatest = TimeSpan.FromSeconds(30);

    /// <summary>The longest pause that an engine may ask for.</summary>
    public static readonly TimeSpan GreatestRetryAfter = TimeSpan.FromMinutes(2);

    /// <summary>For messages that nobody understands: they should reach the dead letters in minutes.</summary>
    public static readonly TimeSpan Unreadable = TimeSpan.FromSeconds(5);

    /// <summary>After how many receives SQS moves a message to the dead letters; serverless.template says the same.</summary>
    public const int MostReceives = 60;

    // With pauses near their least a message could use up its receives before its token expires. The last few wait for the expiry instead,
    // so that the execution is closed and its user told before the message is gone.
    private const int KeptReceives = 5;

    /// <summary>Full jitter: anything from nothing to a bound that doubles with every receive, but at least <see cref="Least"/>.</summary>
    /// <param name="receives">How often the message was received, this time included.</param>
    /// <param name="retryAfter">What the engine asked for: honoured within bounds, and spread by a quarter so that not all come back at once.</param>
    /// <param name="left">Until the last moment at which the token can be used.</param>
    public static TimeSpan Next(int receives, TimeSpan? retryAfter, TimeSpan left, Random random)
    {
        if (receives >= MostReceives - KeptReceives)
            return AtLeast(left, Least);

        var pause = retryAfter is { } asked
            ? Clamp(asked, Least, GreatestRetryAfter) * (1 + random.NextDouble() / 4)
            : Clamp(Bound(receives) * random.NextDouble(), Least, Greatest);
        return Clamp(left, Least, pause);
    }

    /// <summary>A pause for a message that was not tried: its tenant's engine is busy or down.</summary>
    public static TimeSpan Held(TimeSpan atLeast, int receives, Random random) =>
        Clamp(atLeast, Least, Greatest) + Bound(receives) * random.NextDouble();

    public static bool IsNearLastReceive(int receives) => receives >= MostReceives - KeptReceives;

    private static TimeSpan Bound(int receives) => TimeSpan.FromSeconds(Math.Min(Greatest.TotalSeconds, Math.Pow(2, Math.Clamp(receives, 1, 10))));

    private static TimeSpan AtLeast(TimeSpan value, TimeSpan least) => value < least ? least : value;

    private static TimeSpan Clamp(TimeSpan value, TimeSpan least, TimeSpan greatest) => value < least ? least : value > greatest ? greatest : value;
}
