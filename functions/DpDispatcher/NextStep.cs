using ControlPlane.Executions;

namespace ControlPlane.DpDispatcher;

/// <summary>What an engine's answer means for the execution: what is recorded after an attempt, and whether another follows.</summary>
internal abstract record NextStep
{
    private NextStep() { }

    /// <summary>The engine has it.</summary>
    public sealed record Accept : NextStep;

    /// <summary>The engine does not have it: back to the queue, and asked again no sooner than it said.</summary>
    /// <param name="NotFound">It knows no such path, as for a moment at each of its boots.</param>
    public sealed record Defer(TimeSpan? RetryAfter, bool NotFound) : NextStep;

    /// <summary>The engine may have it. Only an execution that may run twice is sent again.</summary>
    public sealed record LeaveUnknown(bool SendAgain) : NextStep;

    /// <summary>The engine will never have it.</summary>
    public sealed record Close(DispatchFailure Failure) : NextStep;

    /// <summary>How long an engine may answer 404: its boots take that long.</summary>
    public static readonly TimeSpan NotFoundFor = TimeSpan.FromSeconds(30);

    /// <remarks>
    /// Where an earlier attempt may have arrived, the engine's outcome or the deadline has the last word, whatever this answer says: to close it here would
    /// give back the reservation of something that
    /// may be running.
    /// </remarks>
    public static NextStep After(EngineAnswer answer, Execution claimed, DateTimeOffset now)
    {
        return answer switch
        {
            EngineAnswer.NotReached or EngineAnswer.NotAnEngine => Again(null),
            EngineAnswer.Lost => new LeaveUnknown(SendAgain: claimed.IsIdempotent),
            EngineAnswer.AddressRefused => Unsent(DispatchFailure.AddressRefused, claimed),
            EngineAnswer.Answered answered => answered switch
            {
                // What a workflow answers with is its author's choice: text, HTML, a file. Only the page of a booting n8n means that nothing was taken.
                { Status: 200 } when IsBootPage(answered) => Again(answered.RetryAfter),
                { Status: (>= 200 and < 300) or 409 } => new Accept(),
                { Status: 408 or 425 or 429 or 502 or 503 } => Again(answered.RetryAfter),
                { Status: 401 or 403 } => Unsent(DispatchFailure.Unauthorized, claimed),
                { Status: 404 } => NotFound(),
                // 500 and 504, and what else a server may say after it began.
                { Status: >= 500 } => new LeaveUnknown(SendAgain: claimed.IsIdempotent),
                _ => Unsent(DispatchFailure.Rejected, claimed),
            },
            _ => throw new System.Diagnostics.UnreachableException(),
        };

        NextStep Again(TimeSpan? retryAfter) =>
            MayHaveArrived(claimed) ? new LeaveUnknown(SendAgain: claimed.IsIdempotent) : new Defer(retryAfter, NotFound: false);

        NextStep NotFound() =>
            MayHaveArrived(claimed) ? new LeaveUnknown(SendAgain: claimed.IsIdempotent)
            : claimed.FirstNotFoundAt is { } first && now - first >= NotFoundFor ? new Close(DispatchFailure.WorkflowNotActive)
            : new Defer(null, NotFound: true);
    }

    /// <summary>What is recorded of an execution that this attempt did not hand over and none will, for <paramref name="failure"/>.</summary>
    public static NextStep Unsent(DispatchFailure failure, Execution claimed) =>
        MayHaveArrived(claimed) ? new LeaveUnknown(SendAgain: false) : new Close(failure);

    /// <summary>Whether an attempt before the claimed one may have reached the engine: it ended ambiguously, or its dispatcher died before it could
    /// say.</summary>
    public static bool MayHaveArrived(Execution claimed) =>
        claimed.Attempts.Count < claimed.AttemptCount - 1 || claimed.Attempts.Any(attempt => attempt.Result is AttemptResult.Ambiguous);

    private static bool IsBootPage(EngineAnswer.Answered answered) =>
        string.Equals(answered.MediaType, "text/html", StringComparison.OrdinalIgnoreCase)
            && answered.Beginning.StartsWith("n8n is starting up", StringComparison.Ordinal);
}
