using System.CommandLine;
using System.Text.Json;
using System.Text.RegularExpressions;
using ControlPlane.Audit;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Operator;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Schedules;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;
using ControlPlane.Timetables;

namespace ControlPlane.Tests.Operator;

/// <summary>Every table, at the widths that terminals have, with the longest that may stand in it.</summary>
public sealed partial class TablesTests(LocalCloud cloud)
{
    private const string LongWorkflow = "a_workflow_whose_name_is_as_long_as_a_name_may_be_which_is_64_ch";
    private const string LongInstance = "an-instance-whose-name-is-as-long-as-it-may-be-64-characters-all";

    private static readonly string[] Commands =
    [
        "tenant list", "tenant show tenant-156", "tenant limits tenant-156", "workflow list tenant-156", "key list tenant-156", "group list tenant-156",
        "execution list tenant-156", "execution show EXECUTION", "execution why EXECUTION", "usage", "usage --history 2", "schedule list tenant-156", "schedule show SCHEDULE", "quota recount tenant-156", "metering tenant-156",
        "instance list tenant-156", $"instance show tenant-156 {LongInstance}", "audit --actor slack:T0156/U0123456789", "health --exit-zero", "dlq list", "dlq redrive dispatch --dry-run",
        "tenant onboard tenant-9 --name Acme --account 222222222222 --slack-invite --plan", "tenant offboard tenant-156 --plan", "slack invites tenant-156", "key invites tenant-156", "dr status --standby-state WEST", "dr failover --plan --standby-state WEST", "dr failback --plan --standby-state WEST",
    ];

    // What they say fits, or is one line: they change something, or print for a program.
    private static readonly string[] WithoutTables =
    [
        "tenant register", "tenant engine", "tenant account", "tenant channel", "tenant rename", "tenant suspend", "tenant resume", "tenant remove", "slack link", "slack unlink", "slack invite", "slack revoke", "slack reseal",
        "key add", "key invite", "key withdraw", "key revoke", "engine-key", "secret rotate", "workflow publish", "workflow disable", "group set", "quota owner", "instance reset",
        "dlq redrive", "completion", "execution start", "execution again", "execution wait", "execution cancel",
        "schedule add", "schedule pause", "schedule resume", "schedule remove",
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(80), InlineData(120)]
    public async Task No_id_and_no_state_folds_and_no_line_is_wider_than_the_terminal(int width)
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        using var west = new Region(ctl, "us-west-2");
        var (execution, ids) = await FillAsync(ctl);
        var shown = new List<string>();
        foreach (var command in Commands)
        {
            var said = await ctl.ShowAsync(
                command.Replace("EXECUTION", execution, StringComparison.Ordinal).Replace("SCHEDULE", LongSchedule.ToString(), StringComparison.Ordinal)
                .Replace("WEST", west.Folder, StringComparison.Ordinal), width);
            Assert.True(said.Exit == 0, $"{command}: {said.Error}");
            shown.Add($"$ ./ctl {command}\n{Steady(command, said.Output)}");

            Assert.All(said.Output.Split('\n'), line => Assert.True(line.Length <= width, $"{command}: {line}"));
            // A part of an id that is not the whole of it was cut or folded.
            foreach (var id in ids)
                Assert.True(
                    !said.Output.Contains(id[..8], StringComparison.Ordinal) || said.Output.Contains(id, StringComparison.Ordinal), $"{command}: {id} is not whole.");
            foreach (var state in ExecutionStates.All.Select(state => state.Name).Where(state => state != "QUEUED"))     // QUEUE is a heading
                Assert.DoesNotMatch($@"\b{state[..^1]}\b(?!{state[^1]})", said.Output);
        }
        Golden.Matches($"Golden/tables-{width}.txt", string.Join('\n', shown).Replace(" \n", "\n", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_command_that_shows_a_table_is_among_them()
    {
        var covered = Commands.Concat(WithoutTables).ToList();
        var runner = new Runner(TextWriter.Null, TextWriter.Null, () => Page.On(TextWriter.Null, isTerminal: false, 0), () => { }, TimeProvider.System);
        Assert.All(
            Leaves(new CtlCommandLine(runner).Root, ""),
            leaf => Assert.Contains(covered, command => command == leaf || command.StartsWith($"{leaf} ", StringComparison.Ordinal)));
    }

    [Fact]
    public void Less_important_columns_go_first_and_where_nothing_is_left_to_go_there_is_a_line_for_each()
    {
        Column[] columns = ["ID", new("MADE", 2), new("BY", 1), Column.Prose("WORDS")];
        Assert.Equal([0, 1, 2, 3], Column.Fitting(columns, [10, 10, 10, 100], 56));
        Assert.Equal([0, 2, 3], Column.Fitting(columns, [10, 10, 10, 100], 55));
        Assert.Equal([0, 3], Column.Fitting(columns, [10, 10, 10, 100], 32));
        Assert.Null(Column.Fitting(columns, [10, 10, 10, 100], 31));

        var output = new StringWriter();
        Page.On(output, isTerminal: true, width: 20).Table(["ID", "STATE"], [["exec_0123456789", "SUCCEEDED"]]);
        Assert.Equal(["ID     exec_0123456789", "STATE  SUCCEEDED"], output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.TrimEnd()));
    }

    private static IEnumerable<string> Leaves(Command command, string path) => command.Subcommands.Count == 0
        ? [path]
        : command.Subcommands.SelectMany(one => Leaves(one, path.Length == 0 ? one.Name : $"{path} {one.Name}"));

    private static readonly ScheduleId LongSchedule = ScheduleId.OfOperator(TenantId.Parse("tenant-156"), "longest");

    private static async Task AddScheduleAsync(OperatorFixture ctl, TenantId tenant)
    {
        const string cron = "0,15,30,45 8-18 1-15 JAN-JUN MON-FRI", zone = "America/Argentina/ComodRivadavia";
        var planned = Timetable.Parse(cron, zone).NextAfter(ctl.Clock.Now)!.Value;
        var schedule = new Schedule
        {
            Tenant = tenant,
            Workflow = WorkflowName.Parse(LongWorkflow),
            Cron = cron,
            Zone = zone,
            Inputs = JsonElement.Parse("""{"city":"Paris"}"""),
            Owner = Requesters.OfSchedule("T0156", "U0123456789", "C0123456789") with { ScheduleId = LongSchedule },
            MadeAt = ctl.Clock.Now,
            NextAt = planned,
        };
        var store = new Aws.ScheduleStore(ctl.Tables.Client, ctl.Tables.Executions, ctl.Clock);
        await store.TryAddAsync(schedule, ctl.Tables.Auditor, Cancel);
        Firing[] noted = [new(planned.AddDays(-2), FiringKind.Missed, planned.AddDays(-1)), new(planned, FiringKind.Ordered)];
        var settled = await store.SettleAsync(schedule, new(planned, planned.AddMinutes(15), noted), Cancel);
        await store.SentAsync(settled!, Cancel);
        await ctl.DenyAsync(schedule.OrderOf(planned, ctl.Clock.Now));
    }

    /// <summary>The longest of everything.</summary>
    private static async Task<(string Execution, IReadOnlyList<string> Ids)> FillAsync(OperatorFixture ctl)
    {
        var tenant = TenantId.Parse("tenant-156");
        await ctl.RegisterAsync();
        await ctl.DoAsync("tenant register tenant-156 --name 'A company with a name that is rather long and has many words' --slack-team T0156 --engine 10.255.128.10:5678 --monthly-quota 9007199254740991 --concurrency 100000 --monthly-gpu 999999h");
        await ctl.DoAsync("group set tenant-156 operations --user T0156/U0123456789 --user T0156/U1123456789 --user T0156/U2123456789 --user T0156/U3123456789");
        await ctl.DoAsync($"workflow publish tenant-156 {LongWorkflow} --param city:string:required:maxlen=100 --param size:enum:values=small|large:default=small --deadline 1h30m --allow-group operations --allow-channel C0123456789");
        await ctl.DoAsync($"key add tenant-156 --public-key 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= --instance {LongInstance} --not-after 2027-01-01T00:00:00Z");
        await ctl.DoAsync("slack invite tenant-156");
        await AddScheduleAsync(ctl, tenant);
        await new AuditTrail(ctl.Tables.Client, ctl.Tables.Audit, ctl.Clock).For(Actor.OfSlack(TeamId.Parse("T0156"), UserId.Parse("U0123456789")), "a request")
            .NoteAsync("schedule.remove", tenant, $"{LongSchedule}", [AuditedValue.Of("workflow", LongWorkflow, null)], Cancel);
        await ctl.DoAsync($"key invite tenant-156 --instance {LongInstance}");
        var states = new List<Execution>();
        foreach (var trigger in new[] { "t1", "t2", "t3" })
        {
            states.Add(await ctl.QueueExecutionAsync(trigger, tenant, LongWorkflow));
            ctl.Clock.Advance(TimeSpan.FromSeconds(1));
        }
        var lease = TimeSpan.FromSeconds(30);
        var claimed = Assert.IsType<Claim.Held>(await ctl.Executions.ClaimAsync(states[0].Id, tenant, "one", lease, Cancel)).Execution;
        await ctl.Executions.RefuseAsync(
            claimed, DispatchFailure.WorkflowNotActive,
            new(1, ctl.Clock.Now, 123_456, new AttemptResult.Failed(DispatchFailure.WorkflowNotActive), 404), Cancel);
        await ctl.Executions.FinishAsync(
            states[1], new(OutcomeStatus.Succeeded, ctl.Clock.Now, ctl.Clock.Now, "8123", new(1_200_000, 10, 5, 6), new("done", null), null), "00", Cancel);
        var epoch = ctl.Clock.Now.ToUnixTimeSeconds() - 600;
        await ctl.SampleAsync(ctl.Clock.Now.AddMinutes(-9), epoch, 1, new(7500, 0), LongInstance, tenant);
        await ctl.SampleAsync(ctl.Clock.Now.AddMinutes(-7), epoch, 3, new(999_999_999, 100), LongInstance, tenant);
        await new Aws.InstanceStore(ctl.Tables.Client, ctl.Tables.Instances, ctl.Clock).BookAsync(
            new()
            {
                Tenant = tenant,
                Instance = InstanceId.Parse(LongInstance),
                Epoch = epoch,
                Counter = 1,
                SampledAt = ctl.Clock.Now,
                Interval = TimeSpan.FromSeconds(60),
                Totals = new(7500, 0),
                BodyHash = "00",
                Machine = new(4, 1),
                Metrics = "{}",
                KeyId = KeyId.Parse(new('k', 43)),
            },
            TenantLimits.StandardInstances, ctl.Clock.Now, Cancel);
        ctl.Clock.Advance(TimeSpan.FromMinutes(10));
        await ctl.Queues.Client.SendMessageAsync(
            ctl.Queues.Urls["DispatchDeadLetters"], $$"""{"execution_id":"{{states[0].Id}}","tenant_id":"tenant-156"}""", Cancel);
        return (states[0].Id.ToString(), [.. states.Select(one => one.Id.ToString()), LongWorkflow, LongInstance, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"]);
    }

    // The queue server has its own clock and makes up its own ids, and an invitation's id is random.
    private static string Steady(string command, string output) => command.Split(' ')[0] switch
    {
        "dlq" => Blanks().Replace(Chance().Replace(output, "…"), "  "),
        "slack" => Chance().Replace(output, "…           "),
        "key" when command.StartsWith("key invites", StringComparison.Ordinal) => Chance().Replace(output, "…           "),
        _ => output,
    };

    [GeneratedRegex(@"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=\n)[0-9a-f]{12}(?= )")]
    private static partial Regex Chance();

    [GeneratedRegex(" {2,}")]
    private static partial Regex Blanks();
}
