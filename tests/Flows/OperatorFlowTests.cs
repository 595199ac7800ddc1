using System.Net;
using System.Text.Json;
using ControlPlane.Executions;
using ControlPlane.Local.DataPlane;
using ControlPlane.Local.Demo;
using ControlPlane.Local.Hub;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Tenants;

namespace ControlPlane.Tests.Flows;

/// <summary>From nothing to a result in Slack, with the operator's own commands and every function as its own process.</summary>
[Trait("Length", "long")]
public sealed class OperatorFlowTests : IDisposable
{
    private readonly string _state = Directory.CreateTempSubdirectory("control-plane-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_tenant_that_the_operator_registers_has_an_engine_and_a_sidecar_at_once_and_runs_a_workflow_from_Slack()
    {
        await using var local = await StartAsync();
        await CtlAsync($"tenant register tenant-7 --name Acme --slack-team {DemoData.Workspace} --engine 10.106.128.10:5678 --monthly-quota 2");
        await CtlAsync($"group set tenant-7 ops --user {DemoData.User}");
        await CtlAsync("workflow publish tenant-7 wf_sched --path wf_sched --param city:string:required --deadline 60m --allow-group ops");
        await UntilHealthyAsync();
        Assert.Equal("i-local-tenant-7", (await CtlAsync("key list tenant-7")).GetProperty("keys")[0].GetProperty("instance").GetString());

        // The machine registered its key itself, over the private API, with a code that was used up by it.
        var invitation = Assert.Single((await CtlAsync("key invites tenant-7")).GetProperty("invitations").EnumerateArray());
        var key = (await CtlAsync("key list tenant-7")).GetProperty("keys")[0].GetProperty("key_id").GetString();
        Assert.Equal(("used", key), (invitation.GetProperty("state").GetString(), invitation.GetProperty("used_by").GetString()));

        var (id, told) = await RunAsync(local, "run wf_sched city=Paris");
        Assert.Contains("wf_sched", told, StringComparison.Ordinal);
        var why = await CtlAsync($"execution why {id}");
        Assert.Equal("SUCCEEDED", why.GetProperty("execution").GetProperty("state").GetString());
        Assert.Equal(["accepted"], why.GetProperty("attempts").EnumerateArray().Select(attempt => attempt.GetProperty("result").GetString()));
        Assert.Equal((1, 1), Used(await CtlAsync("usage tenant-7")));

        await CtlAsync("tenant suspend tenant-7");
        var (_, answer) = await PostAsync(local, "run wf_sched city=Rome");
        Assert.Contains("suspended", answer, StringComparison.Ordinal);
        Assert.Equal((1, 1), Used(await CtlAsync("usage tenant-7")));
    }

    [Fact]
    public async Task One_command_takes_a_tenant_in_up_to_a_run_that_succeeded_and_one_takes_it_out()
    {
        await using var local = await StartAsync();
        var began = TimeProvider.System.GetTimestamp();
        var onboarded = await CtlAsync("tenant onboard tenant-7 --name Acme --monthly-quota 5");
        var took = TimeProvider.System.GetElapsedTime(began);

        Assert.Equal("done", onboarded.GetProperty("state").GetString());
        Assert.Contains("SUCCEEDED", onboarded.GetProperty("steps").EnumerateArray().Last().GetProperty("result").GetString(), StringComparison.Ordinal);
        Assert.Equal((1, 4), Used(await CtlAsync("usage tenant-7")));
        TestContext.Current.SendDiagnosticMessage($"onboarded in {took.TotalSeconds:0.0} s");

        // Said again it does nothing, and another run is made where it is asked for.
        Assert.Equal("done", (await CtlAsync("tenant onboard tenant-7")).GetProperty("state").GetString());
        Assert.Equal((1, 4), Used(await CtlAsync("usage tenant-7")));

        Assert.Equal("stopped", (await AskAsync("tenant offboard tenant-7")).Output.GetProperty("state").GetString());
        Assert.Equal("done", (await CtlAsync("tenant offboard tenant-7 --yes-delete-data")).GetProperty("state").GetString());
        await UntilAsync(() => local.DataPlanes.EngineOf(Tenant) is null);
    }

    [Fact]
    public async Task A_tenant_whose_engine_moves_or_who_is_removed_is_followed()
    {
        await using var local = await StartAsync();
        await CtlAsync($"tenant register tenant-7 --name Acme --slack-team {DemoData.Workspace} --engine 10.106.128.10:5678");
        await CtlAsync("workflow publish tenant-7 wf_sched --path wf_sched");
        await UntilHealthyAsync();
        var machine = local.DataPlanes.MachineOf(Tenant)!;

        await CtlAsync("tenant engine tenant-7 10.106.128.11:5678");
        await UntilAsync(() => local.DataPlanes.MachineOf(Tenant) is { } now && now != machine);
        var (id, _) = await RunAsync(local, "run wf_sched");
        Assert.Equal("SUCCEEDED", (await CtlAsync($"execution why {id}")).GetProperty("execution").GetProperty("state").GetString());

        await CtlAsync("tenant remove tenant-7");
        await UntilAsync(() => local.DataPlanes.EngineOf(Tenant) is null);
        Assert.DoesNotContain("10.106", await File.ReadAllTextAsync(Path.Combine(_state, "routes"), Cancel), StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_state, recursive: true);

    private static TenantId Tenant { get; } = TenantId.Parse("tenant-7");

    private Task UntilHealthyAsync() => UntilAsync(
        async () => (await AskAsync("health")).Output.GetProperty("tenants")[0].GetProperty("liveness").ToString() == "HEALTHY");

    private static Task UntilAsync(Func<bool> shows) => UntilAsync(() => Task.FromResult(shows()));

    private static async Task UntilAsync(Func<Task<bool>> showsAsync)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while (!await showsAsync())
            await Task.Delay(TimeSpan.FromMilliseconds(200), patience.Token);
    }

    private Task<LocalControlPlane> StartAsync() => LocalControlPlane.StartAsync(
        new(
            _state, Port: 0, PrivatePort: 0, Empty: true, new Dictionary<string, IPEndPoint>(), DemoData.Engine.Address,
            Published: null), _ => { }, TimeProvider.System, Cancel);

    private async Task<JsonElement> CtlAsync(string line)
    {
        var (exit, output, error) = await AskAsync(line);
        Assert.True(exit == 0, $"{line}: {error}");
        return output;
    }

    private async Task<(int Exit, JsonElement Output, string Error)> AskAsync(string line)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var runner = new Runner(output, error, () => Page.On(output, isTerminal: false, width: 0), clear: () => { }, TimeProvider.System);
        var exit = await new ControlPlane.Operator.CtlCommandLine(runner).RunAsync([.. line.Split(' '), "--output", "json", "--state", _state], Cancel);
        return (exit, output.ToString() is { Length: > 0 } json ? JsonElement.Parse(json) : default, error.ToString());
    }

    /// <returns>The execution, and what its requester was told in the end.</returns>
    private static async Task<(ExecutionId Id, string Told)> RunAsync(LocalControlPlane local, string text)
    {
        var told = new TaskCompletionSource<string>();
        local.Slack.State.Shown += message => told.TrySetResult(message.Text);
        var (command, _) = await PostAsync(local, text);
        return (ExecutionId.Of(DemoData.Workspace, command.TriggerId), await told.Task.WaitAsync(local.Pace.Of(TimeSpan.FromSeconds(60)), Cancel));
    }

    private static async Task<(SlashCommand Command, string Answer)> PostAsync(LocalControlPlane local, string text)
    {
        using var secret = JsonDocument.Parse(local.Secrets.Vault.Get("SlackSecret", null, null).Text);
        using var slack = new SlackUser(local.PublicApi.Endpoint, TimeProvider.System);
        var command = slack.Type(text);
        var (status, answer) = await slack.PostAsync(command, secret.RootElement.GetProperty("signing_secret").GetString()!, Cancel);
        Assert.Equal(200, status);
        return (command, answer?.ToJsonString() ?? "");
    }

    private static (long Used, long Left) Used(JsonElement usage) =>
        (usage.GetProperty("usage")[0].GetProperty("used").GetInt64(), usage.GetProperty("usage")[0].GetProperty("left").GetInt64());
}
