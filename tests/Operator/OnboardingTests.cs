using System.Diagnostics;
using System.Text.Json;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Operator;

/// <summary><c>tenant onboard</c> and <c>offboard</c>, killed and gone on with; the tenant's account and the hub's network are moto's, by the AWS
/// CLI.</summary>
public sealed class OnboardingTests(LocalCloud cloud)
{
    private const string Account = "222222222222";

    // To AWS a package is a file.
    private static readonly string Host =
        $"--account {Account} --package {Path.Combine(RepositoryRoot.Find(), "LICENSE")} --private-api https://vpce-1.example/v1 --url https://api.example.com";

    private static readonly string Onboard =
        $"tenant onboard tenant-7 --name Acme --slack-invite --monthly-quota 500 {Host} --role arn:aws:iam::{Account}:role/onboarding";

    private static readonly string[] Steps = ["number", "data-plane", "peering", "routes", "registration", "sidecar", "heartbeat", "catalogue", "slack", "run"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Length", "long")]
    public async Task Killed_at_every_step_it_goes_on_and_ends_the_same_and_the_way_back_asks_before_it_loses_data()
    {
        Assert.SkipUnless(Script.Exists("python3"), "python3 is not installed");
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        ctl.Clock.Now = TimeProvider.System.GetUtcNow();       // the tool runs as a process, by the real time
        await using var moto = await HubOnMoto.StartAsync();
        await BeHeardOfAsync(ctl);
        await BeServedAsync(ctl);

        // Each time killed as the next step begins: one step further, and what was said need not be said again.
        for (var at = 1; at < Steps.Length; at++)
        {
            // The mock's first create fails, as AWS fails for want of a quota: it is said, and the rest of it is in nobody's way.
            if (at == 2)
            {
                var failed = await moto.CtlAsync(ctl, "tenant onboard tenant-7 --output json");
                Assert.Equal((1, "data-plane"), (failed.Exit, failed.Json.GetProperty("stopped_at").GetString()));
                Assert.Equal("ROLLBACK_COMPLETE", await moto.StackAsync("dp-tenant-7", Account));
            }
            var line = at == 1 ? Onboard : "tenant onboard tenant-7";
            Assert.True(await moto.KilledAtAsync(ctl, line, $"{at + 1}/{Steps.Length} {Steps[at]}:"), $"{Steps[at]} did not begin.");
            Assert.Equal(Steps[..at], Done(await moto.CtlAsync(ctl, "tenant onboard tenant-7 --status --output json")));
        }
        var ended = await moto.CtlAsync(ctl, "tenant onboard tenant-7 --output json");
        Assert.True(ended.Exit == 0, ended.Error + ended.Output);
        Assert.Equal(("done", Steps.Length), (ended.Json.GetProperty("state").GetString(), Done(ended).Count));
        Assert.Contains("SUCCEEDED", ended.Output, StringComparison.Ordinal);

        var tenant = await ctl.Registry.FindAsync(OperatorFixture.Seven, Cancel);
        Assert.Equal(
            ("Acme", TenantStatus.Active, "10.106.128.10", 500, new AwsIdentity(Account, await moto.OutputAsync("dp-tenant-7", "EngineRoleName", Account))),
            (tenant!.Name, tenant.Status, tenant.Engine.ToString(), tenant.Limits.MonthlyQuota, tenant.Aws!));
        Assert.Equal("CREATE_COMPLETE", await moto.StackAsync("dp-tenant-7", Account));
        Assert.Equal("CREATE_COMPLETE", await moto.StackAsync("peering-tenant-7", HubOnMoto.Account));
        Assert.Equal(3, await moto.RoutesAsync("10.106.128.0/18"));

        // The way back.
        await ctl.QueueExecutionAsync("open one");
        var waits = await moto.CtlAsync(ctl, "tenant offboard tenant-7 --wait 1s --output json");
        Assert.Equal((1, "drain"), (waits.Exit, waits.Json.GetProperty("stopped_at").GetString()));
        Assert.Equal(TenantStatus.Suspended, (await ctl.Registry.FindAsync(OperatorFixture.Seven, Cancel))!.Status);
        await EndAsync(ctl, ExecutionId.Of("T0007", "open one"));
        var asks = await moto.CtlAsync(ctl, "tenant offboard tenant-7 --output json");
        Assert.Equal((1, "remove"), (asks.Exit, asks.Json.GetProperty("stopped_at").GetString()));
        Assert.NotEmpty((await ctl.Registry.CatalogueAsync(OperatorFixture.Seven, Cancel))!.Workflows);
        Assert.Equal("CREATE_COMPLETE", await moto.StackAsync("dp-tenant-7", Account));

        foreach (var (number, step) in new[] { (4, "routes"), (5, "data-plane") })
            Assert.True(await moto.KilledAtAsync(ctl, "tenant offboard tenant-7 --yes-delete-data", $"{number}/5 {step}:"), $"{step} did not begin.");
        var gone = await moto.CtlAsync(ctl, "tenant offboard tenant-7 --yes-delete-data --output json");
        Assert.True(gone.Exit == 0, gone.Error + gone.Output);
        Assert.Equal(TenantStatus.Deleting, (await ctl.Registry.FindAsync(OperatorFixture.Seven, Cancel))!.Status);
        Assert.Empty((await ctl.Registry.CatalogueAsync(OperatorFixture.Seven, Cancel))!.Workflows);
        Assert.Equal(("", ""), (await moto.StackAsync("dp-tenant-7", Account), await moto.StackAsync("peering-tenant-7", HubOnMoto.Account)));
        Assert.Equal(0, await moto.RoutesAsync("10.106.128.0/18"));

        var again = await moto.CtlAsync(ctl, "tenant onboard tenant-7 --name Other --output json");
        Assert.Equal((1, "number"), (again.Exit, again.Json.GetProperty("stopped_at").GetString()));
        Assert.Contains("free again", again.Output, StringComparison.Ordinal);

        // By hand: what is printed, typed in the tenant's account.
        var printed = await moto.CtlAsync(ctl, $"tenant onboard tenant-8 --name Eight {Host} --print --output json");
        await moto.ShellAsync(string.Join('\n', printed.Json.GetProperty("commands").EnumerateArray().Select(one => one.GetString()).SkipLast(1)), Account);
        Assert.Equal("CREATE_COMPLETE", await moto.StackAsync("dp-tenant-8", Account));
        var full = await moto.CtlAsync(ctl, $"tenant onboard tenant-10 --name Ten {Host} --peering-limit 1 --output json");
        Assert.Contains("active peerings, and may have 1. Delete", full.Json.GetProperty("why").GetString(), StringComparison.Ordinal);
        var peering = await moto.OutputAsync("dp-tenant-8", "PeeringId", Account);
        var byHand = await moto.CtlAsync(ctl, $"tenant onboard tenant-8 --name Eight --account {Account} --peering-id {peering} --wait 0s --output json");
        Assert.Equal(["number", "data-plane", "peering", "routes", "registration"], Done(byHand));
    }

    /// <summary>Half done at AWS it may be; but nobody else goes on with it, and what a script of ours started ends as well.</summary>
    [Theory]
    [InlineData(true), InlineData(false)]
    public async Task However_the_tool_ends_the_AWS_CLI_that_it_waits_for_ends_too(bool atOnce)
    {
        Assert.SkipWhen(!atOnce && IsCtrlCIgnored(), "whoever started these tests has them ignore Ctrl-C, and what they start");
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        var folder = Directory.CreateTempSubdirectory("slow-aws-").FullName;
        try
        {
            // Whatever it is asked, it takes long, and so does what it starts.
            await File.WriteAllTextAsync(Path.Combine(folder, "aws"), $"#!/bin/sh\nsleep 600 & touch {folder}/called\nwait\n", Cancel);
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(Path.Combine(folder, "aws"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
            await using var tool = StartedProgram.Start(
                ["dotnet", Path.Combine(AppContext.BaseDirectory, "ControlPlane.Operator.dll"), .. Onboard.Split(' '), "--state", ctl.Folder],
                new Dictionary<string, string> { ["PATH"] = $"{folder}:{Environment.GetEnvironmentVariable("PATH")}" }, Cancel);
            await tool.UntilAsync(() => File.Exists(Path.Combine(folder, "called")));
            Assert.True(tool.LeftBehind().Count >= 2);

            if (atOnce)
                tool.Kill();
            else
                tool.Interrupt();

            Assert.NotEqual(0, await tool.EndAsync());
            await tool.UntilAsync(() => tool.LeftBehind().Count == 0);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // A shell has what it starts in the background ignore it: the second bit of a mask.
    private static bool IsCtrlCIgnored() =>
        File.Exists("/proc/self/status")
        && (Convert.ToInt32(File.ReadLines("/proc/self/status").Single(line => line.StartsWith("SigIgn:", StringComparison.Ordinal))[^1..], 16) & 2) != 0;

    [Fact]
    public async Task A_plan_shows_every_step_and_does_none()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        var plan = await ctl.DoAsync($"{Onboard} --plan --output json");

        Assert.Equal(Steps, plan.Json.GetProperty("steps").EnumerateArray().Select(step => step.GetProperty("step").GetString()));
        Assert.Equal("open", plan.Json.GetProperty("state").GetString());
        Assert.Null(await ctl.Registry.FindAsync(OperatorFixture.Seven, Cancel));
        Assert.Null(await new StepSeriesStore(ctl.Tables.Client, ctl.Tables.Tenants).FindAsync(OperatorFixture.Seven, Cancel));
        Assert.Equal(["remove"], (await ctl.DoAsync("tenant offboard tenant-7 --plan --output json")).Json.GetProperty("steps").EnumerateArray()
            .Where(step => step.GetProperty("loses_data").GetBoolean()).Select(step => step.GetProperty("step").GetString()));
    }

    [Fact]
    public async Task A_step_that_cannot_be_done_says_why_and_nothing_behind_it_is_begun()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        (await ctl.SayAsync("tenant onboard tenant-7")).Refuses(1, "--name");
        (await ctl.SayAsync("tenant onboard tenant-7 --name Acme --account 22")).Refuses(2, "twelve digits");
        (await ctl.SayAsync("tenant onboard tenant-7 --name Acme --from nowhere")).Refuses(1, "number, registration, sidecar, heartbeat, catalogue, run");

        await ctl.DoAsync("tenant register tenant-7 --name Other --engine 10.106.128.10:5678");
        var taken = await ctl.SayAsync("tenant onboard tenant-7 --name Acme");
        Assert.Equal(1, taken.Exit);
        Assert.Contains("Stopped at number: tenant-7 is Other's already", taken.Output, StringComparison.Ordinal);
        Assert.Contains("./ctl tenant onboard tenant-7 goes on there", taken.Output, StringComparison.Ordinal);
        Assert.Contains(
            "1 tenants are registered, and the hub may have 1 peerings", (await ctl.SayAsync("tenant onboard tenant-9 --name Nine --peering-limit 1")).Output,
            StringComparison.Ordinal);

        (await ctl.SayAsync("tenant onboard tenant-9 --name Nine --print")).Refuses(1, "--account");
    }

    [Fact]
    public async Task A_step_is_done_again_from_where_it_is_said_and_one_of_two_operators_at_work_is_told()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await BeHeardOfAsync(ctl);
        // Nobody serves the run: 0 seconds of patience end the series there.
        var stopped = await ctl.SayAsync("tenant onboard tenant-7 --name Acme --wait 0s --output json");
        Assert.Equal("run", stopped.Json.GetProperty("stopped_at").GetString());
        await ctl.Tables.Client.DeleteItemAsync(ctl.Tables.Tenants, new() { ["pk"] = new("tenant-7"), ["sk"] = new("WORKFLOW#wf_sched") }, Cancel);
        await ctl.SayAsync("tenant onboard tenant-7 --wait 0s --from catalogue");
        Assert.NotNull(await ctl.Registry.FindWorkflowAsync(OperatorFixture.Seven, WorkflowName.Parse("wf_sched"), Cancel));

        var store = new StepSeriesStore(ctl.Tables.Client, ctl.Tables.Tenants);
        var seen = (await store.FindAsync(OperatorFixture.Seven, Cancel))!;
        Assert.NotNull(await store.TrySaveAsync(seen, Cancel));
        Assert.Null(await store.TrySaveAsync(seen, Cancel));
    }

    private static IReadOnlyList<string> Done(Said said) => [.. said.Json.GetProperty("steps").EnumerateArray()
        .Where(step => step.GetProperty("state").GetString() == "done").Select(step => step.GetProperty("step").GetString()!)];

    /// <summary>What a host that came up has left behind: a key, and a heartbeat of a moment ago.</summary>
    private static async Task BeHeardOfAsync(OperatorFixture ctl)
    {
        await ctl.Registry.TryAddAsync(new(KeyIds.Of("k"), OperatorFixture.Seven, "i-1", new byte[32], ctl.Clock.GetUtcNow(), null, null), Cancel);
        await ctl.BeatAsync();
    }

    /// <summary>Functions, an engine and its sidecar: whatever is ordered has succeeded a moment later, and a heartbeat is never old.</summary>
    private static Task BeServedAsync(OperatorFixture ctl)
    {
        _ = ServeAsync();
        return Task.CompletedTask;

        async Task ServeAsync()
        {
            long counter = 1, epoch = ctl.Clock.Now.ToUnixTimeSeconds() - 60;
            while (!Cancel.IsCancellationRequested)
            {
                // However slow the machine is.
                if (TimeProvider.System.GetUtcNow() - ctl.Clock.Now >= TimeSpan.FromMinutes(1))
                {
                    ctl.Clock.Now = TimeProvider.System.GetUtcNow();
                    await ctl.BeatAsync(++counter, epoch: epoch);
                }
                var received = await ctl.Queues.Client.ReceiveMessageAsync(
                    new Amazon.SQS.Model.ReceiveMessageRequest { QueueUrl = ctl.Queues.Urls["ExecutionRequestsQueue"], WaitTimeSeconds = 1 }, Cancel);
                foreach (var message in received.Messages ?? [])
                {
                    var order = JsonSerializer.Deserialize(message.Body, DomainJson.Default.ExecutionRequest)!;
                    await ctl.CreateAsync(ExecutionId.Parse(order.ExecutionId), OperatorFixture.Seven);
                    await EndAsync(ctl, ExecutionId.Parse(order.ExecutionId));
                }
            }
        }
    }

    private static async Task EndAsync(OperatorFixture ctl, ExecutionId id) => await ctl.Executions.FinishAsync(
        (await ctl.Executions.FindAsync(id, Cancel))!,
        new(OutcomeStatus.Succeeded, ctl.Clock.Now, ctl.Clock.Now, "1", new(1, 0, 0, 0), new("done", null), null), "00", Cancel);
}

/// <summary>AWS on loopback: <c>hub-on-moto.py</c>.</summary>
internal sealed class HubOnMoto : IAsyncDisposable
{
    public const string Account = "111111111111";

    private readonly Process _server;
    private readonly (string Name, string Value)[] _environment;

    private HubOnMoto(Process server, (string Name, string Value)[] environment) => (_server, _environment) = (server, environment);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static string Tool => Path.Combine(AppContext.BaseDirectory, "ControlPlane.Operator.dll");

    public static async Task<HubOnMoto> StartAsync()
    {
        var server = Process.Start(new ProcessStartInfo("python3", [Path.Combine(RepositoryRoot.Find(), "tests/Operator/hub-on-moto.py")])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _ = server.StandardError.ReadToEndAsync(Cancel);
        var line = await server.StandardOutput.ReadLineAsync(Cancel) ?? "";
        if (line.StartsWith("SKIPPED", StringComparison.Ordinal))
            Assert.Skip(line);
        var words = line.Split(' ');
        Assert.True(words.Length == 4, "The mock of AWS did not start.");
        return new(server,
        [
            ("AWS_ENDPOINT_URL", words[0]), ("AWS_ACCESS_KEY_ID", words[1]), ("AWS_SECRET_ACCESS_KEY", words[2]), ("AWS_SESSION_TOKEN", words[3]),
            ("AWS_CONFIG_FILE", "/dev/null"), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"), ("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_PAGER", ""),
            ("AWS_DEFAULT_REGION", "us-east-1"),
        ]);
    }

    /// <summary>The tool as a process of its own.</summary>
    public async Task<Said> CtlAsync(OperatorFixture ctl, string line)
    {
        using var process = Start("dotnet", [Tool, .. line.Split(' '), "--state", ctl.Folder]);
        var said = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(Cancel), process.StandardError.ReadToEndAsync(Cancel));
        await process.WaitForExitAsync(Cancel);
        return new(process.ExitCode, said[0], said[1]);
    }

    /// <returns>Whether it said so; it was killed without a warning then.</returns>
    public async Task<bool> KilledAtAsync(OperatorFixture ctl, string line, string said)
    {
        using var process = Start("dotnet", [Tool, .. line.Split(' '), "--state", ctl.Folder]);
        while (await process.StandardError.ReadLineAsync(Cancel) is { } text)
        {
            if (!text.StartsWith(said, StringComparison.Ordinal))
                continue;
            process.Kill();
            await process.WaitForExitAsync(Cancel);
            return true;
        }
        return false;
    }

    /// <returns>A stack's status; empty where there is none.</returns>
    public async Task<string> StackAsync(string name, string account) =>
        (await ShellAsync($"aws cloudformation describe-stacks --stack-name {name} --query 'Stacks[0].StackStatus' --output text", account)).Trim();

    public async Task<string> OutputAsync(string name, string output, string account) => (await ShellAsync(
        $"aws cloudformation describe-stacks --stack-name {name} --query \"Stacks[0].Outputs[?OutputKey=='{output}'].OutputValue\" --output text", account)).Trim();

    /// <summary>Commands, in a checkout, as somebody of that account.</summary>
    public Task<string> ShellAsync(string commands, string account) => ShellAsync($"""
        cd {RepositoryRoot.Find()}
        read -r AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN < <(aws sts assume-role --role-arn arn:aws:iam::{account}:role/test \
            --role-session-name test --output text --query 'Credentials.[AccessKeyId, SecretAccessKey, SessionToken]')
        {commands}
        """);

    /// <returns>How many of the hub's routes lead there.</returns>
    public async Task<int> RoutesAsync(string range) => (await ShellAsync(
        $"aws ec2 describe-route-tables --query 'RouteTables[].Routes[].DestinationCidrBlock' --output text")).Split('\t', '\n').Count(one => one == range);

    public async ValueTask DisposeAsync()
    {
        _server.StandardInput.Close();
        await _server.WaitForExitAsync(CancellationToken.None);
        _server.Dispose();
    }

    private async Task<string> ShellAsync(string command)
    {
        using var process = Start("bash", ["-c", command]);
        _ = process.StandardError.ReadToEndAsync(Cancel);
        var said = await process.StandardOutput.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        return said;
    }

    private Process Start(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var (name, value) in _environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }
}
