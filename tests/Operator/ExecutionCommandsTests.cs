using ControlPlane.Administration;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;
using ControlPlane.Text;

namespace ControlPlane.Tests.Operator;

public sealed class ExecutionCommandsTests(LocalCloud cloud)
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_tenants_latest_executions_are_listed_newest_first()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        var ids = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            ids.Insert(0, (await ctl.QueueExecutionAsync($"t{i}")).Id.ToString());
            ctl.Clock.Advance(TimeSpan.FromSeconds(1));
        }
        var lines = (await ctl.DoAsync("execution list tenant-7 --count 2 --output json")).Json.GetProperty("executions").EnumerateArray();
        Assert.Equal(ids.Take(2), lines.Select(line => line.GetProperty("execution_id").GetString()!));
    }

    [Fact]
    public async Task An_execution_is_shown_without_what_its_tenant_gave_or_got()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        var execution = await ctl.QueueExecutionAsync();
        await ctl.Executions.FinishAsync(
            execution,
            new(OutcomeStatus.Failed, null, null, "8123", new(1200, 0, 0, 0), new("a secret of the tenant", null), new("boom", "a secret of the tenant")), "00",
            Cancel);

        foreach (var line in new[] { $"execution show {execution.Id}", $"execution why {execution.Id}", $"execution show {execution.Id} --output json",
            $"execution why {execution.Id} --output json" })
        {
            var said = await ctl.DoAsync(line);
            Assert.DoesNotContain("secret", said.Output, StringComparison.Ordinal);
            Assert.All(["FAILED", "city", "8123", "boom", execution.Id.TraceId], word => Assert.Contains(word, said.Output, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Why_tells_the_decision_the_attempts_and_what_to_do()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        var queued = await ctl.QueueExecutionAsync();
        var claimed = Assert.IsType<Claim.Held>(await ctl.Executions.ClaimAsync(queued.Id, OperatorFixture.Seven, "me", Lease, Cancel)).Execution;
        await ctl.Executions.RefuseAsync(
            claimed, DispatchFailure.WorkflowNotActive, new(1, ctl.Clock.Now, 12, AttemptResult.Parse(DispatchFailure.WorkflowNotActive.Code), 404), Cancel);

        var said = (await ctl.DoAsync($"execution why {queued.Id}")).Output;
        Assert.StartsWith("It never ran: its engine has no active workflow at that path.", said, StringComparison.Ordinal);
        Assert.All(["tenant_active", "12 ms", "404"], word => Assert.Contains(word, said, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_state_and_every_failure_has_its_words()
    {
        var now = new DateTimeOffset(2026, 11, 5, 10, 0, 0, TimeSpan.Zero);
        var execution = new Execution
        {
            Id = ExecutionId.Of("T", "t"),
            Tenant = OperatorFixture.Seven,
            Workflow = Tenants.WorkflowName.Parse("wf"),
            RequestedBy = Requesters.OfSlack("T", "U", "C"),
            State = ExecutionState.Queued,
            CreatedAt = now,
            DeadlineAt = now,
            Month = new(2026, 11),
        };
        var words = ExecutionStates.All.Select(state => Reasons.Of(execution with { State = state }, now)).ToList();
        Assert.Equal(words.Count, words.Distinct().Count());

        words = [.. DispatchFailures.All.Select(failure => Reasons.Of(execution with { State = ExecutionState.Failed, FailureCode = failure }, now))];
        Assert.Equal(words.Count, words.Distinct().Count());
    }

    [Theory]
    [InlineData("show"), InlineData("why")]
    public async Task An_execution_that_is_not_there_is_said_so(string verb)
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        (await ctl.SayAsync($"execution {verb} exec_0123456789abcdef0123456789abcdef")).Refuses(1, "no execution", "90 days");
        (await ctl.SayAsync($"execution {verb} exec_0123456789ABCDEF0123456789abcdef")).Refuses(2, "32 of 0-9, a-f");
    }

    [Fact]
    public async Task Usage_is_what_was_used_reserved_and_metered_in_the_month()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.DoAsync("tenant register tenant-7 --name Acme --engine 10.106.128.10:5678 --monthly-quota 3 --monthly-gpu 2h");
        var done = await ctl.QueueExecutionAsync("t1");
        await ctl.Executions.FinishAsync(done, new(OutcomeStatus.Succeeded, null, null, null, new(1200, 0, 5, 6), null, null), "00", Cancel);
        await ctl.QueueExecutionAsync("t2");
        await HeartbeatAsync(ctl, 1, new(0, 0));
        ctl.Clock.Advance(TimeSpan.FromMinutes(30));
        await HeartbeatAsync(ctl, 2, new(3_600_000, 60_000));

        var usage = (await ctl.DoAsync("usage tenant-7 --output json")).Json.GetProperty("usage")[0];
        Assert.Equal((3, 1, 1, 1, 1), (Long("monthly_quota"), Long("used"), Long("reserved"), Long("left"), Long("under_way")));
        Assert.Equal(
            """{"cpu_ms":3600000,"gpu_ms":60000,"gpu_limit_ms":7200000,"gpu_unreadable_since":null}""",
            usage.GetProperty("metered").GetRawText().Replace(" ", "").Replace("\n", ""));
        Assert.Equal(1200, usage.GetProperty("reported").GetProperty("cpu_ms").GetInt64());

        await ctl.DoAsync("tenant limits tenant-7 --monthly-quota 1");
        usage = (await ctl.DoAsync("usage --output json")).Json.GetProperty("usage")[0];
        Assert.Equal((1, 0), (Long("monthly_quota"), Long("left")));
        usage = (await ctl.DoAsync("usage tenant-7 --month 2026-10 --output json")).Json.GetProperty("usage")[0];
        Assert.Equal((0, 0), (Long("used"), usage.GetProperty("metered").GetProperty("cpu_ms").GetInt64()));
        (await ctl.SayAsync("usage --month 2026-13")).Refuses(2, "2026-11");

        long Long(string name) => usage.GetProperty(name).GetInt64();
    }

    [Fact]
    public async Task Health_shows_who_is_silent_and_what_lies_in_the_queues()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        await ctl.DoAsync("tenant register tenant-8 --name Other --engine 10.107.128.10:5678");
        await HeartbeatAsync(ctl, 1, new(0, 0));
        await ctl.Queues.Client.SendMessageAsync(ctl.Queues.Urls["DispatchDeadLetters"], "letter", Cancel);
        await ctl.Queues.Client.SendMessageAsync(ctl.Queues.Dispatch, "message", Cancel);
        ctl.Clock.Advance(TimeSpan.FromSeconds(91));

        var health = (await ctl.DoAsync("health --exit-zero --output json")).Json;
        Assert.Equal(["LATE", null], health.GetProperty("tenants").EnumerateArray().Select(tenant => tenant.GetProperty("liveness").GetString()));
        Assert.Equal([(0, 0), (1, 1), (0, 0)], health.GetProperty("queues").EnumerateArray().Select(queue => (queue.GetProperty("waiting").GetInt32(),
            queue.GetProperty("dead_letters").GetInt32())));
        Assert.Contains("never reported", (await ctl.DoAsync("health --exit-zero")).Output, StringComparison.Ordinal);
        Assert.Matches("SILENT.*\n *i-1 +tenant-7 +LATE", (await ctl.DoAsync("health --exit-zero")).Output);
        Assert.Equal("i-1", health.GetProperty("tenants")[0].GetProperty("silent")[0].GetProperty("instance").GetString());
        await ctl.DoAsync("tenant remove tenant-7");
        Assert.DoesNotContain("tenant-7", (await ctl.DoAsync("health --exit-zero")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("health"), InlineData("usage"), InlineData("usage tenant-7")]
    public async Task Gpus_that_cannot_be_read_are_said_until_they_can(string command)
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        var since = ctl.Clock.Now.AddMinutes(-3);
        await HeartbeatAsync(ctl, 1, new(0, 0), since);
        Assert.Contains(
            $"tenant-7: GPUs unreadable since {Rfc3339.Format(since)}", (await ctl.DoAsync(command)).Output.ReplaceLineEndings(" "), StringComparison.Ordinal);
        Assert.Contains(
            $"\"gpu_unreadable_since\": \"{Rfc3339.Format(since)}\"", (await ctl.DoAsync($"{command} --output json")).Output, StringComparison.Ordinal);

        ctl.Clock.Advance(TimeSpan.FromMinutes(1));
        await HeartbeatAsync(ctl, 2, new(0, 0));
        Assert.DoesNotContain("unreadable since", (await ctl.DoAsync(command)).Output, StringComparison.Ordinal);
    }

    private static Task<Booking> HeartbeatAsync(OperatorFixture ctl, long counter, ComputeTime totals, DateTimeOffset? unreadableSince = null) =>
        ctl.BeatAsync(counter, totals, gpuUnreadableSince: unreadableSince);
}
