namespace ControlPlane.Executions;

/// <summary>What came of moving an execution.</summary>
public abstract record Move
{
    private Move() { }

    public sealed record Moved : Move;

    /// <summary>The execution was elsewhere; this is how it stood.</summary>
    public sealed record Lost(Execution Now) : Move;

    /// <summary>This tenant has no such execution.</summary>
    public sealed record Unknown : Move;
}
