using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Domain.Executions;

public class ExecutionLifecycleTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void The_whole_table() => Assert.Equal(
        """
        AWAITING_APPROVAL Approved → QUEUED
        AWAITING_APPROVAL Denied → DENIED, Release
        AWAITING_APPROVAL Cancelled → CANCELLED, Release
        QUEUED Claimed → DISPATCHING
        QUEUED Refused (HoldsClaim) → FAILED, Release
        QUEUED Started → RUNNING
        QUEUED Succeeded → SUCCEEDED, Settle
        QUEUED Failed → FAILED, Settle
        QUEUED Stopped → CANCELLED, Settle
        QUEUED Cancelled → CANCELLED, Release
        QUEUED Expired → TIMED_OUT, Release
        DISPATCHING Claimed (MayBeTakenOver) → DISPATCHING
        DISPATCHING Accepted (HoldsClaim) → DISPATCHED
        DISPATCHING Ambiguous (HoldsClaim) → DISPATCH_UNKNOWN
        DISPATCHING Deferred (HoldsClaim) → QUEUED
        DISPATCHING Refused (HoldsClaim) → FAILED, Release
        DISPATCHING Started → RUNNING
        DISPATCHING Succeeded → SUCCEEDED, Settle
        DISPATCHING Failed → FAILED, Settle
        DISPATCHING Stopped → CANCELLED, Settle
        DISPATCHING Cancelled → CANCELLED, Settle
        DISPATCHING Expired → TIMED_OUT, Release
        DISPATCHED Started → RUNNING
        DISPATCHED Succeeded → SUCCEEDED, Settle
        DISPATCHED Failed → FAILED, Settle
        DISPATCHED Stopped → CANCELLED, Settle
        DISPATCHED Cancelled → CANCELLED, Settle
        DISPATCHED Expired → TIMED_OUT, Release
        DISPATCH_UNKNOWN Claimed (MayBeTakenOver) → DISPATCHING
        DISPATCH_UNKNOWN Accepted (HoldsClaim) → DISPATCHED
        DISPATCH_UNKNOWN Started → RUNNING
        DISPATCH_UNKNOWN Succeeded → SUCCEEDED, Settle
        DISPATCH_UNKNOWN Failed → FAILED, Settle
        DISPATCH_UNKNOWN Stopped → CANCELLED, Settle
        DISPATCH_UNKNOWN Cancelled → CANCELLED, Settle
        DISPATCH_UNKNOWN Expired → TIMED_OUT, Release
        RUNNING Succeeded → SUCCEEDED, Settle
        RUNNING Failed → FAILED, Settle
        RUNNING Stopped → CANCELLED, Settle
        RUNNING Cancelled → CANCELLED, Settle
        RUNNING Expired → TIMED_OUT, Release
        FAILED Succeeded (RejectedLately) → SUCCEEDED, Charge
        FAILED Failed (RejectedLately) → FAILED, Charge
        FAILED Stopped (RejectedLately) → CANCELLED, Charge
        TIMED_OUT Succeeded (EndedLately) → SUCCEEDED, Charge
        TIMED_OUT Failed (EndedLately) → FAILED, Charge
        TIMED_OUT Stopped (EndedLately) → CANCELLED, Charge
        """,
        string.Join('\n', ExecutionLifecycle.Transitions.OrderBy(one => (one.From, one.Signal)).Select(InWords)));

    [Fact]
    public void A_claim_is_taken_over_only_when_its_lease_has_lapsed_and_the_workflow_may_run_twice()
    {
        foreach (var state in new[] { ExecutionState.Dispatching, ExecutionState.DispatchUnknown })
        {
            Assert.Null(Claimed(state, mayRunTwice: false, leaseLeft: -1));
            Assert.Null(Claimed(state, mayRunTwice: true, leaseLeft: 0));
            Assert.NotNull(Claimed(state, mayRunTwice: true, leaseLeft: -1));
        }

        static Transition? Claimed(ExecutionState state, bool mayRunTwice, int leaseLeft) => ExecutionLifecycle.Find(
            Some(state) with { IsIdempotent = mayRunTwice, LeaseOwner = "one", LeaseUntil = Now.AddMilliseconds(leaseLeft) }, Signal.Claimed, "two", Now);
    }

    [Fact]
    public void What_came_of_an_attempt_only_its_own_dispatcher_says()
    {
        var claimed = Some(ExecutionState.Dispatching) with { LeaseOwner = "one" };
        foreach (var signal in new[] { Signal.Accepted, Signal.Ambiguous, Signal.Deferred, Signal.Refused })
        {
            Assert.NotNull(ExecutionLifecycle.Find(claimed, signal, "one", Now));
            Assert.Null(ExecutionLifecycle.Find(claimed, signal, "two", Now));
            Assert.Null(ExecutionLifecycle.Find(claimed, signal, null, Now));
        }
    }

    [Fact]
    public void A_signal_leads_to_one_state_wherever_it_comes_from() =>
        Assert.All(ExecutionLifecycle.Transitions.GroupBy(one => one.Signal), rows => Assert.Single(rows.Select(row => row.To).Distinct()));

    [Fact]
    public void No_signal_has_two_meanings_for_one_state() =>
        Assert.All(ExecutionLifecycle.Transitions.GroupBy(one => (one.From, one.Signal)), rows => Assert.Single(rows));

    [Fact]
    public void Only_a_time_out_and_a_rejection_are_ever_replaced() =>
        Assert.Equal(
            [ExecutionState.TimedOut, ExecutionState.Failed],
            ExecutionLifecycle.Transitions.Select(one => one.From).Where(state => state.IsTerminal).Distinct());

    [Theory]
    [InlineData(DispatchFailure.Rejected, 0, true), InlineData(DispatchFailure.Rejected, 1, false)]
    [InlineData(DispatchFailure.Unauthorized, 0, false), InlineData(DispatchFailure.WorkflowNotActive, 0, false), InlineData(null, 0, false)]
    public void A_refusal_that_a_workflow_may_have_chosen_gives_way_for_a_day(DispatchFailure? failure, int millisecondsMore, bool gives)
    {
        var failed =
            Some(ExecutionState.Failed) with
            {
                FailureCode = failure,
                FinishedAt = Now - ExecutionLifecycle.SupersededWithin - TimeSpan.FromMilliseconds(millisecondsMore)
            };
        foreach (var signal in new[] { Signal.Succeeded, Signal.Failed, Signal.Stopped })
            Assert.Equal(gives, ExecutionLifecycle.Find(failed, signal, null, Now) is not null);
    }

    [Fact]
    public void Every_open_state_can_be_ended_by_its_deadline()
    {
        // The deadline of what waits for approval is its approvers'.
        foreach (var state in ExecutionStates.All.Where(state => !state.IsTerminal && state != ExecutionState.AwaitingApproval))
            Assert.Equal(ExecutionState.TimedOut, ExecutionLifecycle.Find(Some(state), Signal.Expired, null, Now)?.To);
    }

    [Fact]
    public void No_engine_and_no_dispatcher_moves_what_waits_for_approval() => Assert.Equal(
        [Signal.Approved, Signal.Denied, Signal.Cancelled],
        Enum.GetValues<Signal>().Where(signal => ExecutionLifecycle.Find(Some(ExecutionState.AwaitingApproval), signal, null, Now) is not null));

    [Fact]
    public void A_states_name_is_read_back()
    {
        foreach (var state in ExecutionStates.All)
            Assert.Equal(state, ExecutionStates.Parse(state.Name));
        Assert.Throws<FormatException>(() => ExecutionStates.Parse("queued"));
    }

    [Fact]
    public void A_failures_code_is_read_back()
    {
        foreach (var failure in DispatchFailures.All)
            Assert.Equal(failure, DispatchFailures.Parse(failure.Code));
        Assert.Equal(
            ["dispatch_unreachable", "dispatch_expired", "dispatch_unauthorized", "dispatch_rejected", "workflow_not_active", "engine_address_refused",
                "tenant_not_active", "dispatch_unreadable"],
            DispatchFailures.All.Select(failure => failure.Code));
        Assert.Throws<FormatException>(() => DispatchFailures.Parse("Unreachable"));
    }

    private static string InWords(Transition one) =>
        $"{one.From.Name} {one.Signal}{(one.Guard == Guard.None ? "" : $" ({one.Guard})")} → {one.To.Name}{(one.Quota == QuotaEffect.None ? "" : $", {one.Quota}")}";

    private static Execution Some(ExecutionState state) => new()
    {
        Id = ExecutionId.Of("T1", "1"),
        Tenant = TenantId.Parse("tenant-1"),
        Workflow = WorkflowName.Parse("wf"),
        RequestedBy = Requesters.OfSlack("T1", "U1", "C1"),
        State = state,
        CreatedAt = Now,
        DeadlineAt = Now.AddHours(1),
        Month = Month.Of(Now),
    };
}
