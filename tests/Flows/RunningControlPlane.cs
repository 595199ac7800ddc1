using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Local.DataPlane;
using ControlPlane.Local.Demo;
using ControlPlane.Local.Hub;
using ControlPlane.Local.SmallSlack;
using ControlPlane.SlackHandler.Notifications;
using ControlPlane.Tenants;

namespace ControlPlane.Tests.Flows;

/// <summary>The control plane as <c>./run --no-demo</c> starts it: every function a process of its own. One for all the tests of its class.</summary>
public sealed class RunningControlPlane : IAsyncLifetime
{
    /// <summary>Runs the small engine's workflow, and may be handed over twice.</summary>
    internal const string Repeatable = "wf_flows";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly string _state = Directory.CreateTempSubdirectory("control-plane-flows-").FullName;
    private readonly ConcurrentQueue<ShownMessage> _told = [];

    /// <summary>Where it keeps its state, for the operator's commands.</summary>
    internal string State => _state;

    internal LocalControlPlane Local { get; private set; } = null!;

    internal SlackUser Slack { get; private set; } = null!;

    internal ExecutionStore Executions => new(Local.DynamoClient, Local.Tables["ExecutionsTable"], Local.Tables["QuotasTable"], TimeProvider.System);

    internal IEnumerable<ShownMessage> Told => _told;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Local = await LocalControlPlane.StartAsync(
            new(
                _state, Port: 0, PrivatePort: 0, Empty: false, new Dictionary<string, IPEndPoint>(), DemoData.Engine.Address,
                Published: null), _ => { }, TimeProvider.System, Cancel);
        Local.Slack.State.Shown += _told.Enqueue;
        Slack = new(Local.PublicApi.Endpoint, TimeProvider.System);

        // A teller that dies leaves its claim: its message is to come again soon after that has run out, not after the template's visibility.
        using var sqs = Local.QueueServer.NewClient();
        var visibility = TellRequester.Lease + TimeSpan.FromSeconds(1);
        await sqs.SetQueueAttributesAsync(Local.Queues["NotificationsQueue"].Url, new() { ["VisibilityTimeout"] = $"{visibility.TotalSeconds}" }, Cancel);
        await new TenantRegistry(Local.DynamoClient, Local.Tables["TenantsTable"]).SaveAsync(
            DemoData.Tenant,
            new Workflow(
                WorkflowName.Parse(Repeatable), WebhookPath.Of(WorkflowName.Parse(Repeatable)), [new("city", ParameterType.String)], TimeSpan.FromMinutes(30),
                Idempotent: true,
                Enabled: true, [], [], []),
            Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        Slack.Dispose();
        await Local.DisposeAsync();
        Directory.Delete(_state, recursive: true);
    }

    /// <summary>What each function has printed since it started, line by line.</summary>
    internal IReadOnlyDictionary<string, IReadOnlyList<string>> Printed() => Directory.GetFiles(Local.Logs.Folder).ToDictionary(
        file => Path.GetFileNameWithoutExtension(file),
        IReadOnlyList<string> (file) =>
        {
            using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        });

    internal static ExecutionId ExecutionOf(SlashCommand command) => ExecutionId.Of(DemoData.Workspace, command.TriggerId);

    /// <summary>Waits until the user was told how it ended.</summary>
    internal async Task<Execution> EndOfAsync(SlashCommand command)
    {
        Execution? found = null;
        for (var waited = Stopwatch.StartNew(); waited.Elapsed < Patience; await Task.Delay(TimeSpan.FromMilliseconds(100), Cancel))
        {
            found = await Executions.FindAsync(ExecutionOf(command), Cancel);
            if (found is { ToldAt: not null })
                return found;
        }

        var printed = Printed().SelectMany(
            log => log.Value.Where(line => line.Contains($"{ExecutionOf(command)}") || line.Contains("\"Error\"")).Select(line => $"{log.Key}: {line}"));
        Assert.Fail($"{Encoding.UTF8.GetString(command.Body)}: {found?.State.ToString() ?? "no execution"}, and nobody was told within {Patience}.\n{string.Join('\n', printed)}");
        throw new UnreachableException();
    }

    internal IEnumerable<ShownMessage> ToldAbout(SlashCommand command) => _told.Where(message => message.By == command.ResponsePath);
}
