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
            // What a workflow answers with is its author's choice: text, HTML, a file. Only the page of a booting n8n means that nothing was taken.
            { Status: 200 } when IsBootPage(answered) => new Again(answered.RetryAfter),
            { Status: >= 200 and < 300 } => new Accepted(),
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

    private static bool IsBootPage(EngineAnswer.Answered answered) =>
        string.Equals(answered.MediaType, "text/html", StringComparison.OrdinalIgnoreCase) && answered.Beginning.StartsWith("n8n is starting up", StringComparison.Ordinal);
}
