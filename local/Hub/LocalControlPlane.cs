using System.Reflection;
using System.Text.Json;
using Amazon.DynamoDBv2;
using ControlPlane.Aws;
using ControlPlane.Local.DataPlane;
using ControlPlane.Local.DynamoDb;
using ControlPlane.Local.Gateway;
using ControlPlane.Local.Peering;
using ControlPlane.Local.Preparation;
using ControlPlane.Local.Queues;
using ControlPlane.Local.Runtime;
using ControlPlane.Local.Secrets;
using ControlPlane.Local.Template;
using ControlPlane.Tenants;

namespace ControlPlane.Local.Hub;

/// <summary>The whole control plane on one machine: stores and queues, every function as its own process, and the gateways in front.</summary>
internal sealed class LocalControlPlane : IAsyncDisposable
{
    private readonly Parts _parts;
    private readonly Stores _stores;
    private readonly FunctionProcesses _functions;

    private LocalControlPlane(
        Parts parts, TemplateReader template, FunctionLogs logs, Stores stores, HttpGateway publicApi, HttpGateway privateApi, SlackCatcher slack,
        IReadOnlyDictionary<string, SmallEngine> engines, FunctionProcesses functions, FunctionEnvironment environment, DemoMachine? machine)
    {
        (_parts, _stores, _functions) = (parts, stores, functions);
        (Template, Logs, PublicApi, PrivateApi, Slack, Engines, Environment, Machine) = (
            template, logs, publicApi, privateApi, slack, engines, environment, machine);
    }

    public TemplateReader Template { get; }

    public FunctionLogs Logs { get; }

    public DynamoDbLocal Dynamo => _stores.Dynamo;

    public IAmazonDynamoDB DynamoClient => _stores.DynamoClient;

    public IReadOnlyDictionary<string, string> Tables => _stores.Tables;

    public QueueServer QueueServer => _stores.QueueServer;

    public IReadOnlyDictionary<string, QueueAddress> Queues => _stores.Queues;

    public SecretsServer Secrets => _stores.Secrets;

    public HttpGateway PublicApi { get; }

    public HttpGateway PrivateApi { get; }

    public SlackCatcher Slack { get; }

    public IReadOnlyDictionary<string, SmallEngine> Engines { get; }

    public IReadOnlyDictionary<string, FunctionHost> Functions => _functions.ById;

    public FunctionEnvironment Environment { get; }

    /// <summary>The demo tenant's; null without demo data.</summary>
    public DemoMachine? Machine { get; }

    /// <summary>Starts everything, or nothing.</summary>
    public static async Task<LocalControlPlane> StartAsync(RunOptions options, Action<string> say, TimeProvider clock, CancellationToken cancel)
    {
        var parts = new Parts();
        try
        {
            return await StartPartsAsync(parts, options, say, clock, cancel);
        }
        catch
        {
            await parts.DisposeAsync();
            throw;
        }
    }

    /// <summary>Done when every function has asked for its first event.</summary>
    public Task ReadyAsync() => _functions.ReadyAsync();

    /// <summary>What CloudFront would put into the origin header: rotated with the secret.</summary>
    public string OriginValue() => OriginValueIn(Secrets);

    public ValueTask DisposeAsync() => _parts.DisposeAsync();

    private static async Task<LocalControlPlane> StartPartsAsync(
        Parts parts, RunOptions options, Action<string> say, TimeProvider clock, CancellationToken cancel)
    {
        var template = TemplateReader.Read(Repository.Template);
        var state = Directory.CreateDirectory(options.State).FullName;
        parts.Keep(StateFolder.Claim(state));
        var logs = parts.Keep(new FunctionLogs(Path.Combine(state, "logs"), clock));

        say("starting the tables, the queues and the secrets …");
        var stores = await Stores.StartAsync(state, template, parts, say, clock, cancel);
        var registry = new TenantRegistry(stores.DynamoClient, stores.Tables["TenantsTable"]);
        DemoData.WriteSecrets(stores.Secrets.Vault, "SlackSecret", "TokenRootSecret", options.Empty ? Guid.NewGuid().ToString("N") : DemoData.SigningSecret);
        if (!options.Empty)
            await DemoData.WriteAsync(registry, clock, cancel);

        say("starting the gateways and the peered network …");
        var routes = RouteTable.Of(template.Functions.Select(function => function.Project.Split('/').Last()).Distinct().Select(Assembly.Load));
        var routing = new RoutingTable(options.Source);
        var functions = new FunctionProcesses();
        var publicApi = parts.Keep(await HttpGateway.StartPublicAsync(routes.Public, functions.ById, options.Port, () => OriginValueIn(stores.Secrets), clock));
        var privateApi = parts.Keep(await HttpGateway.StartPrivateAsync(routes.Private, functions.ById, options.PrivatePort, routing.SourceOf, clock));
        var authority = LocalAuthority.Create(state, clock);
        var slack = parts.Keep(await SlackCatcher.StartAsync(authority, Path.Combine(state, "slack.jsonl"), clock));
        routing.Add("hooks.slack.com:443", slack.Port);
        var engines = await StartEnginesAsync(parts, registry, options, routing, privateApi.Endpoint, clock, cancel);

        say("starting the functions …");
        var environment = new FunctionEnvironment(template, stores, publicApi.Endpoint, privateApi.Endpoint, routing, authority);
        parts.Keep(functions);
        await functions.StartAsync(template, options.Published, environment, logs, clock);
        functions.Feed(template, stores, clock);
        await functions.ReadyAsync().WaitAsync(TimeSpan.FromSeconds(30), clock, cancel);

        // Waited for: after a long pause policy refuses every command until the first heartbeat.
        var machine = options.Empty ? null : parts.Keep(await DemoMachine.StartAsync(privateApi.Endpoint, logs, Path.Combine(state, "machine"), cancel));
        var local = new LocalControlPlane(parts, template, logs, stores, publicApi, privateApi, slack, engines, functions, environment, machine);
        parts.Keep(Endpoints.Write(state, local));
        publicApi.Open();
        return local;
    }

    private static string OriginValueIn(SecretsServer secrets)
    {
        using var secret = JsonDocument.Parse(secrets.Vault.Get("SlackSecret", null, null).Text);
        return secret.RootElement.GetProperty("origin_verify").GetString()!;
    }

    private static async Task<IReadOnlyDictionary<string, SmallEngine>> StartEnginesAsync(
        Parts parts, TenantRegistry registry, RunOptions options, RoutingTable routing, Uri privateApi, TimeProvider clock, CancellationToken cancel)
    {
        var engines = new Dictionary<string, SmallEngine>();
        foreach (var tenant in await registry.AllAsync(cancel))
        {
            var dialled = $"{tenant.Engine}:{EngineAddress.Port}";
            if (options.Engines.TryGetValue(tenant.Id.ToString(), out var other))
            {
                routing.Add(dialled, other);
                continue;
            }

            var engine = engines[tenant.Id.ToString()] = parts.Keep(
                await SmallEngine.StartAsync(tenant.Id.ToString(), tenant.Engine.Address, privateApi, clock));
            routing.Add(dialled, engine.Port);
        }
        return engines;
    }
}
