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
using ControlPlane.Local.Peering;
using ControlPlane.Secrets;
using ControlPlane.Slack;
using ControlPlane.SlackHandler;
using ControlPlane.SlackHandler.Authentication;
using ControlPlane.SlackHandler.Commands;
using ControlPlane.SlackHandler.Messages;
using ControlPlane.SlackHandler.Notifications;
using ControlPlane.SlackHandler.Replies;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.SlackHandler;

/// <summary>The Slack handler with its tables and queues, and Slack workspaces that talk to it. One for a test class; each test takes a workspace of its
/// own.</summary>
public sealed class SlackFixture(LocalCloud cloud) : IAsyncLifetime
{
    public const string SigningSecret = "8f742231b10e8888abcd99yyyzzz85a5";
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
    internal TenantRegistry Registry => new(Tables.Client, Tables.Tenants);
    internal ExecutionStore Executions => new(Tables.Client, Tables.Executions, Tables.Quotas, Clock);
    internal SlackInstallations Installations => new(Tables.Client, Tables.Tenants, Clock);
    internal ReplyStore Replies => new(Tables.Client, Tables.Executions, Clock);

    internal static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Tables = await cloud.TablesAsync();
        // Our clock stands: DynamoDB Local, which has the real time, would remove invitations under our eyes.
        await Tables.Client.UpdateTimeToLiveAsync(
            new() { TableName = Tables.Tenants, TimeToLiveSpecification = new() { AttributeName = "expires_at", Enabled = false } }, Cancel);
        Queues = await cloud.QueuesAsync();
        Secrets.Put("v1", SecretText(SigningSecret), Start);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    internal Task<Uri> DynamoDbEndpointAsync() => cloud.DynamoDbEndpointAsync();

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
        IAmazonDynamoDB? dynamo = null, IAmazonSQS? sqs = null, TimeProvider? time = null, RotatingSecret<SlackSecret>? secret = null, RateLimit? limit = null)
    {
        var clock = time ?? (dynamo is null && sqs is null ? new PatientClock(Clock) : Clock);   // only faults have to be answered in Slack's three seconds
        var events = new SlackHandlerEvents(new JsonLog(_log, clock), clock);
        dynamo ??= Tables.Client;
        sqs ??= Queues.Client;
        secret ??= Secret();
        var replies = new ReplyStore(dynamo, Tables.Executions, clock);
        var requests = new SlackRequests(dynamo, Tables.RateLimits, replies, limit ?? new(PerUser: 10, PerTenant: 60), clock);
        var executions = new ExecutionStore(dynamo, Tables.Executions, Tables.Quotas, clock);
        var lookup = new ExecutionLookup(executions, replies);
        var answerCommand = new AnswerCommand(
            new OriginCheck(secret), new SlackSignature(secret, clock), new TenantRegistry(dynamo, Tables.Tenants), requests,
            new CommandSet(
                new RunCommand(requests, new ReplySeal(secret), new(sqs, Queues.ExecutionRequests, DomainJson.Default.ExecutionRequest), clock, events),
                new StatusCommand(lookup),
                new WhyCommand(lookup),
                new ListCommand(executions),
                new UsageCommand(new QuotaLedger(dynamo, Tables.Quotas), new InstanceStore(dynamo, Tables.Instances, clock), clock),
                new CancelCommand(lookup, executions, new(sqs, Queues.Notifications, DomainJson.Default.Notification), events)),
            clock, events);
        return new(answerCommand, new CheckHealth(new TableCheck(dynamo, [Tables.Tenants, Tables.Executions, Tables.Quotas], clock,
            counters: Tables.RateLimits), "us-east-1", "1.2.3"), events, clock);
    }

    /// <summary>The other function: tells requesters, through a handler that stands for Slack.</summary>
    internal NotificationsFunction NewNotifications(
        HttpMessageHandler slack, RotatingSecret<SlackSecret>? secret = null, IAmazonDynamoDB? dynamo = null, TimeProvider? timers = null)
    {
        var events = NewEvents();
        var executions = dynamo is null ? Executions : new ExecutionStore(dynamo, Tables.Executions, Tables.Quotas, Clock);
        return new(new TellRequester(executions, Replies, new ReplySeal(secret ?? Secret()), new SlackHook(slack), events, Clock), events, timers ?? Clock);
    }

    /// <summary>A workspace that speaks for a tenant of its own, with two open workflows, one for a group and one for a channel.</summary>
    internal async Task<Workspace> NewWorkspaceAsync(TenantLimits? limits = null, TenantStatus status = TenantStatus.Active)
    {
        var tenant = TenantId.Parse($"tenant-{Interlocked.Increment(ref _tenants)}");
        var workspace = new Workspace(this, $"T{Random.Shared.NextInt64(1_000_000_000, 9_999_999_999)}", tenant);
        await Registry.TryRegisterAsync(
            new(tenant, "Test tenant", status, Engine(tenant), AllowPublicSubnet: false, limits ?? TenantLimits.Default), Cancel);
        await Registry.TryLinkAsync(new(workspace.TeamId, tenant), Cancel);
        await workspace.SaveAsync(A.Workflow("wf_sched", [
            new("city", ParameterType.String, Required: true, MaxLength: 100, Description: "Where to look."),
            new("days", ParameterType.Integer, Minimum: 1, Maximum: 14, Default: JsonSerializer.SerializeToElement(3, A.Json.Default.Int32)),
            new("units", ParameterType.Enum, Values: ["metric", "imperial"])]));
        await workspace.SaveAsync(A.Workflow("report", []));
        await workspace.SaveAsync(A.Workflow("payroll", []) with { AllowedGroups = ["finance"] });
        await workspace.SaveAsync(A.Workflow("deploy", []) with { AllowedChannels = ["COPS"] });
        await Registry.SaveAsync(tenant, new UserGroup("finance", ["UFIN"]), Cancel);
        return workspace;
    }

    private static EngineAddress Engine(TenantId tenant) =>
        EngineAddress.TryParse($"10.{99 + tenant.Number}.128.10", tenant, allowPublicSubnet: false, out var engine)
            ? engine
            : throw new InvalidOperationException();

    /// <summary>Everything sent to the orchestrator so far, by everyone.</summary>
    internal async Task<IReadOnlyList<ExecutionRequest>> OrdersAsync()
    {
        foreach (var message in await DrainAsync(Queues.ExecutionRequests))
            _orders.Add(JsonSerializer.Deserialize(message.Body, DomainJson.Default.ExecutionRequest)!);
        return [.. _orders];
    }

    internal async Task<List<Message>> DrainAsync(string queue)
    {
        var messages = new List<Message>();
        while (true)
        {
            var received = await Queues.Client.ReceiveMessageAsync(
                new ReceiveMessageRequest { QueueUrl = queue, MaxNumberOfMessages = 10, WaitTimeSeconds = 0 }, Cancel);
            if (received.Messages is not { Count: > 0 } batch)
                return messages;
            foreach (var message in batch)
                await Queues.Client.DeleteMessageAsync(queue, message.ReceiptHandle, Cancel);
            messages.AddRange(batch);
        }
    }

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
    internal SlackHandlerEvents NewEvents() => new(new JsonLog(_log, Clock), Clock);

    /// <summary>Everything logged so far.</summary>
    internal string LogText => Encoding.UTF8.GetString(_log.ToArray());

    internal static string Sign(byte[] body, string timestamp, string secret = SigningSecret) =>
        "v0=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), (byte[])[.. Encoding.UTF8.GetBytes($"v0:{timestamp}:"), .. body]));

    /// <summary>A signed request as API Gateway hands it over: form bodies as base64.</summary>
    internal APIGatewayHttpApiV2ProxyRequest Post(byte[] body, string secret = SigningSecret, DateTimeOffset? at = null)
    {
        var timestamp = (at ?? Clock.Now).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return Event("POST", "/slack/commands", body, new()
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
        if (said.Status == 200 && said.Body.Length > 0)
            Assert.Null(SlackLimits.Fault(JsonNode.Parse(said.Body)!.AsObject()));
        return said;
    }

    public async Task<IReadOnlyList<ExecutionRequest>> OrdersAsync() => [.. (await world.OrdersAsync()).Where(order => order.TenantId == Tenant.ToString())];
}

/// <summary>What the function answered.</summary>
internal sealed record Said(int Status, string Body)
{
    public static Said From(APIGatewayHttpApiV2ProxyResponse response) => new(response.StatusCode, response.Body ?? "");

    public SlackMessage Message => JsonSerializer.Deserialize(Body, SlackJson.Default.SlackMessage)!;

    /// <summary>All texts of all blocks.</summary>
    public string Text => string.Join('\n', Message.Blocks!.SelectMany(block =>
        (TextObject[])[.. block.Text is null ? [] : new[] { block.Text }, .. block.Fields ?? [], .. block.Elements ?? []]).Select(text => text.Text));

    public bool IsPrivate => Message.ResponseType == "ephemeral";

    public bool IsAccepted => Status == 200 && Text.Contains("Working on", StringComparison.Ordinal);

    public bool StartedNothing => Status == 200 && IsPrivate && Text.Contains("Nothing was started", StringComparison.Ordinal);
}
