namespace ControlPlane.DpDispatcher;

/// <summary>What became of one request to an engine, as far as the wire tells.</summary>
internal abstract record EngineAnswer
{
    private EngineAnswer() { }

    /// <param name="MediaType">Of the content, without parameters; null when there is none or it cannot be read.</param>
    /// <param name="RetryAfter">As the engine asked, unclamped; null when it asked nothing usable.</param>
    /// <param name="Beginning">How the body begins, at most <see cref="LongestBeginning"/> of its bytes as text without control characters.</param>
    public sealed record Answered(int Status, string? MediaType, TimeSpan? RetryAfter, string Beginning = "") : EngineAnswer
    {
        public const int LongestBeginning = 200;
    }

    /// <summary>No connection, or none that took the whole request: the engine cannot have run it.</summary>
    /// <param name="Why">What the operator should know of it; null where there is nothing to say but that.</param>
    public sealed record NotReached(string? Why = null) : EngineAnswer;

    /// <summary>Something is listening there that does not speak HTTP, so it is no engine.</summary>
    public sealed record NotAnEngine : EngineAnswer;

    /// <summary>The request was handed over whole, and no legible answer came in time.</summary>
    public sealed record Lost : EngineAnswer;

    /// <summary>The connection itself refused to dial outside the tenant's network.</summary>
    public sealed record AddressRefused : EngineAnswer;
}
