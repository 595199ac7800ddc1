using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.TestUtilities;
using Amazon.SQS;
using Amazon.SQS.Model;
using ControlPlane.Aws;
using ControlPlane.Aws.Logs;
using ControlPlane.Executions;
using ControlPlane.Local.SmallSlack;
using ControlPlane.Secrets;
using ControlPlane.Slack;
using ControlPlane.SlackHandler;
using ControlPlane.SlackHandler.Authentication;
using ControlPlane.SlackHandler.Commands;
using ControlPlane.SlackHandler.Installation;
using ControlPlane.SlackHandler.Interactions;
using ControlPlane.SlackHandler.Notifications;
using ControlPlane.SlackHandler.Replies;
using ControlPlane.SlackHandler.WebApi;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.SlackHandler;

/// <summary>The Slack handler with its tables and queues, and Slack workspaces that talk to it. One for a test class; each test takes a workspace of its
/// own.</summary>
public sealed class SlackFixture(LocalCloud cloud) : IAsyncLifetime
{
    public const string SigningSecret = "8f742231b10e8888abcd99yyyzzz85a5";
    public const string BotTokenText = "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcBrzbqgy";
    public const string Origin = "cloudfront-says-hello";
    public const string ClientId = "3336676.569200954261";
    public const string ClientSecret = "d0c1-of-the-app";

    public static readonly DateTimeOffset Start = new(2026, 11, 22, 12, 0, 5, TimeSpan.Zero);

    private readonly List<ExecutionRequest> _orders = [];
    private readonly MemoryStream _log = new();
    private int _tenants;

    internal TestTables Tables { get; private set; } = null!;
    internal TestQueues Queues { get; private set; } = null!;
    internal SetClock Clock { get; } = new(Start);
    internal KeptSecrets Secrets { get; } = new();

    /// <summary>Slack, as the function's calls find it.</summary>
    internal SmallSlack Slack { get; } = new();

    internal TenantRegistry Registry => new(Tables.Client, Tables.Tenants);
    internal ExecutionStore Executions => new(Tables.Client, Tables.Executions, Tables.Quotas, Clock);
    internal SlackInstallations Installations => new(Tables.Client, Tables.Tenants, Clock);
    internal ReplyStore Replies => new(Tables.Client, Tables.Executions, Clock);

    internal static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Tables = await cloud.TablesAsync();
        Queues = await cloud.QueuesAsync();
        Secrets.Put("v1", SecretText(SigningSecret), Start);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    internal Task<Uri> QueueEndpointAsync() => cloud.QueueEndpointAsync();

    internal static string SecretText(string signingSecret, byte replyKey = 7, string origin = Origin, byte tokenKey = 9) => new JsonObject
    {
        ["client_id"] = ClientId,
        ["client_secret"] = ClientSecret,
        ["bot_token_key"] = Convert.ToBase64String(Enumerable.Repeat(tokenKey, 32).ToArray()),
        ["signing_secret"] = signingSecret,
        ["response_url_key"] = Convert.ToBase64String(Enumerable.Repeat(replyKey, 32).ToArray()),
        ["origin_verify"] = origin,
    }.ToJsonString();

    internal RotatingSecret<SlackSecret> Secret(ISecretSource? source = null) =>
        new(source ?? Secrets, "slack", SlackSecret.Parse, SlackSecret.Overlap, Clock);

    /// <summary>One instance of the function: its memory is its own, the tables are everybody's.</summary>
    internal SlackCommandsFunction NewFunction(
        IAmazonDynamoDB? dynamo = null, IAmazonSQS? sqs = null, TimeProvider? time = null, RotatingSecret<SlackSecret>? secret = null, RateLimit? limit = null,
        HttpMessageHandler? slack = null)
    {
        var clock = time ?? (dynamo is null && sqs is null ? new PatientClock(Clock) : Clock);   // only faults have to be answered in Slack's three seconds
        var events = new SlackHandlerEvents(new JsonLog(_log, clock), clock);
        dynamo ??= Tables.ClientOf("SlackCommandsFunction");
        sqs ??= Queues.ClientOf("SlackCommandsFunction", Tables);
        secret ??= Secret();
        var replies = new ReplyStore(dynamo, Tables.Executions, clock);
        var requests = new SlackRequests(dynamo, Tables.RateLimits, replies, limit ?? new(PerUser: 10, PerTenant: 60), clock);
        var executions = new ExecutionStore(dynamo, Tables.Executions, Tables.Quotas, clock);
        var lookup = new ExecutionLookup(executions, replies);
        var registry = new TenantRegistry(dynamo, Tables.Tenants);
        var tokens = new BotTokens(new SlackInstallations(dynamo, Tables.Tenants, clock), secret);
        var api = new SlackWebApi(slack ?? Slack);
        var modals = new ModalSeal(secret);
        var run = new RunCommand(
            requests, new ReplySeal(secret), new(sqs, Queues.ExecutionRequests, DomainJson.Default.ExecutionRequest),
            new AskForInputs(tokens, api, modals, events), clock, events);
        var usage = new UsageCommand(new QuotaLedger(dynamo, Tables.Quotas), new InstanceStore(dynamo, Tables.Instances, clock), clock);
        var callers = new Callers(registry);
        var carryOut = new CarryOutCommand(
            callers, requests,
            new CommandSet(
                run, new AgainCommand(lookup, run), new StatusCommand(lookup), new WhyCommand(lookup), new ListCommand(executions), usage,
                new CancelCommand(
                    lookup, executions, new(dynamo, Tables.Audit, clock), new(sqs, Queues.Notifications, DomainJson.Default.Notification), events),
                new ApproveCommand(
                    lookup, executions, new(dynamo, Tables.Audit, clock), new(sqs, Queues.ExecutionRequests, DomainJson.Default.ApprovalGiven),
                    new(sqs, Queues.Notifications, DomainJson.Default.Notification), events, clock),
                new ScheduleCommand(new ScheduleStore(dynamo, Tables.Executions, clock), new(dynamo, Tables.Audit, clock), tokens, clock)),
            clock, events);
        var origin = new OriginCheck(secret);
        var door = new SlackDoor(origin, new SlackSignature(secret, clock), events);
        return new(
            new AnswerCommand(origin, door, carryOut),
            new AnswerInteraction(door, callers, carryOut, new SubmitRun(callers, run, modals), new SlackHook(slack ?? Slack), tokens, api, events),
            new CheckHealth(
                new StoreCheck(
                    dynamo, [Tables.Tenants, Tables.Executions, Tables.Quotas], sqs, [Queues.ExecutionRequests, Queues.Notifications], clock,
                    counters: Tables.RateLimits),
                "us-east-1", "1.2.3"),
            events, clock);
    }

    /// <summary>What publishes the App Home.</summary>
    internal PublishHome NewHome()
    {
        var dynamo = Tables.ClientOf("SlackEventsFunction");
        var executions = new ListCommand(new(dynamo, Tables.Executions, Tables.Quotas, Clock));
        var usage = new UsageCommand(new QuotaLedger(dynamo, Tables.Quotas), new InstanceStore(dynamo, Tables.Instances, Clock), Clock);
        return new(
            new Callers(new(dynamo, Tables.Tenants)), executions, usage, new BotTokens(new(dynamo, Tables.Tenants, Clock), Secret()), new SlackWebApi(Slack),
            new SlackHandlerEvents(new JsonLog(_log, Clock), Clock));
    }

    /// <summary>The other function: tells requesters, through a handler that stands for Slack.</summary>
    internal NotificationsFunction NewNotifications(
        HttpMessageHandler slack, RotatingSecret<SlackSecret>? secret = null, IAmazonDynamoDB? dynamo = null, TimeProvider? timers = null)
    {
        var events = NewEvents();
        var inRole = Tables.ClientOf("SlackNotificationsFunction");
        var executions = new ExecutionStore(dynamo ?? inRole, Tables.Executions, Tables.Quotas, Clock);
        var replies = new ReplyStore(inRole, Tables.Executions, Clock);
        var (tokens, api) = (new BotTokens(new(inRole, Tables.Tenants, Clock), secret ?? Secret()), new SlackWebApi(slack));
        return new(
            new TellRequester(
                executions, replies, new ReplySeal(secret ?? Secret()), new SlackHook(slack), new TellByBot(replies, tokens, api, events),
                new TellProgress(replies, tokens, api, events, Clock), new TellApprovers(executions, replies, tokens, api, events), events, Clock),
            new TellUsage(new(dynamo ?? inRole, Tables.Quotas, Clock), tokens, api, events), events, timers ?? Clock);
    }

    /// <summary>A workspace that speaks for a tenant of its own, with two open workflows, one for a group and one for a channel.</summary>
    internal async Task<Workspace> NewWorkspaceAsync(TenantLimits? limits = null, TenantStatus status = TenantStatus.Active)
    {
        var tenant = TenantId.Parse($"tenant-{Interlocked.Increment(ref _tenants)}");
        var workspace = new Workspace(this, $"T{Random.Shared.NextInt64(1_000_000_000, 9_999_999_999)}", tenant);
        await Registry.TryRegisterAsync(
            new(tenant, "Test tenant", status, Engine(tenant), AllowPublicSubnet: false, limits ?? TenantLimits.Default), Cancel);
        await Registry.TryLinkAsync(new(TeamId.Parse(workspace.TeamId), tenant), Cancel);
        await workspace.SaveAsync(A.Workflow("wf_sched", [
            new("city", ParameterType.String, Required: true, MaxLength: 100, Description: "Where to look."),
            new("days", ParameterType.Integer, Minimum: 1, Maximum: 14, Default: JsonSerializer.SerializeToElement(3, A.Json.Default.Int32)),
            new("units", ParameterType.Enum, Values: ["metric", "imperial"])]));
        await workspace.SaveAsync(A.Workflow("report", []));
        await workspace.SaveAsync(A.Workflow("payroll", []) with { AllowedGroups = ["finance"] });
        await workspace.SaveAsync(A.Workflow("deploy", []) with { AllowedChannels = [ChannelId.Parse("COPS")] });
        await Registry.SaveAsync(tenant, new UserGroup("finance", ["UFIN"]), Cancel);
        return workspace;
    }

    /// <summary>Puts an execution as the orchestrator and those after it would have left it.</summary>
    internal async Task StoreAsync(Execution execution, Workspace workspace)
    {
        var item = ExecutionItems.Of(execution with { Tenant = workspace.Tenant }, execution.DeadlineAt);
        void Time(string name, DateTimeOffset? time) { if (time is { } value) item[name] = Items.Time(value); }
        Time("dispatched_at", execution.DispatchedAt);
        Time("started_at", execution.StartedAt);
        Time("finished_at", execution.FinishedAt);
        if (execution.Outcome is { } outcome)
            item["outcome"] = Items.Json(outcome, DomainJson.Default.Outcome);
        if (execution.Attempts.Count > 0)
            item["attempts"] = new() { L = [.. execution.Attempts.Select(attempt => Items.Json(attempt, DomainJson.Default.DispatchAttempt))] };
        await Tables.Client.PutItemAsync(Tables.Executions, item, Cancel);
    }

    /// <summary>The bot's token of a workspace, as an installation leaves it.</summary>
    internal async Task InstallAsync(string workspaceId, TenantId tenant, byte[]? copied = null, string text = BotTokenText)
    {
        Assert.True(BotToken.TryParse(text, out var token));
        var kept = (await new BotTokens(Installations, Secret()).SealAsync(token, Tenants.TeamId.Parse(workspaceId), Cancel))!;
        var ticket = new InstallTicket(Guid.NewGuid().ToString("N"), tenant, Clock.Now, Clock.Now + InstallTicket.Lifetime);
        await Installations.AddAsync(ticket, Tables.Auditor, Cancel);
        Assert.IsType<Installed.Now>(await Installations.CompleteAsync(
            ticket, kept with { Sealed = copied ?? kept.Sealed }, UserId.Parse("UBOT"), UserId.Parse("UADMIN"), Tables.Auditor, Cancel));
    }

    /// <summary>What is on record of a tenant's changes, oldest first: the action and who did it.</summary>
    public async Task<IReadOnlyList<(string Action, string Actor)>> RecordsAsync(TenantId tenant)
    {
        var entries = await new AuditTrail(Tables.Client, Tables.Audit, Clock).NewestAsync(tenant, null, Clock.Now.AddDays(-1), Clock.Now.AddDays(1), Cancel)
            .Where(one => one.Actor.ToString() != "local:tests").ToListAsync(Cancel);
        Assert.All(entries, one => Assert.NotEmpty(one.RequestId));
        return [.. entries.Select(one => (one.Action, one.Actor.ToString())).Reverse()];
    }

    private static EngineAddress Engine(TenantId tenant) =>
        EngineAddress.TryParse($"10.{99 + tenant.Number}.128.10", tenant, allowPublicSubnet: false, out var engine)
            ? engine
            : throw new InvalidOperationException();

    /// <summary>Everything sent to the orchestrator so far, by everyone.</summary>
    internal async Task<IReadOnlyList<ExecutionRequest>> OrdersAsync()
    {
        var drained = await DrainAsync(Queues.ExecutionRequests);
        foreach (var message in drained.Where(one => one.Body.Contains(ExecutionRequest.SchemaV1, StringComparison.Ordinal)))
            _orders.Add(JsonSerializer.Deserialize(message.Body, DomainJson.Default.ExecutionRequest)!);
        return [.. _orders];
    }

    internal Task<List<Message>> DrainAsync(string queue) => Queues.TakeAllAsync(queue, Cancel);

    /// <summary>Every item of the tables that the handler writes, as text: to see that nothing changed.</summary>
    internal async Task<IReadOnlyList<string>> StateAsync()
    {
        var state = new List<string>();
        foreach (var table in new[] { Tables.Tenants, Tables.Executions, Tables.Quotas, Tables.RateLimits, Tables.Instances })
        {
            var request = new ScanRequest { TableName = table, ConsistentRead = true };
            do
            {
                var page = await Tables.Client.ScanAsync(request, Cancel);
                state.AddRange((page.Items ?? []).Select(item =>
                    $"{table}: {string.Join(", ", item.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value.S ?? pair.Value.N ?? pair.Value.BOOL?.ToString() ?? "…"}"))}"));
                request.ExclusiveStartKey = page.LastEvaluatedKey;
            }
            while (request.ExclusiveStartKey is { Count: > 0 });
        }
        state.Sort(StringComparer.Ordinal);
        return state;
    }

    /// <summary>What happens is told to the log that all of it shares.</summary>
    internal JsonLog NewLog() => new(_log, Clock);

    internal SlackHandlerEvents NewEvents() => new(NewLog(), Clock);

    /// <summary>Everything logged so far.</summary>
    internal string LogText => Encoding.UTF8.GetString(_log.ToArray());

    internal static string Sign(byte[] body, string timestamp, string secret = SigningSecret) =>
        "v0=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), (byte[])[.. Encoding.UTF8.GetBytes($"v0:{timestamp}:"), .. body]));

    /// <summary>A signed request as API Gateway hands it over: form bodies as base64.</summary>
    internal APIGatewayHttpApiV2ProxyRequest Post(
        byte[] body, string secret = SigningSecret, DateTimeOffset? at = null, string path = "/slack/commands")
    {
        var timestamp = (at ?? Clock.Now).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return Event("POST", path, body, new()
        {
            ["content-type"] = "application/x-www-form-urlencoded",
            ["x-slack-request-timestamp"] = timestamp,
            ["x-slack-signature"] = Sign(body, timestamp, secret),
            ["x-origin-verify"] = Origin,
        });
    }

    internal static APIGatewayHttpApiV2ProxyRequest Event(
        string method, string path, byte[]? body = null, Dictionary<string, string>? headers = null, string query = "") => new()
        {
            Version = "2.0",
            RouteKey = $"{method} {path}",
            RawPath = path,
            RawQueryString = query,
            Headers = headers ?? [],
            Body = body is null ? null : Convert.ToBase64String(body),
            IsBase64Encoded = body is not null,
            RequestContext =
            new()
            {
                Http = new() { Method = method, Path = path, SourceIp = "198.51.100.7", Protocol = "HTTP/1.1" },
                RequestId = "request-1",
                RouteKey = $"{method} {path}"
            },
        };

    internal static TestLambdaContext Context => new() { RemainingTime = TimeSpan.FromSeconds(5), AwsRequestId = "invocation-1" };
}

/// <summary>A Slack workspace with a tenant behind it.</summary>
internal sealed class Workspace(SlackFixture world, string teamId, TenantId tenant)
{
    private static int _triggers;

    public string TeamId { get; } = teamId;
    public TenantId Tenant { get; } = tenant;

    /// <summary>An execution that waits for its dispatch.</summary>
    public async Task<ExecutionId> QueueAsync(string workflow = "wf_sched", string user = "U1")
    {
        var id = ExecutionId.Of(TeamId, Guid.NewGuid().ToString());
        var execution = A.Execution(ExecutionState.Queued, id, Tenant, user) with { Workflow = WorkflowName.Parse(workflow) };
        var order = new DispatchOrder(id, Tenant, WebhookPath.Of(execution.Workflow), [1], "token", world.Clock.Now + TimeSpan.FromMinutes(10));
        Assert.IsType<Creation.Created>(await world.Executions.CreateAsync(execution, order, TenantLimits.Default, SlackFixture.Cancel));
        return id;
    }

    public Task SaveAsync(Workflow workflow) => world.Registry.SaveAsync(Tenant, workflow, SlackFixture.Cancel);

    /// <summary>The fields of a command as Slack sends them.</summary>
    public Dictionary<string, string> Form(string text, string user = "U1", string channel = "C1") => new()
    {
        ["token"] = "gIkuvaNzQIHg97ATvDxqgjtO",
        ["team_id"] = TeamId,
        ["team_domain"] = "example",
        ["channel_id"] = channel,
        ["channel_name"] = "general",
        ["user_id"] = user,
        ["user_name"] = "steve",
        ["command"] = "/wf",
        ["text"] = text,
        ["api_app_id"] = "A123456",
        ["is_enterprise_install"] = "false",
        ["response_url"] = $"https://hooks.slack.com/commands/{TeamId}/1234567890/secretpart",
        ["trigger_id"] = $"{Interlocked.Increment(ref _triggers)}.1234.{Guid.NewGuid():N}",
    };

    public static byte[] Encode(IEnumerable<KeyValuePair<string, string>> form) =>
        Encoding.ASCII.GetBytes(string.Join('&',
            form.Select(field => $"{Uri.EscapeDataString(field.Key)}={Uri.EscapeDataString(field.Value).Replace("%20", "+", StringComparison.Ordinal)}")));

    public ExecutionId ExecutionOf(IReadOnlyDictionary<string, string> form) => ExecutionId.Of(form["team_id"], form["trigger_id"]);

    /// <summary>Types a command and reads the answer.</summary>
    public Task<Said> TypeAsync(string text, string user = "U1", string channel = "C1", SlackCommandsFunction? function = null) =>
        SendAsync(Form(text, user, channel), function);

    public async Task<Said> SendAsync(IReadOnlyDictionary<string, string> form, SlackCommandsFunction? function = null) =>
        await SendAsync(world.Post(Encode(form)), function);

    /// <summary>Fails where Slack would not take the answer.</summary>
    public async Task<Said> SendAsync(APIGatewayHttpApiV2ProxyRequest http, SlackCommandsFunction? function = null)
    {
        var said = Said.From(await (function ?? world.NewFunction()).RouteAsync(http, SlackFixture.Context));
        if (said.Status == 200 && said.Body.Length > 0 && http.RawPath == "/slack/commands")
            Assert.Null(SlackLimits.Fault(JsonNode.Parse(said.Body)!.AsObject()));
        return said;
    }

    /// <summary>A press of a button as Slack sends it.</summary>
    /// <param name="place">The message that the button is in.</param>
    public JsonObject Press(string action, string value, string user = "U1", string channel = "C1", string place = "1700000000.000100") => new()
    {
        ["type"] = "block_actions",
        ["user"] = new JsonObject { ["id"] = user, ["username"] = "steve", ["name"] = "steve", ["team_id"] = TeamId },
        ["api_app_id"] = "A123456",
        ["token"] = "gIkuvaNzQIHg97ATvDxqgjtO",
        ["container"] = new JsonObject { ["type"] = "message", ["message_ts"] = place, ["channel_id"] = channel, ["is_ephemeral"] = false },
        ["trigger_id"] = $"{Interlocked.Increment(ref _triggers)}.1234.{Guid.NewGuid():N}",
        ["team"] = new JsonObject { ["id"] = TeamId, ["domain"] = "example" },
        ["enterprise"] = null,
        ["is_enterprise_install"] = false,
        ["channel"] = new JsonObject { ["id"] = channel, ["name"] = "general" },
        ["message"] = new JsonObject { ["type"] = "message", ["text"] = "…", ["ts"] = place },
        ["state"] = new JsonObject { ["values"] = new JsonObject() },
        ["response_url"] = $"https://hooks.slack.com/actions/{TeamId}/1234567890/secretpart",
        ["actions"] = new JsonArray(new JsonObject
        {
            ["action_id"] = action,
            ["block_id"] = "b1",
            ["text"] = new JsonObject { ["type"] = "plain_text", ["text"] = "…", ["emoji"] = true },
            ["value"] = value,
            ["type"] = "button",
            ["action_ts"] = $"17000000{Interlocked.Increment(ref _triggers)}.840180",
        }),
    };

    /// <summary>A modal as Slack sends it when it is submitted.</summary>
    /// <param name="view">As it was opened.</param>
    /// <param name="values">By field: what was typed or chosen; for a checkbox, <c>yes</c> or nothing.</param>
    public JsonObject Submit(JsonObject view, IReadOnlyDictionary<string, string> values, string user = "U1", string id = "V0001")
    {
        var blocks = new JsonObject();
        foreach (var block in view["blocks"]!.AsArray().Where(block => (string?)block!["type"] == "input"))
        {
            var (name, type) = (((string)block!["block_id"]!).Split(':')[1], (string)block["element"]!["type"]!);
            var given = values.TryGetValue(name, out var value);
            blocks[(string)block["block_id"]!] = new JsonObject
            {
                [(string)block["element"]!["action_id"]!] = type switch
                {
                    "checkboxes" => new JsonObject { ["type"] = type, ["selected_options"] = given ? new JsonArray(new JsonObject { ["value"] = value }) : [] },
                    "static_select" => new JsonObject { ["type"] = type, ["selected_option"] = given ? new JsonObject { ["value"] = value } : null },
                    _ => new JsonObject { ["type"] = type, ["value"] = given ? value : null },
                },
            };
        }
        return new()
        {
            ["type"] = "view_submission",
            ["team"] = new JsonObject { ["id"] = TeamId, ["domain"] = "example" },
            ["user"] = new JsonObject { ["id"] = user, ["name"] = "steve", ["team_id"] = TeamId },
            ["trigger_id"] = "1.2.3",
            ["is_enterprise_install"] = false,
            ["view"] = new JsonObject
            {
                ["id"] = id,
                ["type"] = "modal",
                ["callback_id"] = view["callback_id"]?.DeepClone(),
                ["private_metadata"] = view["private_metadata"]?.DeepClone(),
                ["state"] = new JsonObject { ["values"] = blocks },
            },
            ["response_urls"] = new JsonArray(),
        };
    }

    /// <summary>Somebody opens the App Home.</summary>
    public SlackCommand Opened(string user = "U1") =>
        SlackCommand.OfHome(Tenants.TeamId.Parse(TeamId), Tenants.TeamId.Parse(TeamId), UserId.Parse(user));

    /// <summary>Presses or submits, and reads the answer.</summary>
    public Task<Said> InteractAsync(JsonObject payload, SlackCommandsFunction? function = null) =>
        SendAsync(world.Post(Encode([new("payload", payload.ToJsonString())]), path: "/slack/interactions"), function);

    /// <summary>Presses a button and reads what its user is told.</summary>
    public async Task<string> PressAsync(string action, string value, string user = "U1", string channel = "C1", string place = "1700000000.000100")
    {
        var before = world.Slack.Calls.Count;
        var said = await InteractAsync(Press(action, value, user, channel, place));
        Assert.Equal((200, ""), (said.Status, said.Body));
        return string.Join('\n', world.Slack.Calls.Skip(before)
            .Where(call => call.Place.Contains(TeamId, StringComparison.Ordinal)).Select(call => (string?)call.Json["text"]));
    }

    public async Task<IReadOnlyList<ExecutionRequest>> OrdersAsync() => [.. (await world.OrdersAsync()).Where(order => order.TenantId == Tenant.ToString())];
}

/// <summary>What the function answered.</summary>
internal sealed record Said(int Status, string Body)
{
    public static Said From(APIGatewayHttpApiV2ProxyResponse response) => new(response.StatusCode, response.Body ?? "");

    public JsonObject Message => JsonNode.Parse(Body)!.AsObject();

    public IEnumerable<JsonObject> Blocks => Message["blocks"]!.AsArray().Select(block => block!.AsObject());

    /// <summary>All texts of all blocks.</summary>
    public string Text => string.Join('\n', Blocks.Where(block => (string?)block["type"] != "actions").SelectMany(block =>
        (JsonNode?[])[block["text"], .. block["fields"]?.AsArray() ?? [], .. block["elements"]?.AsArray() ?? []]).OfType<JsonObject>().Select(text => (string)text["text"]!));

    /// <summary>The buttons: what each is for, and about what.</summary>
    public IEnumerable<(string Action, string Value)> Buttons => Blocks.Where(block => (string?)block["type"] == "actions")
        .SelectMany(block => block["elements"]!.AsArray()).Select(button => ((string)button!["action_id"]!, (string)button["value"]!));

    public bool IsPrivate => (string?)Message["response_type"] == "ephemeral";

    public bool IsAccepted => Status == 200 && Text.Contains("Working on", StringComparison.Ordinal);

    public bool StartedNothing => Status == 200 && IsPrivate && Text.Contains("Nothing was started", StringComparison.Ordinal);
}
