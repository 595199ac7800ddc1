using ControlPlane.Executions;

namespace ControlPlane.DpDispatcher;

/// <summary>What an engine's answer means for the execution.</summary>
internal abstract record Verdict
{
    private Verdict() { }

    /// <summary>The engine has it.</summary>
    public sealed record Accepted : Verdict;

    /// <summary>The engine does not have it; ask again, no sooner than it said.</summary>
    public sealed record Again(TimeSpan? RetryAfter) : Verdict;

    /// <summary>The engine does not have it and knows no such path, as for a moment at each of its boots.</summary>
    public sealed record NotFound : Verdict;

    /// <summary>The engine may have it.</summary>
    public sealed record Ambiguous : Verdict;

    /// <summary>The engine will never have it.</summary>
    public sealed record Refused(string FailureCode) : Verdict;

    public static Verdict Of(EngineAnswer answer) => answer switch
    {
        EngineAnswer.NotReached or EngineAnswer.NotAnEngine => new Again(null),
        EngineAnswer.Lost => new Ambiguous(),
        EngineAnswer.AddressRefused => new Refused(DispatchFailure.AddressRefused),
        EngineAnswer.Answered answered => answered switch
        {
            { Status: 204 } => new Accepted(),
            { Status: >= 200 and < 300 } when IsJson(answered.MediaType) => new Accepted(),
            // A booting n8n answers 200 with an HTML page.
            { Status: >= 200 and < 300 } => new Again(answered.RetryAfter),
            { Status: 408 or 425 or 429 or 502 or 503 } => new Again(answered.RetryAfter),
            { Status: 409 } => new Accepted(),
            { Status: 401 or 403 } => new Refused(DispatchFailure.Unauthorized),
            { Status: 404 } => new NotFound(),
            // 500 and 504, and what else a server may say after it began.
            { Status: >= 500 } => new Ambiguous(),
            _ => new Refused(DispatchFailure.Rejected),
        },
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static bool IsJson(string? mediaType) => string.Equals(mediaType, "application/json", StringComparison.OrdinalIgnoreCase);
}
