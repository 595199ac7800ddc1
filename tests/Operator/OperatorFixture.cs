using System.Text.Json;
using System.Text.Json.Nodes;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Local.Secrets;
using ControlPlane.Metering;
using ControlPlane.Operator;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Operator;

/// <summary>The tool as it is called, in this process, against tables, queues and secrets of its own that it finds through an <c>endpoints.json</c>.</summary>
internal sealed class OperatorFixture : IAsyncDisposable
{
    public static readonly TenantId Seven = TenantId.Parse("tenant-7");

    private readonly string _folder = Directory.CreateTempSubdirectory("ctl-").FullName;
    private readonly SecretsServer _secrets;

    private OperatorFixture(TestTables tables, TestQueues queues, SecretsServer secrets, SetClock clock)
    {
        (Tables, Queues, _secrets, Clock) = (tables, queues, secrets, clock);
        Registry = new(tables.Client, tables.Tenants);
        Executions = new(tables.Client, tables.Executions, tables.Quotas, clock);
    }

    public TestTables Tables { get; }

    public TestQueues Queues { get; }

    public SecretVault Secrets => _secrets.Vault;

    public SetClock Clock { get; }

    public TenantRegistry Registry { get; }

    public ExecutionStore Executions { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<OperatorFixture> StartAsync(LocalCloud cloud)
    {
        var clock = new SetClock(new(2026, 11, 5, 10, 0, 0, TimeSpan.Zero));
        var ctl = new OperatorFixture(await cloud.TablesAsync(), await cloud.QueuesAsync(), await SecretsServer.StartAsync(null, clock), clock);

        ctl.Secrets.Put("TokenRootSecret", """{"root":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}""", "v1", create: true);
        File.WriteAllText(Path.Combine(ctl._folder, "endpoints.json"), new JsonObject
        {
            ["process_id"] = Environment.ProcessId,
            ["control_plane_url"] = "https://api.example.com",
            ["dynamodb"] = ctl.Tables.Endpoint.ToString(),
            ["sqs"] = (await cloud.QueueEndpointAsync()).ToString(),
            ["secrets_manager"] = ctl._secrets.Endpoint.ToString(),
            ["region"] = "us-east-1",
            ["tables"] = Texts(ctl.Tables.Names),
            ["queues"] = Texts(ctl.Queues.Urls),
            ["secrets"] = new JsonObject { ["TokenRootSecret"] = "TokenRootSecret", ["SlackSecret"] = "SlackSecret" },
        }.ToJsonString());
        return ctl;
    }

    /// <param name="line">Words as a shell would hand them over; one in single quotes may hold blanks.</param>
    /// <returns>What was said, hints without the state folder.</returns>
    public async Task<Said> SayAsync(string line)
    {
        var said = await SayAsync(Clock, [.. Words(line), "--state", _folder]);
        return said with { Output = Placeless(said.Output), Error = Placeless(said.Error) };

        string Placeless(string text) => text.Replace($"./ctl --state {_folder} ", "./ctl ", StringComparison.Ordinal);
    }

    /// <summary>On a terminal of so many columns.</summary>
    public Task<Said> ShowAsync(string line, int width) => SayAsync(Clock, width, Cancel, new StringWriter(), [.. Words(line), "--state", _folder]);

    /// <summary>Until it is stopped.</summary>
    /// <param name="output">What was said so far.</param>
    public Task<Said> WatchAsync(string line, CancellationToken stop, out Func<string> output)
    {
        var writer = new StringWriter();
        output = writer.ToString;
        return SayAsync(Clock, null, stop, writer, [.. Words(line), "--watch", "--state", _folder]);
    }

    /// <summary>Where its <c>endpoints.json</c> is.</summary>
    public string Folder => _folder;

    /// <summary>Without naming a place.</summary>
    public static Task<Said> SayAsync(TimeProvider clock, params string[] args) => SayAsync(clock, null, Cancel, new StringWriter(), args);

    private static async Task<Said> SayAsync(TimeProvider clock, int? width, CancellationToken cancel, StringWriter output, string[] args)
    {
        var error = new StringWriter();
        var runner = new Runner(output, error, () => Page.On(output, isTerminal: width is not null, width ?? 0), clear: () => output.WriteLine("(cleared)"), clock);
        var exit = await new CtlCommandLine(runner).RunAsync(args, cancel);
        return new(exit, output.ToString(), error.ToString());
    }

    /// <summary>For what a test only needs to be there.</summary>
    public async Task<Said> DoAsync(string line)
    {
        var said = await SayAsync(line);
        Assert.True(said.Exit == 0, $"{line}: {said.Error}");
        return said;
    }

    public Task<Said> RegisterAsync() => DoAsync("tenant register tenant-7 --name Acme --slack-team T0007 --engine 10.106.128.10:5678");

    public Task<Execution> QueueExecutionAsync(string trigger = "t1", TenantId? tenant = null, string workflow = "wf_sched") =>
        CreateAsync(ExecutionId.Of("T0007", trigger), tenant ?? Seven, workflow);

    public async Task<Execution> CreateAsync(ExecutionId id, TenantId tenant, string workflow = "wf_sched")
    {
        using var inputs = JsonDocument.Parse("""{"city":"a secret of the tenant"}""");
        var execution = new Execution
        {
            Id = id,
            Tenant = tenant,
            Workflow = WorkflowName.Parse(workflow),
            RequestedBy = Requesters.OfSlack("T0007", "U0001", "C0001"),
            State = ExecutionState.Queued,
            CreatedAt = Clock.Now,
            DeadlineAt = Clock.Now + TimeSpan.FromHours(1),
            Month = Month.Of(Clock.Now),
            Inputs = inputs.RootElement.Clone(),
            Decision = new(true, "allowed", "Allowed.", [new("tenant active", Judgement.Allow, "tenant_active", "The tenant is active.")]),
        };
        Assert.IsType<Creation.Created>(await Executions.CreateAsync(
            execution, new(id, execution.Tenant, WebhookPath.Of(execution.Workflow), [1], "a token", Clock.Now + TimeSpan.FromMinutes(10)), TenantLimits.Default,
            Cancel));
        return execution;
    }

    /// <summary>As policy leaves a request that it refuses.</summary>
    public async Task DenyAsync(ExecutionRequest request) => Assert.IsType<Creation.Created>(await Executions.CreateDeniedAsync(new()
    {
        Id = ExecutionId.Parse(request.ExecutionId),
        Tenant = TenantId.Parse(request.TenantId),
        Workflow = WorkflowName.Parse(request.Workflow),
        RequestedBy = request.RequestedBy,
        State = ExecutionState.Denied,
        CreatedAt = Clock.Now,
        DeadlineAt = Clock.Now + TimeSpan.FromHours(1),
        Month = Month.Of(Clock.Now),
        Inputs = request.Inputs,
    }, Cancel));

    public Task SampleAsync(DateTimeOffset sampledAt, long epoch, long counter, ComputeTime totals, string instance = "i-1", TenantId? tenant = null) =>
        new MeteringStore(Tables.Client, Tables.Metering, Clock).PutAsync(
            new(tenant ?? Seven, InstanceId.Parse(instance), epoch, counter, sampledAt, TimeSpan.FromSeconds(60), totals, "{}", KeyIds.Of("k")), Cancel);

    /// <summary>Books a heartbeat that is taken now.</summary>
    /// <param name="epoch">One that began a minute ago when left out.</param>
    public Task<Booking> BeatAsync(
        long counter = 1, ComputeTime totals = default, string instance = "i-1", long? epoch = null, DateTimeOffset? gpuUnreadableSince = null) =>
        new InstanceStore(Tables.Client, Tables.Instances, Clock).BookAsync(
            new()
            {
                Tenant = Seven,
                Instance = InstanceId.Parse(instance),
                Epoch = epoch ?? Clock.Now.ToUnixTimeSeconds() - 60,
                Counter = counter,
                SampledAt = Clock.Now,
                Interval = TimeSpan.FromSeconds(60),
                Totals = totals,
                BodyHash = $"{counter}",
                Machine = new(4, 1),
                Metrics = "{}",
                KeyId = KeyIds.Of("k"),
                GpuUnreadableSince = gpuUnreadableSince,
            },
            TenantLimits.StandardInstances, Clock.Now, Cancel);

    public async ValueTask DisposeAsync()
    {
        await _secrets.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static IEnumerable<string> Words(string line) =>
        line.Split('\'').SelectMany((part, i) => i % 2 == 1 ? [part] : part.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    private static JsonObject Texts(IReadOnlyDictionary<string, string> texts) => new(texts.Select(one => KeyValuePair.Create(one.Key, (JsonNode?)one.Value)));
}

/// <summary>What the tool answered.</summary>
internal sealed record Said(int Exit, string Output, string Error)
{
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    /// <summary>It refused: one line that names the mend, and nothing on the output.</summary>
    public void Refuses(int exit, params IEnumerable<string> words)
    {
        Assert.Equal((exit, ""), (Exit, Output));
        Assert.Single(Error.TrimEnd('\n').Split('\n'));
        Assert.StartsWith("ctl: ", Error, StringComparison.Ordinal);
        Assert.All(words, word => Assert.Contains(word, Error, StringComparison.Ordinal));
    }
}
