using Amazon.DynamoDBv2.Model;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.SlackHandler;

/// <summary>The commands that are answered at once, and what their answers look like.</summary>
public sealed class LookCommandsTests(SlackFixture world) : IClassFixture<SlackFixture>
{
    [Fact]
    public async Task Help_shows_what_this_user_may_do_here()
    {
        var workspace = await world.NewWorkspaceAsync();
        var said = await workspace.TypeAsync("");
        IsAsKept("help", said);
        Assert.Equal(said, await workspace.TypeAsync("help"));
        Assert.DoesNotContain("payroll", said.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("deploy", said.Text, StringComparison.Ordinal);
        Assert.Contains("payroll", (await workspace.TypeAsync("help", user: "UFIN")).Text, StringComparison.Ordinal);
        Assert.Contains("deploy", (await workspace.TypeAsync("help", channel: "COPS")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_offers_no_run_to_someone_who_may_run_nothing()
    {
        var workspace = await world.NewWorkspaceAsync();
        foreach (var name in new[] { "wf_sched", "report" })
            await workspace.SaveAsync(A.Workflow(name, []) with { AllowedUsers = ["UBOSS"] });
        var said = await workspace.TypeAsync("help");
        Assert.DoesNotContain("/wf run ", said.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("/wf cancel", said.Text, StringComparison.Ordinal);
        Assert.Contains("/wf list", said.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("stauts x", "Did you mean `/wf status`?")]
    [InlineData("frobnicate", "`/wf help` shows")]
    [InlineData("<!channel>", "`&lt;!channel&gt;`")]
    [InlineData("`x`", "'x'")]
    [InlineData("status", "`/wf status exec_…`")]
    [InlineData("status a b", "`/wf status exec_…`")]
    [InlineData("why", "`/wf why exec_…`")]
    [InlineData("cancel", "`/wf cancel exec_…`")]
    [InlineData("list 0", "`/wf list [1–20]`")]
    [InlineData("list 21", "`/wf list [1–20]`")]
    [InlineData("list -1", "`/wf list [1–20]`")]
    [InlineData("list ５", "`/wf list [1–20]`")]
    [InlineData("list 5 5", "`/wf list [1–20]`")]
    public async Task What_is_mistyped_is_explained(string text, string hint)
    {
        var workspace = await world.NewWorkspaceAsync();
        var said = await workspace.TypeAsync(text);
        Assert.True(said.IsPrivate);
        Assert.Contains(hint, said.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Workflows_are_shown_with_their_parameters()
    {
        var workspace = await world.NewWorkspaceAsync();
        IsAsKept("workflows", await workspace.TypeAsync("workflows"));
        await workspace.SaveAsync(A.Workflow("report", []) with { Enabled = false });
        Assert.DoesNotContain("report", (await workspace.TypeAsync("workflows")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_catalogue_of_hundreds_still_fits_a_message()
    {
        var workspace = await world.NewWorkspaceAsync();
        for (var i = 0; i < 60; i++)
            await workspace.SaveAsync(A.Workflow($"w{i}_{new string('x', 55)}", [.. Enumerable.Range(0, 20).Select(p => new WorkflowParameter(
                $"p{p}" + new string('&', 60), ParameterType.Enum, Required: true, Values: [new string('<', 200)], Description: new string('>', 300)))]));
        foreach (var (text, headline) in new[] { ("workflows", "*Workflows you may run here*"), ("help", "*What you can do here*") })
        {
            var said = await workspace.TypeAsync(text);
            Assert.Equal(text == "workflows", said.Message["text"] is null);       // what is too much for a text is read in the blocks
            Assert.Equal(headline, (string?)said.Blocks.First()["text"]!["text"]);
            Assert.InRange(said.Blocks.Count(), 1, 50);
            Assert.All(said.Blocks, block => Assert.InRange(((string?)block["text"]?["text"])?.Length ?? 0, 0, 3000));
            foreach (var entry in said.Blocks.Select(block => (string?)block["text"]?["text"] ?? "").Where(entry => entry.StartsWith("`/wf run w",
                StringComparison.Ordinal) && text == "workflows"))
            {
                var shown = entry.Split("\n• *").Length - 1;
                Assert.InRange(shown, 1, 19);
                Assert.EndsWith($"\n• and {20 - shown} more", entry, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("queued")]
    [InlineData("running")]
    [InlineData("succeeded")]
    [InlineData("failed")]
    [InlineData("denied")]
    public async Task Status_and_why_tell_how_an_execution_stands(string state)
    {
        var workspace = await world.NewWorkspaceAsync();
        await world.StoreAsync(state switch
        {
            "queued" => A.Execution(ExecutionState.Queued),
            "running" => A.Execution(ExecutionState.Running) with
            {
                DispatchedAt = At(1),
                StartedAt = At(2),
                Attempts = [new(1, At(1), 35, new AttemptResult.Accepted(), 200)],
            },
            "succeeded" => A.Execution(ExecutionState.Succeeded) with
            {
                DispatchedAt = At(1),
                StartedAt = At(2),
                FinishedAt = At(15),
                Outcome = A.Success,
                Attempts = [new(1, At(0), 2000, new AttemptResult.Again(), null), new(2, At(1), 35, new AttemptResult.Accepted(), 200)],
            },
            "failed" =>
                A.Execution(ExecutionState.Failed) with
                {
                    FinishedAt = At(15),
                    FailureCode = DispatchFailure.Unreachable,
                    Attempts = [new(1, At(0), 2000, new AttemptResult.Again(), 503)]
                },
            _ => A.Execution(ExecutionState.Denied) with
            {
                FinishedAt = At(0),
                Decision = new(
                    false, "channel", "payroll may not be run in <this> channel.",
                    [new("enabled", Judgement.Allow, "enabled", "it is enabled"), new("channel", Judgement.Deny, "channel", "payroll may not be run in <this> channel.")]),
            },
        }, workspace);
        IsAsKept($"status-{state}", await workspace.TypeAsync($"status {A.Id}"));
        IsAsKept($"why-{state}", await workspace.TypeAsync($"why `{A.Id}`"));
    }

    [Fact]
    public async Task Another_tenants_execution_does_not_exist()
    {
        var mine = await world.NewWorkspaceAsync();
        var theirs = await world.NewWorkspaceAsync();
        var form = theirs.Form("run report");
        await theirs.SendAsync(form);
        var id = theirs.ExecutionOf(form);
        var running = ExecutionId.Of(theirs.TeamId, "running");
        await world.StoreAsync(A.Execution(ExecutionState.Running, running), theirs);
        var before = (await world.StateAsync()).Where(item => item.Contains("exec_", StringComparison.Ordinal)).ToList();

        foreach (var verb in new[] { "status", "why", "cancel" })
            foreach (var known in new[] { id, running, ExecutionId.Of("T", "no such") })
                Assert.Contains("no such execution", (await mine.TypeAsync($"{verb} {known}")).Text, StringComparison.Ordinal);
        Assert.DoesNotContain("exec_0", (await mine.TypeAsync("list", user: "U2")).Text, StringComparison.Ordinal);
        Assert.Equal(before, (await world.StateAsync()).Where(item => item.Contains("exec_", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("payroll", "U2", "C1", false)]          // for finance only
    [InlineData("payroll", "UFIN", "C1", true)]
    [InlineData("deploy", "U2", "C1", false)]           // in #ops only
    [InlineData("deploy", "U2", "COPS", true)]
    [InlineData("deploy", "U1", "C1", true)]            // who asked for it sees it anywhere
    [InlineData("gone", "U2", "C1", false)]             // no longer in the catalogue
    [InlineData("gone", "U1", "C1", true)]
    [InlineData("wf_sched", "U2", "C1", true)]
    public async Task Whoever_may_not_run_a_workflow_here_sees_and_cancels_nothing_of_it(string workflow, string user, string channel, bool isSeen)
    {
        var workspace = await world.NewWorkspaceAsync();
        var id = ExecutionId.Of(workspace.TeamId, "one");
        await world.StoreAsync(A.Execution(ExecutionState.Running, id) with
        {
            Workflow = WorkflowName.Parse(workflow),
            RequestedBy = Requesters.OfSlack(workspace.TeamId, "U1", "COPS")
        }, workspace);

        Assert.Equal(isSeen, (await workspace.TypeAsync("list", user, channel)).Text.Contains(workflow, StringComparison.Ordinal));
        foreach (var named in new[] { $"{id}", $"{id}"[..14] })
            foreach (var verb in new[] { "status", "why", "cancel" })
            {
                var said = (await workspace.TypeAsync($"{verb} {named}", user, channel)).Text;
                Assert.True(isSeen || !said.Contains($"*{workflow}*", StringComparison.Ordinal), said);
                Assert.Equal(!isSeen, said.Contains("no such execution that you may see in this channel", StringComparison.Ordinal));
            }
    }

    [Fact]
    public async Task Somebody_of_another_workspace_with_the_same_id_is_somebody_else()
    {
        var workspace = await world.NewWorkspaceAsync();
        var second = new Workspace(world, $"{workspace.TeamId}X", workspace.Tenant);
        await world.Registry.TryLinkAsync(new(TeamId.Parse(second.TeamId), workspace.Tenant), SlackFixture.Cancel);
        var id = ExecutionId.Of(workspace.TeamId, "one");
        await world.StoreAsync(A.Execution(ExecutionState.Running, id) with
        {
            Workflow = WorkflowName.Parse("deploy"),
            RequestedBy = Requesters.OfSlack(workspace.TeamId, "U1", "COPS")
        }, workspace);

        Assert.Contains("no such execution", (await second.TypeAsync($"status {id}")).Text, StringComparison.Ordinal);
        Assert.Contains("*deploy*", (await workspace.TypeAsync($"status {id}")).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{0}")]
    [InlineData("*{0}*")]
    [InlineData("_{0}_.")]
    [InlineData("`{0}`,")]
    [InlineData("“{0}”")]
    [InlineData("\ufeff{0}\u200b")]
    [InlineData("({0})")]
    [InlineData("{1}")]
    [InlineData("{2}")]
    [InlineData("{3}")]
    [InlineData("*{3}…*")]
    [InlineData("last")]
    [InlineData("Last.")]
    public async Task An_execution_is_found_by_what_people_call_it(string form)
    {
        var workspace = await world.NewWorkspaceAsync();
        var mine = ExecutionId.Of(workspace.TeamId, "mine");
        await world.StoreAsync(A.Execution(ExecutionState.Running, mine) with { RequestedBy = Requesters.OfSlack(workspace.TeamId, "U1", "C1") }, workspace);
        await world.StoreAsync(A.Execution(ExecutionState.Running,
            ExecutionId.Of(workspace.TeamId, "later")) with
        { RequestedBy = Requesters.OfSlack(workspace.TeamId, "U2", "C1"), CreatedAt = At(9) }, workspace);

        var text = form.Replace("{0}", $"{mine}", StringComparison.Ordinal).Replace("{1}", $"{mine}".ToUpperInvariant(), StringComparison.Ordinal)
            .Replace("{2}", $"{mine}"[5..], StringComparison.Ordinal).Replace("{3}", $"{mine}"[5..13], StringComparison.Ordinal);
        Assert.Contains($"`{mine}`", (await workspace.TypeAsync($"status {text}")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Digits_with_which_two_executions_begin_name_neither()
    {
        var workspace = await world.NewWorkspaceAsync();
        foreach (var end in new[] { "00", "01" })
            await world.StoreAsync(A.Execution(ExecutionState.Running, ExecutionId.Parse($"exec_abcdef0123456789abcdef01234567{end}")), workspace);
        Assert.Contains("Several executions begin with", (await workspace.TypeAsync("status abcdef01")).Text, StringComparison.Ordinal);
        Assert.Contains("no such execution", (await workspace.TypeAsync("status abcdef0")).Text, StringComparison.Ordinal);          // seven digits are too few
    }

    [Theory]
    [InlineData("succeeded", "")]
    [InlineData("succeeded", " ")]
    [InlineData("succeeded", "\u00a0\u200b\u0007\u3164")]
    [InlineData("failed", "")]
    [InlineData("failed", "\u2800\ufeff")]
    public async Task An_engine_that_says_nothing_is_told_of_without_a_blank(string state, string words)
    {
        var workspace = await world.NewWorkspaceAsync();
        await world.StoreAsync(state == "succeeded"
            ? A.Execution(ExecutionState.Succeeded) with { FinishedAt = At(15), Outcome = A.Success with { Result = new(words, words) } }
            : A.Execution(ExecutionState.Failed) with { FinishedAt = At(15), Outcome = A.Failure with { Error = new(words, words) } }, workspace);
        Assert.Contains($"*wf_sched* {state}", (await workspace.TypeAsync($"status {A.Id}")).Text, StringComparison.Ordinal);
        Assert.Contains($"*wf_sched* {state}", (await workspace.TypeAsync($"why {A.Id}")).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("exec_00112233445566778899AABBCCDDEEFF")]
    [InlineData("exec_0011")]
    [InlineData("../../etc")]
    [InlineData("exec_00112233445566778899aabbccddeeff%00")]
    public async Task What_is_no_id_is_no_execution(string typed)
    {
        var workspace = await world.NewWorkspaceAsync();
        Assert.Contains("no such execution", (await workspace.TypeAsync($"status {typed}")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_shows_the_latest_first()
    {
        var workspace = await world.NewWorkspaceAsync();
        Assert.Contains("Nothing has been run yet", (await workspace.TypeAsync("list")).Text, StringComparison.Ordinal);
        for (var i = 0; i < 7; i++)
            await world.StoreAsync(
                A.Execution(i % 2 == 0 ? ExecutionState.Succeeded : ExecutionState.Queued, ExecutionId.Parse($"exec_{i:x32}")) with { CreatedAt = At(i) },
                workspace);

        IsAsKept("list", await workspace.TypeAsync("list 3"));
        Assert.Contains("The latest 5 executions", (await workspace.TypeAsync("list")).Text, StringComparison.Ordinal);
        Assert.Contains("The latest 7 executions", (await workspace.TypeAsync("list 20")).Text, StringComparison.Ordinal);
        Assert.Contains("*The latest execution*", (await workspace.TypeAsync("list 1")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Usage_shows_quota_compute_time_and_health()
    {
        var workspace = await world.NewWorkspaceAsync(new(MonthlyQuota: 100, Concurrency: 5, MonthlyGpuMs: 36_000_000));
        IsAsKept("usage-nothing-yet", await workspace.TypeAsync("usage"));

        await world.Tables.Client.PutItemAsync(
            world.Tables.Quotas, new() { ["pk"] = new(workspace.Tenant.ToString()), ["sk"] = new("MONTH#2026-11"), ["charged"] = N(12), ["used"] = N(10) },
            SlackFixture.Cancel);
        await world.Tables.Client.PutItemAsync(
            world.Tables.Quotas, new() { ["pk"] = new(workspace.Tenant.ToString()), ["sk"] = new("ACTIVE"), ["active"] = N(2) }, SlackFixture.Cancel);
        await new InstanceStore(world.Tables.Client, world.Tables.Instances, world.Clock).BookAsync(
            new()
            {
                Tenant = workspace.Tenant,
                Instance = ControlPlane.Metering.InstanceId.Parse("i-0abc1234def567890"),
                Epoch = 1767225600,
                Counter = 1,
                BodyHash = new string('0', 64),
                SampledAt = world.Clock.Now,
                Totals = new(7_500, 3_600_000),
                Interval = TimeSpan.FromMinutes(1),
                Machine = new(4, 1),
                Metrics = "{}",
                KeyId = KeyIds.Of("key"),
            },
            ControlPlane.Tenants.TenantLimits.StandardInstances, world.Clock.Now, SlackFixture.Cancel);
        IsAsKept("usage", await workspace.TypeAsync("usage"));

        var now = world.Clock.Now;
        foreach (var (silence, word) in new[] { (90, "healthy"), (91, "late"), (180, "late"), (181, "offline") })
        {
            world.Clock.Now = now + TimeSpan.FromSeconds(silence);
            Assert.Contains(word, (await workspace.TypeAsync("usage")).Text, StringComparison.Ordinal);
        }
        world.Clock.Now = now;
    }

    [Fact]
    public async Task Usage_says_that_gpus_cannot_be_read()
    {
        var workspace = await world.NewWorkspaceAsync();
        await new InstanceStore(world.Tables.Client, world.Tables.Instances, world.Clock).BookAsync(
            new()
            {
                Tenant = workspace.Tenant,
                Instance = ControlPlane.Metering.InstanceId.Parse("i-1"),
                Epoch = 1767225600,
                Counter = 1,
                BodyHash = new string('0', 64),
                SampledAt = world.Clock.Now,
                Totals = new(7_500, 3_600_000),
                Interval = TimeSpan.FromMinutes(1),
                Metrics = "{}",
                KeyId = KeyIds.Of("key"),
                Machine = new(4, 1),
                GpuUnreadableSince = world.Clock.Now.AddMinutes(-3),
            },
            ControlPlane.Tenants.TenantLimits.StandardInstances, world.Clock.Now, SlackFixture.Cancel);
        Assert.Contains("GPUs unreadable since", (await workspace.TypeAsync("usage")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Usage_shows_a_compute_time_however_large()
    {
        var workspace = await world.NewWorkspaceAsync(new(MonthlyQuota: 100, Concurrency: 5, MonthlyGpuMs: long.MaxValue));
        Assert.Contains("of 2562047788015 h 12 min", (await workspace.TypeAsync("usage")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_answer_to_a_run_reads_well()
    {
        var workspace = await world.NewWorkspaceAsync();
        var form = workspace.Form("run report");
        (form["team_id"], form["trigger_id"]) = ("TGOLDEN", "1.2.3");
        await world.Registry.TryLinkAsync(new(TeamId.Parse("TGOLDEN"), workspace.Tenant), SlackFixture.Cancel);
        IsAsKept("run-accepted", await workspace.SendAsync(form));
    }

    private static DateTimeOffset At(int seconds) => SlackFixture.Start + TimeSpan.FromSeconds(seconds);

    private static AttributeValue N(int value) => new() { N = value.ToString(System.Globalization.CultureInfo.InvariantCulture) };

    private static void IsAsKept(string name, Said said)
    {
        Assert.Equal(200, said.Status);
        Golden.MatchesJson($"Golden/{name}.json", said.Body);
    }
}
