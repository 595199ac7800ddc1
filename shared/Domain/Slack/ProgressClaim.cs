namespace ControlPlane.Slack;

/// <summary>The one message of the bot's in which an execution's progress is shown.</summary>
/// <param name="Ts">Slack's id of it within its channel.</param>
public sealed record ProgressMessage(string Channel, string Ts);

/// <summary>What came of claiming a telling of progress.</summary>
public abstract record ProgressClaim
{
    private ProgressClaim() { }

    /// <param name="Message">To be changed; null where there is none yet.</param>
    public sealed record Claimed(ProgressMessage? Message) : ProgressClaim;

    /// <summary>Less than a minute ago somebody told it, or Slack asked for a pause.</summary>
    public sealed record NotYet : ProgressClaim;
}
