using System.Text;
using System.Text.Json;
using Amazon.Lambda.TestUtilities;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Schedules;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;
using ControlPlane.Timetables;

namespace ControlPlane.Tests.MeteringCollector;

/// <summary>The sweeper and schedules, on real tables and queues.</summary>
public sealed class FireSchedulesTests(LocalCloud cloud)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_planned_time_is_ordered_once_for_its_owner_with_its_inputs()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var schedule = await AddAsync(desk, "*/5 * * * *");
        await SweepAsync(desk);
        Assert.Empty(await desk.OrdersAsync());

        desk.Clock.Advance(TimeSpan.FromMinutes(5));
        await SweepAsync(desk);
        await SweepAsync(desk);

        var order = Assert.Single(await desk.OrdersAsync());
        Assert.Equal(ExecutionId.OfSchedule(schedule.Id, schedule.NextAt!.Value).ToString(), order.ExecutionId);
        Assert.Equal(("tenant-43", "wf_sched", schedule.Owner, false), (order.TenantId, order.Workflow, order.RequestedBy, order.Public));
        Assert.Equal("""{"city":"Paris"}""", order.Inputs.GetRawText());
        var now = await FindAsync(desk, schedule);
        Assert.Equal((null, schedule.NextAt.Value.AddMinutes(5)), (now.OrderingAt, now.NextAt!.Value));
        Assert.Equal([new Firing(schedule.NextAt.Value, FiringKind.Ordered)], now.Firings);
    }

    [Fact]
    public async Task Two_sweepers_at_once_order_each_planned_time_once()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var schedules = new List<Schedule>();
        for (var i = 0; i < 20; i++)
            schedules.Add(await AddAsync(desk, "0 13 * * *", key: $"{i}"));
        desk.Clock.Advance(TimeSpan.FromHours(1));

        await Task.WhenAll(SweepAsync(desk), SweepAsync(desk));

        Assert.Equal(
            schedules.Select(one => ExecutionId.OfSchedule(one.Id, one.NextAt!.Value).ToString()).Order(),
            (await desk.OrdersAsync()).Select(one => one.ExecutionId).Order());
        foreach (var schedule in schedules)
            Assert.Single((await FindAsync(desk, schedule)).Firings);
    }

    [Theory]
    [InlineData("settled"), InlineData("claimed"), InlineData("paused"), InlineData("removed")]
    public async Task What_somebody_else_did_meanwhile_wins(string meanwhile)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var schedule = await AddAsync(desk, "0 * * * *");
        var (planned, next) = (schedule.NextAt!.Value, schedule.NextAt.Value.AddHours(1));
        var decision = new FiringDecision(planned, next, [new(planned, FiringKind.Ordered)]);
        _ = meanwhile switch
        {
            "settled" => await Store(desk).SettleAsync(schedule, decision with { Run = null }, Cancel) is not null,
            "claimed" => await Store(desk).SettleAsync(schedule, decision with { Next = planned }, Cancel) is not null,
            "paused" => await Store(desk).PauseAsync(schedule, desk.Tables.Auditor, Cancel),
            _ => await Store(desk).RemoveAsync(schedule, desk.Tables.Auditor, Cancel),
        };
        Assert.Null(await Store(desk).SettleAsync(schedule, decision, Cancel));
    }

    [Theory]
    [InlineData(90, 1, 1)]          // the latest is not an hour late
    [InlineData(61, 1, 1)]
    [InlineData(4, 4, 0)]           // a sweep that was late: nothing was missed
    public async Task After_an_absence_the_latest_runs_and_the_rest_is_noted(int minutesAway, int ordered, int missed)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var schedule = await AddAsync(desk, "* * * * *", overlap: true);
        desk.Clock.Advance(TimeSpan.FromMinutes(minutesAway));

        await SweepAsync(desk);

        Assert.Equal(ordered, (await desk.OrdersAsync()).Count);
        var now = await FindAsync(desk, schedule);
        Assert.Equal((ordered, missed), (now.Firings.Count(one => one.Kind == FiringKind.Ordered), now.Firings.Count(one => one.Kind == FiringKind.Missed)));
        Assert.True(now.NextAt > desk.Clock.Now);
    }

    [Fact]
    public async Task What_is_an_hour_late_does_not_run_any_more()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var schedule = await AddAsync(desk, "0 13 * * *");
        desk.Clock.Advance(TimeSpan.FromHours(2));
        await SweepAsync(desk);
        Assert.Empty(await desk.OrdersAsync());
        Assert.Equal([new Firing(schedule.NextAt!.Value, FiringKind.Missed)], (await FindAsync(desk, schedule)).Firings);
    }

    [Fact]
    public async Task While_its_last_execution_is_under_way_a_planned_time_is_left_out_and_noted()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var (one, free) = (await AddAsync(desk, "*/15 * * * *", key: "one"), await AddAsync(desk, "*/15 * * * *", overlap: true, key: "free"));
        desk.Clock.Advance(TimeSpan.FromMinutes(15));
        await SweepAsync(desk);
        var first = (await desk.OrdersAsync()).Single(order => order.RequestedBy == one.Owner);
        await desk.StartAsync(ExecutionState.Dispatched, named: ExecutionId.Parse(first.ExecutionId));

        desk.Clock.Advance(TimeSpan.FromMinutes(15));
        await SweepAsync(desk);
        Assert.Equal([free.Owner], (await desk.OrdersAsync()).Select(order => order.RequestedBy));
        Assert.Equal([FiringKind.Ordered, FiringKind.Overlapped], (await FindAsync(desk, one)).Firings.Select(firing => firing.Kind));

        await desk.Executions.CancelAsync((await desk.Executions.FindAsync(ExecutionId.Parse(first.ExecutionId), Cancel))!, "U1", desk.Tables.Auditor, Cancel);
        desk.Clock.Advance(TimeSpan.FromMinutes(15));
        await SweepAsync(desk);
        Assert.Equal(2, (await desk.OrdersAsync()).Count);
    }

    [Fact]
    public async Task An_order_on_its_way_is_under_way_and_a_lost_one_is_not()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var schedule = await AddAsync(desk, "*/2 * * * *");
        for (var i = 0; i < 3; i++)
        {
            desk.Clock.Advance(TimeSpan.FromMinutes(4));
            await SweepAsync(desk);
        }
        // Nobody took the first order: after ten minutes it counts as lost.
        Assert.Equal(2, (await desk.OrdersAsync()).Count);
        Assert.Equal(
            [schedule.NextAt, schedule.NextAt!.Value.AddMinutes(8)],
            (await FindAsync(desk, schedule)).Firings.Where(one => one.Kind == FiringKind.Ordered).Select(one => (DateTimeOffset?)one.PlannedAt));
    }

    [Fact]
    public async Task One_that_is_paused_or_removed_orders_nothing_and_one_that_is_resumed_does_not_make_up_for_it()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var (paused, removed) = (await AddAsync(desk, "0 * * * *", key: "paused"), await AddAsync(desk, "0 * * * *", key: "removed"));
        Assert.True(await Store(desk).PauseAsync(paused, desk.Tables.Auditor, Cancel));
        Assert.True(await Store(desk).RemoveAsync(removed, desk.Tables.Auditor, Cancel));
        desk.Clock.Advance(TimeSpan.FromMinutes(150));
        await SweepAsync(desk);
        Assert.Empty(await desk.OrdersAsync());
        Assert.Empty(await DueAsync(desk));
        Assert.Null(await Store(desk).FindAsync(removed.Id, Cancel));
        Assert.False(await Store(desk).PauseAsync(removed, desk.Tables.Auditor, Cancel));

        var next = Timetable.Parse(paused.Cron, paused.Zone).NextAfter(desk.Clock.Now)!.Value;
        Assert.True(await Store(desk).ResumeAsync(paused, next, desk.Tables.Auditor, Cancel));
        await SweepAsync(desk);
        Assert.Empty(await desk.OrdersAsync());
        desk.Clock.Advance(TimeSpan.FromMinutes(30));
        await SweepAsync(desk);
        Assert.Equal([ExecutionId.OfSchedule(paused.Id, next).ToString()], (await desk.OrdersAsync()).Select(order => order.ExecutionId));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_claimed_before_it_was_stopped_is_still_sent(bool isRemoved)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var schedule = await AddAsync(desk, "0 * * * *");
        desk.Clock.Advance(TimeSpan.FromHours(1));
        await SweepAsync(desk, new FaultSeam(call => call.Operation == "SendMessage" ? Fault.StopBefore : null));
        Assert.Equal(schedule.NextAt, (await FindAsync(desk, schedule)).OrderingAt);
        await (isRemoved ? Store(desk).RemoveAsync(schedule, desk.Tables.Auditor, Cancel) : Store(desk).PauseAsync(schedule, desk.Tables.Auditor, Cancel));
        for (var i = 0; i < 3; i++)
        {
            desk.Clock.Advance(TimeSpan.FromMinutes(40));
            await SweepAsync(desk);
        }
        Assert.Equal([ExecutionId.OfSchedule(schedule.Id, schedule.NextAt!.Value).ToString()], (await desk.OrdersAsync()).Select(order => order.ExecutionId));
        Assert.Empty(await DueAsync(desk));
    }

    /// <summary>Wherever a sweep dies or a call fails, the planned time comes to one execution: the next sweeps heal it.</summary>
    [Fact]
    [Trait("Length", "long")]
    public async Task Whatever_call_of_the_firing_breaks_each_planned_time_comes_to_one_execution()
    {
        var played = await CrashPoints.ForEachAsync(async (seam, name) =>
        {
            var desk = await OutcomeFixture.OpenAsync(cloud);
            var schedule = await AddAsync(desk, "0 * * * *", overlap: true);
            desk.Clock.Advance(TimeSpan.FromHours(1));
            await SweepAsync(desk, seam);
            for (var i = 0; i < 3; i++)
            {
                desk.Clock.Advance(TimeSpan.FromMinutes(2));
                await SweepAsync(desk);
            }
            var orders = await desk.OrdersAsync();
            Assert.True(
                orders.Select(order => order.ExecutionId).Distinct().SequenceEqual([ExecutionId.OfSchedule(schedule.Id, schedule.NextAt!.Value).ToString()]),
                $"{name}: {orders.Count} orders");
            var now = await FindAsync(desk, schedule);
            Assert.True(now is { OrderingAt: null, Firings: [{ Kind: FiringKind.Ordered }] } && now.NextAt == schedule.NextAt.Value.AddHours(1), name);
        });
        Assert.InRange(played, 40, 300);
    }

    [Fact]
    public async Task One_that_cannot_be_read_holds_back_no_other_and_no_deadline()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        var (broken, sound) = (await AddAsync(desk, "0 13 * * *", key: "broken"), await AddAsync(desk, "0 13 * * *", key: "sound"));
        await desk.Tables.Client.UpdateItemAsync(
            new()
            {
                TableName = desk.Tables.Executions,
                Key = new() { ["pk"] = new(broken.Id.ToString()), ["sk"] = new("SCHEDULE") },
                UpdateExpression = "SET cron = :nonsense",
                ExpressionAttributeValues = new() { [":nonsense"] = new("nonsense") },
            }, Cancel);
        desk.Clock.Advance(TimeSpan.FromHours(1));

        var log = new MemoryStream();
        await SweepAsync(desk, log: log);

        Assert.Equal([sound.Owner], (await desk.OrdersAsync()).Select(order => order.RequestedBy));
        Assert.Equal(ExecutionState.TimedOut, (await desk.ReadAsync(job)).State);
        Assert.Equal(1, WrittenMetrics.Sum(Encoding.UTF8.GetString(log.ToArray()), new("SweepFailures")));
        Assert.Empty(await DueAsync(desk));                 // it is put off
    }

    [Fact]
    public async Task Hundreds_at_one_minute_are_ordered_in_one_sweep_beside_deadlines()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        await Parallel.ForEachAsync(Enumerable.Range(0, 300), Cancel, async (i, _) => await AddAsync(desk, "0 13 * * *", key: $"{i}"));
        var jobs = new List<Job>();
        for (var i = 0; i < 10; i++)
            jobs.Add(await desk.StartAsync(ExecutionState.Queued));
        desk.Clock.Advance(TimeSpan.FromHours(1));

        await SweepAsync(desk);

        Assert.Equal(300, (await desk.OrdersAsync()).Select(order => order.ExecutionId).Distinct().Count());
        foreach (var job in jobs)
            Assert.Equal(ExecutionState.TimedOut, (await desk.ReadAsync(job)).State);
    }

    /// <summary>What ten thousand at one minute take is this many times as much: see bench/schedules.</summary>
    [Fact]
    public async Task A_planned_time_takes_two_writes_two_reads_and_a_message()
    {
        const int Count = 40;
        var desk = await OutcomeFixture.OpenAsync(cloud);
        for (var i = 0; i < Count; i++)
            await AddAsync(desk, "0 * * * *", key: $"{i}");
        var idle = new FaultSeam(_ => null) { MetersCapacity = true };
        await SweepAsync(desk, idle);
        desk.Clock.Advance(TimeSpan.FromHours(1));
        await SweepAsync(desk);
        desk.Clock.Advance(TimeSpan.FromHours(1));

        var due = new FaultSeam(_ => null) { MetersCapacity = true };
        await SweepAsync(desk, due);

        Assert.Equal(
            [("GetItem", 2 * Count), ("SendMessage", Count), ("UpdateItem", 2 * Count)],
            due.Calls.CountBy(call => call.Operation).Select(one => (one.Key, one.Value - idle.Calls.Count(call => call.Operation == one.Key)))
                .Where(one => one.Item2 > 0).OrderBy(one => one.Key, StringComparer.Ordinal));
        Assert.InRange(UnitsOf(due, "UpdateItem") - UnitsOf(idle, "UpdateItem"), 0, 4 * Count);
        Assert.InRange(UnitsOf(due, "GetItem") - UnitsOf(idle, "GetItem"), 0, 2 * Count);
    }

    [Fact]
    [Trait("Length", "long")]
    public async Task Deadlines_wait_for_no_order_however_many_there_are_and_however_slow_their_queue()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        await Parallel.ForEachAsync(Enumerable.Range(0, 300), Cancel, async (i, _) => await AddAsync(desk, "0 13 * * *", key: $"{i}"));
        var jobs = new List<Job>();
        for (var i = 0; i < 10; i++)
            jobs.Add(await desk.StartAsync(ExecutionState.Queued));
        desk.Clock.Advance(TimeSpan.FromHours(1));

        // Three hundred, thirty-two at once and ten seconds each, are more than a sweep has.
        var held = new HeldCalls(desk.Queues.ExecutionRequests);
        await Record.ExceptionAsync(() => SweeperTests.NewSweeper(desk, new FaultSeam(_ => null, held), new(), new HastyClock(desk.Clock))
            .SweepAsync(new TestLambdaContext { RemainingTime = TimeSpan.FromSeconds(50) }));

        Assert.True(held.Held > 0);
        Assert.Empty(await desk.OrdersAsync());
        foreach (var job in jobs)
            Assert.Equal(ExecutionState.TimedOut, (await desk.ReadAsync(job)).State);
    }

    private static double UnitsOf(FaultSeam seam, string operation) => seam.Capacity.Where(one => one.Operation == operation).Sum(one => one.Units);

    private static ScheduleStore Store(OutcomeFixture desk) => new(desk.Tables.Client, desk.Tables.Executions, desk.Clock);

    private static async Task<Schedule> AddAsync(OutcomeFixture desk, string cron, bool overlap = false, string key = "key")
    {
        var schedule = new Schedule
        {
            Tenant = OutcomeFixture.Tenant,
            Workflow = WorkflowName.Parse("wf_sched"),
            Owner = new(ScheduleId.OfOperator(OutcomeFixture.Tenant, key), Caller: null, TeamId.Parse("T0001"), UserId.Parse("U1"), ChannelId.Parse("C1")),
            Cron = cron,
            Zone = "UTC",
            Inputs = JsonElement.Parse("""{"city":"Paris"}"""),
            AllowsOverlap = overlap,
            MadeAt = desk.Clock.Now,
            NextAt = Timetable.Parse(cron, "UTC").NextAfter(desk.Clock.Now),
        };
        Assert.True(await Store(desk).TryAddAsync(schedule, desk.Tables.Auditor, Cancel));
        return schedule;
    }

    private static async Task<Schedule> FindAsync(OutcomeFixture desk, Schedule schedule) => (await Store(desk).FindAsync(schedule.Id, Cancel))!;

    private static async Task<List<ScheduleId>> DueAsync(OutcomeFixture desk)
    {
        var due = new List<ScheduleId>();
        for (var shard = 0; shard < ScheduleStore.DueShards; shard++)
            due.AddRange(await Store(desk).DueAsync(shard, 10, Cancel));
        return due;
    }

    /// <summary>A sweep, which may die.</summary>
    private static async Task SweepAsync(OutcomeFixture desk, FaultSeam? seam = null, MemoryStream? log = null)
    {
        try
        {
            await SweeperTests.NewSweeper(desk, seam ?? FaultSeam.None(), log ?? new()).SweepAsync(
                new TestLambdaContext { RemainingTime = TimeSpan.FromSeconds(50) });
        }
        catch (Exception) when (seam is not null)
        {
            // As it was meant to.
        }
    }
}
