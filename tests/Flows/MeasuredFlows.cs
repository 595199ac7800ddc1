using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Amazon.DynamoDBv2.Model;
using Amazon.Lambda.SQSEvents;
using Amazon.Lambda.TestUtilities;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Http;
using ControlPlane.Local.DataPlane;
using ControlPlane.Local.SmallSlack;
using ControlPlane.Metering;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Flows.Simulated;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Flows;

/// <summary>What the eight flows of bench/Capacity ask of tables and queues: the functions as their programs compose them, over DynamoDB Local, with the demo
/// tenant and its workflow.</summary>
/// <remarks>
/// Each flow goes once before it is measured, and again a minute later: what a process keeps for longer is kept, and the month's counters are there. Slack's
/// ids are as long as Slack's own, and
/// times have milliseconds: an execution of the demo is a few bytes beyond two units when it ends.
/// </remarks>
public sealed class MeasuredFlows(LocalCloud cloud) : IAsyncLifetime
{
    /// <summary>As many as the traffic table counts.</summary>
    private const int Tenants = 100;

    private const string Workspace = "T0123456789", User = "U0123456789", Channel = "C0123456789";

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly WorkflowName Large = WorkflowName.Parse("wf_large");

    private readonly SetClock _clock = new(new(2026, 11, 22, 12, 0, 5, 123, TimeSpan.Zero));
    private int _triggers;

    internal Dictionary<string, Charge> Charges { get; } = [];

    /// <summary>Of a whole run whose dispatch and outcome are as large as the traffic table says.</summary>
    internal double WriteUnitsOfLargeRun { get; private set; }

    /// <summary>Bytes that went to the engine and came from it in that run, without the headers of HTTP.</summary>
    internal (int Dispatch, int Outcome) LargeRun { get; private set; }

    /// <summary>Bytes of one heartbeat's record, as they are charged.</summary>
    internal int StoredPerHeartbeat { get; private set; }

    /// <summary>Bytes of one execution that its requester was told of, with what its indexes hold.</summary>
    internal int StoredPerExecution { get; private set; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static TestLambdaContext Context => new() { RemainingTime = TimeSpan.FromSeconds(30), AwsRequestId = "invocation" };

    public async ValueTask InitializeAsync()
    {
        await using (var hub = await StartAsync())
        {
            await RegisterAsync(hub);
            await BeatAsync(hub);
            await RunAsync(hub);
            _clock.Advance(Minute);
            hub.Meter.Take();
            await BeatAsync(hub);
            await CommandAsync(hub, await RunAsync(hub));
            StoredPerHeartbeat = await StoredAsync(hub, hub.Tables.Metering) / 2;
            StoredPerExecution = await StoredAsync(hub, hub.Tables.Executions, "by_digits", "by_tenant", "due") / 2;
            await RunLargeAsync(hub);
        }
        await using (var hub = await StartAsync())
        {
            await PopulateAsync(hub);
            await hub.Functions.Sweeper.SweepAsync(Context);
            hub.Meter.Take();
            await hub.Functions.Sweeper.SweepAsync(Context);
            Charges["sweep"] = hub.Meter.Take();
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    // ---- the flows ----

    private async Task<ExecutionId> RunAsync(MeteredHub hub)
    {
        var id = await RunAsync(hub, $"{DemoData.Workflow} city=Paris", "The schedule for Paris is made.", Charges);
        Assert.Equal(ExecutionState.Succeeded, hub.Slack.Taken[^1].State);
        return id;
    }

    private async Task RunLargeAsync(MeteredHub hub)
    {
        await new TenantRegistry(hub.Tables.Client, hub.Tables.Tenants).SaveAsync(
            DemoData.Tenant,
            new Workflow(
                Large, WebhookPath.Of(Large), [new("text", ParameterType.String)], Workflow.DefaultDeadline, Idempotent: false, Enabled: true, [], [], []), Cancel);
        var charges = new Dictionary<string, Charge>();
        var id = await RunAsync(hub, $"{Large} text={new string('x', 3360)}", new string('x', 1650), charges);
        WriteUnitsOfLargeRun = charges.Values.Sum(charge => charge.WriteUnits);
        var job = hub.Engine.Jobs[id];
        LargeRun = (job.Body.Length + job.Token.Length, Outcome(job, new('x', 1650)).Length);
    }

    /// <summary>A command from its order to the message that tells how it ended.</summary>
    private async Task<ExecutionId> RunAsync(MeteredHub hub, string what, string summary, Dictionary<string, Charge> charges)
    {
        var id = await TypeAsync(hub, $"run {what}");
        charges["run"] = hub.Meter.Take();
        await hub.Functions.ExecutionRequests.StartAsync(hub.Batch("ExecutionRequestsQueue"), Context);
        charges["request"] = hub.Meter.Take();
        await hub.Functions.Dispatch.DispatchAsync(hub.Batch("DispatchQueue"), Context);
        charges["dispatch"] = hub.Meter.Take();
        var job = hub.Engine.Jobs[id];
        var report = SidecarSigner.Post(
            Outcome(job, summary), DemoData.Engine.Address.ToString(),
            new() { ["Content-Type"] = "application/json", ["Authorization"] = $"Bearer {job.CallbackToken}" });
        Assert.Equal(200, (await hub.Functions.Outcomes.AnswerAsync(report, Context)).StatusCode);
        charges["outcome"] = hub.Meter.Take();
        await hub.Functions.Notifications.TellAsync(hub.Batch("NotificationsQueue"), Context);
        charges["notification"] = hub.Meter.Take();
        return id;
    }

    /// <summary>The mean of what starts nothing, one of each.</summary>
    private async Task CommandAsync(MeteredHub hub, ExecutionId id)
    {
        string[] commands = ["help", "workflows", "list", "usage", $"status {id}", $"why {id}"];
        foreach (var command in commands)
            await TypeAsync(hub, command);
        var all = hub.Meter.Take();
        Charges["command"] = new(
            all.WriteUnits / commands.Length, all.ReadUnits / commands.Length, all.TableCalls / commands.Length, all.Queues, all.Refused);
    }

    private async Task BeatAsync(MeteredHub hub)
    {
        var sample = Sample.At(
            _clock.Now, ++hub.Beats, cpuMs: 7500 * hub.Beats, epoch: new DateTimeOffset(2026, 11, 22, 11, 0, 0, TimeSpan.Zero).ToUnixTimeSeconds());
        Assert.Equal(200, (await hub.Functions.Heartbeats.AnswerAsync(hub.Sidecar.Request(sample, _clock.Now), Context)).StatusCode);
        Charges["heartbeat"] = hub.Meter.Take();
    }

    private async Task<ExecutionId> TypeAsync(MeteredHub hub, string text)
    {
        var trigger = $"{++_triggers}.trigger";
        var form = Encoding.ASCII.GetBytes(
            $"team_id={Workspace}&channel_id={Channel}&user_id={User}&command=%2Fwf&text={Uri.EscapeDataString(text)}"
            + $"&response_url={Uri.EscapeDataString($"https://hooks.slack.com/commands/{Workspace}/1234567890/abcdefghijklmnopqrstuvwx")}&trigger_id={trigger}");
        var second = _clock.Now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var answer = await hub.Functions.Commands.RouteAsync(
            new()
            {
                RawPath = "/slack/commands",
                RawQueryString = "",
                Headers = new Dictionary<string, string>
                {
                    ["content-type"] = "application/x-www-form-urlencoded",
                    ["x-slack-request-timestamp"] = second,
                    ["x-slack-signature"] = SlackRequest.Signature(DemoData.SigningSecret, second, form),
                    ["x-origin-verify"] = MeteredHub.Origin,
                },
                Body = Convert.ToBase64String(form),
                IsBase64Encoded = true,
                RequestContext =
                    new()
                    {
                        Http = new() { Method = "POST", Path = "/slack/commands", SourceIp = "198.51.100.7" },
                        RequestId = "request",
                        TimeEpoch = _clock.Now.ToUnixTimeMilliseconds()
                    },
            },
            Context);
        Assert.Equal(200, answer.StatusCode);
        return ExecutionId.Of(Workspace, trigger);
    }

    // As the demo's engine reports it.
    private static byte[] Outcome(Simulated.Job job, string summary) => Encoding.UTF8.GetBytes(new JsonObject
    {
        ["schema"] = "outcome.v1",
        ["execution_id"] = job.Execution.ToString(),
        ["status"] = "succeeded",
        ["started_at"] = "2026-11-22T12:00:06.234Z",
        ["finished_at"] = "2026-11-22T12:00:07.345Z",
        ["engine_execution_id"] = "8123",
        ["usage"] = new JsonObject { ["cpu_ms"] = 1200, ["gpu_ms"] = 0, ["input_tokens"] = 0, ["output_tokens"] = 0 },
        ["result"] = new JsonObject { ["summary"] = summary },
    }.ToJsonString());

    // ---- what they need ----

    private async Task<MeteredHub> StartAsync() => new(await cloud.TablesAsync(), _clock);

    private async Task RegisterAsync(MeteredHub hub)
    {
        var registry = new TenantRegistry(hub.Tables.Client, hub.Tables.Tenants);
        await DemoData.WriteAsync(registry, _clock, Cancel);
        Assert.True(await registry.TryLinkAsync(new(TeamId.Parse(Workspace), DemoData.Tenant), Cancel));
    }

    /// <summary>As many tenants as the traffic table has, all heard of, nothing due.</summary>
    private async Task PopulateAsync(MeteredHub hub)
    {
        var registry = new TenantRegistry(hub.Tables.Client, hub.Tables.Tenants);
        var instances = new InstanceStore(hub.Tables.Client, hub.Tables.Instances, _clock);
        for (var n = 1; n <= Tenants; n++)
        {
            var tenant = TenantId.Parse($"tenant-{n}");
            Assert.True(EngineAddress.TryParse($"10.{99 + n}.1.10", tenant, allowPublicSubnet: true, out var engine));
            await registry.SaveAsync(new Tenant(tenant, "Demo tenant", TenantStatus.Active, engine, AllowPublicSubnet: true, TenantLimits.Default), Cancel);
            await instances.BookAsync(
                new()
                {
                    Tenant = tenant,
                    Instance = InstanceId.Parse(DemoData.Instance),
                    Epoch = _clock.Now.ToUnixTimeSeconds(),
                    Counter = 1,
                    SampledAt = _clock.Now,
                    Interval = Minute,
                    Totals = new(7500, 0),
                    BodyHash = new('0', 64),
                    Machine = new(4, 0),
                    Metrics = "{}",
                    KeyId = DemoData.SidecarKeyId,
                },
                TenantLimits.StandardInstances, _clock.Now, Cancel);
        }
    }

    /// <summary>What stays: a reply's address and a dispatch order expire within the hour.</summary>
    private static async Task<int> StoredAsync(MeteredHub hub, string table, params string[] indexes)
    {
        var bytes = 0;
        foreach (var index in (string?[])[null, .. indexes])
        {
            var page = await hub.Tables.Client.ScanAsync(new ScanRequest { TableName = table, IndexName = index }, Cancel);
            bytes += page.Items.Where(item => item["sk"].S is not ("REPLY" or ExecutionItems.OrderKey)).Sum(item => ItemSize.Of(item) + ItemSize.Overhead);
        }
        return bytes;
    }

    /// <summary>All functions of one hub with a meter below them.</summary>
    private sealed class MeteredHub : IAsyncDisposable
    {
        public const string Origin = "cloudfront-says-hello";

        private readonly SimulatedQueues _queues;
        private readonly IReadOnlyList<IDisposable> _clients;

        public MeteredHub(TestTables tables, SetClock clock)
        {
            Tables = tables;
            _queues = new(clock);
            Meter = new(_queues);
            var seam = new FaultSeam(_ => null, Meter);
            var (dynamo, sqs) = (seam.DynamoDb(tables.Endpoint), seam.Sqs(SimulatedQueues.Endpoint));
            _clients = [dynamo, sqs];
            Engine = new(() => (Manner.Fine, 0), _ => Task.CompletedTask);
            var secret = new KeptSecrets();
            secret.Put(
                "v1", $$"""{"signing_secret":"{{DemoData.SigningSecret}}","response_url_key":"{{Convert.ToBase64String(Enumerable.Repeat((byte)7, 32).ToArray())}}","origin_verify":"{{Origin}}"}""",
                clock.Now.AddDays(-30));
            Functions = new(
                new(
                    tables, secret, KeptSecrets.WithRoot("v1", clock.Now.AddDays(-30)), Slack, ConnectRoutes.Parse($"{DemoData.Engine}:5678={Engine.Endpoint}"),
                    Stream.Null, clock), dynamo, sqs);
        }

        public TestTables Tables { get; }
        public UnitMeter Meter { get; }
        public Functions Functions { get; }
        public SimulatedEngine Engine { get; }
        public SimulatedSlack Slack { get; } = new(() => Mood.Fine);
        public SidecarSigner Sidecar { get; } = SidecarSigner.OfRfc8032();
        public long Beats { get; set; }

        /// <summary>The one message that was sent to this queue, as its function gets it.</summary>
        public SQSEvent Batch(string queue)
        {
            var message = Assert.Single(_queues.Take());
            Assert.Equal(queue, message.Queue);
            return new()
            {
                Records =
                [
                    new() { MessageId = "m1", ReceiptHandle = "m1", Body = message.Body,
                        Attributes = new() { ["ApproximateReceiveCount"] = "1", ["MessageGroupId"] = message.Group ?? "" } },
                ],
            };
        }

        public async ValueTask DisposeAsync()
        {
            Functions.Dispose();
            await Engine.DisposeAsync();
            foreach (var client in _clients)
                client.Dispose();
            Meter.Dispose();
            Slack.Dispose();
        }
    }
}
