using ControlPlane.Tenants;

namespace ControlPlane.Executions;

/// <summary>The word of an approver: a yes, or where it ended an execution, a no.</summary>
/// <param name="Reason">Why not, in the approver's own words; null where none was given.</param>
public sealed record Approval(TeamId TeamId, UserId UserId, DateTimeOffset At, string? Reason = null)
{
    /// <summary>Of a reason, in UTF-16 units.</summary>
    public const int LongestReason = 300;
}

/// <summary>What approvers' words come to.</summary>
public static class Approvals
{
    /// <summary>The rule of policy that approvers are; it stands last among the verdicts.</summary>
    public const string Rule = "approval";

    /// <summary>Whether those who said yes, and may still, are enough.</summary>
    /// <param name="groups">As they are now: whoever is an approver no longer does not count.</param>
    public static bool AreEnough(this ApprovalRule rule, IEnumerable<Approval> given, Requester requestedBy, IEnumerable<UserGroup> groups)
    {
        var members = groups.ToList();
        return given.Where(one => rule.Names(one.TeamId, one.UserId, members) && (rule.SelfApproval || !IsAsker(requestedBy, one)))
            .DistinctBy(one => (one.TeamId, one.UserId)).Count() >= rule.Approvals;
    }

    /// <summary>Whether that is the word of whoever asked for it.</summary>
    public static bool IsAsker(Requester requestedBy, Approval word) =>
        requestedBy.Asker is { } asker && (asker.TeamId, asker.UserId) == (word.TeamId, word.UserId);

    /// <summary>The decision after an approver said no.</summary>
    public static PolicyDecision Denied(PolicyDecision? before, Approval no) =>
        After(before, "approval_denied", no.Reason is null ? "An approver said no." : $"An approver said no: {no.Reason}");

    /// <summary>The decision after nobody, or too few, said yes in time.</summary>
    public static PolicyDecision Expired(PolicyDecision? before) => After(before, "approval_expired", "It was not approved in time.");

    private static PolicyDecision After(PolicyDecision? before, string code, string inPlainWords) => new(
        false, code, inPlainWords,
        [.. (before?.Verdicts ?? []).Where(verdict => verdict.Rule != Rule), new RuleVerdict(Rule, Judgement.Deny, code, inPlainWords)]);
}
