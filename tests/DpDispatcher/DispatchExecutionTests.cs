using System.Text.Json;
using ControlPlane.DpDispatcher;
using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.DpDispatcher;

/// <summary>One execution's way to its engine, over real tables and a real socket.</summary>
public sealed class DispatchExecutionTests(LocalCloud cloud)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(200), InlineData(201), InlineData(202), InlineData(204), InlineData(409)]
    public async Task An_engine_that_takes_it_has_it_dispatched(int status)
    {
        await using var engine = ScriptedEngine.Answering(status);
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var id = await stage.QueueAsync();

        Assert.Empty((await stage.DispatchAsync(id)).BatchItemFailures);

        var execution = await stage.ReadAsync(id);
        Assert.Equal(ExecutionState.Dispatched, execution.State);
        Assert.NotNull(execution.DispatchedAt);
        Assert.Equal(("accepted", status, 1), (execution.Attempts.Single().Result.Code, execution.Attempts.Single().Status, execution.Attempts.Single().Number));
        Assert.Equal(1, await stage.ChargedAsync());
        Assert.Empty(await stage.NotificationsAsync());
    }

    [Theory]
    [InlineData(400, "dispatch_rejected"), InlineData(405, "dispatch_rejected"), InlineData(410, "dispatch_rejected"), InlineData(413, "dispatch_rejected")]
    [InlineData(415, "dispatch_rejected"), InlineData(422, "dispatch_rejected"), InlineData(302, "dispatch_rejected"), InlineData(307, "dispatch_rejected")]
    [InlineData(401, "dispatch_unauthorized"), InlineData(403, "dispatch_unauthorized")]
    public async Task A_refusal_ends_it_at_once(int status, string failureCode)
    {
        await using var engine = ScriptedEngine.Answering(status, contentType: null, body: "jwt expired");
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var id = await stage.QueueAsync();

        Assert.Empty((await stage.DispatchAsync(id)).BatchItemFailures);

        await AssertFailedAsync(stage, id, failureCode);
        Assert.Single(engine.Requests);
        Assert.Equal(failureCode == "dispatch_unauthorized", stage.Log.Contains("\"DispatchUnauthorized\":1", StringComparison.Ordinal));
        Assert.DoesNotContain("jwt expired", stage.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401, 202, "Dispatched", "accepted", 2), InlineData(403, 409, "Dispatched", "accepted", 2), InlineData(401, 503, "Queued", "again", 2)]
    [InlineData(401, 500, "DispatchUnknown", "ambiguous", 2), InlineData(403, 422, "Failed", "dispatch_rejected", 2)]
    [InlineData(401, 401, "Failed", "dispatch_unauthorized", 2), InlineData(202, 401, "Dispatched", "accepted", 1), InlineData(404, 202, "Queued", "again", 1)]
    public async Task An_engine_that_refuses_a_token_is_tried_once_with_the_other_generations(int first, int second, string state, string result, int requests)
    {
        var answers = new Queue<int>([first, second]);
        await using var engine = ScriptedEngine.Start(async connection =>
        {
            while (await connection.ReadRequestAsync() is not null)
                await connection.WriteAsync(EngineConnection.Answer(answers.Dequeue(), "application/json"));
        });
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var id = await stage.QueueAsync(otherToken: "b2xkZXI.Y2xhaW1z.c2ln");
        await stage.DispatchAsync(id);

        var execution = await stage.ReadAsync(id);
        var attempt = Assert.Single(execution.Attempts);
        Assert.Equal((state, result), (execution.State.ToString(), attempt.Result.Code));
        Assert.Equal(
            new[] { "Bearer aGVhZA.Y2xhaW1z.c2ln", "Bearer b2xkZXI.Y2xhaW1z.c2ln" }.Take(requests), engine.Requests.Select(one => one.Header("Authorization")));
        Assert.Equal(requests == 2 ? second : first, attempt.Status);
        Assert.Equal(requests == 2, stage.Log.Contains("dispatch_other_key", StringComparison.Ordinal));
        Assert.Equal(result == "dispatch_unauthorized", stage.Log.Contains("\"DispatchUnauthorized\":1", StringComparison.Ordinal));
        Assert.DoesNotContain("b2xkZXI", stage.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_workflow_that_answers_in_text_is_sent_one_request()
    {
        await using var engine = ScriptedEngine.Answering(202, "text/plain", "queued");
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var id = await stage.QueueAsync();

        Assert.Empty((await stage.DispatchAsync(id)).BatchItemFailures);
        Assert.Empty((await stage.DispatchAsync(id, receives: 2)).BatchItemFailures);
        Assert.Equal((ExecutionState.Dispatched, 1), ((await stage.ReadAsync(id)).State, engine.Requests.Count));
    }

    [Theory]
    [InlineData(401, "{\"message\":\"jwt audience invalid\"}"), InlineData(403, null)]
    public async Task What_an_engine_says_of_a_token_it_refuses_is_kept_for_operators(int status, string? said)
    {
        await using var engine = ScriptedEngine.Answering(status, body: said ?? "");
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var id = await stage.QueueAsync();
        await stage.DispatchAsync(id);
        Assert.Equal(said, Assert.Single((await stage.ReadAsync(id)).Attempts).Answer);
        Assert.DoesNotContain("audience", stage.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_workflow_answers_with_otherwise_is_its_own_and_not_kept()
    {
        await using var engine = ScriptedEngine.Answering(422, body: "a secret of the tenant");
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var id = await stage.QueueAsync();
        await stage.DispatchAsync(id);
        Assert.Equal((422, null), Assert.Single((await stage.ReadAsync(id)).Attempts) is var attempt ? (attempt.Status, attempt.Answer) : default);
    }

    [Theory]
    [InlineData(202, "accepted"), InlineData(422, "dispatch_rejected"), InlineData(503, "again")]
    public async Task An_attempt_stays_on_record_though_the_outcome_was_faster(int status, string result)
    {
        DispatchFixture? stage = null;
        ExecutionId id = default;
        await using var engine = ScriptedEngine.Start(async connection =>
        {
            await connection.ReadRequestAsync();
            await stage!.Executions.FinishAsync(
                await stage.ReadAsync(id), new(OutcomeStatus.Succeeded, null, null, "1", ExecutionUsage.None, null, null), "aa", Cancel);
            await connection.WriteAsync(EngineConnection.Answer(status, "application/json"));
        });
        using (stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine)))
        {
            id = await stage.QueueAsync();
            Assert.Empty((await stage.DispatchAsync(id)).BatchItemFailures);
            var execution = await stage.ReadAsync(id);
            Assert.Equal(ExecutionState.Succeeded, execution.State);
            Assert.Equal(
            (1, result, status),
            Assert.Single(execution.Attempts) is var attempt ? (attempt.Number, attempt.Result.Code, attempt.Status) : default);
        }
    }

    [Theory]
    [InlineData(408), InlineData(425), InlineData(429), InlineData(502), InlineData(503)]
    public async Task A_busy_engine_is_asked_again_with_the_same_bytes_and_token(int status)
    {
        await using var engine = ScriptedEngine.Answering(status);
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var id = await stage.QueueAsync();

        Assert.Single((await stage.DispatchAsync(id)).BatchItemFailures);
        Assert.Equal(ExecutionState.Queued, (await stage.ReadAsync(id)).State);
        Assert.Single((await stage.DispatchAsync(id, receives: 2)).BatchItemFailures);

        Assert.Equal(2, (await stage.ReadAsync(id)).Attempts.Count);
        var requests = engine.Requests.ToList();
        Assert.Equal(requests[0].Body, requests[1].Body);
        foreach (var name in new[] { "Authorization", "Idempotency-Key" })
            Assert.Equal(requests[0].Header(name), requests[1].Header(name));
    }

    [Fact]
    public async Task An_engine_that_boots_gets_it_in_the_end()
    {
        // As measured on n8n 1.123: refused, then 200 with an HTML page, then two kinds of 404, then it works.
        var answers = new Queue<string>(
        [
            EngineConnection.Answer(200, "text/html; charset=utf-8", "n8n is starting up. Please wait"),
            EngineConnection.Answer(404, "text/html; charset=utf-8", "Cannot POST /webhook/wf_sched"),
            EngineConnection.Answer(404, "application/json", """{"code":404,"message":"The requested webhook \"POST wf_sched\" is not registered."}"""),
            EngineConnection.Answer(202, "application/json; charset=utf-8", """{"message":"Workflow was started"}"""),
        ]);
        await using var engine = ScriptedEngine.Start(async connection =>
        {
            while (await connection.ReadRequestAsync() is not null)
                await connection.WriteAsync(answers.Dequeue());
        });
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var id = await stage.QueueAsync();
        for (var receive = 1; receive <= 4; receive++)
        {
            Assert.Equal(receive < 4 ? 1 : 0, (await stage.DispatchAsync(id, receives: receive)).BatchItemFailures.Count);
            stage.Clock.Advance(TimeSpan.FromSeconds(2));
        }
        Assert.Equal(["again", "again", "again", "accepted"], (await stage.ReadAsync(id)).Attempts.Select(one => one.Result.Code));
    }

    [Fact]
    public async Task Not_found_is_believed_after_thirty_seconds_of_it()
    {
        await using var engine = ScriptedEngine.Answering(404);
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var id = await stage.QueueAsync();
        Assert.Single((await stage.DispatchAsync(id)).BatchItemFailures);

        stage.Clock.Advance(TimeSpan.FromSeconds(29));
        Assert.Single((await stage.DispatchAsync(id, receives: 2)).BatchItemFailures);
        stage.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty((await stage.DispatchAsync(id, receives: 3)).BatchItemFailures);
        await AssertFailedAsync(stage, id, "workflow_not_active");
    }

    [Fact]
    public async Task Another_answer_between_two_404s_begins_the_thirty_seconds_anew()
    {
        var statuses = new Queue<int>([404, 503, 404]);
        await using var engine = ScriptedEngine.Start(async connection =>
        {
            while (await connection.ReadRequestAsync() is not null)
                await connection.WriteAsync(EngineConnection.Answer(statuses.Dequeue(), "application/json"));
        });
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var id = await stage.QueueAsync();
        for (var receive = 1; receive <= 3; receive++)
        {
            Assert.Single((await stage.DispatchAsync(id, receives: receive)).BatchItemFailures);
            stage.Clock.Advance(TimeSpan.FromSeconds(20));
        }
        Assert.Equal(ExecutionState.Queued, (await stage.ReadAsync(id)).State);
    }

    [Fact]
    public async Task An_engine_that_stays_down_fails_it_when_its_token_ends()
    {
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", null));
        var id = await stage.QueueAsync();
        for (var receive = 1; (await stage.DispatchAsync(id, receives: receive)).BatchItemFailures.Count > 0; receive++)
        {
            Assert.InRange(receive, 1, 20);
            stage.Clock.Advance(TimeSpan.FromSeconds(40));
        }

        await AssertFailedAsync(stage, id, "dispatch_unreachable");
        Assert.InRange(stage.Clock.GetUtcNow() - (await stage.ReadAsync(id)).CreatedAt, TimeSpan.FromSeconds(590), TimeSpan.FromSeconds(645));
        Assert.Contains("\"DispatchConnectFailures\":1", stage.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_local_engine_that_no_route_leads_to_is_not_dialled_and_the_operator_hears_how_it_is_named()
    {
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", null));
        await stage.RegisterAsync("tenant-7");
        var id = await stage.QueueAsync("tenant-7");

        Assert.Single((await stage.DispatchAsync(id, "tenant-7")).BatchItemFailures);

        var attempt = Assert.Single((await stage.ReadAsync(id)).Attempts);
        Assert.Contains("10.106.128.10:5678 is not on this machine", attempt.Answer, StringComparison.Ordinal);
        Assert.Contains("--engine tenant-7=127.0.0.1:5678", attempt.Answer, StringComparison.Ordinal);
        Assert.Contains("--engine tenant-7=127.0.0.1:5678", stage.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(596, true), InlineData(597, false), InlineData(600, false), InlineData(5000, false)]
    public async Task A_token_that_would_arrive_expired_is_not_sent(int age, bool isSent)
    {
        await using var engine = ScriptedEngine.Answering(202);
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var id = await stage.QueueAsync();
        stage.Clock.Advance(TimeSpan.FromSeconds(age));

        Assert.Empty((await stage.DispatchAsync(id)).BatchItemFailures);
        Assert.Equal(isSent ? 1 : 0, engine.Requests.Count);
        if (isSent)
            Assert.Equal(ExecutionState.Dispatched, (await stage.ReadAsync(id)).State);
        else
            await AssertFailedAsync(stage, id, "dispatch_expired");
    }

    [Theory]
    [InlineData("500"), InlineData("504"), InlineData("501"), InlineData("reset"), InlineData("silence")]
    public async Task A_lost_answer_leaves_it_unknown_and_is_not_sent_again(string how)
    {
        await using var engine = Lossy(how);
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var id = await stage.QueueAsync();

        Assert.Empty((await stage.DispatchAsync(id)).BatchItemFailures);
        stage.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Empty((await stage.DispatchAsync(id, receives: 2)).BatchItemFailures);

        Assert.Equal(ExecutionState.DispatchUnknown, (await stage.ReadAsync(id)).State);
        Assert.Single(engine.Requests);
        Assert.Equal(1, await stage.ChargedAsync());
        Assert.Empty(await stage.NotificationsAsync());
    }

    [Theory]
    [InlineData("500"), InlineData("reset")]
    public async Task A_lost_answer_is_sent_again_when_the_workflow_may_run_twice(string how)
    {
        await using var engine = Lossy(how);
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var id = await stage.QueueAsync(idempotent: true);

        Assert.Single((await stage.DispatchAsync(id)).BatchItemFailures);
        Assert.Single((await stage.DispatchAsync(id, receives: 2)).BatchItemFailures);
        Assert.Single(engine.Requests);                                     // the first claim's lease still runs

        stage.Clock.Advance(DispatchLimits.Default.Lease + TimeSpan.FromSeconds(1));
        Assert.Single((await stage.DispatchAsync(id, receives: 3)).BatchItemFailures);
        Assert.Equal(2, engine.Requests.Count);

        // When the token ends it is not closed: one of the two may be running.
        stage.Clock.Advance(TimeSpan.FromSeconds(600));
        Assert.Empty((await stage.DispatchAsync(id, receives: 4)).BatchItemFailures);
        Assert.Equal(ExecutionState.DispatchUnknown, (await stage.ReadAsync(id)).State);
        Assert.Equal(1, await stage.ChargedAsync());
    }

    [Fact]
    public async Task A_refusal_after_a_lost_answer_does_not_give_the_reservation_back()
    {
        var answers = new Queue<string>([EngineConnection.Answer(500, "application/json"), EngineConnection.Answer(403, null)]);
        await using var engine = ScriptedEngine.Start(async connection =>
        {
            while (await connection.ReadRequestAsync() is not null)
                await connection.WriteAsync(answers.Dequeue());
        });
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var id = await stage.QueueAsync(idempotent: true);
        await stage.DispatchAsync(id);
        stage.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Empty((await stage.DispatchAsync(id, receives: 2)).BatchItemFailures);

        Assert.Equal(ExecutionState.DispatchUnknown, (await stage.ReadAsync(id)).State);
        Assert.Equal(1, await stage.ChargedAsync());
    }

    [Fact]
    public async Task A_message_delivered_twice_at_once_dispatches_once()
    {
        await using var engine = ScriptedEngine.Start(async connection =>
        {
            await connection.ReadRequestAsync();
            await Task.Delay(200, connection.Stop);
            await connection.WriteAsync(EngineConnection.Answer(202, "application/json"));
        });
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var id = await stage.QueueAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => stage.DispatchAsync(id)));
        Assert.Equal(3, answers.Sum(one => one.BatchItemFailures.Count));    // those come again and find it done
        Assert.Empty((await stage.DispatchAsync(id, receives: 2)).BatchItemFailures);
        Assert.Single(engine.Requests);
    }

    [Fact]
    public async Task A_cancelled_execution_is_not_dispatched()
    {
        await using var engine = ScriptedEngine.Answering(202);
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var id = await stage.QueueAsync();
        await stage.Executions.CancelAsync(await stage.ReadAsync(id), "U1", stage.Tables.Auditor, Cancel);

        Assert.Empty((await stage.DispatchAsync(id)).BatchItemFailures);
        Assert.Empty(engine.Requests);
        Assert.Equal(ExecutionState.Cancelled, (await stage.ReadAsync(id)).State);
    }

    [Fact]
    public async Task Cancelled_during_the_attempt_it_stays_cancelled()
    {
        DispatchFixture? stage = null;
        ExecutionId id = default;
        await using var engine = ScriptedEngine.Start(async connection =>
        {
            await connection.ReadRequestAsync();
            await stage!.Executions.CancelAsync(await stage.ReadAsync(id), "U1", stage.Tables.Auditor, Cancel);
            await connection.WriteAsync(EngineConnection.Answer(503, "application/json"));
        });
        using (stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine)))
        {
            id = await stage.QueueAsync();
            Assert.Empty((await stage.DispatchAsync(id)).BatchItemFailures);
            Assert.Equal(ExecutionState.Cancelled, (await stage.ReadAsync(id)).State);
        }
    }

    [Fact]
    public async Task A_crash_in_the_middle_of_an_attempt_leaves_it_unknown()
    {
        await using var engine = ScriptedEngine.Answering(202);
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var id = await stage.QueueAsync();
        await stage.Executions.ClaimAsync(id, TenantId.Parse("tenant-43"), "died", DispatchLimits.Default.Lease, Cancel);

        Assert.Single((await stage.DispatchAsync(id, receives: 2)).BatchItemFailures);       // perhaps it only is slow
        Assert.Equal(ExecutionState.Dispatching, (await stage.ReadAsync(id)).State);
        stage.Clock.Advance(DispatchLimits.Default.Lease + TimeSpan.FromSeconds(1));
        Assert.Empty((await stage.DispatchAsync(id, receives: 3)).BatchItemFailures);

        Assert.Equal(ExecutionState.DispatchUnknown, (await stage.ReadAsync(id)).State);
        Assert.Empty(engine.Requests);
    }

    [Fact]
    public async Task A_crash_of_an_attempt_that_may_run_twice_is_followed_by_another()
    {
        await using var engine = ScriptedEngine.Answering(202);
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var id = await stage.QueueAsync(idempotent: true);
        await stage.Executions.ClaimAsync(id, TenantId.Parse("tenant-43"), "died", DispatchLimits.Default.Lease, Cancel);
        stage.Clock.Advance(DispatchLimits.Default.Lease + TimeSpan.FromSeconds(1));

        Assert.Empty((await stage.DispatchAsync(id, receives: 2)).BatchItemFailures);
        Assert.Equal(ExecutionState.Dispatched, (await stage.ReadAsync(id)).State);
        Assert.Single(engine.Requests);
    }

    [Fact]
    public async Task A_crash_before_the_notification_is_healed_by_the_next_delivery()
    {
        await using var engine = ScriptedEngine.Answering(202);
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var id = await stage.QueueAsync();
        var claim = await stage.Executions.ClaimAsync(id, TenantId.Parse("tenant-43"), "died", DispatchLimits.Default.Lease, Cancel);
        await stage.Executions.RefuseAsync(Assert.IsType<Claim.Held>(claim).Execution, DispatchFailure.Rejected, null, Cancel);
        Assert.Empty(await stage.NotificationsAsync());

        Assert.Empty((await stage.DispatchAsync(id, receives: 2)).BatchItemFailures);
        Assert.Equal([id.ToString()], await stage.NotificationsAsync());
        Assert.Equal(0, await stage.ChargedAsync());
    }

    [Fact]
    public async Task A_record_of_a_claim_that_was_taken_over_changes_nothing()
    {
        // The answer to 'deferred' was lost, another dispatcher claimed, and the first one's client repeats the write.
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", null));
        var id = await stage.QueueAsync();
        var tenant = TenantId.Parse("tenant-43");
        var first = Assert.IsType<Claim.Held>(await stage.Executions.ClaimAsync(id, tenant, "first", DispatchLimits.Default.Lease, Cancel)).Execution;
        var attempt = new DispatchAttempt(1, stage.Clock.GetUtcNow(), 5, new AttemptResult.Again(), 503);
        Assert.IsType<Move.Moved>(await stage.Executions.RecordAttemptAsync(first, Signal.Deferred, attempt, notFound: false, Cancel));
        await stage.Executions.ClaimAsync(id, tenant, "second", DispatchLimits.Default.Lease, Cancel);

        // it is there: no news
        Assert.IsType<Move.Moved>(await stage.Executions.RecordAttemptAsync(first, Signal.Deferred, attempt, notFound: false, Cancel));
        var now = await stage.ReadAsync(id);
        Assert.Equal((ExecutionState.Dispatching, "second", 1), (now.State, now.LeaseOwner, now.Attempts.Count));
        Assert.IsType<Move.Lost>(await stage.Executions.RefuseAsync(first, DispatchFailure.Rejected, null, Cancel));
    }

    [Theory]
    [InlineData("10.143.128.10"), InlineData("127.0.0.1"), InlineData("169.254.169.254"), InlineData("169.254.170.2"), InlineData("0.0.0.0"),
        InlineData("10.99.0.1")]
    [InlineData("10.0.0.1"), InlineData("172.16.0.1"), InlineData("93.184.216.34"), InlineData("10.142.128.3"), InlineData("10.142.0.0"),
        InlineData("10.142.143.255")]
    [InlineData("::ffff:10.142.128.10"), InlineData("engine.example.com"), InlineData("10.142.128.10:22"), InlineData("user@10.142.128.10"), InlineData(" ")]
    public async Task A_stored_address_that_breaks_the_rules_is_not_dialled(string address)
    {
        await using var engine = ScriptedEngine.Answering(202);
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        await stage.StoreEngineAsync("tenant-43", address);
        var id = await stage.QueueAsync();

        Assert.Empty((await stage.DispatchAsync(id)).BatchItemFailures);

        await AssertFailedAsync(stage, id, "engine_address_refused");
        Assert.Equal(0, engine.Connections);
        Assert.Contains("\"DispatchAddressRefused\":1", stage.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TenantStatus.Suspended), InlineData(TenantStatus.Deleting)]
    public async Task A_tenant_that_was_stopped_meanwhile_gets_nothing(TenantStatus status)
    {
        await using var engine = ScriptedEngine.Answering(202);
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var id = await stage.QueueAsync();
        await stage.RegisterAsync("tenant-43", status);

        Assert.Empty((await stage.DispatchAsync(id)).BatchItemFailures);
        await AssertFailedAsync(stage, id, "tenant_not_active");
        Assert.Empty(engine.Requests);
    }

    [Fact]
    public async Task A_message_that_names_another_tenant_sends_nothing_and_alarms()
    {
        await using var engine = ScriptedEngine.Answering(202);
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-1", engine), ("tenant-2", engine));
        var id = await stage.QueueAsync("tenant-1");

        Assert.Single((await stage.DispatchAsync(id, tenant: "tenant-2")).BatchItemFailures);

        Assert.Empty(engine.Requests);
        Assert.Equal((ExecutionState.Queued, 0), ((await stage.ReadAsync(id)).State, (await stage.ReadAsync(id)).AttemptCount));
        Assert.Contains("\"DispatchNotTheirs\":1", stage.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a.b\r\nX-Injected: 1"), InlineData("ä"), InlineData("a b"), InlineData("a\0b")]
    public async Task A_token_that_is_none_reaches_no_header(string token)
    {
        await using var engine = ScriptedEngine.Answering(202);
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var id = await stage.QueueAsync(token: token);
        Assert.Empty((await stage.DispatchAsync(id)).BatchItemFailures);
        await AssertFailedAsync(stage, id, "dispatch_unreadable");
        Assert.Empty(engine.Requests);
    }

    [Fact]
    public async Task An_attempt_writes_one_line_and_its_metrics_and_no_secret()
    {
        await using var engine = ScriptedEngine.Answering(202);
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var id = await stage.QueueAsync();
        await stage.DispatchAsync(id);

        var lines = stage.Log.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        var attempt = Assert.Single(lines, line => line.TryGetProperty("event", out var name) && name.GetString() == "dispatch_attempt");
        Assert.Equal((id.ToString(), id.TraceId, "tenant-43", 1, "accepted", 202),
            (attempt.GetProperty("execution_id").GetString(), attempt.GetProperty("trace_id").GetString(), attempt.GetProperty("tenant_id").GetString(),
                attempt.GetProperty("attempt").GetInt32(), attempt.GetProperty("result").GetString(), attempt.GetProperty("status").GetInt32()));
        var metric = Assert.Single(lines, line => line.TryGetProperty("_aws", out _));
        Assert.Equal((1, "accepted"), (metric.GetProperty("DispatchAttempts").GetInt32(), metric.GetProperty("Result").GetString()));
        Assert.True(metric.GetProperty("DispatchMilliseconds").GetInt64() >= 0);
        Assert.DoesNotContain("aGVhZA", stage.Log, StringComparison.Ordinal);
        Assert.Equal(id.TraceId, Assert.Single(engine.Requests).Header("traceparent")!.Split('-')[1]);
    }

    private static ScriptedEngine Lossy(string how) => ScriptedEngine.Start(async connection =>
    {
        while (await connection.ReadRequestAsync() is not null)
            switch (how)
            {
                case "reset": connection.Reset(); return;
                case "silence": await connection.SilenceAsync(); break;
                default:
                    await connection.WriteAsync(
                    EngineConnection.Answer(int.Parse(how, System.Globalization.CultureInfo.InvariantCulture), "application/json")); break;
            }
    });

    private static async Task AssertFailedAsync(DispatchFixture stage, ExecutionId id, string failureCode)
    {
        var execution = await stage.ReadAsync(id);
        Assert.Equal((ExecutionState.Failed, failureCode), (execution.State, execution.FailureCode?.Code));
        Assert.Equal(0, await stage.ChargedAsync());
        Assert.Equal([id.ToString()], await stage.NotificationsAsync());
    }
}
