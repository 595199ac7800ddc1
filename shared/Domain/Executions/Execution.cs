using System.Text.Json;
using System.Text.Json.Serialization;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Executions;

/// <summary>One run of a workflow, from the command to its end.</summary>
public sealed record Execution
{
    public required ExecutionId Id { get; init; }
    public required TenantId Tenant { get; init; }
    public required WorkflowName Workflow { get; init; }
    public required Requester RequestedBy { get; init; }
    public required ExecutionState State { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset DeadlineAt { get; init; }

    /// <summary>The month whose quota it was charged to, fixed when it was reserved.</summary>
    public required Month Month { get; init; }

    /// <summary>Who had to approve it, as the catalogue said when it was made; null where nobody had to. While it waits for them <see cref="DeadlineAt"/> is
    /// theirs.</summary>
    public ApprovalRule? Approval { get; init; }

    /// <summary>Who said yes, in that order.</summary>
    public IReadOnlyList<Approval> Approvals { get; init; } = [];

    /// <summary>The approver who said no.</summary>
    public Approval? DeniedBy { get; init; }

    /// <summary>Whether it ended as a use of that quota. While it is open its unit is reserved; what ended otherwise gave it back.</summary>
    public bool IsCharged { get; init; }

    /// <summary>Whether its result is shown to the whole channel.</summary>
    public bool IsPublic { get; init; }

    /// <summary>Whether the engine may be handed it twice.</summary>
    public bool IsIdempotent { get; init; }

    /// <summary>The validated inputs, a JSON object.</summary>
    public JsonElement Inputs { get; init; }

    public PolicyDecision? Decision { get; init; }

    public IReadOnlyList<DispatchAttempt> Attempts { get; init; } = [];

    /// <summary>Attempts claimed so far, the running one included.</summary>
    public int AttemptCount { get; init; }

    public DateTimeOffset? LeaseUntil { get; init; }
    public string? LeaseOwner { get; init; }
    public DateTimeOffset? FirstNotFoundAt { get; init; }
    public DateTimeOffset? DispatchedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>How far it is, or was when it ended, as its engine said last.</summary>
    public Progress? Progress { get; init; }

    /// <summary>When the requester was told of progress last, or is going to be.</summary>
    public DateTimeOffset? ProgressToldAt { get; init; }

    /// <summary>The engine's report, as stored.</summary>
    public Outcome? Outcome { get; init; }

    /// <summary>SHA-256 of the outcome's bytes in hexadecimal, by which a repeat is known.</summary>
    public string? OutcomeHash { get; init; }

    /// <summary>Whether the outcome came after another end that it replaced: a time-out, or a rejection.</summary>
    public bool IsLate { get; init; }

    /// <summary>Why it failed, when the engine did not say so.</summary>
    public DispatchFailure? FailureCode { get; init; }

    /// <summary>Who cancelled it: a Slack user's id, or <c>operator</c>.</summary>
    public string? CancelledBy { get; init; }

    /// <summary>When the requester was told how it ended, or when that was given up; when it ended, where nobody is to be told.</summary>
    public DateTimeOffset? ToldAt { get; init; }

    /// <summary>Whether the requester could not be told: Slack did not take the message while it could be sent.</summary>
    public bool IsUntellable { get; init; }
}

/// <summary>Everything that policy said, rule by rule, in the order asked.</summary>
/// <param name="Code">The reason of the first rule that denied, or <c>allowed</c>.</param>
/// <param name="InPlainWords">What the user is told.</param>
public sealed record PolicyDecision(bool Allowed, string Code, string InPlainWords, IReadOnlyList<RuleVerdict> Verdicts);

public sealed record RuleVerdict(string Rule, Judgement Verdict, string Code, string InPlainWords);

/// <summary>What a rule of policy came to.</summary>
[JsonConverter(typeof(LowerCaseEnum<Judgement>))]
public enum Judgement
{
    Allow,

    /// <summary>Allowed, with something to know.</summary>
    Warn,
    Deny,

    /// <summary>An earlier denial left nothing to judge. Never enough to be allowed.</summary>
    NotAsked,
}

/// <param name="Status">The engine's HTTP status, when there was one.</param>
/// <param name="Answer">How the engine's answer began, where it may say what is wrong with our token; for operators only.</param>
public sealed record DispatchAttempt(
    int Number, DateTimeOffset At, long Milliseconds, AttemptResult Result, int? Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Answer = null);

/// <summary>What the engine said of a run.</summary>
public sealed record Outcome(
    OutcomeStatus Status, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt, string? EngineExecutionId, ExecutionUsage Usage, OutcomeResult? Result,
    OutcomeError? Error);

public enum OutcomeStatus { Running, Succeeded, Failed, Cancelled }

public sealed record OutcomeResult(string? Summary, string? Url);

public sealed record OutcomeError(string? Code, string? Message);

/// <summary>What a dispatcher sends: built once, kept beside the execution until its token expires, so that every attempt sends the same bytes.</summary>
/// <param name="OtherToken">The same, signed by another generation of the tenant's key, while two are honoured: an engine that holds one key may hold
/// either.</param>
public sealed record DispatchOrder(
    ExecutionId Execution, TenantId Tenant, WebhookPath Path, byte[] Body, string Token, DateTimeOffset TokenExpiresAt, string? OtherToken = null)
{
    // The tokens are live until they expire: they must not be printed along with the rest of the record.
    public override string ToString() => $"DispatchOrder of {Execution}";
}
