using System.Text;
using System.Text.Json;
using Amazon.Lambda.TestUtilities;
using ControlPlane.Aws;
using ControlPlane.Aws.Logs;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.MeteringCollector;
using ControlPlane.MeteringCollector.Sweeper;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;
using SlackReply = ControlPlane.Slack.Reply;

namespace ControlPlane.Tests.MeteringCollector;

public sealed class SweeperTests(LocalCloud cloud)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(ExecutionState.Queued)]             // its dispatch message was lost
    [InlineData(ExecutionState.Dispatching)]
    [InlineData(ExecutionState.DispatchUnknown)]
    [InlineData(ExecutionState.Dispatched)]
    public async Task What_is_past_its_deadline_is_timed_out_released_and_told(ExecutionState state)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync(state);
        desk.Clock.Advance(TimeSpan.FromHours(1) - TimeSpan.FromSeconds(1));
        await SweepAsync(desk);
        Assert.Equal(state, (await desk.ReadAsync(job)).State);

        desk.Clock.Advance(TimeSpan.FromSeconds(1));
        await SweepAsync(desk);

        Assert.Equal(ExecutionState.TimedOut, (await desk.ReadAsync(job)).State);
        Assert.Equal([job.Id.ToString()], await desk.NotifiedAsync());
        Assert.Equal(MonthUsage.None, await desk.Ledger.MonthAsync(OutcomeFixture.Tenant, desk.Month, Cancel));
        Assert.Equal(0, await desk.Ledger.ActiveAsync(OutcomeFixture.Tenant, Cancel));
    }

    [Fact]
    public async Task What_nobody_approved_in_time_is_denied_released_and_told()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var waiting = await WaitingAsync(desk);
        desk.Clock.Advance(TimeSpan.FromHours(24) - TimeSpan.FromSeconds(1));
        await SweepAsync(desk);
        Assert.Equal(ExecutionState.AwaitingApproval, (await desk.Executions.FindAsync(waiting.Id, Cancel))!.State);
        Assert.Empty(await desk.NotifiedAsync());

        desk.Clock.Advance(TimeSpan.FromSeconds(1));
        await SweepAsync(desk);
        await SweepAsync(desk);
        var denied = (await desk.Executions.FindAsync(waiting.Id, Cancel))!;
        Assert.Equal((ExecutionState.Denied, "approval_expired"), (denied.State, denied.Decision!.Code));
        Assert.Equal([waiting.Id.ToString()], await desk.NotifiedAsync());
        Assert.Equal(MonthUsage.None, await desk.Ledger.MonthAsync(OutcomeFixture.Tenant, waiting.Month, Cancel));
        Assert.Equal(0, await desk.Ledger.ActiveAsync(OutcomeFixture.Tenant, Cancel));
    }

    [Fact]
    public async Task A_last_yes_that_nobody_heard_of_is_said_again()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var waiting = await WaitingAsync(desk);
        Assert.IsType<Move.Moved>(await desk.Executions.AddApprovalAsync(
            waiting, new(TeamId.Parse("T0001"), UserId.Parse("UA"), desk.Clock.Now), isLast: true, desk.Tables.Auditor, Cancel));
        await SweepAsync(desk);
        Assert.Empty(await desk.Queues.TakeAllAsync(desk.Queues.ExecutionRequests, Cancel));

        desk.Clock.Advance(TimeSpan.FromMinutes(2));
        await SweepAsync(desk);
        var said = Assert.Single(await desk.Queues.TakeAllAsync(desk.Queues.ExecutionRequests, Cancel));
        Assert.Contains(ApprovalGiven.SchemaV1, said.Body, StringComparison.Ordinal);
        desk.Clock.Advance(TimeSpan.FromMinutes(1));
        await SweepAsync(desk);
        Assert.Empty(await desk.Queues.TakeAllAsync(desk.Queues.ExecutionRequests, Cancel));        // not at every sweep
    }

    [Fact]
    [Trait("Length", "long")]
    public async Task Whatever_call_of_the_sweep_breaks_what_expired_is_denied_and_released_once()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var played = await CrashPoints.ForEachAsync(async (seam, name) =>
        {
            var waiting = await WaitingAsync(desk);
            desk.Clock.Advance(TimeSpan.FromHours(25));
            await Record.ExceptionAsync(() => SweepAsync(desk, seam));
            desk.Clock.Advance(TimeSpan.FromMinutes(10));
            await SweepAsync(desk);
            Assert.True((await desk.Executions.FindAsync(waiting.Id, Cancel))!.State == ExecutionState.Denied, name);
            Assert.Equal(MonthUsage.None, await desk.Ledger.MonthAsync(OutcomeFixture.Tenant, waiting.Month, Cancel));
            Assert.Equal(0, await desk.Ledger.ActiveAsync(OutcomeFixture.Tenant, Cancel));
            await desk.Executions.MarkToldAsync(waiting.Id, ExecutionState.Denied, Cancel);
        });
        Assert.InRange(played, 10 * FaultSeam.AllFaults.Count, 100 * FaultSeam.AllFaults.Count);
    }

    private static async Task<Execution> WaitingAsync(OutcomeFixture desk)
    {
        var waiting = new Execution
        {
            Id = ExecutionId.Of("T0001", Guid.NewGuid().ToString()),
            Tenant = OutcomeFixture.Tenant,
            Workflow = WorkflowName.Parse("wf_sched"),
            RequestedBy = Requesters.OfSlack("T0001", "U1", "C1"),
            State = ExecutionState.AwaitingApproval,
            CreatedAt = desk.Clock.Now,
            DeadlineAt = desk.Clock.Now.AddHours(24),
            Month = desk.Month,
            Inputs = JsonDocument.Parse("{}").RootElement,
            Approval = new(["ops"], TeamId.Parse("T0001"), ChannelId.Parse("COPS"), 1, SelfApproval: false, TimeSpan.FromHours(24)),
        };
        Assert.IsType<Creation.Created>(await desk.Executions.CreateAsync(waiting, order: null, TenantLimits.Default, Cancel));
        return waiting;
    }

    [Fact]
    public async Task Who_was_never_told_is_told_again_ever_more_rarely_until_the_note_is_there()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        desk.Restart(new FaultSeam(call => call.Operation == "SendMessage" ? Fault.Error : null));
        await desk.SendAsync(job, OutcomeText.Succeeded);

        var told = new List<int>();
        for (var minute = 1; minute <= 240; minute++)
        {
            desk.Clock.Advance(TimeSpan.FromMinutes(1));
            await SweepAsync(desk);
            if ((await desk.NotifiedAsync()).Count > 0)
                told.Add(minute);
        }
        Assert.Equal([2, 4, 8, 16, 32, 64, 124, 184], told);

        await desk.Executions.MarkToldAsync(job.Id, ExecutionState.Succeeded, Cancel);
        desk.Clock.Advance(TimeSpan.FromHours(2));
        await SweepAsync(desk);
        Assert.Empty(await desk.NotifiedAsync());
    }

    [Fact]
    public async Task Two_sweepers_at_once_close_each_execution_once()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var jobs = new List<Job>();
        for (var i = 0; i < 20; i++)
            jobs.Add(await desk.StartAsync());
        desk.Clock.Advance(TimeSpan.FromHours(1));

        await Task.WhenAll(SweepAsync(desk), SweepAsync(desk));

        foreach (var job in jobs)
            Assert.Equal(ExecutionState.TimedOut, (await desk.ReadAsync(job)).State);
        Assert.Equal(jobs.Select(job => job.Id.ToString()).Order(), (await desk.NotifiedAsync()).Order());
        Assert.Equal(MonthUsage.None, await desk.Ledger.MonthAsync(OutcomeFixture.Tenant, desk.Month, Cancel));
        Assert.Equal(0, await desk.Ledger.ActiveAsync(OutcomeFixture.Tenant, Cancel));
    }

    [Fact]
    public async Task More_than_a_page_is_seen_to_in_one_run()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var ofOneShard = Enumerable.Range(0, 1000).Select(i => ExecutionId.Of("T0001", $"page-{i}"))
            .Where(id => ExecutionItems.DueShardOf(id) == "0").Take(60).ToList();
        await Parallel.ForEachAsync(ofOneShard, Cancel, async (id, _) => await desk.StartAsync(ExecutionState.Queued, named: id));
        desk.Clock.Advance(TimeSpan.FromHours(1));
        await SweepAsync(desk);
        Assert.Equal(0, await desk.Ledger.ActiveAsync(OutcomeFixture.Tenant, Cancel));
    }

    [Fact]
    public async Task One_execution_that_cannot_be_closed_holds_back_no_other_and_is_put_off()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var (broken, sound) = (await desk.StartAsync(), await desk.StartAsync());
        await FillUpAsync(desk, broken);
        desk.Clock.Advance(TimeSpan.FromHours(1));

        var log = new MemoryStream();
        await SweepAsync(desk, log: log);
        Assert.Equal(1, SumIn(log, "SweepFailures"));
        Assert.Equal((ExecutionState.Dispatched, ExecutionState.TimedOut), ((await desk.ReadAsync(broken)).State, (await desk.ReadAsync(sound)).State));
        for (var shard = 0; shard < ExecutionStore.DueShards; shard++)
            Assert.Empty(await desk.Executions.DueAsync(shard, 10, Cancel));
        desk.Clock.Advance(TimeSpan.FromMinutes(5));
        var due = new List<ExecutionId>();
        for (var shard = 0; shard < ExecutionStore.DueShards; shard++)
            due.AddRange(await desk.Executions.DueAsync(shard, 10, Cancel));
        Assert.Contains(broken.Id, due);
    }

    /// <summary>Leaves no room in its item for the time of its end.</summary>
    private static async Task FillUpAsync(OutcomeFixture desk, Job job)
    {
        const int most = 400 * 1024, room = 8;
        var item = (await desk.Tables.Client.GetItemAsync(desk.Tables.Executions, ExecutionItems.KeyOf(job.Id), Cancel)).Item;
        for (var size = most - ItemSize.Of(item) + 64; ; size -= room)
        {
            try
            {
                item["padding"] = new(new string('x', size));
                await desk.Tables.Client.PutItemAsync(desk.Tables.Executions, item, Cancel);
                return;
            }
            catch (Amazon.DynamoDBv2.AmazonDynamoDBException e) when (e.ErrorCode == "ValidationException")
            {
                // Still too large.
            }
        }
    }

    [Fact]
    public async Task A_quiet_hub_costs_a_look_at_the_region_a_query_for_each_shard_one_for_lost_requests_two_and_a_note_for_the_watch_and_the_census()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var seam = FaultSeam.None();
        await SweepAsync(desk, seam);
        Assert.Equal(["GetItem", "PutItem", .. Enumerable.Repeat("Query", 11), "UpdateItem"], seam.Calls.Select(call => call.Operation).Order());
    }

    [Theory]
    [InlineData(9, false)]
    [InlineData(10, true)]
    public async Task A_request_that_never_became_an_execution_is_denied_and_its_user_told(int minutes, bool isLost)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var id = await AskAsync(desk);
        desk.Clock.Advance(TimeSpan.FromMinutes(minutes));
        await SweepAsync(desk);
        await SweepAsync(desk);

        var execution = await desk.Executions.FindAsync(id, Cancel);
        Assert.Equal(
            isLost, execution is { State: ExecutionState.Denied, Decision.Code: CloseLostRequests.Code }
            && execution.RequestedBy.InSlack().UserId == UserId.Parse("U1"));
        Assert.Equal(isLost, execution is not null);
        Assert.Equal(isLost ? [id.ToString()] : [], await desk.NotifiedAsync());
        Assert.Equal(0, await desk.Ledger.ActiveAsync(OutcomeFixture.Tenant, Cancel));
    }

    [Fact]
    public async Task A_request_whose_execution_is_there_is_left_alone_and_not_looked_at_again()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        await AskAsync(desk, job.Id);
        desk.Clock.Advance(SlackReply.LostAfter);
        await SweepAsync(desk);
        Assert.Equal(ExecutionState.Dispatched, (await desk.ReadAsync(job)).State);
        Assert.Empty(await desk.NotifiedAsync());

        var seam = FaultSeam.None();
        await SweepAsync(desk, seam);
        // Which region is active, the note that there was a sweep, and the census.
        Assert.Equal(["GetItem", "UpdateItem", "PutItem"], seam.Calls.Select(call => call.Operation).Where(operation => operation != "Query"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task A_sweep_that_dies_over_a_lost_request_is_made_good_by_the_next(int call)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var id = await AskAsync(desk);
        desk.Clock.Advance(SlackReply.LostAfter);
        var at = 0;
        var seam = new FaultSeam(one => one.Operation is "PutItem" or "SendMessage" or "UpdateItem" && ++at == call ? Fault.StopAfter : null);
        await Record.ExceptionAsync(() => SweepAsync(desk, seam));
        for (var minute = 0; minute < 3; minute++)
        {
            desk.Clock.Advance(TimeSpan.FromMinutes(1));
            await SweepAsync(desk);
        }
        Assert.Equal(CloseLostRequests.Code, (await desk.Executions.FindAsync(id, Cancel))!.Decision!.Code);
        Assert.NotEmpty(await desk.NotifiedAsync());
    }

    [Fact]
    public async Task A_lost_request_that_cannot_be_denied_fails_the_sweep_and_is_seen_to_by_the_next()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var id = await AskAsync(desk);
        desk.Clock.Advance(SlackReply.LostAfter);

        var log = new MemoryStream();
        await SweepAsync(desk, new FaultSeam(call => call.Operation == "PutItem" ? Fault.Error : null), log);
        Assert.Equal(2, SumIn(log, "SweepFailures"));                // the census is put too
        Assert.Contains("census_not_kept", Encoding.UTF8.GetString(log.ToArray()), StringComparison.Ordinal);

        await SweepAsync(desk);
        Assert.Equal([id.ToString()], await desk.NotifiedAsync());
    }

    private static async Task<ExecutionId> AskAsync(OutcomeFixture desk, ExecutionId? execution = null)
    {
        var id = execution ?? ExecutionId.Of("T1", Guid.NewGuid().ToString());
        var now = desk.Clock.Now;
        var order = new ExecutionRequest(
            ExecutionRequest.SchemaV1, id.ToString(), OutcomeFixture.Tenant.ToString(), "wf_sched", JsonElement.Parse("{}"), Requesters.OfSlack("T1", "U1", "C1"),
            false,
            now);
        var replies = new ReplyStore(desk.Tables.Client, desk.Tables.Executions, desk.Clock);
        await new SlackRequests(desk.Tables.Client, desk.Tables.RateLimits, replies, new(10, 60), desk.Clock)
            .AdmitAsync(UserId.Parse("U1"), new(id, OutcomeFixture.Tenant, [1], Uses: 0, now, now + SlackReply.Lifetime, order), Cancel);
        return id;
    }

    [Fact]
    public async Task Each_change_of_a_tenant_and_of_its_instances_is_told_once()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        await RegisterAsync(desk, 43, 44, 45);
        await SeenAsync(desk, 44);
        await SeenAsync(desk, 45);
        await SeenAsync(desk, 43, "i-1");
        await SeenAsync(desk, 43, "i-2");
        Assert.Empty(await AlertsAsync(desk));

        await AdvanceAsync(desk, 91, 44, 45);
        Assert.Equal(["LATE tenant-43", "LATE tenant-43/i-1", "LATE tenant-43/i-2"], await AlertsAsync(desk));
        Assert.Empty(await AlertsAsync(desk));

        await SeenAsync(desk, 43, "i-2");
        Assert.Equal(["RECOVERED tenant-43", "RECOVERED tenant-43/i-2"], await AlertsAsync(desk));

        await AdvanceAsync(desk, 90, 44, 45);
        Assert.Equal(["OFFLINE tenant-43/i-1"], await AlertsAsync(desk));
        await AdvanceAsync(desk, 91, 44, 45);
        Assert.Equal(["OFFLINE tenant-43", "OFFLINE tenant-43/i-2"], await AlertsAsync(desk));
        await SeenAsync(desk, 43, "i-1");
        Assert.Equal(["RECOVERED tenant-43", "RECOVERED tenant-43/i-1"], await AlertsAsync(desk));
    }

    [Theory]
    [InlineData(299, 0, 0), InlineData(300, 0, 1), InlineData(300, 181, 0)]      // of a machine that is silent nothing is known anyway: that is told by itself
    public async Task A_machine_whose_gpus_are_unreadable_for_five_minutes_is_counted_while_it_reports(int unreadableSeconds, int silentSeconds, int counted)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        await RegisterAsync(desk, 43, 44);
        var now = desk.Clock.Now;
        await SaveAsync(State(43, "i-1", now.AddSeconds(-silentSeconds)) with { GpuUnreadableSince = now.AddSeconds(-unreadableSeconds) });
        await SaveAsync(State(44, "i-1", now));
        var log = new MemoryStream();
        await SweepAsync(desk, log: log);
        var said = Encoding.UTF8.GetString(log.ToArray());
        Assert.Equal(counted, SumIn(log, "GpuUnreadable"));
        Assert.Equal(counted == 1, said.Contains("\"event\":\"gpu_unreadable\"", StringComparison.Ordinal));

        Task SaveAsync(InstanceState state) => desk.Tables.Client.PutItemAsync(desk.Tables.Instances, InstanceItems.Of(state), Cancel);
    }

    [Fact]
    public async Task Of_two_sweepers_at_once_one_tells()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var tenants = Enumerable.Range(1, 20).ToArray();
        await RegisterAsync(desk, tenants);
        foreach (var tenant in tenants)
            await SeenAsync(desk, tenant);
        await AdvanceAsync(desk, 181, [.. tenants.Skip(9)]);

        var log = new MemoryStream();
        await Task.WhenAll(SweepAsync(desk, log: log), SweepAsync(desk, log: log));

        Assert.Equal(tenants.Take(9).SelectMany(n => new[] { $"OFFLINE tenant-{n}", $"OFFLINE tenant-{n}/i-1" }).Order(StringComparer.Ordinal), AlertsIn(log));
    }

    [Fact]
    public async Task When_most_tenants_go_offline_at_once_it_is_one_alert()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var tenants = Enumerable.Range(1, 9).ToArray();
        await RegisterAsync(desk, tenants);
        foreach (var tenant in tenants)
        {
            // Heartbeats come at any second of the minute.
            await SeenAsync(desk, tenant);
            desk.Clock.Advance(TimeSpan.FromSeconds(6));
        }
        await AdvanceAsync(desk, 100, 6, 7, 8, 9);                  // five of nine stay silent
        Assert.Equal(10, (await AlertsAsync(desk)).Count(alert => alert.StartsWith("LATE", StringComparison.Ordinal)));

        await AdvanceAsync(desk, 40, 6, 7, 8, 9);
        Assert.Equal(["outage_began"], await AlertsAsync(desk));    // some are offline, some late: all of one cause
        await AdvanceAsync(desk, 60, 6, 7, 8, 9);
        Assert.Empty(await AlertsAsync(desk));
        await AdvanceAsync(desk, 60, 6, 7, 8);                      // one more, meanwhile
        await AdvanceAsync(desk, 100, 6, 7, 8);
        Assert.Empty(await AlertsAsync(desk));

        await AdvanceAsync(desk, 10, 1, 2, 3, 6, 7, 8);             // most are back; three are not
        Assert.Equal(
            ["OFFLINE tenant-4", "OFFLINE tenant-4/i-1", "OFFLINE tenant-5", "OFFLINE tenant-5/i-1", "outage_ended"],
            (await AlertsAsync(desk)).Where(alert => !alert.Contains("tenant-9", StringComparison.Ordinal)));
        await AdvanceAsync(desk, 10, 1, 2, 3, 4, 6, 7, 8);
        Assert.Equal(["RECOVERED tenant-4", "RECOVERED tenant-4/i-1"], await AlertsAsync(desk));
    }

    [Theory]
    [InlineData(4, 2, false)]
    [InlineData(4, 3, true)]
    [InlineData(5, 2, false)]
    [InlineData(5, 3, true)]
    [InlineData(2, 2, true)]
    [InlineData(1, 1, false)]
    public void More_than_half_means_more_than_half(int tenants, int offline, bool expected)
    {
        var now = DateTimeOffset.UnixEpoch.AddYears(56);
        var planes = Enumerable.Range(1, tenants).Select(n => PlaneOf(n, TenantStatus.Active, now.AddSeconds(n <= offline ? -181 : -30))).ToList();
        AssertDark(planes);

        // Who is suspended or removed is not asked.
        AssertDark([.. planes, .. Enumerable.Range(100, 9).Select(n => PlaneOf(n, TenantStatus.Suspended, now.AddSeconds(-30))),
            .. Enumerable.Range(110, 9).Select(n => PlaneOf(n, TenantStatus.Deleting, now.AddDays(-1)))]);

        void AssertDark(IEnumerable<(Tenant, DataPlane)> all)
        {
            var watch = LivenessWatch.Of(all, now);
            Assert.Equal(expected, watch.GoesDarkAtOnce);
            Assert.Equal(expected, watch.IsDark);
        }

        static (Tenant, DataPlane) PlaneOf(int number, TenantStatus status, DateTimeOffset lastSeen) => (
            TenantOf(number, status), new(TenantId.Parse($"tenant-{number}"), new(2026, 1), [State(number, "i-1", lastSeen)], [], LastTold: null));
    }

    [Fact]
    public async Task A_second_tenant_that_falls_silent_rings_like_the_first()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        await RegisterAsync(desk, 1, 2, 3, 4, 5);
        foreach (var tenant in new[] { 1, 2, 3, 4, 5 })
            await SeenAsync(desk, tenant);
        await AdvanceAsync(desk, 181, 2, 3, 4, 5);
        Assert.Equal(1, await RingsAsync(desk, "DataPlaneOffline"));
        Assert.Equal(0, await RingsAsync(desk, "DataPlaneOffline"));
        await AdvanceAsync(desk, 181, 3, 4, 5);
        Assert.Equal(1, await RingsAsync(desk, "DataPlaneOffline"));
    }

    [Fact]
    public async Task After_half_an_hour_of_an_outage_each_that_is_still_silent_is_told_by_itself()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        await RegisterAsync(desk, 1, 2, 3, 4);
        foreach (var tenant in new[] { 1, 2, 3, 4 })
            await SeenAsync(desk, tenant);
        await AdvanceAsync(desk, 181, 4);                               // three of four leave, and never come back
        Assert.Equal(["outage_began"], await AlertsAsync(desk));
        await AdvanceAsync(desk, 30 * 60 - 1, 4);
        Assert.Empty(await AlertsAsync(desk));

        await AdvanceAsync(desk, 1, 4);
        Assert.Equal([1, 2, 3], (await AlertsAsync(desk)).Where(alert => !alert.Contains('/', StringComparison.Ordinal)).Select(alert => alert[^1] - '0'));
        await AdvanceAsync(desk, 60, 4);
        Assert.Empty(await AlertsAsync(desk));

        // A later outage of the one that stayed, and its return.
        await AdvanceAsync(desk, 181);
        Assert.Contains("OFFLINE tenant-4", await AlertsAsync(desk));
        await AdvanceAsync(desk, 10, 4);
        Assert.Contains("RECOVERED tenant-4", await AlertsAsync(desk));
        await AdvanceAsync(desk, 10, 1, 2, 4);
        Assert.Equal(["outage_ended"], (await AlertsAsync(desk)).Where(alert => !alert.Contains("RECOVERED", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task An_outage_of_tenants_that_are_then_removed_is_over()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        await RegisterAsync(desk, 1, 2, 3, 4);
        foreach (var tenant in new[] { 1, 2, 3, 4 })
            await SeenAsync(desk, tenant);
        await AdvanceAsync(desk, 181, 4);
        Assert.Equal(["outage_began"], await AlertsAsync(desk));
        await RegisterAsync(desk, TenantStatus.Deleting, 1, 2, 3);

        Assert.Equal(["outage_ended"], await AlertsAsync(desk));
        await AdvanceAsync(desk, 181);
        Assert.Equal(["OFFLINE tenant-4", "OFFLINE tenant-4/i-1"], await AlertsAsync(desk));
    }

    [Fact]
    public async Task One_dead_instance_of_several_rings_and_a_whole_tenant_rings_once()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        await RegisterAsync(desk, 1, 2, 3);
        await SeenAsync(desk, 1, "i-1");
        await SeenAsync(desk, 1, "i-2");
        await SeenAsync(desk, 2);
        await SeenAsync(desk, 3);
        desk.Clock.Advance(TimeSpan.FromSeconds(181));
        await SeenAsync(desk, 1, "i-2");
        await SeenAsync(desk, 2);
        await SeenAsync(desk, 3);
        Assert.Equal(1, await RingsAsync(desk, "InstanceOffline"));

        await AdvanceAsync(desk, 181, 2, 3);
        Assert.Equal((0, 1), await SweptAsync(desk) is var log ? (Rings(log, "InstanceOffline"), Rings(log, "DataPlaneOffline")) : default);
    }

    [Fact]
    public async Task An_instance_that_is_silent_for_a_month_is_folded_and_a_removed_tenants_too()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        await RegisterAsync(desk, 1, 2);
        await RegisterAsync(desk, TenantStatus.Deleting, 3);
        await SeenAsync(desk, 1, "i-1");
        await SeenAsync(desk, 3, "i-1");
        desk.Clock.Advance(TimeSpan.FromDays(31) - TimeSpan.FromSeconds(1));
        await SeenAsync(desk, 1, "i-2");
        await SweepAsync(desk);
        Assert.Equal(["i-1", "i-2"], await InstancesAsync(desk, 1));

        desk.Clock.Advance(TimeSpan.FromSeconds(1));
        await SweepAsync(desk);
        Assert.Equal(["i-2"], await InstancesAsync(desk, 1));
        Assert.Empty(await InstancesAsync(desk, 3));
    }

    [Fact]
    public async Task One_tenant_whose_items_do_not_come_costs_the_others_nothing()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        await RegisterAsync(desk, 1, 2, 3, 4);
        foreach (var tenant in new[] { 1, 2, 3, 4 })
            await SeenAsync(desk, tenant);
        await AdvanceAsync(desk, 181, 3, 4);
        var (log, held) = (new MemoryStream(), new HeldCalls("tenant-2"));

        await NewSweeper(desk, new FaultSeam(_ => null, held), log, new HastyClock(desk.Clock))
            .SweepAsync(new TestLambdaContext { RemainingTime = TimeSpan.FromSeconds(50) });

        Assert.Equal(["OFFLINE tenant-1", "OFFLINE tenant-1/i-1", "unwatched tenant-2"], AlertsIn(log).Distinct());
        Assert.True(held.Held > 0);
    }

    [Fact]
    public async Task One_tenant_whose_executions_cannot_be_closed_in_time_costs_the_others_nothing()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var slow = new List<Job>();
        for (var i = 0; i < 60; i++)
            slow.Add(await desk.StartAsync(ExecutionState.Queued));
        desk.Clock.Advance(TimeSpan.FromSeconds(1));
        var other = await desk.StartAsync(ExecutionState.Queued, OutcomeFixture.Neighbour);
        desk.Clock.Advance(TimeSpan.FromHours(1));
        var held = new HeldCalls(OutcomeFixture.Tenant.ToString());

        await NewSweeper(desk, new FaultSeam(_ => null, held), new(), new HastyClock(desk.Clock))
            .SweepAsync(new TestLambdaContext { RemainingTime = TimeSpan.FromSeconds(50) });

        Assert.Equal(ExecutionState.TimedOut, (await desk.ReadAsync(other)).State);
        Assert.Equal(ExecutionState.Queued, (await desk.ReadAsync(slow[0])).State);
        await SweepAsync(desk);                                          // what was left, when the items come again
        foreach (var job in slow.Where(job => job.Id != slow[0].Id).Take(3))
            Assert.True((await desk.ReadAsync(job)).State is ExecutionState.TimedOut or ExecutionState.Queued);
    }

    [Fact]
    public async Task What_the_sweeper_notes_of_the_hub_says_whether_silence_can_be_told()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var instances = new InstanceStore(desk.Tables.Client, desk.Tables.Instances, desk.Clock);
        Assert.False((await instances.WatchAsync(Cancel)).CanTellSilence(desk.Clock.Now));      // nobody ever looked
        await SweepAsync(desk);
        var start = desk.Clock.Now;
        Assert.Equal(start, (await instances.WatchAsync(Cancel)).BackSince);
        for (var minute = 1; minute <= 5; minute++)
        {
            Assert.False((await instances.WatchAsync(Cancel)).CanTellSilence(desk.Clock.Now));  // it just came up
            desk.Clock.Advance(TimeSpan.FromMinutes(1));
            await SweepAsync(desk);
        }
        Assert.True((await instances.WatchAsync(Cancel)).CanTellSilence(desk.Clock.Now));
        Assert.Equal(start, (await instances.WatchAsync(Cancel)).BackSince);

        desk.Clock.Advance(TimeSpan.FromSeconds(180));
        Assert.False((await instances.WatchAsync(Cancel)).CanTellSilence(desk.Clock.Now));      // nobody looks any more
        await SweepAsync(desk);
        Assert.Equal(desk.Clock.Now, (await instances.WatchAsync(Cancel)).BackSince);
    }

    [Fact]
    public void Silence_is_told_neither_during_an_outage_nor_in_the_five_minutes_after_it()
    {
        var now = DateTimeOffset.UnixEpoch.AddYears(56);
        var well = new WatchState(now.AddMinutes(-1), now.AddDays(-1), OutageSince: null, OutageEndedAt: null);
        Assert.True(well.CanTellSilence(now));
        Assert.False((well with { OutageSince = now.AddDays(-2) }).CanTellSilence(now));
        Assert.False((well with { OutageEndedAt = now.AddSeconds(-299) }).CanTellSilence(now));
        Assert.True((well with { OutageEndedAt = now.AddSeconds(-300) }).CanTellSilence(now));
        Assert.False((well with { BackSince = now.AddSeconds(-299) }).CanTellSilence(now));
        Assert.True((well with { BackSince = now.AddSeconds(-300) }).CanTellSilence(now));
        Assert.False((well with { SweptAt = now.AddSeconds(-180) }).CanTellSilence(now));
        Assert.False((well with { SweptAt = null }).CanTellSilence(now));
    }

    [Fact]
    public async Task A_tenant_that_was_never_heard_of_or_is_being_deleted_raises_no_alert()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        await RegisterAsync(desk, 1, 2);
        await RegisterAsync(desk, TenantStatus.Deleting, 3);
        await SeenAsync(desk, 3);
        desk.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Empty(await AlertsAsync(desk));
    }

    [Fact]
    public async Task The_number_of_tenants_is_measured_for_the_peering_alarm()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        await RegisterAsync(desk, 1, 2, 3);
        var log = new MemoryStream();
        await SweepAsync(desk, log: log);
        Assert.Equal(3, SumIn(log, "TenantsRegistered"));
    }

    [Fact]
    public async Task One_tenant_that_cannot_be_read_blinds_nobody_to_the_others()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        await RegisterAsync(desk, 1, 2, 3, 4);
        foreach (var tenant in new[] { 1, 2, 3, 4 })
            await SeenAsync(desk, tenant);
        await desk.Tables.Client.PutItemAsync(desk.Tables.Instances, new() { ["pk"] = new("tenant-2"), ["sk"] = new("INSTANCE#i-9") }, Cancel);
        await AdvanceAsync(desk, 181, 3, 4);

        var log = new MemoryStream();
        await SweepAsync(desk, log: log);

        Assert.Equal(["OFFLINE tenant-1", "OFFLINE tenant-1/i-1", "unwatched tenant-2"], AlertsIn(log));
        Assert.Equal(1, SumIn(log, "SweepFailures"));
    }

    [Fact]
    public async Task A_change_that_cannot_be_noted_fails_the_sweep_and_is_told_by_the_next()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        await RegisterAsync(desk, 1, 2, 3);
        foreach (var tenant in new[] { 1, 2, 3 })
            await SeenAsync(desk, tenant);
        await AdvanceAsync(desk, 181, 2, 3);

        var log = new MemoryStream();
        await SweepAsync(desk, new FaultSeam(call => call.Operation == "UpdateItem" ? Fault.Error : null), log);

        Assert.Equal(["unwatched tenant-1"], AlertsIn(log));
        Assert.Equal(2, SumIn(log, "SweepFailures"));                    // that, and the note that there was a sweep
        Assert.Equal(["OFFLINE tenant-1", "OFFLINE tenant-1/i-1"], await AlertsAsync(desk));
    }

    [Fact]
    public async Task One_tenant_whose_profile_is_stored_wrong_blinds_nobody_to_the_others()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        await RegisterAsync(desk, 1, 2, 3, 4);
        foreach (var tenant in new[] { 1, 2, 3, 4 })
            await SeenAsync(desk, tenant);
        await desk.Tables.Client.UpdateItemAsync(new()
        {
            TableName = desk.Tables.Tenants,
            Key = TenantRegistry.ProfileKeyOf(TenantId.Parse("tenant-2")),
            UpdateExpression = "SET engine = :engine",
            ExpressionAttributeValues = new() { [":engine"] = new("10.255.255.255") },
        }, Cancel);
        await AdvanceAsync(desk, 181, 3, 4);

        var log = new MemoryStream();
        await SweepAsync(desk, log: log);

        Assert.Equal(["OFFLINE tenant-1", "OFFLINE tenant-1/i-1"], AlertsIn(log));
        var text = Encoding.UTF8.GetString(log.ToArray());
        Assert.Contains("\"tenant_stored_wrong\"", text, StringComparison.Ordinal);
        Assert.Equal((1, 4), (SumIn(log, "SweepFailures"), SumIn(log, "TenantsRegistered")));
    }

    [Fact]
    public async Task Only_the_active_region_sweeps_and_says_so()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var (primary, standby) = (desk.Tables.Client, FaultSeam.None());
        var job = await desk.StartAsync();
        desk.Clock.Advance(TimeSpan.FromHours(1));

        Assert.Equal(0, await InAsync("us-west-2"));
        Assert.Equal(["GetItem"], standby.Calls.Select(call => call.Operation));
        await new ActiveRegion(primary, desk.Tables.Quotas, "us-east-1").SetAsync("us-west-2", desk.Tables.Auditor, desk.Clock.Now, Cancel);
        Assert.Equal(0, await InAsync("us-east-1"));
        Assert.Equal(ExecutionState.Dispatched, (await desk.ReadAsync(job)).State);

        Assert.Equal(1, await InAsync("us-west-2"));
        Assert.Equal(ExecutionState.TimedOut, (await desk.ReadAsync(job)).State);

        async Task<double> InAsync(string region)
        {
            var log = new MemoryStream();
            await NewSweeper(desk, standby, log, region: region).SweepAsync(new TestLambdaContext { RemainingTime = TimeSpan.FromSeconds(50) });
            return SumIn(log, "RegionIsActive");
        }
    }

    [Fact]
    public async Task A_sweep_that_runs_out_of_time_fails_and_the_next_goes_on()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        desk.Clock.Advance(TimeSpan.FromHours(1));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => NewSweeper(desk, FaultSeam.None(), new()).SweepAsync(new TestLambdaContext { RemainingTime = TimeSpan.FromSeconds(1) }));
        await SweepAsync(desk);
        Assert.Equal(ExecutionState.TimedOut, (await desk.ReadAsync(job)).State);
    }

    internal static Task SweepAsync(OutcomeFixture desk, FaultSeam? seam = null, MemoryStream? log = null) =>
        NewSweeper(desk, seam ?? FaultSeam.None(), log ?? new()).SweepAsync(new TestLambdaContext { RemainingTime = TimeSpan.FromSeconds(50) });

    private static async Task<MemoryStream> SweptAsync(OutcomeFixture desk)
    {
        var log = new MemoryStream();
        await SweepAsync(desk, log: log);
        return log;
    }

    private static async Task<int> RingsAsync(OutcomeFixture desk, string metric) => Rings(await SweptAsync(desk), metric);

    private static int Rings(MemoryStream log, string metric) =>
        Encoding.UTF8.GetString(log.ToArray()).Split('\n').Count(line => line.Contains($"\"{metric}\":1", StringComparison.Ordinal));

    private static async Task<IEnumerable<string>> InstancesAsync(OutcomeFixture desk, int tenant) =>
        (await new InstanceStore(desk.Tables.Client, desk.Tables.Instances, desk.Clock).OfTenantAsync(TenantId.Parse($"tenant-{tenant}"),
            Month.Of(desk.Clock.Now), Cancel))
            .Instances.Select(instance => instance.Instance.ToString());

    internal static SweeperFunction NewSweeper(
        OutcomeFixture desk, FaultSeam seam, MemoryStream output, TimeProvider? clock = null, string region = "us-east-1")
    {
        clock ??= desk.Clock;
        var dynamo = desk.Tables.ClientOf("SweeperFunction", seam);
        var sqs = desk.Queues.ClientOf("SweeperFunction", desk.Tables, seam);
        var events = new MeteringEvents(new JsonLog(Stream.Synchronized(output), clock), clock);
        var notifications = new MessageQueue<Notification>(sqs, desk.Queues.Notifications, DomainJson.Default.Notification);
        return new(
            new ActiveRegion(dynamo, desk.Tables.Quotas, "us-east-1"), region,
            new CloseDueExecutions(
                new(dynamo, desk.Tables.Executions, desk.Tables.Quotas, clock), notifications,
                new(sqs, desk.Queues.ExecutionRequests, DomainJson.Default.ApprovalGiven), events, clock),
            new CloseLostRequests(
                new(dynamo, desk.Tables.Executions, clock), new(dynamo, desk.Tables.Executions, desk.Tables.Quotas, clock), notifications, events, clock),
            new FireSchedules(
                new(dynamo, desk.Tables.Executions, clock), new(dynamo, desk.Tables.Executions, desk.Tables.Quotas, clock),
                new(sqs, desk.Queues.ExecutionRequests, DomainJson.Default.ExecutionRequest), events, clock),
            new WatchDataPlanes(
                new(dynamo, desk.Tables.Tenants), new(dynamo, desk.Tables.Instances, clock),
                new(
                    new(dynamo, desk.Tables.Quotas), new(dynamo, desk.Tables.Quotas, clock),
                    new(sqs, desk.Queues.Notifications, DomainJson.Default.UsageNotice), events, clock),
                new(new(dynamo, desk.Tables.Quotas), new(dynamo, desk.Tables.Executions, desk.Tables.Quotas, clock), new(dynamo, desk.Tables.Instances)),
                events, clock),
            events, clock);
    }

    internal static Task RegisterAsync(OutcomeFixture desk, params int[] tenants) => RegisterAsync(desk, TenantStatus.Active, tenants);

    private static async Task RegisterAsync(OutcomeFixture desk, TenantStatus status, params int[] tenants)
    {
        var registry = new TenantRegistry(desk.Tables.Client, desk.Tables.Tenants);
        foreach (var number in tenants)
            await registry.SaveAsync(TenantOf(number, status), Cancel);
    }

    internal static Tenant TenantOf(int number, TenantStatus status)
    {
        var tenant = TenantId.Parse($"tenant-{number}");
        Assert.True(EngineAddress.TryParse($"10.{99 + number}.128.10", tenant, allowPublicSubnet: false, out var engine));
        return new(tenant, "A tenant", status, engine, AllowPublicSubnet: false, TenantLimits.Default);
    }

    internal static async Task SeenAsync(OutcomeFixture desk, int tenant, string instance = "i-1")
    {
        var key = InstanceItems.KeyOf(TenantId.Parse($"tenant-{tenant}"), InstanceId.Parse(instance));
        var there = await desk.Tables.Client.GetItemAsync(desk.Tables.Instances, key, consistentRead: true, Cancel);
        var state = there.IsItemSet ? InstanceItems.ToState(there.Item) with { LastSeen = desk.Clock.Now } : State(tenant, instance, desk.Clock.Now);
        await desk.Tables.Client.PutItemAsync(desk.Tables.Instances, InstanceItems.Of(state), Cancel);
    }

    /// <summary>Says what a tenant used or reserved of this month's executions.</summary>
    internal static Task UseAsync(OutcomeFixture desk, int tenant, long charged)
    {
        var item = QuotaLedger.KeyOf(TenantId.Parse($"tenant-{tenant}"), Month.Of(desk.Clock.Now));
        item["charged"] = Items.Number(charged);
        return desk.Tables.Client.PutItemAsync(desk.Tables.Quotas, item, Cancel);
    }

    /// <summary>Lets time pass in which only these tenants go on reporting.</summary>
    internal static async Task AdvanceAsync(OutcomeFixture desk, int seconds, params int[] reporting)
    {
        desk.Clock.Advance(TimeSpan.FromSeconds(seconds));
        foreach (var tenant in reporting)
            await SeenAsync(desk, tenant);
    }

    private static async Task<List<string>> AlertsAsync(OutcomeFixture desk)
    {
        var log = new MemoryStream();
        await SweepAsync(desk, log: log);
        return AlertsIn(log);
    }

    private static double SumIn(MemoryStream log, string metric) => WrittenMetrics.Sum(Encoding.UTF8.GetString(log.ToArray()), new(metric));

    private static List<string> AlertsIn(MemoryStream log)
    {
        var alerts = new List<string>();
        foreach (var text in Encoding.UTF8.GetString(log.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var line = JsonDocument.Parse(text).RootElement;
            if (!line.TryGetProperty("event", out var name))
                continue;
            switch (name.GetString())
            {
                case "instance_changed":
                    alerts.Add(
                        $"{line.GetProperty("change").GetString()} {line.GetProperty("tenant_id").GetString()}/{line.GetProperty("instance").GetString()}");
                    break;
                case "tenant_offline" or "tenant_late" or "tenant_recovered" or "tenant_unwatched":
                    var word = name.GetString()!["tenant_".Length..];
                    alerts.Add($"{(word == "unwatched" ? word : word.ToUpperInvariant())} {line.GetProperty("tenant_id").GetString()}");
                    break;
                case "outage_began" or "outage_ended":
                    alerts.Add(name.GetString()!);
                    break;
            }
        }
        return [.. alerts.Order(StringComparer.Ordinal)];
    }

    internal static InstanceState State(int tenant, string instance, DateTimeOffset lastSeen) => new()
    {
        Tenant = TenantId.Parse($"tenant-{tenant}"),
        Instance = InstanceId.Parse(instance),
        Epoch = 1,
        Counter = 1,
        BodyHash = "00",
        Base = ComputeTime.Zero,
        Totals = ComputeTime.Zero,
        Month = new(2026, 11),
        AtMonthStart = ComputeTime.Zero,
        SampledAt = lastSeen,
        LastSeen = lastSeen,
        FirstSeen = lastSeen,
    };
}
