using System.Text.Json;
using ControlPlane.Executions;
using ControlPlane.Schedules;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Domain.Schedules;

public sealed class ScheduleTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    private static readonly Schedule Daily = new()
    {
        Tenant = TenantId.Parse("tenant-1"),
        Workflow = WorkflowName.Parse("wf_sched"),
        Owner = Requesters.OfSchedule(),
        Cron = "0 8 * * *",
        Zone = "UTC",
        Inputs = JsonElement.Parse("""{"city":"Basel"}"""),
        IsPublic = true,
        MadeAt = Now,
    };

    [Fact]
    public void It_stops_while_it_is_paused_and_when_it_is_removed()
    {
        Assert.False(Daily.IsStopped);
        Assert.True((Daily with { PausedAt = Now }).IsStopped);
        Assert.True((Daily with { RemovedAt = Now }).IsStopped);
    }

    [Fact]
    public void Its_last_order_is_the_last_that_was_ordered()
    {
        Assert.Null(Daily.LastOrdered);
        Firing first = new(Now.AddDays(-3), FiringKind.Ordered), second = new(Now.AddDays(-2), FiringKind.Ordered);
        var missed = new Firing(Now.AddDays(-1), FiringKind.Missed);
        Assert.Equal(second, (Daily with { Firings = [first, second, missed] }).LastOrdered);
        Assert.Null((Daily with { Firings = [missed] }).LastOrdered);
    }

    [Fact]
    public void What_is_ordered_is_its_planned_times_execution_in_its_owners_name()
    {
        var order = Daily.OrderOf(Now.AddMinutes(-2), Now);
        Assert.Equal(
            ("execution-request.v1", ExecutionId.OfSchedule(Daily.Id, Now.AddMinutes(-2)).ToString(), "tenant-1", "wf_sched", true, Now),
            (order.Schema, order.ExecutionId, order.TenantId, order.Workflow, order.Public, order.RequestedAt));
        Assert.Equal((Daily.Owner, """{"city":"Basel"}"""), (order.RequestedBy, order.Inputs.GetRawText()));
    }

    [Fact]
    public void What_is_not_due_is_not_decided() => Assert.Throws<ArgumentException>(() => FiringRule.Decide(Now.AddTicks(1), _ => null, isBusy: false, Now));
}
