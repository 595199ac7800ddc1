using System.Diagnostics;
using Amazon.DynamoDBv2;
using Amazon.Runtime;
using Amazon.SQS;
using ControlPlane.Aws.Logs;
using ControlPlane.SlackHandler.Commands;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.SlackHandler;

/// <summary>What a user is told when tables and queues fail, held against what then runs.</summary>
[Trait("Length", "long")]
public sealed class RunFaultTests(SlackFixture world) : IClassFixture<SlackFixture>
{
    private static readonly BasicAWSCredentials Credentials = new("local", "local");
    private static readonly MetricSeries Failed = new("SlackCommandsFailed");

    [Fact]
    public async Task An_acknowledged_run_costs_two_weak_reads_one_write_and_one_message()
    {
        var workspace = await world.NewWorkspaceAsync();
        var tables = new FaultSeam(_ => null) { MetersCapacity = true };
        var queues = FaultSeam.None();
        using var dynamo = tables.DynamoDb(world.Tables.Endpoint);
        using var sqs = queues.Sqs(await world.QueueEndpointAsync());
        var said = await workspace.TypeAsync("run report", function: world.NewFunction(dynamo, sqs));

        Assert.True(said.IsAccepted);
        Assert.Equal(["GetItem", "Query", "TransactWriteItems"], tables.Calls.Select(call => call.Operation));
        Assert.Equal([("GetItem", 0.5), ("Query", 0.5)], tables.Capacity.Take(2));      // half a unit: eventually consistent
        // two items of up to 1 KB, one of them in an index, which costs as much here
        Assert.Equal(3 * await LeastTransactionalWriteAsync(), tables.Capacity[2].Units);
        Assert.Equal(["SendMessage"], queues.Calls.Select(call => call.Operation));
    }

    [Fact]
    public async Task A_look_at_the_tables_costs_one_write_at_most()
    {
        var workspace = await world.NewWorkspaceAsync();
        foreach (var text in new[] { "help", "workflows", "list", "usage", "run", "run no_such_one", $"status {A.Id}", $"why {A.Id}" })
        {
            var tables = FaultSeam.None();
            using var dynamo = tables.DynamoDb(world.Tables.Endpoint);
            await workspace.TypeAsync(text, user: "U" + text.Length, function: world.NewFunction(dynamo));
            Assert.Single(tables.Calls, call => call.Operation is "UpdateItem" or "TransactWriteItems" or "PutItem");
        }
    }

    /// <summary>Every call of the accept path, broken in every way. The process may die there; then Slack's user does the same again.</summary>
    [Fact]
    public async Task Whatever_breaks_where_a_user_is_told_accepted_only_of_what_is_ordered_and_nothing_is_ordered_twice()
    {
        var clean = FaultSeam.None();
        await AcceptAsync(clean, await world.NewWorkspaceAsync());
        Assert.Equal(4, clean.Calls.Count);

        var outcomes = await BreakAsync(
            from call in Enumerable.Range(1, 4)
            from fault in FaultSeam.AllFaults
            select (
                $"{call} {fault}", (Func<SeamCall, Fault?>)(one => one.Number == call ? fault : null)));
        Assert.Contains("4 AnswerLost: accepted, 1", outcomes);      // it is sent again, the queue keeps one
        Assert.Contains("3 StopAfter: died, 0", outcomes);
        Assert.Contains("4 StopAfter: died, 1", outcomes);
    }

    /// <summary>The write and whatever follows it, both broken.</summary>
    [Fact]
    public async Task Two_breaks_in_one_request_are_no_worse_than_one()
    {
        var outcomes = await BreakAsync(
            from first in FaultSeam.AllFaults
            from second in FaultSeam.AllFaults
            select ($"{first}, {second}", (Func<SeamCall, Fault?>)(one => one.Number == 3 ? first : one.Number == 4 ? second : null)));
        Assert.Equal(49, outcomes.Count);
    }

    /// <summary>Runs a command under each plan, holds what its user was told against what was ordered, and lets the user do the same again.</summary>
    private async Task<IReadOnlyList<string>> BreakAsync(IEnumerable<(string Name, Func<SeamCall, Fault?> Plan)> plans)
    {
        var runs = await Task.WhenAll(plans.Select(async plan =>
        {
            var workspace = await world.NewWorkspaceAsync();
            var form = workspace.Form("run report");
            var seam = new FaultSeam(plan.Plan);
            var said = await AcceptAsync(seam, workspace, form);
            return (plan.Name, workspace, form, seam.IsDead, said);
        }));

        var outcomes = new List<string>();
        var first = await world.OrdersAsync();
        foreach (var (name, workspace, _, isDead, said) in runs)
        {
            var ordered = first.Count(order => order.TenantId == workspace.Tenant.ToString());
            outcomes.Add($"{name}: {(isDead ? "died" : said.IsAccepted ? "accepted" : said.StartedNothing ? "nothing" : "unclear")}, {ordered}");
            Assert.InRange(ordered, 0, 1);
            if (!isDead)
                Assert.True(said.IsAccepted ? ordered == 1 : !said.StartedNothing || ordered == 0, outcomes[^1]);
        }

        var again = await Task.WhenAll(runs.Select(run => run.workspace.SendAsync(run.form)));
        Assert.All(again, said => Assert.True(said.IsAccepted));
        var second = await world.OrdersAsync();
        Assert.All(runs, run => Assert.Single(second, order => order.TenantId == run.workspace.Tenant.ToString()));
        return outcomes;
    }

    [Fact]
    public async Task An_order_that_the_queue_refuses_is_no_order_and_the_user_is_told()
    {
        var workspace = await world.NewWorkspaceAsync();
        var seam = new FaultSeam(call => call.Operation == "SendMessage" ? Fault.Throttled : null);
        var before = world.LogText.Length;
        var said = await AcceptAsync(seam, workspace);
        Assert.True(said.StartedNothing);
        Assert.Equal(1, WrittenMetrics.Sum(world.LogText[before..], Failed));
        Assert.Empty(await workspace.OrdersAsync());
    }

    [Theory]
    [InlineData(Fault.AnswerLost, Fault.Throttled, 1)]
    [InlineData(Fault.Throttled, Fault.AnswerLost, 1)]
    [InlineData(Fault.Error, Fault.Throttled, 0)]
    public async Task One_try_that_was_refused_says_nothing_of_another_whose_answer_was_lost(Fault first, Fault second, int ordered)
    {
        var workspace = await world.NewWorkspaceAsync();
        var seam = new FaultSeam(call => call.Operation != "SendMessage" ? null : call.Number == 4 ? first : second);
        var said = await AcceptAsync(seam, workspace);

        Assert.Contains("can't tell", said.Text, StringComparison.Ordinal);
        Assert.Equal(ordered, (await workspace.OrdersAsync()).Count);
        Assert.Equal(5, seam.Calls.Count);
    }

    [Theory]
    [InlineData(Fault.Error, 0)]
    [InlineData(Fault.Silence, 0)]
    [InlineData(Fault.AnswerLost, 1)]
    public async Task Where_the_queues_answer_is_lost_for_good_nobody_claims_to_know(Fault fault, int ordered)
    {
        var workspace = await world.NewWorkspaceAsync();
        var form = workspace.Form("run report");
        var before = world.LogText.Length;
        var said = await AcceptAsync(new FaultSeam(call => call.Operation == "SendMessage" ? fault : null), workspace, form);

        Assert.False(said.IsAccepted);
        Assert.False(said.StartedNothing);
        Assert.Contains("can't tell", said.Text, StringComparison.Ordinal);
        Assert.Equal(1, WrittenMetrics.Sum(world.LogText[before..], Failed));
        Assert.Contains($"/wf status {workspace.ExecutionOf(form)}", said.Text, StringComparison.Ordinal);
        Assert.Equal(ordered, (await workspace.OrdersAsync()).Count);
        Assert.Contains("not on record yet", (await workspace.TypeAsync($"status {workspace.ExecutionOf(form)}")).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("run report")]
    [InlineData("list")]
    [InlineData("usage")]
    public async Task Tables_that_throttle_every_write_are_answered_within_three_seconds_and_nothing_comes_of_it_later(string text)
    {
        var workspace = await world.NewWorkspaceAsync();
        var seam = new FaultSeam(call => call.Operation is "UpdateItem" or "TransactWriteItems" ? Fault.Throttled : null);
        var before = world.LogText.Length;
        var (said, took) = await TimedAsync(workspace, text, seam);

        Assert.True(said.StartedNothing);
        Assert.True(took < TimeSpan.FromSeconds(3), $"{took}");
        Assert.Equal(1, WrittenMetrics.Sum(world.LogText[before..], Failed));
        await Task.Delay(TimeSpan.FromSeconds(1), SlackFixture.Cancel);
        Assert.Empty(await workspace.OrdersAsync());
    }

    [Theory]
    [InlineData("GetItem", true)]
    [InlineData("Query", true)]
    [InlineData("TransactWriteItems", true)]
    [InlineData("SendMessage", false)]
    public async Task A_call_that_never_ends_is_answered_within_three_seconds(string operation, bool startsNothing)
    {
        var workspace = await world.NewWorkspaceAsync();
        var (said, took) = await TimedAsync(workspace, "run report", new HangingFactory(operation));

        Assert.Equal(startsNothing, said.StartedNothing);
        Assert.False(said.IsAccepted);
        Assert.True(took < TimeSpan.FromSeconds(3), $"{took}");
        Assert.Empty(await workspace.OrdersAsync());
    }

    [Fact]
    public async Task A_cold_start_is_part_of_the_three_seconds()
    {
        var workspace = await world.NewWorkspaceAsync();
        var http = world.Post(Workspace.Encode(workspace.Form("run report")));
        http.RequestContext.TimeEpoch = (world.Clock.Now - TimeSpan.FromSeconds(1.5)).ToUnixTimeMilliseconds();
        var (said, took) = await TimedAsync(workspace, http, new HangingFactory("Query"));

        Assert.True(said.StartedNothing);
        Assert.InRange(took, TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(1.5));
    }

    /// <summary>What the smallest item costs to write in a transaction: two units by the price list; DynamoDB Local counts more.</summary>
    private async Task<double> LeastTransactionalWriteAsync()
    {
        var seam = new FaultSeam(_ => null) { MetersCapacity = true };
        using var dynamo = seam.DynamoDb(world.Tables.Endpoint);
        await dynamo.TransactWriteItemsAsync(
            new() { TransactItems = [new() { Put = new() { TableName = world.Tables.RateLimits, Item = new() { ["pk"] = new("tiny") } } }] },
                SlackFixture.Cancel);
        return Assert.Single(seam.Capacity).Units;
    }

    private async Task<Said> AcceptAsync(FaultSeam seam, Workspace workspace, IReadOnlyDictionary<string, string>? form = null)
    {
        using var dynamo = seam.DynamoDb(world.Tables.Endpoint);
        using var sqs = seam.Sqs(await world.QueueEndpointAsync(), retries: CommandClients.Sqs().MaxErrorRetry);
        return await workspace.SendAsync(form ?? workspace.Form("run report"), world.NewFunction(dynamo, sqs));
    }

    private Task<(Said Said, TimeSpan Took)> TimedAsync(Workspace workspace, string text, HttpClientFactory network) =>
        TimedAsync(workspace, world.Post(Workspace.Encode(workspace.Form(text))), network);

    // With the clients that the command path has, on real time.
    private async Task<(Said Said, TimeSpan Took)> TimedAsync(
        Workspace workspace, Amazon.Lambda.APIGatewayEvents.APIGatewayHttpApiV2ProxyRequest http, HttpClientFactory network)
    {
        var (dynamoConfig, sqsConfig) = (CommandClients.DynamoDb(), CommandClients.Sqs());
        (dynamoConfig.ServiceURL, dynamoConfig.AuthenticationRegion, dynamoConfig.HttpClientFactory) = (
            world.Tables.Endpoint.ToString(), "us-east-1", network);
        (sqsConfig.ServiceURL, sqsConfig.AuthenticationRegion, sqsConfig.HttpClientFactory) = (
            (await world.QueueEndpointAsync()).ToString(), "us-east-1", network);
        using var dynamo = new AmazonDynamoDBClient(Credentials, dynamoConfig);
        using var sqs = new AmazonSQSClient(Credentials, sqsConfig);
        var function = world.NewFunction(dynamo, sqs);
        var began = Stopwatch.GetTimestamp();
        var said = await workspace.SendAsync(http, function);
        return (said, Stopwatch.GetElapsedTime(began));
    }

    /// <summary>A network on which one operation is never answered.</summary>
    private sealed class HangingFactory(string operation) : HttpClientFactory
    {
        // The SDK gives its own timeout to a client that it makes; here it is ours to set.
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) =>
            new(new Handler(operation)) { Timeout = clientConfig.Timeout ?? TimeSpan.FromSeconds(100) };

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

        private sealed class Handler(string operation) : DelegatingHandler(new SocketsHttpHandler())
        {
            protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
            {
                if (request.Headers.TryGetValues("X-Amz-Target", out var target) && target.Single().EndsWith($".{operation}", StringComparison.Ordinal))
                    await Task.Delay(Timeout.Infinite, cancellationToken);
                return await base.SendAsync(request, cancellationToken);
            }
        }
    }
}
