namespace ControlPlane.Tokens;

/// <summary>How long tokens live, and how far clocks may differ.</summary>
public static class TokenLives
{
    public static readonly TimeSpan Dispatch = TimeSpan.FromSeconds(600);

    /// <summary>How long after an execution's deadline its outcome is still taken.</summary>
    public static readonly TimeSpan OutcomeAfterDeadline = TimeSpan.FromHours(24);

    public static readonly TimeSpan LongestOutcome = TimeSpan.FromHours(48);

    /// <summary>How much earlier than minted a dispatch token is valid: engines give no leeway of their own.</summary>
    public static readonly TimeSpan DispatchBackdate = TimeSpan.FromSeconds(5);

    /// <summary>How far the clock of another of our instances may be from ours, either way.</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);
}
