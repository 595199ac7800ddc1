namespace ControlPlane.Executions;

/// <summary>What came of handing a message to its queue, for those who must say so at once.</summary>
public abstract record Handover
{
    private Handover() { }

    /// <summary>The message is in the queue.</summary>
    public sealed record Taken : Handover;

    /// <summary>The queue said no at every try: the message is not there and will not be.</summary>
    public sealed record NotTaken(Exception Why) : Handover;

    /// <summary>No answer, or none that says: the message may be in the queue.</summary>
    public sealed record Unclear(Exception Why) : Handover;
}
