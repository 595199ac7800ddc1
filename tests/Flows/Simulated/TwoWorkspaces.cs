using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Amazon.DynamoDBv2;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.Serialization.SystemTextJson;
using Amazon.Lambda.SQSEvents;
using Amazon.Lambda.TestUtilities;
using Amazon.SQS;
using ControlPlane.Aws;
using ControlPlane.Aws.Logs;
using ControlPlane.Http;
using ControlPlane.Local.Gateway;
using ControlPlane.Local.Runtime;
using ControlPlane.Local.SmallSlack;
using ControlPlane.Secrets;
using ControlPlane.Slack;
using ControlPlane.SlackHandler;
using ControlPlane.SlackHandler.Authentication;
using ControlPlane.SlackHandler.Commands;
using ControlPlane.SlackHandler.Events;
using ControlPlane.SlackHandler.Installation;
using ControlPlane.SlackHandler.Interactions;
using ControlPlane.SlackHandler.WebApi;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Flows.Simulated;

/// <summary>The hub with two tenants, behind an API on a socket, and Slack on another: what goes between them is HTTP. Time stands until a test moves
/// it.</summary>
internal sealed class TwoWorkspaces : IAsyncDisposable
{
    public const string Workflow = "wf_sched";

    private const string Origin = "cloudfront-says-hello";

    public static readonly TenantId One = TenantId.Parse("tenant-43"), Other = TenantId.Parse("tenant-7");

    private static readonly DateTimeOffset Start = new(2026, 11, 22, 12, 0, 5, TimeSpan.Zero);
    private static readonly SourceGeneratorLambdaJsonSerializer<LambdaJson> Json = new();

    private readonly SimulatedQueues _queues;
    private readonly IAmazonDynamoDB _dynamo;
    private readonly IAmazonSQS _sqs;
    private readonly ScriptedEngine _engine;
    private readonly List<Delivery> _waiting = [];
    private readonly HttpClient _browser = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
    private readonly MemoryStream _log = new();
    private HttpGateway _gateway = null!;
    private Functions _functions = null!;
    private SlackInstallationFunction _installation = null!;
    private SlackEventsFunction _events = null!;

    private TwoWorkspaces(TestTables tables)
    {
        Tables = tables;
        _queues = new(Clock);
        var seam = new FaultSeam(_ => null, _queues);
        (_dynamo, _sqs) = (seam.DynamoDb(tables.Endpoint), seam.Sqs(SimulatedQueues.Endpoint));
        _engine = ScriptedEngine.Answering(200);
    }

    public SetClock Clock { get; } = new(Start);

    public TestTables Tables { get; }

    public SlackServer Slack { get; private set; } = null!;

    public SlackInstallations Installations => new(Tables.Client, Tables.Tenants, Clock);

    public ExecutionStore Executions => new(Tables.Client, Tables.Executions, Tables.Quotas, Clock);

    public string Log => Encoding.UTF8.GetString(_log.ToArray());

    /// <summary>What reached the engines, oldest first.</summary>
    public IReadOnlyList<JsonObject> Orders => [.. _engine.Requests.Select(request => JsonNode.Parse(request.Body)!.AsObject())];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static TestLambdaContext Context => new() { RemainingTime = TimeSpan.FromSeconds(15), AwsRequestId = "invocation" };

    public static async Task<TwoWorkspaces> StartAsync(LocalCloud cloud)
    {
        var world = new TwoWorkspaces(await cloud.TablesAsync());
        await world.StartAsync();
        return world;
    }

    public async ValueTask DisposeAsync()
    {
        _browser.Dispose();
        await _gateway.DisposeAsync();
        await Slack.DisposeAsync();
        await _engine.DisposeAsync();
        _functions.Dispose();
        _queues.Dispose();
        _dynamo.Dispose();
        _sqs.Dispose();
    }

    private async Task StartAsync()
    {
        string Key(byte of) => Convert.ToBase64String(Enumerable.Repeat(of, 32).ToArray());
        var text = new JsonObject
        {
            ["signing_secret"] = "8f742231b10e8888abcd99yyyzzz85a5",
            ["response_url_key"] = Key(7),
            ["origin_verify"] = Origin,
            ["client_id"] = "3336676.569200954261",
            ["client_secret"] = "d0c1-of-the-app",
            ["bot_token_key"] = Key(9),
        }.ToJsonString();
        var kept = new KeptSecrets();
        kept.Put("v1", text, Start.AddDays(-30));

        _gateway = await HttpGateway.StartPublicAsync(RouteTable.Of([typeof(SlackCommandsFunction).Assembly]).Public, InvokeAsync, 0, () => Origin, Clock);
        Slack = await SlackServer.StartAsync(new(() => SlackApp.Of(text, _gateway.Endpoint), Clock), patience: TimeSpan.FromSeconds(30));
        foreach (var team in (string[])["T0043", "T0007"])
            Slack.State.Add(new(team, $"Workspace {team}", ["U1", "U2", "UADMIN"]));
        var handler = new SlackAtHand(Slack.Endpoint, SlackConnections.HandlerFor(ConnectRoutes.None));

        // A busy machine must not end what the functions do within Slack's seconds.
        var clock = new PatientClock(Clock);
        var routes = string.Join(',', new[] { One, Other }.Select(tenant => $"{EngineOf(tenant)}:5678={_engine.Address}"));
        _functions = new(
            new(Tables, kept, KeptSecrets.WithRoot("v1", Start.AddDays(-30)), handler, ConnectRoutes.Parse(routes), _log, clock), _dynamo, _sqs);

        var secret = new RotatingSecret<SlackSecret>(kept, "slack", SlackSecret.Parse, SlackSecret.Overlap, clock);
        var events = new SlackHandlerEvents(new JsonLog(_log, clock), clock);
        var (origin, installations, audit) = (
            new OriginCheck(secret), new SlackInstallations(_dynamo, Tables.Tenants, clock), new AuditTrail(_dynamo, Tables.Audit, clock));
        var places = new SlackPlaces(_gateway.Endpoint, Slack.Endpoint.ToString());
        var (api, tokens) = (new SlackWebApi(handler), new BotTokens(installations, secret));
        _installation = new(
            new BeginInstallation(origin, secret, installations, places, events, clock),
            new CompleteInstallation(origin, secret, installations, audit, tokens, api, places, events, clock), events, clock);
        var home = new PublishHome(
            new Callers(new TenantRegistry(_dynamo, Tables.Tenants)), new ListCommand(Executions),
            new UsageCommand(new QuotaLedger(_dynamo, Tables.Quotas), new InstanceStore(_dynamo, Tables.Instances, clock), clock), tokens, api, events);
        _events = new(new AnswerEvent(origin, new SlackSignature(secret, clock), installations, audit, home, events), events, clock);

        var registry = new TenantRegistry(Tables.Client, Tables.Tenants);
        foreach (var tenant in (TenantId[])[One, Other])
        {
            Assert.True(EngineAddress.TryParse(EngineOf(tenant), tenant, allowPublicSubnet: false, out var engine));
            await registry.SaveAsync(new Tenant(tenant, tenant.ToString(), TenantStatus.Active, engine, false, TenantLimits.Default), Cancel);
            await registry.SaveAsync(
                tenant,
                new Workflow(
                    WorkflowName.Parse(Workflow), WebhookPath.Of(WorkflowName.Parse(Workflow)), [new("city", ParameterType.String, Required: true)],
                    TimeSpan.FromHours(2), Idempotent: false, Enabled: true, [], [], []),
                Cancel);
        }
        _gateway.Open();
    }

    public static string EngineOf(TenantId tenant) => $"10.{99 + tenant.Number}.128.10";

    /// <summary>A link to install the app with, as <c>./ctl slack invite</c> makes it.</summary>
    public async Task<Uri> InviteAsync(TenantId tenant)
    {
        var code = OneTimeCode.Make();
        await Installations.AddAsync(new(code.Hash, tenant, Clock.Now, Clock.Now + InstallTicket.Lifetime), Tables.Auditor, Cancel);
        return new(_gateway.Endpoint, $"/slack/install/{code.Text}");
    }

    /// <summary>Opens a link in a browser, decides at Slack, and comes back.</summary>
    /// <param name="team">The workspace that consents; null declines.</param>
    /// <param name="withCookie">Another browser comes back than set out.</param>
    /// <returns>The page at the end.</returns>
    public async Task<(HttpStatusCode Status, string Page)> InstallAsync(Uri link, string? team, bool withCookie = true)
    {
        using var opened = await _browser.GetAsync(link, Cancel);
        if (opened.StatusCode != HttpStatusCode.Redirect)
            return (opened.StatusCode, await opened.Content.ReadAsStringAsync(Cancel));
        var cookie = Assert.Single(opened.Headers.GetValues("Set-Cookie")).Split(';')[0];

        var consent = opened.Headers.Location!;
        Assert.Contains("The app wants: commands,chat:write,im:write", await _browser.GetStringAsync(consent, Cancel), StringComparison.Ordinal);
        using var form = new FormUrlEncodedContent(
            SlackServer.Fields(consent.Query[1..]).Append(new("team", team ?? "T")).Append(new("answer", team is null ? "deny" : "allow")));
        using var decided = await _browser.PostAsync(consent, form, Cancel);
        Assert.Equal(HttpStatusCode.Redirect, decided.StatusCode);

        using var back = new HttpRequestMessage(HttpMethod.Get, decided.Headers.Location);
        if (withCookie)
            back.Headers.Add("Cookie", cookie);
        using var page = await _browser.SendAsync(back, Cancel);
        return (page.StatusCode, await page.Content.ReadAsStringAsync(Cancel));
    }

    /// <summary>What the queues hold goes on its way, until nothing is left that can be done now.</summary>
    public async Task WorkAsync()
    {
        List<Delivery> ready = [.. _waiting, .. _queues.Take()];
        _waiting.Clear();
        for (; ready.Count > 0; ready = [.. _queues.Take()])
            foreach (var message in ready)
                if ((await HandOverAsync(message)).BatchItemFailures.Count > 0)
                    _waiting.Add(message);
    }

    /// <summary>An engine's word on the execution of an order.</summary>
    public async Task<APIGatewayProxyResponse> ReportAsync(JsonObject order, string status, params IEnumerable<(string Name, JsonNode Value)> more)
    {
        var body = new JsonObject
        {
            ["schema"] = "outcome.v1",
            ["execution_id"] = (string?)order["execution_id"],
            ["status"] = status,
            ["engine_execution_id"] = "1",
        };
        foreach (var (name, value) in more)
            body[name] = value;
        return await _functions.Outcomes.AnswerAsync(
            SidecarSigner.Post(
                Encoding.UTF8.GetBytes(body.ToJsonString()), EngineOf(TenantId.Parse((string)order["tenant_id"]!)),
                new() { ["Content-Type"] = "application/json", ["Authorization"] = $"Bearer {(string?)order["callback"]!["token"]}" }), Context);
    }

    private Task<SQSBatchResponse> HandOverAsync(Delivery message)
    {
        var batch = new SQSEvent
        {
            Records =
            [
                new()
                {
                    MessageId = "m", ReceiptHandle = "m", Body = message.Body,
                    Attributes = new() { ["ApproximateReceiveCount"] = "1", ["MessageGroupId"] = message.Group ?? "" },
                },
            ],
        };
        return message.Queue switch
        {
            "ExecutionRequestsQueue" => _functions.ExecutionRequests.StartAsync(batch, Context),
            "DispatchQueue" => _functions.Dispatch.DispatchAsync(batch, Context),
            "NotificationsQueue" => _functions.Notifications.TellAsync(batch, Context),
            _ => throw new NotSupportedException(message.Queue),
        };
    }

    private async Task<InvocationResult> InvokeAsync(string function, byte[] payload)
    {
        var http = Json.Deserialize<APIGatewayHttpApiV2ProxyRequest>(new MemoryStream(payload));
        var answer = function switch
        {
            "SlackCommandsFunction" => await _functions.Commands.RouteAsync(http, Context),
            "SlackInstallationFunction" => await _installation.RouteAsync(http, Context),
            "SlackEventsFunction" => await _events.AnswerAsync(http, Context),
            _ => throw new NotSupportedException(function),
        };
        var bytes = new MemoryStream();
        Json.Serialize(answer, bytes);
        return new InvocationResult.Answered(bytes.ToArray());
    }
}
