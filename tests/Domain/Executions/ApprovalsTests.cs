using ControlPlane.Executions;
using ControlPlane.Tenants;

namespace ControlPlane.Tests.Domain.Executions;

/// <summary>When those who said yes are enough.</summary>
public sealed class ApprovalsTests
{
    private static readonly UserGroup[] Groups = [new("ops", ["T1/UA", "UB"]), new("others", ["UC"])];

    [Theory]
    [InlineData("UA", 1, true)]
    [InlineData("UB", 1, true)]                 // named for whichever workspace
    [InlineData("UC", 1, false)]                // of another group
    [InlineData("UX", 1, false)]                // an approver no longer, or never
    [InlineData("UA", 2, false)]
    [InlineData("UA UA", 2, false)]             // twice is once
    [InlineData("UA UB", 2, true)]
    [InlineData("UA UX", 2, false)]
    [InlineData("", 1, false)]
    public void Each_approver_counts_once_while_they_are_one(string given, int needed, bool enough) =>
        Assert.Equal(enough, Rule(needed).AreEnough(Words(given), ByUser("U1"), Groups));

    [Theory]
    [InlineData(false, "T1", false)]
    [InlineData(true, "T1", true)]
    [InlineData(false, "T2", true)]             // the same id of another workspace is somebody else
    public void Who_asked_counts_only_where_the_rule_says_so(bool selfApproval, string workspaceOfAsker, bool enough) =>
        Assert.Equal(enough, (Rule(1) with { SelfApproval = selfApproval }).AreEnough(Words("UB"), ByUser("UB", workspaceOfAsker), Groups));

    [Fact]
    public void Of_another_workspace_a_user_with_the_same_id_is_no_approver() =>
        Assert.False(Rule(1).AreEnough([new(TeamId.Parse("T2"), UserId.Parse("UA"), default)], ByUser("U1"), Groups));

    [Fact]
    public void A_group_that_is_not_there_approves_nothing() => Assert.False(Rule(1).AreEnough(Words("UA"), ByUser("U1"), []));

    [Fact]
    public void A_schedule_is_its_makers_and_an_operator_is_nobody_in_Slack()
    {
        var word = Words("UB").Single();
        Assert.True(Approvals.IsAsker(new Requester.Schedule(ScheduleId.Of("T1", "1"), null, TeamId.Parse("T1"), UserId.Parse("UB"), ChannelId.Parse("C1")), word));
        Assert.False(Approvals.IsAsker(new Requester.Operator(OperatorId.Parse("local:ub")), word));
    }

    [Fact]
    public void A_no_and_an_end_of_patience_are_the_decisions_reason_and_stand_last_among_the_verdicts()
    {
        var before = new PolicyDecision(true, "allowed", "", [new("tenant", Judgement.Allow, "ok", "Fine."), new(Approvals.Rule, Judgement.Allow, "ok", "Yes.")]);
        foreach (var (after, code) in new[] { (Approvals.Denied(before, Words("UA").Single()), "approval_denied"), (Approvals.Expired(before), "approval_expired") })
        {
            Assert.Equal((false, code), (after.Allowed, after.Code));
            Assert.Equal(["tenant", Approvals.Rule], after.Verdicts.Select(one => one.Rule));
            Assert.Equal((Judgement.Deny, code), (after.Verdicts[^1].Verdict, after.Verdicts[^1].Code));
        }
        Assert.Single(Approvals.Expired(null).Verdicts);
    }

    [Theory]
    [InlineData(null, "An approver said no."), InlineData("not before the audit", "An approver said no: not before the audit")]
    public void A_no_says_why_where_its_approver_did(string? reason, string words) =>
        Assert.Equal(words, Approvals.Denied(null, Words("UA").Single() with { Reason = reason }).InPlainWords);

    private static ApprovalRule Rule(int approvals) =>
        new(["ops"], TeamId.Parse("T1"), ChannelId.Parse("C1"), approvals, SelfApproval: false, TimeSpan.FromHours(24));

    private static Requester.Slack ByUser(string user, string team = "T1") => new(TeamId.Parse(team), UserId.Parse(user), ChannelId.Parse("C1"));

    private static IEnumerable<Approval> Words(string users) => users.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Select(user => new Approval(TeamId.Parse("T1"), UserId.Parse(user), default));
}
