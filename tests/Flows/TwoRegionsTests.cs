using System.Diagnostics;
using System.Net;
using System.Text.Json;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Local.DataPlane;
using ControlPlane.Local.Demo;
using ControlPlane.Local.DynamoDb;
using ControlPlane.Local.Hub;
using ControlPlane.Local.Preparation;
using ControlPlane.Operator;
using ControlPlane.Operator.Output;
using ControlPlane.Quotas;

namespace ControlPlane.Tests.Flows;

/// <summary>The rehearsal of infra/README.md, "Disaster recovery in us-west-2": two control planes as <c>./run</c> starts them, over one set of tables, in two
/// regions.</summary>
[Trait("Length", "long")]
public sealed class TwoRegionsTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly string _folder = Directory.CreateTempSubdirectory("control-plane-regions-").FullName;
    private DynamoDbLocal _tables = null!;

    private string East => Path.Combine(_folder, "east");

    private string West => Path.Combine(_folder, "west");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _tables = await DynamoDbLocal.StartAsync(cancel: Cancel);

    public async ValueTask DisposeAsync()
    {
        await _tables.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_region_that_dies_is_taken_over_from_and_gets_its_place_back_and_nothing_is_lost_or_doubled()
    {
        var east = await StartAsync(East, "us-east-1");
        await using var west = await StartAsync(West, "us-west-2");
        Assert.Equal(("us-east-1", "settled"), Of(await CtlAsync("dr status")));
        await SucceedsAsync(east, "run wf_sched city=Paris");
        await LedgerIsAsync(charged: 1, used: 1, underWay: 0);

        // Before anybody decides, the second region answers Slack and starts nothing.
        Assert.Contains("moving to another region", await ToldAsync(west, "run wf_sched city=Rome"), StringComparison.Ordinal);
        await LedgerIsAsync(charged: 1, used: 1, underWay: 0);

        // What the first region has in hand when it dies: accepted, charged, its message in a queue that dies too.
        using (var queues = east.QueueServer.NewClient())
            await queues.SetQueueAttributesAsync(east.Queues["DispatchQueue"].Url, new() { ["DelaySeconds"] = "30" }, Cancel);
        var inHand = await PostAsync(east, "run wf_sched city=Oslo");
        await UntilAsync(async () => await FindAsync(west, inHand) is { State: ExecutionState.Queued });
        var (port, privatePort) = (east.PublicApi.Endpoint.Port, east.PrivateApi.Endpoint.Port);
        await east.DisposeAsync();
        Assert.Contains("us-east-1 does not answer", await RefusedAsync("dr failover"), StringComparison.Ordinal);
        await CtlAsync("dr failover --lost");
        Assert.Equal(("us-west-2", "settled"), Of(await CtlAsync("dr status")));
        await SucceedsAsync(west, "run wf_sched city=Lima");
        await LedgerIsAsync(charged: 3, used: 2, underWay: 1);
        Assert.Contains("us-east-1 cannot take over", await RefusedAsync("dr failback"), StringComparison.Ordinal);

        // It comes back, and finds its message. It does the work and may not book it; nor does it start anything until it has its place back.
        await using var back = await StartAsync(East, "us-east-1", port, privatePort);
        await UntilAsync(async () => await FindAsync(back, inHand) is { State: ExecutionState.Succeeded, ToldAt: not null });
        Assert.Contains("moving to another region", await ToldAsync(back, "run wf_sched city=Bonn"), StringComparison.Ordinal);
        await LedgerIsAsync(charged: 3, used: 2, underWay: 1);

        await CtlAsync("dr failback");
        Assert.Equal(("us-east-1", "settled"), Of(await CtlAsync("dr status")));
        await LedgerIsAsync(charged: 3, used: 3, underWay: 0);
        await SucceedsAsync(back, "run wf_sched city=Kyiv");
        await LedgerIsAsync(charged: 4, used: 4, underWay: 0);
        Assert.All(
            [await CtlAsync("dr failback"), await CtlAsync("dr failover --plan")],
            said => Assert.Contains(said.GetProperty("steps").EnumerateArray(), step => step.GetProperty("result").GetString() is "was so" or "to do"));
    }

    private async Task<LocalControlPlane> StartAsync(string state, string region, int port = 0, int privatePort = 0)
    {
        if (region == "us-west-2")
        {
            // As Secrets Manager copies them.
            StateFolder.CreateFolder(state);
            File.Copy(Path.Combine(East, "secrets.json"), Path.Combine(state, "secrets.json"));
        }
        return await LocalControlPlane.StartAsync(
            new(
                state, port, privatePort, Empty: false, new Dictionary<string, IPEndPoint>(), DemoData.Engine.Address, Published: null, Region: region,
                Tables: _tables), _ => { }, TimeProvider.System, Cancel);
    }

    private async Task<JsonElement> CtlAsync(string line)
    {
        var (exit, output, error) = await SayAsync(line);
        Assert.True(exit == 0, $"{line}: {error}");
        return JsonElement.Parse(output);
    }

    private async Task<string> RefusedAsync(string line)
    {
        var (exit, _, error) = await SayAsync(line);
        Assert.Equal(1, exit);
        return error;
    }

    private async Task<(int Exit, string Output, string Error)> SayAsync(string line)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var runner = new ControlPlane.Operator.Running.Runner(
            output, error, () => Page.On(output, isTerminal: false, width: 0), clear: () => { }, TimeProvider.System);
        var exit = await new CtlCommandLine(runner).RunAsync([.. line.Split(' '), "--output", "json", "--state", East, "--standby-state", West], Cancel);
        return (exit, output.ToString(), error.ToString());
    }

    private static (string?, string?) Of(JsonElement status) => (status.GetProperty("active").GetString(), status.GetProperty("state").GetString());

    private async Task LedgerIsAsync(long charged, long used, int underWay)
    {
        // What ends is booked a moment before its user is told.
        var ledger = new QuotaLedger(_tables.NewClient(), "QuotasTable");
        var month = await ledger.MonthAsync(DemoData.Tenant, Month.Of(TimeProvider.System.GetUtcNow()), Cancel);
        Assert.Equal((charged, used, underWay), (month.Charged, month.Used, await ledger.ActiveAsync(DemoData.Tenant, Cancel)));
    }

    private static Task<Execution?> FindAsync(LocalControlPlane local, SlashCommand command) =>
        new ExecutionStore(local.DynamoClient, local.Tables["ExecutionsTable"], local.Tables["QuotasTable"], TimeProvider.System)
            .FindAsync(ExecutionId.Of(DemoData.Workspace, command.TriggerId), Cancel);

    private static async Task SucceedsAsync(LocalControlPlane local, string text)
    {
        var command = await PostAsync(local, text);
        await UntilAsync(async () => await FindAsync(local, command) is { ToldAt: not null });
        var ended = await FindAsync(local, command);
        Assert.Equal((ExecutionState.Succeeded, 1), (ended!.State, ended.Attempts.Count));
    }

    /// <returns>What its user is told in the end.</returns>
    private static async Task<string> ToldAsync(LocalControlPlane local, string text)
    {
        var told = new TaskCompletionSource<string>();
        using var slack = new SlackUser(local.PublicApi.Endpoint, TimeProvider.System);
        var command = slack.Type(text);
        local.Slack.State.Shown += message =>
        {
            if (message.By == command.ResponsePath)
                told.TrySetResult(message.Text);
        };
        await PostAsync(slack, command);
        return await told.Task.WaitAsync(Patience, Cancel);
    }

    private static async Task<SlashCommand> PostAsync(LocalControlPlane local, string text)
    {
        using var slack = new SlackUser(local.PublicApi.Endpoint, TimeProvider.System);
        var command = slack.Type(text);
        await PostAsync(slack, command);
        return command;
    }

    private static async Task PostAsync(SlackUser slack, SlashCommand command) =>
        Assert.Equal(200, (await slack.PostAsync(command, DemoData.SigningSecret, Cancel)).Status);

    private static async Task UntilAsync(Func<Task<bool>> showsAsync)
    {
        for (var waited = Stopwatch.StartNew(); !await showsAsync(); await Task.Delay(TimeSpan.FromMilliseconds(100), Cancel))
            Assert.True(waited.Elapsed < Patience, "It does not come.");
    }
}
