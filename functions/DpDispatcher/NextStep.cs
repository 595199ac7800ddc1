using ControlPlane.Executions;

namespace ControlPlane.DpDispatcher;

/// <summary>What is recorded after an attempt, and whether another follows.</summary>
internal abstract record NextStep
{
    private NextStep() { }

    public sealed record Accept : NextStep;

    /// <summary>Back to the queue.</summary>
    public sealed record Defer(TimeSpan? RetryAfter, bool NotFound) : NextStep;

    /// <summary>The engine may have it. Only an execution that may run twice is sent again.</summary>
    public sealed record LeaveUnknown(bool SendAgain) : NextStep;

    public sealed record Close(string FailureCode) : NextStep;

    /// <summary>How long an engine may answer 404: its boots take that long.</summary>
    public static readonly TimeSpan NotFoundFor = TimeSpan.FromSeconds(30);

    public static NextStep After(Verdict verdict, Execution claimed, DateTimeOffset now) => (verdict, MayHaveArrived(claimed)) switch
    {
        (Verdict.Accepted, _) => new Accept(),
        (Verdict.Ambiguous, _) => new LeaveUnknown(SendAgain: claimed.IsIdempotent),

        // An earlier attempt may have arrived. Whatever this one says, the engine's outcome or the deadline has the last word:
        // to close it here would give back the reservation of something that may be running.
        (Verdict.Again or Verdict.NotFound, true) => new LeaveUnknown(SendAgain: claimed.IsIdempotent),
        (Verdict.Refused, true) => new LeaveUnknown(SendAgain: false),

        (Verdict.Again again, false) => new Defer(again.RetryAfter, NotFound: false),
        (Verdict.NotFound, false) when claimed.FirstNotFoundAt is { } first && now - first >= NotFoundFor => new Close(DispatchFailure.WorkflowNotActive),
        (Verdict.NotFound, false) => new Defer(null, NotFound: true),
        (Verdict.Refused refused, false) => new Close(refused.FailureCode),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>What is recorded of an execution that was claimed and must not be sent, for <paramref name="failureCode"/>.</summary>
    public static NextStep Unsent(string failureCode, Execution claimed) =>
        MayHaveArrived(claimed) ? new LeaveUnknown(SendAgain: false) : new Close(failureCode);

    /// <summary>Whether an attempt before the claimed one may have reached the engine: it ended ambiguously, or its dispatcher died before it could say.</summary>
    public static bool MayHaveArrived(Execution claimed) =>
        claimed.Attempts.Count < claimed.AttemptCount - 1 || claimed.Attempts.Any(attempt => attempt.Result == AttemptResult.Ambiguous);
}

/// <summary>The values of <see cref="DispatchAttempt.Result"/> that are no failure codes.</summary>
internal static class AttemptResult
{
    public const string Accepted = "accepted";
    public const string Ambiguous = "ambiguous";
    public const string Again = "again";
}
