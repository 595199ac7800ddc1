namespace ControlPlane.Slack;

/// <summary>Commands allowed in one minute.</summary>
public sealed record RateLimit(int PerUser, int PerTenant);

/// <summary>What came of letting a command in.</summary>
public abstract record Admission
{
    private Admission() { }

    public sealed record Admitted : Admission;

    /// <summary>The same request came before. It was counted then.</summary>
    public sealed record Repeat : Admission;

    /// <param name="Wait">Until the next minute begins.</param>
    public sealed record TooMany(TimeSpan Wait) : Admission;
}
