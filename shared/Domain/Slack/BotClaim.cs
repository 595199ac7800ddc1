namespace ControlPlane.Slack;

/// <summary>What came of claiming one of the bot's tries to tell how an execution ended.</summary>
public abstract record BotClaim
{
    /// <summary>How often the bot tries.</summary>
    public const int MostTries = 5;

    private BotClaim() { }

    /// <param name="Tries">With this one counted.</param>
    public sealed record Claimed(int Tries) : BotClaim;

    /// <summary>Another delivery is at it, or Slack asked for a pause.</summary>
    public sealed record NotYet : BotClaim;

    public sealed record UsedUp : BotClaim;
}
