namespace ControlPlane.Executions;

/// <summary>How far a run is, as its engine says.</summary>
public abstract record Progress
{
    private Progress() { }

    /// <param name="Value">0 to 100.</param>
    public sealed record Percent(int Value) : Progress;

    /// <param name="Text">Of the engine's own.</param>
    public sealed record Words(string Text) : Progress;

    /// <summary>How long there is at least between two tellings of one execution's progress.</summary>
    public static readonly TimeSpan Apart = TimeSpan.FromMinutes(1);

    /// <summary>When the requester is to be told of progress that came now.</summary>
    /// <param name="last">When they were, or are going to be, told last.</param>
    /// <returns>Null when a telling is on its way: it says what is the latest by then.</returns>
    public static DateTimeOffset? TellAt(DateTimeOffset? last, DateTimeOffset now) => last switch
    {
        { } at when at > now => null,
        { } at when now - at < Apart => at + Apart,
        _ => now,
    };
}
