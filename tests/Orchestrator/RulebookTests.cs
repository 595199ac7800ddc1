using System.Text.Json;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Orchestrator.Plans;
using ControlPlane.Orchestrator.Policy;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Orchestrator;

/// <summary>Policy as a table: one thing is changed, one rule says so.</summary>
public class RulebookTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
    private static readonly Month November = new(2026, 11);

    private Tenant? _tenant = TenantOf(TenantStatus.Active, TenantLimits.Default);
    private Workflow? _workflow = OrchestratorFixture.Workflow(new WorkflowParameter("city", ParameterType.String, Required: true));
    private List<UserGroup> _groups = [];
    private MonthUsage _month = MonthUsage.None;
    private int _active;
    private List<InstanceState> _instances = [Instance(Now)];
    private Liveness _told = Liveness.Healthy;
    private WatchState? _watch;
    private DateTimeOffset _requestedAt = Now;
    private string _inputs = """{"city":"Basel"}""";
    private string? _fault;
    private Requester _by = Requesters.OfSlack();

    [Fact]
    public void Where_nothing_stands_in_the_way_every_rule_allows()
    {
        var decision = Decide();

        Assert.True(decision.Allowed);
        Assert.Equal("allowed", decision.Code);
        Assert.All(decision.Verdicts, verdict => Assert.Equal(Judgement.Allow, verdict.Verdict));
        Assert.Equal(
            ["tenant", "workflow", "user", "channel", "inputs", "deadline", "data_plane", "concurrency", "quota", "gpu_time"],
            decision.Verdicts.Select(verdict => verdict.Rule));
    }

    [Fact]
    public void An_unregistered_tenant_runs_nothing()
    {
        (_tenant, _workflow) = (null, null);
        AssertDenied("tenant_unknown");
    }

    [Fact]
    public void A_tenant_that_is_stored_wrong_runs_nothing()
    {
        (_tenant, _workflow, _fault) = (null, null, "broken");
        AssertDenied("tenant_misconfigured");
    }

    [Theory]
    [InlineData(TenantStatus.Suspended, "tenant_suspended")]
    [InlineData(TenantStatus.Deleting, "tenant_deleting")]
    public void A_tenant_that_is_not_active_runs_nothing(TenantStatus status, string code)
    {
        _tenant = TenantOf(status, TenantLimits.Default);
        AssertDenied(code);
    }

    [Fact]
    public void An_unknown_workflow_is_not_run()
    {
        _workflow = null;
        AssertDenied("workflow_unknown");
    }

    [Fact]
    public void A_disabled_workflow_is_not_run()
    {
        _workflow = _workflow! with { Enabled = false };
        AssertDenied("workflow_disabled");
    }

    [Fact]
    public void A_user_who_is_not_named_may_not()
    {
        _workflow = _workflow! with { AllowedUsers = ["U9999"] };
        AssertDenied("user_not_allowed");
    }

    [Fact]
    public void A_user_of_a_named_group_may_and_one_of_another_group_may_not()
    {
        _workflow = _workflow! with { AllowedGroups = ["ops"] };
        AssertDenied("user_not_allowed");
        _groups = [new("dev", ["U0001"])];
        AssertDenied("user_not_allowed");
        _groups = [new("ops", ["U0001"])];
        Assert.True(Decide().Allowed);
    }

    [Fact]
    public void An_operator_is_asked_for_no_group_and_no_channel_but_for_all_the_rest()
    {
        _by = Requesters.AnOperator;
        _workflow = _workflow! with { AllowedGroups = ["ops"], AllowedChannels = [ChannelId.Parse("C9999")] };
        Assert.True(Decide().Allowed);

        _workflow = _workflow with { Enabled = false };
        AssertDenied("workflow_disabled");
        _tenant = TenantOf(TenantStatus.Suspended, TenantLimits.Default);
        AssertDenied("tenant_suspended");
    }

    [Fact]
    public void A_schedule_is_asked_what_its_owner_is_asked()
    {
        var schedule = Requesters.OfSchedule();
        _by = schedule;
        Assert.True(Decide().Allowed);

        _workflow = _workflow! with { AllowedGroups = ["ops"] };
        _groups = [new("ops", [])];
        AssertDenied("user_not_allowed");               // who made it has lost the right
        _groups = [new("ops", ["U0001"])];
        Assert.True(Decide().Allowed);
        _workflow = _workflow with { AllowedChannels = [ChannelId.Parse("C9999")] };
        AssertDenied("channel_not_allowed");

        _by = schedule with { Caller = Requesters.AnOperator.Caller };
        Assert.True(Decide().Allowed);                  // as an operator's, it is asked for neither
        _by = schedule with { UserId = null };
        AssertDenied("user_not_allowed");               // nobody's
    }

    [Fact]
    public void A_channel_that_is_not_named_may_not()
    {
        _workflow = _workflow! with { AllowedChannels = [ChannelId.Parse("C9999")] };
        AssertDenied("channel_not_allowed");
    }

    [Fact]
    public void Inputs_that_do_not_fit_are_told()
    {
        _inputs = "{}";
        Assert.Equal("city is missing: it must be a text.", AssertDenied("inputs_invalid").InPlainWords);
    }

    [Theory]
    [InlineData(-3600_000, false)]
    [InlineData(-3599_999, true)]
    public void A_request_whose_deadline_has_passed_is_not_begun(int milliseconds, bool isAllowed)
    {
        _requestedAt = Now.AddMilliseconds(milliseconds);
        Assert.Equal(isAllowed ? "allowed" : "request_expired", Decide().Code);
    }

    [Theory]
    [InlineData(90_000, Judgement.Allow, "ok")]
    [InlineData(90_001, Judgement.Warn, "data_plane_late")]
    [InlineData(180_000, Judgement.Warn, "data_plane_late")]
    [InlineData(180_001, Judgement.Warn, "data_plane_silent")]
    [InlineData(86_000_000, Judgement.Warn, "data_plane_silent")]
    public void A_data_plane_that_is_late_or_silent_warns(int milliseconds, Judgement verdict, string code)
    {
        _instances = [Instance(Now.AddMilliseconds(-milliseconds)), Instance(Now.AddDays(-1), "i-2")];

        var decision = Decide();

        Assert.Equal(verdict != Judgement.Deny, decision.Allowed);
        Assert.Contains(decision.Verdicts, one => one.Rule == "data_plane" && one.Verdict == verdict && one.Code == code);
        Assert.Equal(verdict == Judgement.Allow, decision.InPlainWords.Length == 0);
    }

    [Fact]
    public void A_warning_says_for_how_long_it_has_been_silent()
    {
        _instances = [Instance(Now.AddSeconds(-299))];
        Assert.Equal("The data plane has been silent for 4 min. Trying anyway.", Decide().InPlainWords);
        _instances = [Instance(Now.AddHours(-5))];
        Assert.Contains("5 h", Decide().InPlainWords, StringComparison.Ordinal);
        _instances = [Instance(Now.AddDays(-5))];
        Assert.Contains("5 days", Decide().InPlainWords, StringComparison.Ordinal);
    }

    [Fact]
    public void Silence_denies_where_the_operator_said_so_and_it_is_the_tenants_own()
    {
        _tenant = TenantOf(TenantStatus.Active, TenantLimits.Default with { DeniesWhenSilent = true });
        _instances = [Instance(Now.AddSeconds(-240))];
        (_told, _watch) = (Liveness.Offline, new(Now.AddSeconds(-30), Now.AddDays(-1), null, null));
        AssertDenied("data_plane_offline");

        _told = Liveness.Late;                                              // the sweeper has not told it yet
        Assert.True(Decide().Allowed);
        (_told, _watch) = (Liveness.Offline, null);
        Assert.True(Decide().Allowed);
        _watch = new(Now.AddSeconds(-30), Now.AddSeconds(-200), null, null);    // the hub was away until just now
        Assert.True(Decide().Allowed);
        _watch = new(Now.AddSeconds(-30), Now.AddDays(-1), Now.AddMinutes(-10), null);     // most are silent
        Assert.True(Decide().Allowed);
        _watch = new(Now.AddSeconds(-30), Now.AddDays(-1), null, null);
        AssertDenied("data_plane_offline");
        _instances = [Instance(Now.AddSeconds(-180))];
        Assert.True(Decide().Allowed);
    }

    [Fact]
    public void A_data_plane_that_was_never_heard_of_warns()
    {
        _instances = [];
        var decision = Decide();
        Assert.True(decision.Allowed);
        Assert.Contains(decision.Verdicts, one => one.Code == "data_plane_unheard");
    }

    [Theory]
    [InlineData(10, 9, true)]
    [InlineData(10, 10, false)]
    [InlineData(10, 11, false)]
    [InlineData(0, 0, false)]
    public void So_many_may_be_under_way_at_once(int limit, int active, bool isAllowed)
    {
        (_tenant, _active) = (TenantOf(TenantStatus.Active, TenantLimits.Default with { Concurrency = limit }), active);
        Assert.Equal(isAllowed ? "allowed" : "too_many_under_way", Decide().Code);
    }

    [Theory]
    [InlineData(1000, 999, true)]
    [InlineData(1000, 1000, false)]
    [InlineData(1000, 1001, false)]
    [InlineData(0, 0, false)]
    public void So_many_may_be_charged_a_month(long limit, long charged, bool isAllowed)
    {
        (_tenant, _month) = (TenantOf(TenantStatus.Active, TenantLimits.Default with { MonthlyQuota = limit }), new(charged, 0, ExecutionUsage.None));
        Assert.Equal(isAllowed ? "allowed" : "quota_used_up", Decide().Code);
    }

    [Theory]
    [InlineData(60_000L, 59_999, true)]
    [InlineData(60_000L, 60_000, false)]
    [InlineData(60_000L, 60_001, false)]
    [InlineData(0L, 0, false)]
    [InlineData(null, 999_999, true)]
    public void Metered_GPU_time_ends_new_executions_from_the_limit_on(long? limit, long used, bool isAllowed)
    {
        (_tenant, _instances) = (
            TenantOf(TenantStatus.Active, TenantLimits.Default with { MonthlyGpuMs = limit }), [Instance(Now) with { Totals = new(0, used) }]);
        Assert.Equal(isAllowed ? "allowed" : "gpu_time_used_up", Decide().Code);
    }

    [Fact]
    public void The_first_rule_that_denies_is_told_and_all_of_them_are_recorded()
    {
        _workflow = _workflow! with { AllowedUsers = ["U9999"], AllowedChannels = [ChannelId.Parse("C9999")] };
        _tenant = TenantOf(TenantStatus.Active, TenantLimits.Default with { DeniesWhenSilent = true });
        (_instances, _told, _watch) = ([Instance(Now.AddHours(-1))], Liveness.Offline, new(Now, Now.AddDays(-1), null, null));

        var decision = AssertDenied("user_not_allowed");

        Assert.Equal(
            ["user_not_allowed", "channel_not_allowed", "data_plane_offline"],
            decision.Verdicts.Where(verdict => verdict.Verdict == Judgement.Deny).Select(verdict => verdict.Code));
    }

    [Fact]
    public void A_lost_race_puts_the_tables_word_in_the_place_of_the_rules()
    {
        var decision = Rulebook.Overruled(Decide(), Rulebook.Quota, Rules.QuotaUsedUp(TenantLimits.Default));

        Assert.False(decision.Allowed);
        Assert.Equal("quota_used_up", decision.Code);
        Assert.Equal("This month's quota of 1000 executions is used up.", decision.InPlainWords);
        Assert.Equal(10, decision.Verdicts.Count);
        Assert.Single(decision.Verdicts, verdict => verdict.Verdict == Judgement.Deny);
    }

    private PolicyDecision AssertDenied(string code)
    {
        var decision = Decide();
        Assert.False(decision.Allowed);
        Assert.Equal(code, decision.Code);
        Assert.NotEmpty(decision.InPlainWords);
        Assert.Equal(10, decision.Verdicts.Count);
        return decision;
    }

    private PolicyDecision Decide()
    {
        var request = new StartRequest(
            ExecutionId.Of("T0001", "t"), OrchestratorFixture.Tenant, OrchestratorFixture.Scheduler, JsonDocument.Parse(_inputs).RootElement,
            _by, IsPublic: false, _requestedAt);
        var planning = _workflow is null ? null : new Planner(OrchestratorFixture.Outcomes).Plan(request, _workflow, Now);
        return Rulebook.Decide(new(
            request, new(_tenant, _workflow, _groups, _month, _active, _fault), planning, new(OrchestratorFixture.Tenant, November, _instances, [], _told), Now,
            _watch));
    }

    private static Tenant TenantOf(TenantStatus status, TenantLimits limits)
    {
        Assert.True(EngineAddress.TryParse("10.142.128.10", OrchestratorFixture.Tenant, allowPublicSubnet: false, out var engine));
        return new(OrchestratorFixture.Tenant, "Acme", status, engine, false, limits);
    }

    private static InstanceState Instance(DateTimeOffset lastSeen, string id = "i-1") => new()
    {
        Tenant = OrchestratorFixture.Tenant,
        Instance = InstanceId.Parse(id),
        Epoch = 1,
        Counter = 1,
        BodyHash = "00",
        Base = ComputeTime.Zero,
        Totals = ComputeTime.Zero,
        Month = November,
        AtMonthStart = ComputeTime.Zero,
        SampledAt = lastSeen,
        LastSeen = lastSeen,
        FirstSeen = lastSeen,
    };
}
