using System.Text;
using System.Text.Json;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.Serialization.SystemTextJson;
using ControlPlane.Executions;
using ControlPlane.MeteringCollector;
using ControlPlane.MeteringCollector.Outcomes;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.MeteringCollector;

/// <summary>What an engine's word does to an execution, its charge and its requester.</summary>
public sealed class OutcomeTests(LocalCloud cloud)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"key1":"value1","key2":"value2"}""")]
    [InlineData("""{"source":"serverless-plugin-warmup"}""")]
    [InlineData("""{"Records":null}""")]
    [InlineData("""{"httpMethod":"POST","path":"/","requestContext":null}""")]
    [InlineData("null")]
    public async Task An_event_that_no_gateway_sent_is_malformed_and_no_fault_of_ours(string json)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var request = new SourceGeneratorLambdaJsonSerializer<EventJson>().Deserialize<APIGatewayProxyRequest>(new MemoryStream(Encoding.UTF8.GetBytes(json)));
        var answer = await desk.SendAsync(request);

        Assert.Equal((400, "malformed"), (answer.Status, answer.Code));
        var lines = desk.Logged.Split('\n', StringSplitOptions.RemoveEmptyEntries).ToLookup(line => line.Contains("\"_aws\"", StringComparison.Ordinal));
        Assert.DoesNotContain("\"level\":\"error\"", Assert.Single(lines[false]), StringComparison.Ordinal);
        Assert.All(lines[true], line => Assert.Contains("\"Outcome\":\"malformed\"", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_outcome_ends_the_execution_settles_its_charge_and_is_told_once()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();

        var answer = await desk.SendAsync(job, OutcomeText.Succeeded with { More = ",\"result\":{\"summary\":\"Done.\",\"url\":\"https://x.example/1\"}" });

        Assert.Equal(200, answer.Status);
        Assert.Equal("no-store", answer.Headers["Cache-Control"]);
        Assert.Equal($$"""{"execution_id":"{{job.Id}}","status":"succeeded","duplicate":false,"late":false}""", answer.Body.GetRawText());
        var execution = await desk.ReadAsync(job);
        Assert.Equal((ExecutionState.Succeeded, "8123", "Done."), (execution.State, execution.Outcome!.EngineExecutionId, execution.Outcome.Result!.Summary));
        Assert.Equal(new MonthUsage(Charged: 1, Used: 1, new(1200, 30, 4, 5)), await desk.Ledger.MonthAsync(OutcomeFixture.Tenant, desk.Month, Cancel));
        Assert.Equal(0, await desk.Ledger.ActiveAsync(OutcomeFixture.Tenant, Cancel));
        Assert.Equal([job.Id.ToString()], await desk.NotifiedAsync());
    }

    [Fact]
    public async Task Running_is_recorded_and_told_to_nobody()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();

        var first = await desk.SendAsync(job, OutcomeText.Running);
        var again = await desk.SendAsync(job, OutcomeText.Running);

        Assert.Equal(("running", false), (first.Body.GetProperty("status").GetString(), first.IsRepeat));
        Assert.Equal(("running", true), (again.Body.GetProperty("status").GetString(), again.IsRepeat));
        Assert.Equal((ExecutionState.Running, 1), ((await desk.ReadAsync(job)).State, await desk.Ledger.ActiveAsync(OutcomeFixture.Tenant, Cancel)));
        Assert.Empty(await desk.NotifiedAsync());
    }

    [Fact]
    public async Task The_same_outcome_again_settles_nothing_and_is_sent_to_the_requester_only_while_untold()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        await desk.SendAsync(job, OutcomeText.Succeeded);

        var atOnce = await desk.SendAsync(job, OutcomeText.Succeeded);
        Assert.Equal((200, true), (atOnce.Status, atOnce.IsRepeat));
        Assert.Equal(2, (await desk.NotifiedAsync()).Count);        // told once all the same: the second message finds the note

        await desk.Executions.MarkToldAsync(job.Id, ExecutionState.Succeeded, Cancel);
        desk.Clock.Advance(TimeSpan.FromHours(1));
        var later = await desk.SendAsync(job, OutcomeText.Succeeded);
        Assert.Equal((200, true), (later.Status, later.IsRepeat));
        Assert.Empty(await desk.NotifiedAsync());
        Assert.Equal(new MonthUsage(1, 1, new(1200, 30, 4, 5)), await desk.Ledger.MonthAsync(OutcomeFixture.Tenant, desk.Month, Cancel));
    }

    [Theory]
    [InlineData("40", 40, null, false)]
    [InlineData("40.5", 41, null, false)]
    [InlineData("\"40\"", 40, null, false)]
    [InlineData("0", 0, null, false)]
    [InlineData("100", 100, null, false)]
    [InlineData("\"page 3 of 9\"", null, "page 3 of 9", false)]
    [InlineData("100.1", null, null, true)]
    [InlineData("-1", null, null, true)]
    [InlineData("true", null, null, true)]
    [InlineData("{}", null, null, true)]
    [InlineData("\" \\u200b\"", null, null, true)]
    [InlineData("null", null, null, false)]
    public async Task Progress_is_a_percentage_or_a_text(string json, int? percent, string? words, bool isIgnored)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        var sent = await desk.SendAsync(job, OutcomeText.Running with { More = $",\"progress\":{json}" });

        Assert.Equal((200, "running"), (sent.Status, sent.Body.GetProperty("status").GetString()));
        Assert.Equal(isIgnored, sent.Body.TryGetProperty("ignored", out var ignored) && ignored[0].GetString() == "progress");
        var execution = (await desk.Executions.FindAsync(job.Id, Cancel))!;
        Assert.Equal(percent is { } given ? new Progress.Percent(given) : words is not null ? new Progress.Words(words) : null, execution.Progress);
        Assert.Equal(execution.Progress is null ? 0 : 1, (await desk.NotifiedAsync()).Count);
    }

    [Fact]
    public async Task Progress_is_told_at_most_once_a_minute_and_then_as_it_is()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        async Task<(bool IsRepeat, int Told)> SendAsync(int percent)
        {
            var sent = await desk.SendAsync(job, OutcomeText.Running with { More = $",\"progress\":{percent}" });
            Assert.Equal(200, sent.Status);
            return (sent.IsRepeat, (await desk.NotifiedAsync()).Count);
        }

        Assert.Equal((false, 1), await SendAsync(10));
        Assert.Equal((true, 0), await SendAsync(10));           // the same again says nothing
        desk.Clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal((false, 0), await SendAsync(20));          // on its way, in a second
        Assert.Equal(desk.Clock.Now.AddSeconds(1), (await desk.Executions.FindAsync(job.Id, Cancel))!.ProgressToldAt);
        Assert.Equal((false, 0), await SendAsync(30));          // and says what is the latest by then
        await Task.Delay(TimeSpan.FromSeconds(1.5), Cancel);    // the queue's own time
        Assert.Single(await desk.NotifiedAsync());
        desk.Clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal((false, 1), await SendAsync(40));
        Assert.Equal(new Progress.Percent(40), (await desk.Executions.FindAsync(job.Id, Cancel))!.Progress);

        await desk.SendAsync(job, OutcomeText.Succeeded);
        Assert.Single(await desk.NotifiedAsync());
        Assert.Equal((true, 1), await SendAsync(50));           // the end, which nobody was told yet
        Assert.Equal(new Progress.Percent(40), (await desk.Executions.FindAsync(job.Id, Cancel))!.Progress);
    }

    [Fact]
    public async Task Of_two_that_report_progress_at_once_one_has_it_told()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        await desk.SendAsync(job, OutcomeText.Running);
        var running = (await desk.Executions.FindAsync(job.Id, Cancel))!;
        Assert.True(await desk.Executions.NoteProgressAsync(running, new Progress.Percent(1), desk.Clock.Now, Cancel));
        Assert.False(await desk.Executions.NoteProgressAsync(running, new Progress.Percent(2), desk.Clock.Now, Cancel));
        Assert.False(await desk.Executions.NoteProgressAsync(
            running with { Tenant = OutcomeFixture.Neighbour }, new Progress.Percent(3), null, Cancel));
        Assert.Equal(new Progress.Percent(1), (await desk.Executions.FindAsync(job.Id, Cancel))!.Progress);
    }

    [Fact]
    public async Task After_the_first_end_another_is_a_conflict_and_running_says_nothing_new()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        await desk.SendAsync(job, OutcomeText.Succeeded);

        var failed = await desk.SendAsync(job, OutcomeText.Failed);
        var otherRun = await desk.SendAsync(job, OutcomeText.Succeeded with { Run = "8124" });
        var running = await desk.SendAsync(job, OutcomeText.Running);

        Assert.Equal((409, "outcome-conflict", "succeeded"), (failed.Status, failed.Code, failed.Body.GetProperty("execution_status").GetString()));
        Assert.False(failed.Body.GetProperty("retryable").GetBoolean());
        Assert.Equal(409, otherRun.Status);                         // the same token and another body, too
        Assert.Equal((200, true, "succeeded"), (running.Status, running.IsRepeat, running.Body.GetProperty("status").GetString()));
        var execution = await desk.ReadAsync(job);
        Assert.Equal((ExecutionState.Succeeded, "8123"), (execution.State, execution.Outcome!.EngineExecutionId));
        Assert.Equal(1, (await desk.Ledger.MonthAsync(OutcomeFixture.Tenant, desk.Month, Cancel)).Used);
    }

    [Fact]
    public async Task Of_two_ends_at_the_same_moment_one_wins()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        for (var i = 0; i < 5; i++)
        {
            var job = await desk.StartAsync();
            var answers = await Task.WhenAll(desk.SendAsync(job, OutcomeText.Succeeded), desk.SendAsync(job, OutcomeText.Failed));

            Assert.Equal([200, 409], answers.Select(answer => answer.Status).Order());
            var winner = answers[0].Status == 200 ? ExecutionState.Succeeded : ExecutionState.Failed;
            Assert.Equal(winner, (await desk.ReadAsync(job)).State);
            Assert.Equal([job.Id.ToString()], await desk.NotifiedAsync());
        }
        Assert.Equal((5, 5), await desk.Ledger.MonthAsync(OutcomeFixture.Tenant, desk.Month, Cancel) is var month ? (month.Charged, month.Used) : default);
        Assert.Equal(0, await desk.Ledger.ActiveAsync(OutcomeFixture.Tenant, Cancel));
    }

    [Theory]
    [InlineData(ExecutionState.Queued)]
    [InlineData(ExecutionState.Dispatching)]
    [InlineData(ExecutionState.DispatchUnknown)]
    public async Task An_outcome_may_overtake_our_own_record_of_having_dispatched(ExecutionState state)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync(state);
        var before = await desk.ReadAsync(job);

        Assert.Equal(200, (await desk.SendAsync(job, OutcomeText.Succeeded)).Status);

        var tooLate = await desk.Executions.RecordAttemptAsync(
            before, Signal.Accepted, new(2, desk.Clock.Now, 5, new AttemptResult.Accepted(), 200), notFound: false, Cancel);
        Assert.Equal(ExecutionState.Succeeded, Assert.IsType<Move.Lost>(tooLate).Now.State);
        Assert.Equal(ExecutionState.Succeeded, (await desk.ReadAsync(job)).State);
    }

    [Fact]
    public async Task A_late_outcome_replaces_a_time_out_and_is_charged()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        desk.Clock.Advance(TimeSpan.FromHours(1));
        await desk.Executions.TimeOutAsync(await desk.ReadAsync(job), Cancel);
        await desk.Executions.MarkToldAsync(job.Id, ExecutionState.TimedOut, Cancel);

        var running = await desk.SendAsync(job, OutcomeText.Running);
        var late = await desk.SendAsync(job, OutcomeText.Failed);
        var again = await desk.SendAsync(job, OutcomeText.Failed);
        var other = await desk.SendAsync(job, OutcomeText.Succeeded);

        Assert.Equal(("timed_out", true), (running.Body.GetProperty("status").GetString(), running.IsRepeat));
        Assert.Equal($$"""{"execution_id":"{{job.Id}}","status":"failed","duplicate":false,"late":true}""", late.Body.GetRawText());
        Assert.Equal((true, true), (again.IsRepeat, again.Body.GetProperty("late").GetBoolean()));
        Assert.Equal(409, other.Status);
        Assert.Equal(new MonthUsage(Charged: 1, Used: 1, new(1200, 30, 4, 5)), await desk.Ledger.MonthAsync(OutcomeFixture.Tenant, desk.Month, Cancel));
        Assert.Equal(0, await desk.Ledger.ActiveAsync(OutcomeFixture.Tenant, Cancel));
        Assert.Null((await desk.ReadAsync(job)).ToldAt);
    }

    [Fact]
    public async Task An_outcome_replaces_a_refusal_that_the_workflow_may_have_chosen_after_it_ran()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync(ExecutionState.Dispatching);
        await desk.Executions.RefuseAsync(
            await desk.ReadAsync(job), DispatchFailure.Rejected, new(1, desk.Clock.Now, 5, AttemptResult.Parse(DispatchFailure.Rejected.Code), 422), Cancel);
        desk.Clock.Advance(TimeSpan.FromHours(1));

        var running = await desk.SendAsync(job, OutcomeText.Running);
        var late = await desk.SendAsync(job, OutcomeText.Failed);
        var again = await desk.SendAsync(job, OutcomeText.Failed);
        var other = await desk.SendAsync(job, OutcomeText.Succeeded);

        Assert.Equal(("failed", true), (running.Body.GetProperty("status").GetString(), running.IsRepeat));
        Assert.Equal($$"""{"execution_id":"{{job.Id}}","status":"failed","duplicate":false,"late":true}""", late.Body.GetRawText());
        Assert.Equal((200, true, 409), (again.Status, again.IsRepeat, other.Status));
        Assert.Equal(new MonthUsage(Charged: 1, Used: 1, new(1200, 30, 4, 5)), await desk.Ledger.MonthAsync(OutcomeFixture.Tenant, desk.Month, Cancel));
    }

    [Theory]
    [InlineData(DispatchFailure.Unauthorized), InlineData(DispatchFailure.WorkflowNotActive), InlineData(DispatchFailure.Unreachable)]
    public async Task An_outcome_of_what_certainly_never_ran_is_a_conflict(DispatchFailure failure)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync(ExecutionState.Dispatching);
        await desk.Executions.RefuseAsync(await desk.ReadAsync(job), failure, null, Cancel);
        Assert.Equal(409, (await desk.SendAsync(job, OutcomeText.Succeeded)).Status);
    }

    [Fact]
    public async Task An_outcome_whose_reservation_the_ledger_lacks_ends_the_execution_and_alarms()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        await desk.LoseLedgerAsync();

        var answer = await desk.SendAsync(job, OutcomeText.Succeeded);

        Assert.Equal((200, "succeeded"), (answer.Status, answer.Body.GetProperty("status").GetString()));
        Assert.Equal((ExecutionState.Succeeded, true), await desk.ReadAsync(job) is var execution ? (execution.State, execution.IsCharged) : default);
        Assert.Equal([job.Id.ToString()], await desk.NotifiedAsync());
        Assert.Contains("\"ExecutionsUnbooked\":1", desk.Logged, StringComparison.Ordinal);
        Assert.True((await desk.SendAsync(job, OutcomeText.Succeeded)).IsRepeat);
    }

    [Fact]
    public async Task A_deadline_ends_an_execution_whose_reservation_the_ledger_lacks()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        await desk.LoseLedgerAsync();
        desk.Clock.Advance(TimeSpan.FromHours(1));

        await SweeperTests.SweepAsync(desk);

        Assert.Equal(ExecutionState.TimedOut, (await desk.ReadAsync(job)).State);
        Assert.Equal([job.Id.ToString()], await desk.NotifiedAsync());
    }

    [Theory]
    [InlineData(0, OutcomeDecision.Finish)]
    [InlineData(1, OutcomeDecision.Conflict)]
    public void A_time_out_gives_way_for_a_day(int secondsMore, object expected)
    {
        var now = DateTimeOffset.UnixEpoch.AddYears(56);
        var timedOut = Some(ExecutionState.TimedOut) with { FinishedAt = now - ExecutionLifecycle.SupersededWithin - TimeSpan.FromSeconds(secondsMore) };
        Assert.Equal(expected, OutcomeRule.Decide(timedOut, OutcomeStatus.Succeeded, "hash", now));
    }

    [Fact]
    public async Task An_outcome_and_the_time_out_at_the_same_moment_agree_on_one_end()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        for (var i = 0; i < 5; i++)
        {
            var job = await desk.StartAsync();
            var execution = await desk.ReadAsync(job);
            var outcome = desk.SendAsync(job, OutcomeText.Succeeded);
            await Task.WhenAll(outcome, desk.Executions.TimeOutAsync(execution, Cancel));

            Assert.Equal(200, (await outcome).Status);
            Assert.Equal(ExecutionState.Succeeded, (await desk.ReadAsync(job)).State);
        }
        var month = await desk.Ledger.MonthAsync(OutcomeFixture.Tenant, desk.Month, Cancel);
        Assert.Equal(month.Used, month.Charged);                    // late ones were given back, the others charged; none twice
        Assert.Equal(0, await desk.Ledger.ActiveAsync(OutcomeFixture.Tenant, Cancel));
    }

    [Fact]
    public async Task What_a_user_cancelled_stays_cancelled()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        await desk.Executions.CancelAsync(await desk.ReadAsync(job), "U1", desk.Tables.Auditor, Cancel);

        var succeeded = await desk.SendAsync(job, OutcomeText.Succeeded);
        var cancelled = await desk.SendAsync(job, OutcomeText.Cancelled);

        Assert.Equal((409, "cancelled"), (succeeded.Status, succeeded.Body.GetProperty("execution_status").GetString()));
        Assert.Equal((200, true), (cancelled.Status, cancelled.IsRepeat));
        Assert.Null((await desk.ReadAsync(job)).Outcome);
        Assert.Equal(new MonthUsage(1, 1, ExecutionUsage.None), await desk.Ledger.MonthAsync(OutcomeFixture.Tenant, desk.Month, Cancel));
    }

    [Fact]
    public async Task Unknown_and_somebody_elses_execution_look_the_same()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var theirs = await desk.StartAsync(tenant: TenantId.Parse("tenant-2"));
        var keys = desk.NewKeys();
        var minter = new Tokens.TokenMinter(OutcomeFixture.Issuer, desk.Clock);
        var unknown = ExecutionId.Of("T0001", "never");

        // A perfectly valid token of one's own for an execution that is not: no dispatch mints it, so it is made here.
        var answers = new List<Answer>();
        foreach (var id in new[] { unknown, theirs.Id })
            answers.Add(await desk.SendAsync(
                new Job(id, OutcomeFixture.Tenant, minter.ForOutcome(await keys.ToSignAsync(OutcomeFixture.Tenant, Cancel), OutcomeFixture.Tenant, id,
                    desk.Clock.Now).Text), OutcomeText.Succeeded));

        Assert.All(answers, answer => Assert.Equal((404, "execution-unknown"), (answer.Status, answer.Code)));
        Assert.Equal(answers[0].ToString(), answers[1].ToString());
        Assert.Equal(ExecutionState.Dispatched, (await desk.ReadAsync(theirs)).State);
        Assert.Null(await desk.Executions.FindAsync(unknown, Cancel));
        Assert.Empty(await desk.NotifiedAsync());
    }

    [Fact]
    public async Task A_token_serves_for_its_own_execution_alone()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var (a, b) = (await desk.StartAsync(), await desk.StartAsync());

        var answer = await desk.SendAsync(a, OutcomeText.Succeeded.For(b.Id));

        Assert.Equal((403, "token-mismatch"), (answer.Status, answer.Code));
        foreach (var job in new[] { a, b })
            Assert.Equal(ExecutionState.Dispatched, (await desk.ReadAsync(job)).State);
    }

    [Theory]
    [InlineData("..")]
    [InlineData("%2e%2e%2f")]
    [InlineData("\\u0000")]
    [InlineData("")]
    [InlineData("{upper}")]
    [InlineData("{id} ")]
    [InlineData("{id}/")]
    [InlineData("{id}\\n")]
    public async Task An_execution_id_has_one_spelling(string text)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        var id = text.Replace("{upper}", job.Id.ToString().ToUpperInvariant(), StringComparison.Ordinal)
            .Replace("{id}", job.Id.ToString(), StringComparison.Ordinal);
        Assert.Equal(403, (await desk.SendAsync(job, OutcomeText.Succeeded.For(id))).Status);
        Assert.Equal(ExecutionState.Dispatched, (await desk.ReadAsync(job)).State);
    }

    public static TheoryData<string> NoStatuses =>
        ["\"succeded\"", "\"SUCCEEDED\"", "\"Succeeded\"", "\"timed_out\"", "\"\"", "null", "1", "[]", "[\"succeeded\"]", "{}", "true"];

    [Theory]
    [MemberData(nameof(NoStatuses))]
    public async Task A_status_is_one_of_four_words_and_a_corrected_repeat_is_taken(string status)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        Assert.Equal((400, "malformed"), await desk.SendAsync(job, new OutcomeText(status)) is var answer ? (answer.Status, answer.Code) : default);
        Assert.Equal(ExecutionState.Dispatched, (await desk.ReadAsync(job)).State);
        Assert.Equal(200, (await desk.SendAsync(job, OutcomeText.Succeeded)).Status);
    }

    public static TheoryData<string> NoOutcomes =>
    [
        "", "null", "[]", "{}", "{id}", "\ufeff{good}", "{good}{good}", "{good} x", "{\"status\":\"failed\",{rest}", "{\"STATUS\":\"failed\",{rest}",
        "{\"deep\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]],{rest}", "{\"text\":\"\\ud800\",{rest}",
    ];

    [Theory]
    [MemberData(nameof(NoOutcomes))]
    public async Task What_is_no_outcome_changes_nothing(string form)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        var good = OutcomeText.Succeeded.For(job.Id);
        var body = form.Replace("{good}", good, StringComparison.Ordinal).Replace("{rest}", good[1..], StringComparison.Ordinal)
            .Replace("{id}", $"\"{job.Id}\"", StringComparison.Ordinal);
        Assert.Equal((400, "malformed"), await desk.SendAsync(job, body) is var answer ? (answer.Status, answer.Code) : default);
        Assert.Equal(ExecutionState.Dispatched, (await desk.ReadAsync(job)).State);
    }

    [Theory]
    [InlineData("9007199254740992", 400)]
    [InlineData("1000000000001", 422)]
    [InlineData("\"1000000000001\"", 422)]
    [InlineData("1000000000000", 200)]
    public async Task Usage_is_plausible(string cpuMs, int status)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        Assert.Equal(status, (await desk.SendAsync(job, OutcomeText.Succeeded with { CpuMs = cpuMs })).Status);
    }

    [Theory]
    [InlineData("1200.5", 1201), InlineData("1200.49", 1200), InlineData("1.2e3", 1200), InlineData("\"1200\"", 1200), InlineData("\"1200.5\"", 1201),
        InlineData("null", 0)]
    public async Task A_number_is_read_however_it_is_written(string cpuMs, long booked)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        var answer = await desk.SendAsync(job, OutcomeText.Succeeded with { CpuMs = cpuMs });
        Assert.Equal((200, false), (answer.Status, answer.Body.TryGetProperty("ignored", out _)));
        Assert.Equal(booked, (await desk.ReadAsync(job)).Outcome!.Usage.CpuMs);
    }

    [Theory]
    [InlineData("-1"), InlineData("\"many\""), InlineData("true"), InlineData("[1200]"), InlineData("{}"), InlineData("1e400"), InlineData("\"\""),
        InlineData("\" 1\"")]
    public async Task A_number_that_is_none_is_left_out_and_named(string cpuMs)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        var answer = await desk.SendAsync(job, OutcomeText.Succeeded with { CpuMs = cpuMs });
        Assert.Equal(
            $$"""{"execution_id":"{{job.Id}}","status":"succeeded","duplicate":false,"late":false,"ignored":["usage.cpu_ms"]}""", answer.Body.GetRawText());
        Assert.Equal(new ExecutionUsage(0, 30, 4, 5), (await desk.ReadAsync(job)).Outcome!.Usage);
    }

    [Theory]
    [InlineData("2026-11-22T06:59:00-05:00", "2026-11-22T11:59:00Z"), InlineData("2026-11-22T17:29:00.250+05:30", "2026-11-22T11:59:00.250Z"),
        InlineData("2026-11-22T11:59:00Z", "2026-11-22T11:59:00Z")]
    public async Task A_time_is_read_with_any_offset(string startedAt, string meant)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        Assert.Equal(
            200,
            (await desk.SendAsync(job, $$"""{"schema":"outcome.v1","execution_id":"{{job.Id}}","status":"succeeded","started_at":"{{startedAt}}"}""")).Status);
        Assert.Equal(Text.Rfc3339.Parse(meant), (await desk.ReadAsync(job)).StartedAt);
    }

    public static TheoryData<string, string?, string?, string?, string?> Odd => new()
    {
        // members, summary, error's message, engine's id, what is named as ignored
        { "\"result\":{\"summary\":5}", "5", null, null, null },
        { "\"result\":{\"summary\":true,\"url\":7}", "true", null, null, "result.url" },
        { "\"result\":\"Done.\"", "Done.", null, null, null },
        { "\"result\":[\"Done.\"]", null, null, null, "result" },
        { "\"result\":{\"summary\":{\"a\":1}}", null, null, null, "result.summary" },
        { "\"error\":\"It broke.\"", null, "It broke.", null, null },
        { "\"error\":{\"message\":[],\"code\":42}", null, null, null, "error.message" },
        { "\"error\":[]", null, null, null, "error" },
        { "\"engine_execution_id\":8123", null, null, "8123", null },
        { "\"engine_execution_id\":{}", null, null, null, "engine_execution_id" },
        { "\"started_at\":1767225600", null, null, null, "started_at" },
        { "\"finished_at\":\"yesterday\"", null, null, null, "finished_at" },
        { "\"usage\":7", null, null, null, "usage" },
        { "\"started_at\":null,\"usage\":null,\"result\":null,\"error\":null,\"engine_execution_id\":null", null, null, null, null },
    };

    [Theory]
    [MemberData(nameof(Odd))]
    public async Task One_odd_member_loses_no_outcome(string members, string? summary, string? message, string? run, string? ignored)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        var answer = await desk.SendAsync(job, $$"""{"schema":"outcome.v1","execution_id":"{{job.Id}}","status":"failed",{{members}}}""");

        Assert.Equal(200, answer.Status);
        Assert.Equal(ignored, answer.Body.TryGetProperty("ignored", out var named) ? Assert.Single(named.EnumerateArray()).GetString() : null);
        var outcome = (await desk.ReadAsync(job)).Outcome!;
        Assert.Equal((summary, message, run), (outcome.Result?.Summary, outcome.Error?.Message, outcome.EngineExecutionId));
    }

    [Theory]
    [InlineData("{\"execution_id\":\"{id}\",\"status\":\"failed\"}", "schema"),
        InlineData("{\"schema\":\"outcome.v2\",\"execution_id\":\"{id}\",\"status\":\"failed\"}", "schema")]
    [InlineData("{\"schema\":\"outcome.v1\",\"status\":\"failed\"}", "execution_id"),
        InlineData("{\"schema\":\"outcome.v1\",\"execution_id\":5,\"status\":\"failed\"}", "execution_id")]
    [InlineData("{\"schema\":\"outcome.v1\",\"execution_id\":\"{id}\",\"status\":\"done\"}", "status")]
    public async Task A_required_member_that_is_wrong_is_named(string form, string member)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        var answer = await desk.SendAsync(job, form.Replace("{id}", job.Id.ToString(), StringComparison.Ordinal));
        Assert.Equal((400, "malformed"), (answer.Status, answer.Code));
        Assert.Contains($"The member {member} ", answer.Body.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_text_of_the_JSON_suite_gets_a_clean_answer()
    {
        using var vectors = Vectors.Read("json_test_suite.json");
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        foreach (var test in vectors.RootElement.GetProperty("cases").EnumerateArray().Where(test => test.TryGetProperty("base64", out _)))
        {
            var text = test.GetProperty("base64").GetString()!.ToCharArray();
            var answer = await desk.SendAsync(OutcomeFixture.Request($"Bearer {job.Token}", Convert.FromBase64CharArray(text, 0, text.Length)));
            Assert.True(answer.Status == 400, $"{test.GetProperty("name")}: {answer}");
        }
    }

    [Fact]
    public async Task A_summary_is_stored_whole_up_to_its_limit_and_cut_with_a_mark_above_it()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        foreach (var (text, stored) in new[]
        {
            ("", ""),
            (new string('x', OutcomeBody.LongestSummary), new string('x', OutcomeBody.LongestSummary)),
            (new string('x', OutcomeBody.LongestSummary + 1), new string('x', OutcomeBody.LongestSummary) + "… [cut]"),
            (new string('"', 100_000), new string('"', OutcomeBody.LongestSummary) + "… [cut]"),
            (new string('\0', 30_000), new string('\0', OutcomeBody.LongestSummary) + "… [cut]"),
            ("x" + string.Concat(Enumerable.Repeat("😀", 10_000)), "x" + string.Concat(Enumerable.Repeat("😀", OutcomeBody.LongestSummary / 2 - 1)) + "… [cut]"),
        })
        {
            var job = await desk.StartAsync();
            var summary = JsonEncodedText.Encode(text, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString();
            var answer = await desk.SendAsync(job, OutcomeText.Succeeded with { More = $",\"result\":{{\"summary\":\"{summary}\"}}" });
            Assert.Equal(200, answer.Status);
            Assert.Equal(stored, (await desk.ReadAsync(job)).Outcome!.Result!.Summary);
        }
    }

    [Fact]
    public async Task Everything_at_its_longest_fits_an_item()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        string Zeros(int count) => string.Concat(Enumerable.Repeat("\\u0000", count));
        var body = OutcomeText.Succeeded with
        {
            Run = Zeros(200),
            More = $",\"result\":{{\"summary\":\"{Zeros(OutcomeBody.LongestSummary + 1)}\",\"url\":\"{Zeros(2048)}\"}},\"error\":{{\"code\":\"{Zeros(200)}\",\"message\":\"{Zeros(5000)}\"}}",
        };
        Assert.Equal(200, (await desk.SendAsync(job, body)).Status);
    }

    [Theory]
    [InlineData(256 * 1024, 200)]
    [InlineData(256 * 1024 + 1, 413)]
    [InlineData(6 * 1024 * 1024, 413)]
    public async Task A_body_has_at_most_256_kilobytes(int size, int status)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        var rest = OutcomeText.Succeeded.For(job.Id)[1..];
        var body = $"{{\"padding\":\"{new string('x', size - rest.Length - 14)}\",{rest}";
        Assert.Equal(size, body.Length);
        Assert.Equal(status, (await desk.SendAsync(job, body)).Status);
    }

    [Fact]
    public async Task Hostile_text_is_stored_unchanged_and_logged_nowhere()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        const string hostile = "<!channel> <https://evil.test|x> \u001b[31m\r\n{\"level\":\"forged\"}";
        await desk.SendAsync(
            job, OutcomeText.Failed with { More = $",\"error\":{{\"message\":{JsonSerializer.Serialize(hostile, DomainJsonText.Default.String)}}}" });

        Assert.Equal(hostile, (await desk.ReadAsync(job)).Outcome!.Error!.Message);
        Assert.DoesNotContain("forged", desk.Logged, StringComparison.Ordinal);
        Assert.DoesNotContain(job.Token, desk.Logged, StringComparison.Ordinal);
        Assert.Contains(job.Id.TraceId, desk.Logged, StringComparison.Ordinal);
        Assert.All(desk.Logged.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => JsonDocument.Parse(line).Dispose());
    }

    [Fact]
    public async Task An_outcome_is_kept_though_the_queue_is_down()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        desk.Restart(new FaultSeam(call => call.Operation == "SendMessage" ? Fault.Error : null));
        Assert.Equal(200, (await desk.SendAsync(job, OutcomeText.Succeeded)).Status);
        Assert.Equal(ExecutionState.Succeeded, (await desk.ReadAsync(job)).State);
        Assert.Contains("notify_failed", desk.Logged, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Fault.Throttled)]
    [InlineData(Fault.Conflict)]
    [InlineData(Fault.Error)]
    [InlineData(Fault.Silence)]
    public async Task Our_own_trouble_is_503_and_the_repeat_is_taken(Fault fault)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        desk.Restart(new FaultSeam(call => call.Operation == "TransactWriteItems" ? fault : null));

        var answer = await desk.SendAsync(job, OutcomeText.Succeeded);
        Assert.Equal((503, "unavailable", true), (answer.Status, answer.Code, answer.Body.GetProperty("retryable").GetBoolean()));
        Assert.Equal("5", answer.Headers["Retry-After"]);
        Assert.Equal(ExecutionState.Dispatched, (await desk.ReadAsync(job)).State);

        desk.Restart();
        Assert.Equal((200, false), await desk.SendAsync(job, OutcomeText.Succeeded) is var again ? (again.Status, again.IsRepeat) : default);
    }

    [Fact]
    public async Task An_outcome_costs_one_read_one_transaction_and_one_message()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        var seam = FaultSeam.None();
        desk.Restart(seam);
        await desk.SendAsync(job, OutcomeText.Succeeded);
        Assert.Equal(["GetItem", "TransactWriteItems", "SendMessage"], seam.Calls.Select(call => call.Operation));
    }

    private static Execution Some(ExecutionState state) => new()
    {
        Id = ExecutionId.Of("T1", "1"),
        Tenant = OutcomeFixture.Tenant,
        Workflow = WorkflowName.Parse("w"),
        RequestedBy = Requesters.OfSlack("T1", "U1", "C1"),
        State = state,
        CreatedAt = DateTimeOffset.UnixEpoch,
        DeadlineAt = DateTimeOffset.UnixEpoch,
        Month = new(1970, 1),
    };
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
internal sealed partial class DomainJsonText : System.Text.Json.Serialization.JsonSerializerContext;
