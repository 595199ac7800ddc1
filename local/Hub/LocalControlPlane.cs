using System.Reflection;
using System.Text.Json;
using Amazon.DynamoDBv2;
using ControlPlane.Audit;
using ControlPlane.Aws;
using ControlPlane.Local.DataPlane;
using ControlPlane.Local.DynamoDb;
using ControlPlane.Local.Gateway;
using ControlPlane.Local.Panel;
using ControlPlane.Local.Peering;
using ControlPlane.Local.Preparation;
using ControlPlane.Local.Processes;
using ControlPlane.Local.Queues;
using ControlPlane.Local.Runtime;
using ControlPlane.Local.Secrets;
using ControlPlane.Local.SmallSlack;
using ControlPlane.Local.Template;

namespace ControlPlane.Local.Hub;

/// <summary>The whole control plane on one machine: stores and queues, every function as its own process, and the gateways in front.</summary>
internal sealed class LocalControlPlane : IAsyncDisposable
{
    private readonly Parts _parts;
    private readonly Stores _stores;
    private readonly FunctionProcesses _functions;

    private LocalControlPlane(
        Parts parts, TemplateReader template, FunctionLogs logs, Stores stores, HttpGateway publicApi, HttpGateway privateApi, PanelBalancer panel,
        SlackServer slack, DataPlanes dataPlanes, FunctionProcesses functions, FunctionEnvironment environment, Pace pace, RunOptions options)
    {
        (_parts, _stores, _functions) = (parts, stores, functions);
        (Template, Logs, PublicApi, PrivateApi, Panel, Slack, DataPlanes, Environment, Pace, Region) = (
            template, logs, publicApi, privateApi, panel, slack, dataPlanes, environment, pace, options.Region);
        ControlPlaneUrl = UrlOf(options, publicApi);
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

    /// <summary>The public API as the world has it: a tunnel's host where Slack itself comes through one.</summary>
    public Uri ControlPlaneUrl { get; }

    public HttpGateway PrivateApi { get; }

    public PanelBalancer Panel { get; }

    public SlackServer Slack { get; }

    public DataPlanes DataPlanes { get; }

    public Pace Pace { get; }

    public string Region { get; }

    public IReadOnlyDictionary<string, FunctionHost> Functions => _functions.ById;

    public FunctionEnvironment Environment { get; }

    /// <summary>The demo tenant's; null without demo data.</summary>
    public TenantMachine? Machine => DataPlanes.MachineOf(DemoData.Tenant);

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
        var pace = new Pace();
        var state = Path.GetFullPath(options.State);
        parts.Keep(StateFolder.Claim(state));
        var logs = parts.Keep(new FunctionLogs(Path.Combine(state, "logs"), clock));

        say("starting the tables, the queues and the secrets …");
        var stores = await Stores.StartAsync(options, state, template, parts, pace, say, clock, cancel);
        var registry = new TenantRegistry(stores.DynamoClient, stores.Tables["TenantsTable"]);
        var auditor = new AuditTrail(stores.DynamoClient, stores.Tables["AuditTable"], clock).For(Actor.Parse("local:run"), "run");
        DemoData.WriteSecrets(stores.Secrets.Vault, "SlackSecret", "TokenRootSecret", options.Empty ? Guid.NewGuid().ToString("N") : DemoData.SigningSecret);
        if (!options.Empty && await DemoData.WriteAsync(registry, clock, cancel))
        {
            var installations = new SlackInstallations(stores.DynamoClient, stores.Tables["TenantsTable"], clock);
            await DemoData.InstallAsync(installations, stores.Secrets.Vault.Get("SlackSecret", null, null).Text, auditor, clock, cancel);
        }

        say("starting the gateways and the peered network …");
        var routes = RouteTable.Of(template.Functions.Select(function => function.Project.Split('/').Last()).Distinct().Select(Assembly.Load));
        var routing = new RoutingTable(options.Source, Path.Combine(state, "routes"));
        var functions = new FunctionProcesses();
        var publicApi = parts.Keep(
            await HttpGateway.StartPublicAsync(routes.Public, functions.InvokeAsync, options.Port, () => OriginValueIn(stores.Secrets), clock));
        var privateApi = parts.Keep(await HttpGateway.StartPrivateAsync(routes.Private, functions.InvokeAsync, options.PrivatePort, routing.SourceOf, clock));
        var authority = LocalAuthority.Create(state, clock);
        var panel = parts.Keep(await PanelBalancer.StartAsync(functions.InvokeAsync, options.PanelPort, authority.Issue(PanelBalancer.KeysHost), clock));
        routing.Add($"{PanelBalancer.KeysHost}:443", panel.KeysPort);
        var slack = parts.Keep(await StartSlackAsync(options, state, stores, publicApi.Endpoint, authority, clock));
        foreach (var host in SlackServer.Hosts)
        {
            if (options.SlackHost is null)
                routing.Add($"{host}:443", slack.Port);
            else
                routing.AddAsItIs($"{host}:443");
        }
        var dataPlanes = parts.Keep(
            new DataPlanes(
                registry, new EnrolmentStore(stores.DynamoClient, stores.Tables["TenantsTable"], clock), auditor, options.Engines, routing, privateApi.Endpoint, logs,
                Path.Combine(state, "machines"), options.Machines, pace, clock));
        await dataPlanes.StartEnginesAsync(cancel);

        say("starting the functions …");
        var environment = new FunctionEnvironment(
            template, stores, options, UrlOf(options, publicApi), privateApi.Endpoint, routing, authority, slack.Endpoint);
        parts.Keep(functions);
        await functions.StartAsync(template, options.Published, environment.Of, logs, pace, clock);
        functions.Feed(template, stores, clock);
        await functions.ReadyAsync(logs, pace, say, clock, cancel);

        parts.Keep(await dataPlanes.StartMachinesAsync(cancel));
        var local = new LocalControlPlane(
            parts, template, logs, stores, publicApi, privateApi, panel, slack, dataPlanes, functions, environment, pace, options);
        parts.Keep(Endpoints.Write(state, local));
        publicApi.Open();
        return local;
    }

    private static Uri UrlOf(RunOptions options, HttpGateway publicApi) => options.SlackHost is { } host ? new($"https://{host}") : publicApi.Endpoint;

    private static Task<SlackServer> StartSlackAsync(
        RunOptions options, string state, Stores stores, Uri publicApi, LocalAuthority authority, TimeProvider clock)
    {
        var slack = new SlackState(() => SlackApp.Of(stores.Secrets.Vault.Get("SlackSecret", null, null).Text, publicApi), clock);
        if (!options.Empty)
            slack.Add(new(DemoData.Workspace, "Demo workspace"));
        return SlackServer.StartAsync(slack, authority.Issue([.. SlackServer.Hosts]), Path.Combine(state, "slack.jsonl"));
    }

    private static string OriginValueIn(SecretsServer secrets)
    {
        using var secret = JsonDocument.Parse(secrets.Vault.Get("SlackSecret", null, null).Text);
        return secret.RootElement.GetProperty("origin_verify").GetString()!;
    }
}
