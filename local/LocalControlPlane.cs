using System.Reflection;
using Amazon.DynamoDBv2;
using ControlPlane.Aws;
using ControlPlane.Local.Demo;
using ControlPlane.Local.DynamoDb;
using ControlPlane.Local.Gateway;
using ControlPlane.Local.Peering;
using ControlPlane.Local.Preparation;
using ControlPlane.Local.Queues;
using ControlPlane.Local.Runtime;
using ControlPlane.Local.Schedules;
using ControlPlane.Local.Secrets;
using ControlPlane.Local.Template;

namespace ControlPlane.Local;

/// <summary>The whole control plane on one machine: stores and queues, every function as its own process, and the gateways in front.</summary>
internal sealed class LocalControlPlane : IAsyncDisposable
{
    private readonly Stack<IAsyncDisposable> _parts = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _background = [];

    private LocalControlPlane() { }

    public required TemplateReader Template { get; init; }

    public IReadOnlyDictionary<string, FunctionHost> Functions { get; private set; } = new Dictionary<string, FunctionHost>();

    public IReadOnlyDictionary<string, string> Tables { get; private set; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, QueueAddress> Queues { get; private set; } = new Dictionary<string, QueueAddress>();

    public IReadOnlyDictionary<string, SmallEngine> Engines { get; private set; } = new Dictionary<string, SmallEngine>();

    public DynamoDbLocal Dynamo { get; private set; } = null!;

    public QueueServer QueueServer { get; private set; } = null!;

    public SecretsServer Secrets { get; private set; } = null!;

    public SlackCatcher Slack { get; private set; } = null!;

    public HttpGateway PublicApi { get; private set; } = null!;

    public HttpGateway PrivateApi { get; private set; } = null!;

    public IAmazonDynamoDB DynamoClient { get; private set; } = null!;

    /// <summary>The demo tenant's; null without demo data.</summary>
    public DemoMachine? Machine { get; private set; }

    public FunctionLogs Logs { get; private set; } = null!;

    public FunctionEnvironment Environment { get; private set; } = null!;

    /// <summary>Starts everything, or nothing.</summary>
    public static async Task<LocalControlPlane> StartAsync(RunOptions options, Action<string> say, TimeProvider clock, CancellationToken cancel)
    {
        var local = new LocalControlPlane { Template = TemplateReader.Read(Repository.Template) };
        try
        {
            await local.StartPartsAsync(options, say, clock, cancel);
            return local;
        }
        catch
        {
            await local.DisposeAsync();
            throw;
        }
    }

    /// <summary>Done when every function has asked for its first event.</summary>
    public Task ReadyAsync() => Task.WhenAll(Functions.Values.Select(function => function.Ready));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        if (Machine is not null) await Machine.DisposeAsync();
        // Then the functions, together: each may still have an event in hand, whose end the pollers and gateways wait for.
        await Task.WhenAll(Functions.Values.Select(function => function.DisposeAsync().AsTask()));
        await Task.WhenAll(_background);
        while (_parts.TryPop(out var part)) await part.DisposeAsync();
        _stop.Dispose();
    }

    private async Task StartPartsAsync(RunOptions options, Action<string> say, TimeProvider clock, CancellationToken cancel)
    {
        var state = Directory.CreateDirectory(options.State).FullName;
        Keep(StateFolder.Claim(state));
        Logs = Keep(new FunctionLogs(Path.Combine(state, "logs"), clock));

        say("starting the tables, the queues and the secrets …");
        var dynamo = StartAsync(() => DynamoDbLocal.StartAsync(Path.Combine(state, "tables"), say), started => Dynamo = started);
        var queues = StartAsync(() => QueueServer.StartAsync(Path.Combine(state, "queues.json"), say), started => QueueServer = started);
        var secrets = StartAsync(() => SecretsServer.StartAsync(Path.Combine(state, "secrets.json"), clock), started => Secrets = started);
        await Task.WhenAll(dynamo, queues, secrets);
        DynamoClient = Dynamo.NewClient();
        var sqs = QueueServer.NewClient();
        Tables = await TableBuilder.CreateAsync(DynamoClient, Template.Tables, "", cancel);
        Queues = await QueueBuilder.CreateAsync(sqs, Template.Queues, "", cancel);

        var registry = new TenantRegistry(DynamoClient, Tables["TenantsTable"]);
        DemoData.WriteSecrets(Secrets.Vault, "SlackSecret", "TokenRootSecret", options.Empty ? Guid.NewGuid().ToString("N") : DemoData.SigningSecret);
        if (!options.Empty) await DemoData.WriteAsync(registry, clock, cancel);

        say("starting the gateways and the peered network …");
        var routes = RouteTable.Of(Template.Functions.Select(function => function.Project.Split('/').Last()).Distinct().Select(Assembly.Load));
        var routing = new RoutingTable(options.Source);
        var functions = new Dictionary<string, FunctionHost>();
        Functions = functions;
        PublicApi = Keep(await HttpGateway.StartPublicAsync(routes.Public, functions, options.Port, OriginValue, clock));
        PrivateApi = Keep(await HttpGateway.StartPrivateAsync(routes.Private, functions, options.PrivatePort, routing.SourceOf, clock));

        var authority = LocalAuthority.Create(state, clock);
        Slack = Keep(await SlackCatcher.StartAsync(authority, Path.Combine(state, "slack.jsonl"), clock));
        routing.Add("hooks.slack.com:443", Slack.Port);
        Engines = await StartEnginesAsync(registry, options, routing, clock, cancel);

        say("starting the functions …");
        Environment = new(this, routing, authority);
        foreach (var function in Template.Functions)
        {
            var program = options.Published is { } folder ? FunctionProgram.Published(folder, function.Project) : FunctionProgram.Built(Repository.Root, function.Project);
            functions[function.Id] = await FunctionHost.StartAsync(function, program, Environment.Of(function), line => Logs.Add(function.Id, line), clock);
        }

        foreach (var (function, source) in Template.Functions.SelectMany(function => function.Events.Select(source => (function, source))))
        {
            if (source is TemplateEvent.Queue queue) _background.Add(new QueuePoller(sqs, Queues[queue.QueueId], queue, functions[function.Id].InvokeAsync).PollAsync(_stop.Token));
            if (source is TemplateEvent.Schedule schedule) _background.Add(Schedule.TickAsync(schedule, function.Id, functions[function.Id].InvokeAsync, clock, _stop.Token));
        }

        await ReadyAsync().WaitAsync(TimeSpan.FromSeconds(30), clock, cancel);
        if (!options.Empty)
        {
            // Waited for: after a long pause policy refuses every command until the first heartbeat.
            Machine = await DemoMachine.StartAsync(PrivateApi.Endpoint, Logs, Path.Combine(state, "machine"), cancel);
        }

        Keep(Endpoints.Write(state, this));
    }

    /// <summary>What CloudFront would put into the origin header: rotated with the secret.</summary>
    public string OriginValue()
    {
        using var secret = System.Text.Json.JsonDocument.Parse(Secrets.Vault.Get("SlackSecret", null, null).Text);
        return secret.RootElement.GetProperty("origin_verify").GetString()!;
    }

    private async Task<IReadOnlyDictionary<string, SmallEngine>> StartEnginesAsync(
        TenantRegistry registry, RunOptions options, RoutingTable routing, TimeProvider clock, CancellationToken cancel)
    {
        var engines = new Dictionary<string, SmallEngine>();
        foreach (var tenant in await registry.AllAsync(cancel))
        {
            var dialled = $"{tenant.Engine}:{Tenants.EngineAddress.Port}";
            if (options.Engines.TryGetValue(tenant.Id.ToString(), out var other))
            {
                routing.Add(dialled, other);
                continue;
            }

            var engine = engines[tenant.Id.ToString()] = Keep(await SmallEngine.StartAsync(tenant.Id.ToString(), tenant.Engine.Address, PrivateApi.Endpoint, clock));
            routing.Add(dialled, engine.Port);
        }

        return engines;
    }

    private async Task StartAsync<T>(Func<Task<T>> startAsync, Action<T> started) where T : IAsyncDisposable
    {
        var part = await startAsync();
        lock (_parts) Keep(part);
        started(part);
    }

    private T Keep<T>(T part) where T : IAsyncDisposable
    {
        _parts.Push(part);
        return part;
    }
}
