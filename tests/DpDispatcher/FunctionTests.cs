using System.Diagnostics;
using Amazon.Lambda.Serialization.SystemTextJson;
using Amazon.Lambda.SQSEvents;
using Amazon.Lambda.TestUtilities;
using ControlPlane.Aws;
using ControlPlane.DpDispatcher;
using ControlPlane.Executions;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.DpDispatcher;

/// <summary>Batches of messages: neighbours, poison, dead letters, and tenants that are down.</summary>
public sealed class FunctionTests(LocalCloud cloud)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_ten_messages_the_three_that_fail_come_again_and_the_seven_do_not()
    {
        await using var well = ScriptedEngine.Answering(202);
        await using var busy = ScriptedEngine.Answering(503, headers: "Retry-After: 6\r\n");
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-1", well), ("tenant-2", busy));
        var ids = new List<ExecutionId>();
        for (var i = 0; i < 10; i++)
        {
            ids.Add(await stage.QueueAsync(i is 2 or 5 or 9 ? "tenant-2" : "tenant-1"));
            await stage.Dispatches.DispatchAsync(ids[i], TenantId.Parse(i is 2 or 5 or 9 ? "tenant-2" : "tenant-1"), Cancel);
        }

        var done = 0;
        for (var received = 0; received < 10;)
        {
            var (got, failed) = await stage.PollAsync();
            Assert.NotEqual(0, got);
            (received, done) = (received + got, done + got - failed);
        }

        Assert.Equal(7, done);
        Assert.Equal(7, well.Requests.Select(request => request.Header("Idempotency-Key")).Distinct().Count());
        Assert.Equal(7, well.Requests.Count);
        for (var i = 0; i < 10; i++)
            Assert.Equal(i is 2 or 5 or 9 ? ExecutionState.Queued : ExecutionState.Dispatched, (await stage.ReadAsync(ids[i])).State);

        // The queue holds back what failed for as long as it was told.
        Assert.Equal((0, 0), await stage.PollAsync());
        for (var waited = Stopwatch.StartNew(); busy.Requests.Count < 6; Assert.InRange(waited.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(30)))
        {
            await stage.PollAsync();
            await Task.Delay(100, Cancel);
        }
    }

    [Fact]
    public async Task One_tenant_whose_items_do_not_come_costs_the_others_of_its_batch_nothing_and_ends_in_its_own_time()
    {
        await using var well = ScriptedEngine.Answering(202);
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-1", well), ("tenant-2", well));
        var ids = new List<(ExecutionId Id, string Tenant)>();
        foreach (var tenant in new[] { "tenant-2", "tenant-1", "tenant-2", "tenant-1" })
            ids.Add((await stage.QueueAsync(tenant), tenant));
        var held = new HeldCalls("tenant-2");
        stage.Restart(new FaultSeam(_ => null, held).DynamoDb(stage.Tables.Endpoint), timers: new HastyClock(stage.Clock));

        // The function has an hour: what ends it is the slice.
        var answer = await stage.Function.DispatchAsync(
            new()
            {
                Records =
                [
                    .. ids.Select((one, i) => new Amazon.Lambda.SQSEvents.SQSEvent.SQSMessage
                    {
                        MessageId = $"m{i}",
                        ReceiptHandle = $"m{i}",
                        Body = $$"""{"schema":"dispatch-request.v1","execution_id":"{{one.Id}}","tenant_id":"{{one.Tenant}}"}""",
                    }),
                ],
            },
            new Amazon.Lambda.TestUtilities.TestLambdaContext { RemainingTime = TimeSpan.FromHours(1) }).WaitAsync(TimeSpan.FromSeconds(60), Cancel);

        Assert.Equal(["m0", "m2"], answer.BatchItemFailures.Select(failure => failure.ItemIdentifier));
        Assert.Equal(
            [ExecutionState.Queued, ExecutionState.Dispatched, ExecutionState.Queued, ExecutionState.Dispatched],
            await Task.WhenAll(ids.Select(async one => (await stage.ReadAsync(one.Id)).State)));
        Assert.True(held.Held > 0);
    }

    public static TheoryData<string> Poison => new(
        "", "not json", "null", "[]", "17", "\u0000", "{}", "\ufffd\ufffd{",
        """{"schema":"dispatch-request.v2","execution_id":"EXECUTION","tenant_id":"tenant-43"}""",
        """{"execution_id":"EXECUTION","tenant_id":"tenant-43"}""",
        """{"schema":"dispatch-request.v1","execution_id":"EXECUTION"}""",
        """{"schema":"dispatch-request.v1","tenant_id":"tenant-43"}""",
        """{"schema":"dispatch-request.v1","execution_id":"EXECUTION","execution_id":"EXECUTION","tenant_id":"tenant-43"}""",
        """{"schema":"dispatch-request.v1","execution_id":"EXECUTION","tenant_id":"tenant-043"}""",
        """{"schema":"dispatch-request.v1","execution_id":"../EXECUTION","tenant_id":"tenant-43"}""",
        """{"schema":"dispatch-request.v1","execution_id":null,"tenant_id":null}""",
        new string('[', 100_000),
        "{\"schema\":\"dispatch-request.v1\",\"execution_id\":\"EXECUTION\",\"tenant_id\":\"" + new string('x', 200_000) + "\"}");

    [Theory]
    [MemberData(nameof(Poison))]
    public async Task A_message_that_nobody_understands_holds_back_no_other(string body)
    {
        await using var engine = ScriptedEngine.Answering(202);
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var (named, neighbour) = (await stage.QueueAsync(), await stage.QueueAsync());

        var answer = await stage.DeliverAsync(
            DispatchFixture.Message("poison", body.Replace("EXECUTION", named.ToString(), StringComparison.Ordinal)),
            DispatchFixture.Message("good", $$"""{"schema":"dispatch-request.v1","execution_id":"{{neighbour}}","tenant_id":"tenant-43"}"""));

        Assert.Equal(["poison"], answer.BatchItemFailures.Select(one => one.ItemIdentifier));
        Assert.Equal(ExecutionState.Dispatched, (await stage.ReadAsync(neighbour)).State);
        Assert.Equal(ExecutionState.Queued, (await stage.ReadAsync(named)).State);
        Assert.Contains("\"DispatchUnreadable\":1", stage.Log, StringComparison.Ordinal);
        Assert.Single(engine.Requests);
    }

    [Theory]
    [InlineData("""{"schema":"dispatch-request.v2","execution_id":"EXECUTION","tenant_id":"tenant-43"}""")]
    [InlineData("""{"schema":"dispatch-request.v1","execution_id":"EXECUTION"}""")]
    public async Task Its_last_receive_closes_the_execution_that_it_names(string body)
    {
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", null));
        var id = await stage.QueueAsync();
        var text = body.Replace("EXECUTION", id.ToString(), StringComparison.Ordinal);

        await stage.DeliverAsync(DispatchFixture.Message("poison", text, receives: Pauses.MostReceives - 1));
        Assert.Equal(ExecutionState.Queued, (await stage.ReadAsync(id)).State);
        Assert.Single((await stage.DeliverAsync(DispatchFixture.Message("poison", text, receives: Pauses.MostReceives))).BatchItemFailures);

        var execution = await stage.ReadAsync(id);
        Assert.Equal((ExecutionState.Failed, DispatchFailure.Unreadable), (execution.State, execution.FailureCode));
        Assert.Equal([id.ToString()], await stage.NotificationsAsync());
        Assert.Equal(0, await stage.ChargedAsync());
    }

    [Fact]
    public void The_queue_moves_to_the_dead_letters_after_the_receives_that_the_pauses_reckon_with()
    {
        using var template = System.Text.Json.JsonDocument.Parse(File.ReadAllBytes(Path.Combine(RepositoryRoot.Find(), "serverless.template")));
        var resources = template.RootElement.GetProperty("Resources");
        var queue = resources.GetProperty("DispatchQueue").GetProperty("Properties");
        Assert.Equal(Pauses.MostReceives, queue.GetProperty("RedrivePolicy").GetProperty("maxReceiveCount").GetInt32());

        // A crash is seen when the message comes again: by then the claim must have lapsed. And one invocation ends before either.
        var visibility = TimeSpan.FromSeconds(queue.GetProperty("VisibilityTimeout").GetInt32());
        var timeLimit = TimeSpan.FromSeconds(resources.GetProperty("DispatchFunction").GetProperty("Properties").GetProperty("Timeout").GetInt32());
        Assert.True(visibility > DispatchLimits.Default.Lease);
        Assert.True(visibility > timeLimit);
        Assert.True(timeLimit > DispatchLimits.Default.Whole + TenantGates.LongestWait);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"key1":"value1","key2":"value2"}""")]
    [InlineData("""{"source":"serverless-plugin-warmup"}""")]
    [InlineData("""{"Records":null}""")]
    [InlineData("""{"Records":[]}""")]
    [InlineData("""{"Records":[null]}""")]
    [InlineData("""{"Records":[{"eventSource":"aws:s3","s3":{"bucket":{"name":"b"}}}]}""")]
    [InlineData("null")]
    public async Task An_event_that_no_queue_sent_is_nothing_to_do(string json)
    {
        using var stage = await DispatchFixture.SetAsync(cloud);
        var batch = new SourceGeneratorLambdaJsonSerializer<DispatcherJson>().Deserialize<SQSEvent>(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(json)));
        Assert.Empty((await stage.Function.DispatchAsync(batch, new TestLambdaContext { RemainingTime = TimeSpan.FromSeconds(30) })).BatchItemFailures);
        Assert.Contains("foreign_event", Assert.Single(stage.Log.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dead_letter_sent_back_a_day_later_finds_its_execution_closed()
    {
        await using var engine = ScriptedEngine.Answering(202);
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var id = await stage.QueueAsync();
        stage.Clock.Advance(TimeSpan.FromDays(1));
        Assert.Empty((await stage.DispatchAsync(id)).BatchItemFailures);
        Assert.Equal((ExecutionState.Failed, DispatchFailure.Expired), ((await stage.ReadAsync(id)).State, (await stage.ReadAsync(id)).FailureCode));
        Assert.Empty((await stage.DispatchAsync(id)).BatchItemFailures);
        Assert.Empty(engine.Requests);
    }

    [Fact]
    public async Task What_expired_while_its_tenant_was_down_is_closed_without_waiting_for_its_turn()
    {
        await using var engine = ScriptedEngine.Answering(202);
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-1", engine));
        var tenant = TenantId.Parse("tenant-1");
        for (var i = 0; i < TenantGates.ShutsAfter; i++)
            using (var pass = (await stage.Gates.EnterAsync(tenant, Cancel)).Pass!)
                pass.Report(answered: false);
        var id = await stage.QueueAsync("tenant-1");
        Assert.Single((await stage.DispatchAsync(id, "tenant-1")).BatchItemFailures);

        stage.Clock.Advance(TimeSpan.FromSeconds(600));
        using var probe = (await stage.Gates.EnterAsync(tenant, Cancel)).Pass!;
        Assert.Empty((await stage.DispatchAsync(id, "tenant-1")).BatchItemFailures);

        Assert.Equal((ExecutionState.Failed, DispatchFailure.Unreachable), ((await stage.ReadAsync(id)).State, (await stage.ReadAsync(id)).FailureCode));
        Assert.Empty(engine.Requests);
    }

    [Fact]
    public async Task A_tenant_that_is_down_does_not_slow_another()
    {
        // Tenant 1's engine takes connections and never answers: each try costs the whole budget. A thousand of its messages are about.
        await using var dead = ScriptedEngine.Start(async connection => { await connection.ReadRequestAsync(); await connection.SilenceAsync(); });
        await using var well = ScriptedEngine.Answering(202);
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-1", dead), ("tenant-2", well));
        var ofTheDead = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => stage.QueueAsync("tenant-1", idempotent: true)));
        var messages = Enumerable.Range(0, 1000).Select(i => Body(ofTheDead[i % 100], "tenant-1")).Chunk(9).ToList();

        var clock = Stopwatch.StartNew();
        var slowest = TimeSpan.Zero;
        foreach (var nine in messages)
        {
            var id = await stage.QueueAsync("tenant-2");
            var before = clock.Elapsed;
            var batch = stage.DeliverAsync(
                [.. nine.Select((body, i) => DispatchFixture.Message($"dead-{i}", body)), DispatchFixture.Message("well", Body(id, "tenant-2"))]);
            while ((await stage.ReadAsync(id)).State != ExecutionState.Dispatched)
                Assert.InRange(clock.Elapsed - before, TimeSpan.Zero, TimeSpan.FromSeconds(5));
            slowest = TimeSpan.FromTicks(Math.Max(slowest.Ticks, (clock.Elapsed - before).Ticks));
            Assert.DoesNotContain((await batch).BatchItemFailures, one => one.ItemIdentifier == "well");
        }

        // The first batch finds out, with the tries under way at once and those that took a place before the last silence counted; all others are held without
        // a try.
        Assert.Equal(messages.Count, well.Requests.Count);
        Assert.InRange(dead.Requests.Count, TenantGates.ShutsAfter, TenantGates.TriesAtOnce + TenantGates.ShutsAfter - 1);
        Assert.True(stage.Gates.IsShut(TenantId.Parse("tenant-1")));
        Assert.InRange(slowest, TimeSpan.Zero, TimeSpan.FromSeconds(3));
        TestContext.Current.SendDiagnosticMessage(
            $"slowest dispatch of the healthy tenant: {slowest.TotalMilliseconds:F0} ms; 111 batches in {clock.Elapsed.TotalSeconds:F1} s");

        static string Body(ExecutionId id, string tenant) => $$"""{"schema":"dispatch-request.v1","execution_id":"{{id}}","tenant_id":"{{tenant}}"}""";
    }
}
