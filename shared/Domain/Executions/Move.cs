namespace ControlPlane.Executions;

/// <summary>What came of moving an execution.</summary>
public abstract record Move
{
    private Move() { }

    /// <param name="IsBooked">Whether the ledger knows. False when it lacks the reservation, or another region writes it: then a recount has to tell
    /// it.</param>
    public sealed record Moved(bool IsBooked = true) : Move;

    /// <summary>The execution was elsewhere; this is how it stood.</summary>
    public sealed record Lost(Execution Now) : Move;

    /// <summary>This tenant has no such execution.</summary>
    public sealed record Unknown : Move;
}
