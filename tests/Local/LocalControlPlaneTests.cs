using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Http;
using ControlPlane.Local.DataPlane;
using ControlPlane.Local.Demo;
using ControlPlane.Local.Hub;
using ControlPlane.Local.Output;
using ControlPlane.Local.Processes;
using ControlPlane.Local.Runtime;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;
using Spectre.Console;

namespace ControlPlane.Tests.Local;

/// <summary>The whole of it, with every function as its own process.</summary>
[Trait("Length", "long")]
public sealed class LocalControlPlaneTests : IAsyncLifetime
{
    private readonly string _state = Directory.CreateTempSubdirectory("control-plane-").FullName;
    private LocalControlPlane _local = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _local = await StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _local.DisposeAsync();
        Directory.Delete(_state, recursive: true);
    }

    [Fact]
    public async Task Both_flows_reach_their_end_and_nothing_listens_outside_this_machine()
    {
        var shown = new StringWriter();
        var screen = new Screen(AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(shown) }));
        await new CommandFlow(_local, screen, TimeProvider.System).PlayAsync(Cancel);
        await new HeartbeatFlow(_local, screen, TimeProvider.System).PlayAsync(Cancel);

        Assert.Equal(15 + 10, shown.ToString().Split('\n').Count(line => line.Contains(" ms  ", StringComparison.Ordinal)));
        Assert.All(ListenersOfThisTree(), listener => Assert.True(IPAddress.IsLoopback(listener.Address), listener.ToString()));
    }

    [Fact]
    public async Task With_a_tunnel_Slack_itself_is_dialled_and_nothing_else_outside()
    {
        await using var local = await LocalControlPlane.StartAsync(
            new(
                Path.Combine(_state, "tunnel"), Port: 0, PrivatePort: 0, Empty: true, new Dictionary<string, IPEndPoint>(), DemoData.Engine.Address,
                Published: null, SlackHost: "hub.example.com"), _ => { }, TimeProvider.System, Cancel);
        var installation = local.Environment.Of(local.Template.Functions.Single(function => function.Id == "SlackInstallationFunction"));
        Assert.Equal(("https://hub.example.com", null, null), (installation["CONTROL_PLANE_URL"], installation["SLACK_URL"], installation["SSL_CERT_FILE"]));
        var routes = ConnectRoutes.Parse(installation["CONNECT_ROUTES"]);
        foreach (var host in (string[])["slack.com", "hooks.slack.com"])
            Assert.Equal(new DnsEndPoint(host, 443), routes.Of(new(host, 443)));
        Assert.Throws<NotRoutedException>(() => routes.Of(new("example.com", 443)));
        Assert.Equal("https://hub.example.com", (string?)JsonNode.Parse(
            await File.ReadAllTextAsync(Path.Combine(_state, "tunnel", "endpoints.json"), Cancel))!["control_plane_url"]);

        var plain = _local.Environment.Of(_local.Template.Functions.Single(function => function.Id == "SlackInstallationFunction"));
        Assert.Equal(_local.Slack.Endpoint.ToString(), plain["SLACK_URL"]);
        Assert.NotNull(plain["SSL_CERT_FILE"]);
        Assert.All((string[])["slack.com", "hooks.slack.com"], host => Assert.Equal(
            new IPEndPoint(IPAddress.Loopback, _local.Slack.Port), ConnectRoutes.Parse(plain["CONNECT_ROUTES"]).Of(new(host, 443))));
    }

    [Fact]
    public async Task The_demos_workspace_has_its_bot()
    {
        // A busy machine may be late for Slack once.
        for (var attempt = 1; attempt <= 10 && _local.Slack.State.Views.Count == 0; attempt++)
            await Record.ExceptionAsync(() => _local.Slack.People.OpenHomeAsync(DemoData.Workspace, DemoData.User));
        Assert.Contains($"\"{DemoData.Workflow} ", Assert.Single(_local.Slack.State.Views).Json.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Killing_every_function_while_a_command_is_under_way_loses_nothing()
    {
        using var slack = new SlackUser(_local.PublicApi.Endpoint, TimeProvider.System);
        var told = new TaskCompletionSource();
        _local.Slack.State.Shown += _ => told.TrySetResult();
        var command = slack.Type($"run {DemoData.Workflow}");
        Assert.Equal(200, (await slack.PostAsync(command, DemoData.SigningSecret, Cancel)).Status);
        foreach (var function in _local.Functions.Values)
        {
            using var process = Process.GetProcessById(function.ProcessId!.Value);
            process.Kill();
        }

        await told.Task.WaitAsync(TimeSpan.FromMinutes(5), Cancel);
        var executions = new ExecutionStore(_local.DynamoClient, _local.Tables["ExecutionsTable"], _local.Tables["QuotasTable"], TimeProvider.System);
        Assert.Equal(ExecutionState.Succeeded, (await executions.FindAsync(ExecutionId.Of(DemoData.Workspace, command.TriggerId), Cancel))!.State);
        Assert.All(_local.Functions.Values, function => Assert.Equal(2, function.Starts));
    }

    [Fact]
    public async Task A_restart_finds_what_was_there_and_tools_find_the_addresses()
    {
        var before = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(_state, "endpoints.json"), Cancel))!;
        Assert.Equal(_local.PublicApi.Endpoint, new Uri((string)before["public_api"]!));
        Assert.Equal(LocalCloud.Template.Tables.Count, before["tables"]!.AsObject().Count);
        var secret = _local.Secrets.Vault.Get("SlackSecret", null, null).VersionId;
        await Assert.ThrowsAsync<CannotStart>(StartAsync);    // one at a time on one folder

        await _local.DisposeAsync();
        Assert.False(File.Exists(Path.Combine(_state, "endpoints.json")));
        _local = await StartAsync();
        Assert.Equal(secret, _local.Secrets.Vault.Get("SlackSecret", null, null).VersionId);
        Assert.NotNull(await new TenantRegistry(_local.DynamoClient, _local.Tables["TenantsTable"]).FindAsync(DemoData.Tenant, Cancel));
    }

    [Fact]
    public async Task Whoever_is_told_that_it_is_well_finds_its_addresses_there()
    {
        await _local.DisposeAsync();
        var port = LoopbackServer.FreePort();
        var file = Path.Combine(_state, "endpoints.json");
        using var http = new HttpClient();
        using var started = new CancellationTokenSource();
        var polling = Task.Run(async () =>
        {
            var seen = new List<(int Status, bool IsThere)>();
            while (!started.IsCancellationRequested && !seen.Exists(one => one.Status == 200))
            {
                try
                {
                    using var health = await http.GetAsync(new Uri($"http://127.0.0.1:{port}/health"), Cancel);
                    seen.Add(((int)health.StatusCode, File.Exists(file)));
                }
                catch (HttpRequestException)
                {
                    // Nothing listens yet.
                }
            }
            return seen;
        }, Cancel);
        _local = await StartAsync(port);
        await started.CancelAsync();

        var answers = await polling;
        Assert.Contains(answers, one => one.Status == 503);                 // it was asked before it was ready
        Assert.DoesNotContain((200, false), answers);
    }

    [Fact]
    public async Task The_gateways_refuse_as_theirs_do_and_a_client_cannot_set_the_origin_header()
    {
        using var http = new HttpClient();
        using var publicMiss = await http.GetAsync(new Uri(_local.PublicApi.Endpoint, "/nothing"), Cancel);
        using var privateMiss = await http.PostAsync(new Uri(_local.PrivateApi.Endpoint, "/tenants/tenant-43/jwks.json"), null, Cancel);
        Assert.Equal((404, """{"message":"Not Found"}"""), ((int)publicMiss.StatusCode, await publicMiss.Content.ReadAsStringAsync(Cancel)));
        Assert.Equal(
            (403, """{"message":"Missing Authentication Token"}"""), ((int)privateMiss.StatusCode, await privateMiss.Content.ReadAsStringAsync(Cancel)));

        // 401 and not 403: the header that CloudFront adds is there, whatever the client sent.
        using var forged = new HttpRequestMessage(
            HttpMethod.Post,
            new Uri(_local.PublicApi.Endpoint, "/slack/commands"))
        { Headers = { { "x-origin-verify", "guess" } }, Content = new FormUrlEncodedContent([]) };
        using var answer = await http.SendAsync(forged, Cancel);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);

        using var health = await http.GetAsync(new Uri(_local.PublicApi.Endpoint, "/health"), Cancel);
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        Assert.Contains($"\"version\":\"{Release.Version}\"", await health.Content.ReadAsStringAsync(Cancel));
    }

    /// <summary>From a console's test button, a keep-warm ping or another service: whoever may invoke a function may hand it anything.</summary>
    [Fact]
    public async Task An_event_that_is_none_gets_an_answer_and_one_line_from_every_function()
    {
        string[] events =
        [
            "\"a word\"", "5", "null", "[]", "[1]", "{}", """{"key1":"value1"}""", """{"Records":null}""", """{"Records":"x"}""", """{"body":5,"headers":[]}""",
            """{"requestContext":null,"httpMethod":null}""",
        ];
        var lines = new List<FunctionLine>();
        _local.Logs.Printed += line => { lock (lines) lines.Add(line); };
        foreach (var function in _local.Functions.Values.Where(one => one.Id != "SweeperFunction"))      // which is asked nothing
            foreach (var text in events)
            {
                lock (lines)
                    lines.Clear();
                var result = await function.InvokeAsync(Encoding.UTF8.GetBytes(text));
                var answered = Assert.IsType<InvocationResult.Answered>(result);
                Assert.Matches("\"statusCode\":4[0-9][0-9]|\"batchItemFailures\":\\[\\]", Encoding.UTF8.GetString(answered.Payload));
                await Task.Delay(20, Cancel);           // what it printed comes by another way
                lock (lines)
                    Assert.True(
                        lines.Count(line => line.Function == function.Id && !line.Text.StartsWith("{\"_aws\"", StringComparison.Ordinal)) == 1,
                        $"{function.Id} on {text}: {string.Join('\n', lines)}");
            }
    }

    private Task<LocalControlPlane> StartAsync() => StartAsync(port: 0);

    private Task<LocalControlPlane> StartAsync(int port) => LocalControlPlane.StartAsync(
        new(
            _state, Port: port, PrivatePort: 0, Empty: false, new Dictionary<string, IPEndPoint>(), DemoData.Engine.Address,
            Published: null), _ => { }, TimeProvider.System, Cancel);

    /// <summary>What this process and the programs it started listen on; others on this machine are no concern of ours.</summary>
    private static IEnumerable<IPEndPoint> ListenersOfThisTree()
    {
        var sockets = Sockets(Environment.ProcessId).Concat(ChildrenOf(Environment.ProcessId).SelectMany(Sockets)).ToHashSet();
        var listeners = new[] { "/proc/net/tcp", "/proc/net/tcp6" }
            .SelectMany(file => File.ReadLines(file).Skip(1))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields[3] == "0A" && sockets.Contains(fields[9]))
            .Select(fields => Endpoint(fields[1]))
            .ToList();
        Assert.True(listeners.Count > 10, "the check must see our own servers");
        return listeners;
    }

    private static IEnumerable<int> ChildrenOf(int process) =>
        WhileItLives(() => Directory.GetDirectories($"/proc/{process}/task"))
            .SelectMany(task => WhileItLives(() => File.ReadAllText(Path.Combine(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries)))
            .Select(int.Parse).SelectMany(child => ChildrenOf(child).Prepend(child));

    private static IEnumerable<string> Sockets(int process) =>
        WhileItLives(() => Directory.GetFiles($"/proc/{process}/fd")).SelectMany(file => WhileItLives(() => [new FileInfo(file).LinkTarget ?? ""]))
            .Where(target => target.StartsWith("socket:[", StringComparison.Ordinal)).Select(target => target["socket:[".Length..^1]);

    /// <summary>A process may end while it is read, and a thread, and a file may be closed: then there is nothing to read.</summary>
    private static string[] WhileItLives(Func<string[]> read)
    {
        try { return read(); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return []; }
    }

    private static IPEndPoint Endpoint(string hex)
    {
        // Each group of four bytes is in the machine's own order.
        var bytes = Convert.FromHexString(hex.Split(':')[0]);
        for (var i = 0; i < bytes.Length; i += 4) Array.Reverse(bytes, i, 4);
        var address = new IPAddress(bytes);
        return new(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, Convert.ToInt32(hex.Split(':')[1], 16));
    }
}
