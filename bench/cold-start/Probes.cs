using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Amazon.SQS.Model;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Local.DataPlane;
using ControlPlane.Local.Demo;
using ControlPlane.Local.Gateway;
using ControlPlane.Local.Hub;
using ControlPlane.Local.Panel;
using ControlPlane.Local.Queues;
using ControlPlane.Local.Schedules;
using ControlPlane.Local.SmallSlack;
using ControlPlane.Sidecar;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.ColdStart;

/// <summary>The events for each function, made against a running local control plane.</summary>
internal sealed class Probes(LocalControlPlane local, TimeProvider clock) : IDisposable
{
    public const string Machine = "i-0000000000000bench";

    private readonly SigningKey _key = SigningKey.Load(local.Machine!.KeyFile);
    // Half a day ago: samples are dated a second apart, as close as they are taken, however fast they are sent.
    private readonly long _epoch = clock.GetUtcNow().AddHours(-12).ToUnixTimeSeconds();

    // A workflow that has no engine's ear, so that what is ordered ends by itself, and one that asks for its input in a window.
    private const string Unwanted = "wf_unheard", Asking = "wf_asking";

    private int _samples;
    private int _windows;

    private int _users;

    /// <summary>Plays one command to its end, so that there is an execution to speak of.</summary>
    public async Task<IReadOnlyList<Probe>> PrepareAsync(CancellationToken cancel)
    {
        var registry = new TenantRegistry(local.DynamoClient, local.Tables["TenantsTable"]);
        foreach (var (name, parameters) in new (string, WorkflowParameter[])[] { (Unwanted, []), (Asking, [new("city", ParameterType.String, Required: true)]) })
            await registry.SaveAsync(
                DemoData.Tenant,
                new Workflow(
                    WorkflowName.Parse(name), WebhookPath.Of(WorkflowName.Parse(name)), parameters, TimeSpan.FromMinutes(1), Idempotent: false, Enabled: true,
                    [], [], []),
                cancel);
        using var slack = new SlackUser(local.PublicApi.Endpoint, clock);
        var command = slack.Type($"run {DemoData.Workflow}");
        await slack.PostAsync(command, DemoData.SigningSecret, cancel);
        var executions = new ExecutionStore(local.DynamoClient, local.Tables["ExecutionsTable"], local.Tables["QuotasTable"], clock);
        var id = ExecutionId.Of(DemoData.Workspace, command.TriggerId);
        Execution? execution;
        while ((execution = await executions.FindAsync(id, cancel)) is not { State.IsTerminal: true, ToldAt: not null }) await Task.Delay(
            TimeSpan.FromMilliseconds(100), clock, cancel);
        var order = await executions.FindOrderAsync(id, cancel) ?? throw new InvalidOperationException("The order is gone.");
        await FillAsync(registry, cancel);

        return
        [
            new("SlackCommandsFunction", () => Command("workflows"), IsOk) { What = "a look" },
            new("SlackCommandsFunction", () => Command($"run {Unwanted}"), IsOk) { What = "an order" },
            new("SlackCommandsFunction", () => Command($"run {Asking}"), WindowOpened) { What = "a window", Most = 5 },
            new("SlackNotificationsFunction", () => Message("NotificationsQueue", new JsonObject { ["schema"] = Notification.SchemaV1,
                ["execution_id"] = id.ToString(), ["tenant_id"] = DemoData.Tenant.ToString() }), IsWholeBatch),
            new("SlackInstallationFunction", InstallLink, answer => (int?)answer?["statusCode"] == 410),
            new("SlackEventsFunction", Challenge, IsOk),
            new("ExecutionRequestsFunction", Request, IsWholeBatch),
            new(
                "JwksFunction",
                () => Rest("GET", "/tenants/{tenant_id}/jwks.json", $"/tenants/{DemoData.Tenant}/jwks.json", [], [], ("tenant_id", DemoData.Tenant.ToString())),
                IsOk),
            new("DispatchFunction", () => Message("DispatchQueue", new JsonObject { ["schema"] = DispatchRequest.SchemaV1, ["execution_id"] = id.ToString(),
                ["tenant_id"] = DemoData.Tenant.ToString() }), IsWholeBatch),
            new("OutcomesFunction", () => Outcome(id, order), IsOk),
            new("HeartbeatsFunction", Heartbeat, IsOk),
            // Ten tries a minute, of all its processes together.
            new("EnrolmentFunction", Enrolment, answer => (int?)answer?["statusCode"] == 403) { Most = 1 },
            new("AdminPanelFunction", () => Page("/"), IsOk) { What = "the overview of 156 tenants" },
            new("AdminPanelFunction", () => Page($"/executions/{id}"), IsOk) { What = "an execution" },
            new("SweeperFunction", () => Schedule.Event("SweeperFunction", clock.GetUtcNow()), _ => true) { What = "156 tenants" },
        ];
    }

    public void Dispose() => _key.Dispose();

    /// <summary>Registers every tenant that there can be, and has them counted.</summary>
    private async Task FillAsync(TenantRegistry registry, CancellationToken cancel)
    {
        for (var number = 1; number <= TenantId.Highest; number++)
        {
            var tenant = TenantId.Parse(string.Create(CultureInfo.InvariantCulture, $"tenant-{number}"));
            if (!EngineAddress.TryParse($"10.{99 + number}.128.10", tenant, allowPublicSubnet: false, out var engine))
                throw new InvalidOperationException($"{tenant} has no engine.");
            await registry.TryRegisterAsync(new(tenant, $"Tenant number {number}", TenantStatus.Active, engine, false, TenantLimits.Default), cancel);
        }
        var censuses = new CensusStore(local.DynamoClient, local.Tables["InstancesTable"]);
        var sweep = Schedule.Event("SweeperFunction", clock.GetUtcNow()).ToJsonString();
        while ((await censuses.LatestAsync(cancel))?.Tenants.Count != TenantId.Highest)
            await local.Functions["SweeperFunction"].InvokeAsync(Encoding.UTF8.GetBytes(sweep));
    }

    /// <summary>A signed command; without a name, of a user who has not asked yet: the rate limit is per user.</summary>
    public JsonObject Command(string text, string? user = null)
    {
        user ??= $"UB{Interlocked.Increment(ref _users)}";
        _windows = local.Slack.State.Views.Count;
        var trigger = local.Slack.State.NewTrigger(local.Slack.State.Of(DemoData.Workspace), user);
        var body = Encoding.ASCII.GetBytes(
            $"team_id={DemoData.Workspace}&channel_id={DemoData.Channel}&user_id={user}&command=%2Fwf&text={Uri.EscapeDataString(text)}&trigger_id={trigger}&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2F{DemoData.Workspace}%2F{user}");
        return Signed("/slack/commands", "application/x-www-form-urlencoded", body);
    }

    /// <summary>An installation link whose ticket nobody made: looked up, and not there.</summary>
    private JsonObject InstallLink()
    {
        var path = $"/slack/install/{Secrets.OneTimeCode.Make().Text}";
        return PublicEvent.From(
            Incoming("GET", path, [new("x-origin-verify", local.OriginValue())], []), new("GET", "/slack/install/{ticket}", ""), new Dictionary<string, string>());
    }

    /// <summary>An operator opens a page.</summary>
    private JsonObject Page(string path) => local.Panel.EventOf(Incoming("GET", path, [new("accept-encoding", "gzip")], []), Person.All[0]);

    private JsonObject Challenge() => Signed("/slack/events", "application/json", """{"type":"url_verification","challenge":"bench"}"""u8.ToArray());

    private JsonObject Signed(string path, string contentType, byte[] body)
    {
        var second = clock.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        KeyValuePair<string, string>[] headers =
        [
            new("content-type", contentType), new("x-slack-request-timestamp", second),
            new("x-slack-signature", SlackRequest.Signature(DemoData.SigningSecret, second, body)), new("x-origin-verify", local.OriginValue()),
        ];
        return PublicEvent.From(Incoming("POST", path, headers, body), new("POST", path, ""), new Dictionary<string, string>());
    }

    /// <summary>A request for a workflow that is not there: planned, refused and recorded, so that nothing is dispatched.</summary>
    private JsonObject Request()
    {
        var id = ExecutionId.Of(DemoData.Workspace, $"bench{Interlocked.Increment(ref _users)}.{clock.GetUtcNow().Ticks}").ToString();
        return Message("ExecutionRequestsQueue", new JsonObject
        {
            ["schema"] = ExecutionRequest.SchemaV1,
            ["execution_id"] = id,
            ["tenant_id"] = DemoData.Tenant.ToString(),
            ["workflow"] = "wf_absent",
            ["inputs"] = new JsonObject(),
            ["requested_by"] =
                new JsonObject { ["source"] = "slack", ["team_id"] = DemoData.Workspace, ["user_id"] = DemoData.User, ["channel_id"] = DemoData.Channel },
            ["public"] = false,
            ["requested_at"] = clock.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
        }, group: id);
    }

    /// <summary>The engine says once more that it runs: verified and looked up, and nothing changes.</summary>
    private JsonObject Outcome(ExecutionId id, DispatchOrder order)
    {
        using var body = JsonDocument.Parse(order.Body);
        var token = body.RootElement.GetProperty("callback").GetProperty("token").GetString()!;
        var outcome =
            new JsonObject { ["schema"] = "outcome.v1", ["execution_id"] = id.ToString(), ["status"] = "running", ["started_at"] = "2026-01-01T00:00:00Z" };
        return Rest(
            "POST", "/outcomes/execution", "/outcomes/execution", [new("Authorization", $"Bearer {token}"), new("Content-Type", "application/json")],
            Encoding.UTF8.GetBytes(outcome.ToJsonString()));
    }

    /// <summary>The next sample of a machine that has the demo's key.</summary>
    public JsonObject Heartbeat()
    {
        var (now, counter) = (clock.GetUtcNow(), Interlocked.Increment(ref _samples));
        var sample = new Sample(CpuMs: 10L * counter, GpuMs: 0, CpuCount: 4, CpuPercent: 12.5, Gpus: [], Memory: null);
        var heartbeat = new Heartbeat(
            _epoch, counter, Sidecar.Heartbeat.BodyOf(
                DemoData.Tenant.ToString(), Machine, _epoch, counter, DateTimeOffset.FromUnixTimeSeconds(_epoch + counter), TimeSpan.FromMinutes(1), sample));
        var signed = heartbeat.HeadersAt(now, Machine, [_key]).Select(header => new KeyValuePair<string, string>(header.Name, header.Value));
        return Rest("POST", "/metering/heartbeat", "/metering/heartbeat", [new("Content-Type", "application/json"), .. signed], heartbeat.Body);
    }

    /// <summary>When a sample was taken, as tables write it.</summary>
    public string SampledAt(long counter) => Rfc3339.Format(DateTimeOffset.FromUnixTimeSeconds(_epoch + counter));

    /// <summary>A machine that wants to enrol with a code that nobody made: believed to have its key, and refused.</summary>
    private JsonObject Enrolment()
    {
        var now = clock.GetUtcNow();
        var body = Encoding.UTF8.GetBytes(
            $$"""{"schema":"enrol.v1","tenant_id":"{{DemoData.Tenant}}","instance_id":"i-enrols","public_key":"{{_key.PublicKeyText}}"}""");
        var signed = SignedHeaders.Of($"enrol_i-enrols_{now.ToUnixTimeSeconds()}", now, body, [_key])
            .Select(header => new KeyValuePair<string, string>(header.Name, header.Value));
        KeyValuePair<string, string>[] headers = [new("Content-Type", "application/json"), new("x-dp-invite", Secrets.OneTimeCode.Make().Text), .. signed];
        return Rest("POST", "/metering/keys", "/metering/keys", headers, body);
    }

    private JsonObject Rest(
        string method, string route, string path, KeyValuePair<string, string>[] headers, byte[] body, params (string Name, string Value)[] parameters) =>
        PrivateEvent.From(Incoming(method, path, headers, body), new(method, route, ""), parameters.ToDictionary(one => one.Name, one => one.Value));

    private GatewayRequest Incoming(string method, string path, KeyValuePair<string, string>[] headers, byte[] body) =>
        new(
            method, path, "", "HTTP/1.1", [new("Host", "localhost"), .. headers], body, DemoData.Engine.ToString(), Guid.NewGuid().ToString(),
            clock.GetUtcNow());

    private JsonObject Message(string queue, JsonObject body, string? group = null)
    {
        var attributes = new Dictionary<string, string>
        {
            ["ApproximateReceiveCount"] = "1",
            ["SentTimestamp"] = $"{clock.GetUtcNow().ToUnixTimeMilliseconds()}",
            ["MessageGroupId"] = group ?? DemoData.Tenant.ToString(),
        };
        return SqsEvent.From(
            [new Message { MessageId = Guid.NewGuid().ToString(), ReceiptHandle = "none", Body = body.ToJsonString(), Attributes = attributes }],
            local.Queues[queue].Arn);
    }

    /// <summary>Nothing is said, and Slack has one window more: its trigger lives for three seconds, and it refuses an older one.</summary>
    private bool WindowOpened(JsonNode? answer) => IsOk(answer) && (string?)answer?["body"] is null or "" && local.Slack.State.Views.Count == _windows + 1;

    public static bool IsOk(JsonNode? answer) => (int?)answer?["statusCode"] == 200;

    private static bool IsWholeBatch(JsonNode? answer) => answer?["batchItemFailures"] is null or JsonArray { Count: 0 };
}
