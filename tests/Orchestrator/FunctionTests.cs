using System.Text;
using System.Text.Json;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.Serialization.SystemTextJson;
using Amazon.Lambda.SQSEvents;
using Amazon.Lambda.TestUtilities;
using ControlPlane.Executions;
using ControlPlane.Orchestrator;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;
using ControlPlane.Text;

namespace ControlPlane.Tests.Orchestrator;

public class FunctionTests(LocalCloud cloud)
{
    public static TheoryData<string> Poison =>
    [
        "",
        "null",
        "[]",
        "{}",
        "not JSON",
        "{\"schema\":\"execution-request.v1\"}",
        With("schema", "\"execution-request.v2\""),
        With("execution_id", "\"exec_1\""),
        With("execution_id", "null"),
        With("tenant_id", "\"tenant-0\""),
        With("tenant_id", "\"tenant-43\\n\""),
        With("workflow", "\"../x\""),
        With("inputs", "[]"),
        With("inputs", "\"{}\""),
        With("requested_by", "null"),
        With("requested_by", """{"source":"slack","team_id":"T0001","user_id":"","channel_id":"C0001"}"""),
        With("requested_by", """{"source":"slack","team_id":"T0001","user_id":"U\r\n","channel_id":"C0001"}"""),
        With("requested_at", "\"yesterday\""),
        With("inputs", "{}").Insert(1, "\"tenant_id\":\"tenant-1\","),
        With("inputs", "{}") + "{}",
        With("inputs", $$"""{"text":"{{new string('x', 300_000)}}"}"""),
        With("inputs", new string('[', 40) + new string(']', 40)),
    ];

    [Fact]
    public async Task A_message_as_the_Slack_handler_sends_it_starts_an_execution()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        var request = new ExecutionRequest(
            ExecutionRequest.SchemaV1, ExecutionId.Of("T0001", "t1").ToString(), "tenant-43", "wf_sched", JsonDocument.Parse("{}").RootElement,
            Requesters.OfSlack(), Public: true, world.Now);
        var body = JsonSerializer.Serialize(request, DomainJson.Default.ExecutionRequest);
        Golden.Matches("execution-request.golden.json", body);

        var answer = await RunAsync(world, body);

        Assert.Empty(answer.BatchItemFailures);
        Assert.True((await world.Executions.FindAsync(ExecutionId.Of("T0001", "t1"), Cancel))!.IsPublic);
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
        var world = await OrchestratorFixture.StartAsync(cloud);
        var batch = Foreign.Deserialize<SQSEvent>(new MemoryStream(Encoding.UTF8.GetBytes(json)));
        Assert.Empty((await world.Function.StartAsync(batch, new TestLambdaContext { RemainingTime = TimeSpan.FromSeconds(15) })).BatchItemFailures);

        Assert.Contains(
            "foreign_event", Assert.Single(Encoding.UTF8.GetString(world.Logged.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries)),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"key1":"value1"}""")]
    [InlineData("null")]
    public async Task A_request_that_no_gateway_sent_is_malformed(string json)
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        var answer = await world.Jwks.AnswerAsync(
            Foreign.Deserialize<APIGatewayProxyRequest>(new MemoryStream(Encoding.UTF8.GetBytes(json))), new TestLambdaContext());

        Assert.Equal(400, answer.StatusCode);
        Assert.Contains(
            "foreign_event", Assert.Single(Encoding.UTF8.GetString(world.Logged.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries)),
            StringComparison.Ordinal);
    }

    private static readonly SourceGeneratorLambdaJsonSerializer<OrchestratorJson> Foreign = new();

    [Theory, MemberData(nameof(Poison))]
    public async Task A_message_that_cannot_be_understood_comes_again_alone_and_is_not_quoted(string body)
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        var before = world.Seam.Calls.Count;

        var answer = await RunAsync(world, body);

        Assert.Equal("m0", Assert.Single(answer.BatchItemFailures).ItemIdentifier);
        Assert.Equal(before, world.Seam.Calls.Count);
        var log = Encoding.UTF8.GetString(world.Logged.ToArray());
        Assert.Contains("request_failed", log, StringComparison.Ordinal);
        Assert.DoesNotContain("yesterday", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_bad_message_holds_back_nobody_but_those_behind_it_in_its_own_group()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);

        var answer = await world.Function.StartAsync(
            new()
            {
                Records = [Message(0, Request(world, "a"), "a"), Message(1, "poison", "b"), Message(2, Request(world, "b"), "b"),
                Message(3, Request(world, "c"), "c")]
            },
            new TestLambdaContext { RemainingTime = TimeSpan.FromSeconds(15) });

        Assert.Equal(["m1", "m2"], answer.BatchItemFailures.Select(failure => failure.ItemIdentifier));
        Assert.NotNull(await world.Executions.FindAsync(ExecutionId.Of("T0001", "a"), Cancel));
        Assert.Null(await world.Executions.FindAsync(ExecutionId.Of("T0001", "b"), Cancel));
        Assert.NotNull(await world.Executions.FindAsync(ExecutionId.Of("T0001", "c"), Cancel));
    }

    [Fact]
    public async Task One_tenant_whose_items_do_not_come_costs_the_others_of_its_batch_nothing()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        var held = new HeldCalls("tenant-43");
        var slow = world.Above(held);
        string[] bodies =
            [.. new[] { "a", "b", "c" }.Select(trigger => Request(world, trigger)),
                Request(world, "d").Replace("tenant-43", "tenant-44", StringComparison.Ordinal)];

        var answer = await slow.Function.StartAsync(
            new() { Records = [.. bodies.Select((body, i) => Message(i, body, $"g{i}"))] }, new TestLambdaContext { RemainingTime = TimeSpan.FromSeconds(15) });

        Assert.Equal(["m0", "m1", "m2"], answer.BatchItemFailures.Select(failure => failure.ItemIdentifier));
        Assert.Equal("tenant_unknown", (await world.Executions.FindAsync(ExecutionId.Of("T0001", "d"), Cancel))!.Decision!.Code);
        Assert.True(held.Held > 0);
    }

    [Fact]
    public async Task A_tenants_silence_denies_only_when_the_hub_knows_that_it_is_its_own()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        await world.HeardFromAsync(world.Now.AddMinutes(-4));
        Assert.Equal("allowed", await CodeAsync("a"));
        await world.RegisterAsync(TenantLimits.Default with { DeniesWhenSilent = true });
        Assert.Equal("allowed", await CodeAsync("b"));          // no sweep ever said so

        for (var minute = -10; minute <= 0; minute++)
            await world.Instances.NoteSweepAsync(await world.Instances.WatchAsync(Cancel), world.Now.AddMinutes(minute), Cancel);
        Assert.Equal("allowed", await CodeAsync("c"));          // the tenant is not told of yet
        var plane = await world.Instances.OfTenantAsync(OrchestratorFixture.Tenant, world.Month, Cancel);
        Assert.True(await world.Instances.TryTellAsync(plane, Metering.Liveness.Offline, "sweep", Cancel));
        Assert.Equal("data_plane_offline", await CodeAsync("d"));

        await world.Instances.TryBeginOutageAsync(world.Now, "sweep", Cancel);
        Assert.Equal("allowed", await CodeAsync("e"));
        await world.Instances.TryEndOutageAsync(world.Now, world.Now, "sweep", Cancel);
        Assert.Equal("allowed", await CodeAsync("f"));

        async Task<string> CodeAsync(string trigger) => (await world.StartAsync(world.Request(trigger))).Decision!.Code;
    }

    [Fact]
    public async Task When_the_tables_are_down_every_message_comes_again_and_nothing_is_half_done()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        world.Plan = _ => Fault.Error;

        var answer = await RunAsync(world, Request(world, "a"), Request(world, "b"));

        Assert.Equal(["m0", "m1"], answer.BatchItemFailures.Select(failure => failure.ItemIdentifier));
        world.Plan = _ => null;
        Assert.Equal(0, (await world.Ledger.MonthAsync(OrchestratorFixture.Tenant, world.Month, Cancel)).Charged);
    }

    [Fact]
    public async Task When_the_signing_key_cannot_be_had_nothing_is_written_or_sent()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        world.Secrets.IsDown = true;

        Assert.Single((await RunAsync(world, Request(world, "a"))).BatchItemFailures);

        Assert.Null(await world.Executions.FindAsync(ExecutionId.Of("T0001", "a"), Cancel));
        Assert.Empty(await world.DispatchesAsync());
        world.Secrets.IsDown = false;
        Assert.Empty((await RunAsync(world, Request(world, "a"))).BatchItemFailures);
    }

    [Fact]
    public async Task A_region_that_does_not_write_the_ledger_starts_nothing_and_the_user_is_told()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        await world.Ledger.GiveToAsync(OrchestratorFixture.Tenant, "us-west-2", world.Tables.Auditor, Cancel);

        var execution = await world.StartAsync(world.Request());

        Assert.Equal((ExecutionState.Denied, "ledger_elsewhere"), (execution.State, execution.Decision!.Code));
        Assert.Empty(await world.DispatchesAsync());
        Assert.Contains(execution.Id.ToString(), Assert.Single(await world.NotificationsAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_decision_rests_on_an_eventually_consistent_read()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        var before = world.Seam.Capacity.Count;

        await RunAsync(world, Request(world, "a"));

        // Strongly consistent reads cost a whole unit an item, the others half of one: two registry items, one instance.
        Assert.Equal(
            [("BatchGetItem", 2.0), ("Query", 1.0)],
            world.Seam.Capacity.Skip(before).Take(2).OrderBy(cost => cost.Operation).Select(cost => (cost.Operation, cost.Units)));
    }

    [Fact]
    public async Task Whatever_happens_no_token_no_key_and_no_user_text_is_logged_and_every_line_is_JSON()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        await world.PublishAsync(OrchestratorFixture.Workflow(new Tenants.WorkflowParameter("text", Tenants.ParameterType.String)));
        var inputs = """{"text":"SECRET-TEXT\r\n\u2028{\"level\":\"info\"}{0}"}""";

        await RunAsync(world, Request(world, "a", inputs), Request(world, "a", inputs), Request(world, "b", """{"SECRET-NAME":1}"""), "SECRET-BODY");

        var order = (await world.Executions.FindOrderAsync(ExecutionId.Of("T0001", "a"), Cancel))!;
        var callback = JsonDocument.Parse(order.Body).RootElement.GetProperty("callback").GetProperty("token").GetString()!;
        var log = Encoding.UTF8.GetString(world.Logged.ToArray());
        foreach (var secret in new[] { order.Token, callback, "SECRET", Convert.ToBase64String([.. Enumerable.Range(0, 32).Select(i => (byte)i)]) })
            Assert.DoesNotContain(secret, log, StringComparison.Ordinal);
        foreach (var token in new[] { order.Token, callback })
            Assert.DoesNotContain(token.Split('.')[2], log, StringComparison.Ordinal);
        Assert.All(log.TrimEnd('\n').Split('\n'), line => JsonDocument.Parse(line).Dispose());
        Assert.DoesNotContain(
            "SECRET", string.Join("", await world.DispatchesAsync()) + string.Join("", await world.NotificationsAsync()), StringComparison.Ordinal);
    }

    private static Task<SQSBatchResponse> RunAsync(OrchestratorFixture world, params string[] bodies) => world.Function.StartAsync(
        new() { Records = [.. bodies.Select((body, i) => Message(i, body, $"g{i}"))] }, new TestLambdaContext { RemainingTime = TimeSpan.FromSeconds(15) });

    private static SQSEvent.SQSMessage Message(int number, string body, string group) => new()
    {
        MessageId = $"m{number}",
        Body = body,
        Attributes = new() { ["MessageGroupId"] = group },
    };

    private static string Request(OrchestratorFixture world, string trigger, string inputs = "{}") =>
        With("inputs", inputs)
            .Replace("\"2026-11-22T12:00:00Z\"", $"\"{Rfc3339.Format(world.Now)}\"", StringComparison.Ordinal)
            .Replace(ExecutionId.Of("T0001", "t").ToString(), ExecutionId.Of("T0001", trigger).ToString(), StringComparison.Ordinal);

    /// <summary>A valid message with one member made something else.</summary>
    private static string With(string member, string value)
    {
        var members = new Dictionary<string, string>
        {
            ["schema"] = "\"execution-request.v1\"",
            ["execution_id"] = $"\"{ExecutionId.Of("T0001", "t")}\"",
            ["tenant_id"] = "\"tenant-43\"",
            ["workflow"] = "\"wf_sched\"",
            ["inputs"] = "{}",
            ["requested_by"] = """{"source":"slack","team_id":"T0001","user_id":"U0001","channel_id":"C0001"}""",
            ["public"] = "false",
            ["requested_at"] = "\"2026-11-22T12:00:00Z\"",
        };
        members[member] = value;
        return $"{{{string.Join(",", members.Select(one => $"\"{one.Key}\":{one.Value}"))}}}";
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
