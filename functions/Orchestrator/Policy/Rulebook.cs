using ControlPlane.Executions;

namespace ControlPlane.Orchestrator.Policy;

/// <summary>The rules in the order they are asked, and the decision they add up to.</summary>
/// <remarks>Denied unless every rule was asked and none denied. All are asked, so that <c>why</c> shows everything that stands in the way.</remarks>
internal static class Rulebook
{
    public const string Concurrency = "concurrency";
    public const string Quota = "quota";

    private static readonly (string Name, Func<Situation, Verdict> Ask)[] InOrder =
    [
        ("tenant", Rules.TenantIsActive),
        ("workflow", Rules.WorkflowIsPublished),
        ("user", Rules.UserMayRunIt),
        ("channel", Rules.ChannelMayRunIt),
        ("inputs", Rules.InputsFit),
        ("deadline", Rules.IsStillInTime),
        ("data_plane", Rules.DataPlaneAnswers),
        (Concurrency, Rules.IsWithinConcurrency),
        (Quota, Rules.IsWithinMonthlyQuota),
        ("gpu_time", Rules.IsWithinGpuTime),
    ];

    public static PolicyDecision Decide(Situation situation) => Sum([.. InOrder.Select(rule => Record(rule.Name, rule.Ask(situation)))]);

    /// <summary>The decision after the table knew better: another request had taken what was left.</summary>
    public static PolicyDecision Overruled(PolicyDecision decision, string rule, Verdict.Deny by) =>
        Sum([.. decision.Verdicts.Select(verdict => verdict.Rule == rule ? Record(rule, by) : verdict)]);

    private static PolicyDecision Sum(IReadOnlyList<RuleVerdict> verdicts)
    {
        if (verdicts.FirstOrDefault(verdict => verdict.Verdict == Judgement.Deny) is { } first)
            return new(false, first.Code, first.InPlainWords, verdicts);
        if (verdicts.Any(verdict => verdict.Verdict is not (Judgement.Allow or Judgement.Warn)))
            return new(false, "not_judged", "The request could not be judged.", verdicts);
        var warnings = verdicts.Where(verdict => verdict.Verdict == Judgement.Warn).Select(verdict => verdict.InPlainWords);
        return new(true, "allowed", string.Join(" ", warnings), verdicts);
    }

    private static RuleVerdict Record(string rule, Verdict verdict) => verdict switch
    {
        Verdict.Allow allow => new(rule, Judgement.Allow, "ok", allow.InPlainWords),
        Verdict.Warn warn => new(rule, Judgement.Warn, warn.Code, warn.InPlainWords),
        Verdict.Deny deny => new(rule, Judgement.Deny, deny.Code, deny.InPlainWords),
        Verdict.NotAsked => new(rule, Judgement.NotAsked, "not_asked", "Not asked."),
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
