namespace ControlPlane.Executions;

/// <summary>What came of claiming an execution's next dispatch attempt.</summary>
public abstract record Claim
{
    private Claim() { }

    /// <summary>The attempt is the caller's alone, until its lease lapses.</summary>
    /// <param name="Execution">As claimed; <see cref="Executions.Execution.AttemptCount"/> is the attempt's number.</param>
    public sealed record Held(Execution Execution) : Claim;

    /// <summary>There was nothing to claim; this is how it stood.</summary>
    public sealed record Lost(Execution Now) : Claim;

    /// <summary>This tenant has no such execution.</summary>
    public sealed record Unknown : Claim;
}
