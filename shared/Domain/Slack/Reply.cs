using ControlPlane.Executions;
using ControlPlane.Tenants;

namespace ControlPlane.Slack;

/// <summary>Where Slack wants the answer to one request. That it is there marks the request as seen.</summary>
/// <param name="SealedUrl">The <c>response_url</c>, encrypted; null when Slack sent none that may be used.</param>
/// <param name="Uses">Posts made or begun.</param>
/// <param name="Until">Slack honours the address until then.</param>
/// <param name="Order">What was asked for, kept until it is known that the order arrived.</param>
public sealed record Reply(
    ExecutionId Execution, TenantId Tenant, byte[]? SealedUrl, int Uses, DateTimeOffset RequestedAt, DateTimeOffset Until, ExecutionRequest? Order = null)
{
    /// <summary>How long an order may be on its way: one that made no execution by then is lost, and its user is told so.</summary>
    public static readonly TimeSpan LostAfter = TimeSpan.FromMinutes(10);

    // It carries what its user typed.
    public override string ToString() => $"Reply of {Execution}";

    /// <summary>How often Slack honours a <c>response_url</c>, and for how long.</summary>
    /// <remarks>https://docs.slack.dev/interactivity/handling-user-interaction#message_responses</remarks>
    public const int MostUses = 5;

    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(30);
}

/// <summary>What came of claiming one of a reply's uses.</summary>
public abstract record ReplyClaim
{
    private ReplyClaim() { }

    /// <param name="Reply">With this use counted.</param>
    public sealed record Claimed(Reply Reply) : ReplyClaim;

    /// <summary>Another delivery is at it, or Slack asked for a pause.</summary>
    public sealed record NotYet : ReplyClaim;

    /// <summary>There is no address, or it is used up or too old: nobody can be told.</summary>
    /// <param name="WasTried">Whether it was posted to before: then Slack is to blame, else the execution took too long.</param>
    public sealed record Impossible(string Why, bool WasTried) : ReplyClaim;
}
