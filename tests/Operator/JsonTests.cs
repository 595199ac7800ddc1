using System.Text.RegularExpressions;
using ControlPlane.Audit;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Operator;

/// <summary>What <c>--output json</c> prints, kept as files: scripts read it.</summary>
public sealed partial class JsonTests(LocalCloud cloud)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_answer_is_as_scripts_know_it()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        var shown = new List<(string File, string Output)>();

        await ShowAsync("tenant-register", "tenant register tenant-7 --name Acme --slack-team T0007 --engine 10.106.128.10:5678");
        await ShowAsync("tenant-limits", "tenant limits tenant-7 --monthly-gpu 100h");
        await ShowAsync("slack-link", "slack link tenant-7 T0008");
        await ShowAsync(
            "key-add", "key add tenant-7 --public-key 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= --instance i-1 --not-after 2027-01-01T00:00:00Z");
        await ShowAsync("key-list", "key list tenant-7");
        await ShowAsync("group-set", "group set tenant-7 ops --user T0007/U1 --user T0007/U2");
        await ShowAsync("group-list", "group list tenant-7");
        await ShowAsync("workflow-publish", "workflow publish tenant-7 wf_sched --param city:string:required:maxlen=100 --param size:enum:values=small|large:default=small --deadline 90m --allow-group ops --allow-channel C1");
        await ShowAsync("workflow-list", "workflow list tenant-7");
        await ShowAsync("tenant-list", "tenant list");
        await ShowAsync("tenant-show", "tenant show tenant-7");
        await ShowAsync("engine-key", "engine-key tenant-7");

        var execution = await RunOneAsync(ctl);
        await ShowAsync("execution-list", "execution list tenant-7");
        await ShowAsync("execution-show", $"execution show {execution.Id}");
        await ShowAsync("execution-why", $"execution why {execution.Id}");
        await ShowAsync("usage", "usage tenant-7");
        await ShowAsync("usage-history", "usage tenant-7 --history 2");
        await ShowAsync("schedule-add", "schedule add tenant-7 wf_sched '0 8 * * 1-5' --zone Europe/Berlin --param city=Paris --tell T0007/C1 --idempotency-key k1");
        await ShowAsync("schedule-list", "schedule list tenant-7");
        var schedule = ScheduleId.OfOperator(OperatorFixture.Seven, "k1");
        await ShowAsync("schedule-show", $"schedule show {schedule}");
        await ShowAsync("schedule-pause", $"schedule pause {schedule}");
        await ShowAsync("quota-recount", "quota recount tenant-7");
        await ShowAsync("quota-owner", "quota owner us-east-1");
        var epoch = ctl.Clock.Now.ToUnixTimeSeconds() - 600;
        await ctl.SampleAsync(ctl.Clock.Now.AddMinutes(-9), epoch, 1, new(7500, 0));
        await ctl.SampleAsync(ctl.Clock.Now.AddMinutes(-7), epoch, 3, new(22500, 100));
        await ctl.SampleAsync(ctl.Clock.Now.AddMinutes(-5), epoch + 240, 1, new(7500, 0));
        await ShowAsync("metering", "metering tenant-7");
        await ShowAsync("instance-list", "instance list tenant-7");
        await ShowAsync("instance-show", "instance show tenant-7 i-1");
        await ShowAsync("instance-reset", "instance reset tenant-7 i-1");
        await ctl.Queues.Client.SendMessageAsync(
            ctl.Queues.Urls["DispatchDeadLetters"], $$"""{"execution_id":"{{execution.Id}}","tenant_id":"tenant-7"}""", Cancel);
        await ShowAsync("health", "health --exit-zero");
        await ShowAsync("dlq-list", "dlq list dispatch");
        await ShowAsync("dlq-redrive", "dlq redrive dispatch");
        using var west = new Region(ctl, "us-west-2");
        await ShowAsync("dr-status", $"dr status --standby-state {west.Folder}");
        await ShowAsync("dr-failover", $"dr failover --plan --standby-state {west.Folder}");
        await ShowAsync("execution-start", "execution start tenant-7 wf_sched --param city=Paris --idempotency-key k1");
        await ShowAsync("execution-cancel", $"execution cancel {(await ctl.QueueExecutionAsync("t2")).Id}");
        await new AuditTrail(ctl.Tables.Client, ctl.Tables.Audit, ctl.Clock).For(Actor.OfSubject("00u1a2b3"), "a request", "jane@example.com")
            .NoteAsync("tenant.limits", OperatorFixture.Seven, "tenant-7", [AuditedValue.Of("monthly_gpu_ms", null, "3600000")], Cancel);
        await ShowAsync("audit", "audit --actor oidc:00u1a2b3");
        await ShowAsync("tenant-remove", "tenant remove tenant-7");

        Assert.Multiple([.. shown.Select(one => (Action)(() => Golden.Matches($"Golden/{one.File}", one.Output)))]);
        var folder = Path.Combine(RepositoryRoot.Find(), "tests", "Operator", "Golden");
        Assert.Equal(Directory.GetFiles(folder, "*.json").Select(Path.GetFileName).Order(), shown.Select(one => one.File).Order());

        async Task ShowAsync(string name, string line) =>
            shown.Add(($"{name}.json", Chance().Replace((await ctl.DoAsync($"{line} --output json")).Output.TrimEnd('\n'), "$1…")));
    }

    /// <summary>Refused once by a booting engine, taken, finished; one heartbeat.</summary>
    private static async Task<Execution> RunOneAsync(OperatorFixture ctl)
    {
        var lease = TimeSpan.FromSeconds(30);
        var queued = await ctl.QueueExecutionAsync();
        var first = Assert.IsType<Claim.Held>(await ctl.Executions.ClaimAsync(queued.Id, OperatorFixture.Seven, "one", lease, Cancel)).Execution;
        await ctl.Executions.RecordAttemptAsync(first, Signal.Deferred, new(1, ctl.Clock.Now, 2, new AttemptResult.Again(), null), notFound: false, Cancel);
        ctl.Clock.Advance(TimeSpan.FromSeconds(2));
        var second = Assert.IsType<Claim.Held>(await ctl.Executions.ClaimAsync(queued.Id, OperatorFixture.Seven, "two", lease, Cancel)).Execution;
        await ctl.Executions.RecordAttemptAsync(second, Signal.Accepted, new(2, ctl.Clock.Now, 12, new AttemptResult.Accepted(), 200), notFound: false, Cancel);
        ctl.Clock.Advance(TimeSpan.FromSeconds(3));
        await ctl.Executions.FinishAsync(
            queued, new(OutcomeStatus.Succeeded, ctl.Clock.Now, ctl.Clock.Now, "8123", new(1200, 10, 5, 6), new("done", null), null), "00", Cancel);
        await ctl.BeatAsync(totals: new(7500, 0));
        return queued;
    }

    // The queue server has its own clock and makes up its own ids; who calls is whoever runs the tests.
    [GeneratedRegex("""("(?:message_id|sent_at|age_ms|caller)": )[^,\n]+""")]
    private static partial Regex Chance();
}
