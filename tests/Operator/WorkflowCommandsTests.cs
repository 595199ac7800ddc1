using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Operator;

public sealed class WorkflowCommandsTests(LocalCloud cloud)
{
    private static readonly WorkflowName Scheduler = WorkflowName.Parse("wf_sched");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_workflow_is_published_with_all_that_was_said()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        await ctl.DoAsync("group set tenant-7 ops --user U2 --user U3");
        var said = await ctl.DoAsync("workflow publish tenant-7 wf_sched --path wf-sched-1 --param 'city:string:required' --param count:integer:default=3:min=1 --deadline 1h30m --idempotent "
            + "--allow-user U1 --allow-group ops --allow-channel C1");

        Assert.Contains("/wf run wf_sched city=…", said.Output, StringComparison.Ordinal);
        var workflow = (await ctl.Registry.FindWorkflowAsync(OperatorFixture.Seven, Scheduler, Cancel))!;
        Assert.Equal(
            ("wf-sched-1", TimeSpan.FromMinutes(90), true, true), (workflow.Path.ToString(), workflow.Deadline, workflow.Idempotent, workflow.Enabled));
        Assert.Equal(
            [new("city", ParameterType.String, Required: true), new WorkflowParameter("count", ParameterType.Integer, Minimum: 1)],
            workflow.Parameters.Select(one => one with { Default = null }));
        Assert.Equal("3", workflow.Parameters[1].Default!.Value.GetRawText());
        Assert.Equal(["T0007/U1"], workflow.AllowedUsers);
        Assert.Equal(["ops"], workflow.AllowedGroups);
        Assert.Equal([ChannelId.Parse("C1")], workflow.AllowedChannels);
    }

    [Fact]
    public async Task Who_approves_it_is_said_with_where_they_are_asked()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        await ctl.DoAsync("group set tenant-7 ops --user U1");
        await ctl.DoAsync("workflow publish tenant-7 wf_sched --approve-by-group ops --approve-in C1");
        var rule = (await ctl.Registry.FindWorkflowAsync(OperatorFixture.Seven, Scheduler, Cancel))!.Approval!;
        Assert.Equal(
            (TeamId.Parse("T0007"), ChannelId.Parse("C1"), 1, false, TimeSpan.FromHours(24)),
            (rule.TeamId, rule.ChannelId, rule.Approvals, rule.SelfApproval, rule.Within));
        Assert.Equal(["ops"], rule.Groups);

        var said = await ctl.DoAsync(
            "workflow publish tenant-7 wf_sched --approve-by-group ops --approve-in T0007/C2 --approvals 2 --self-approval --approve-within 2h");
        Assert.Contains("by 2 of ops in T0007/C2, within ", said.Output, StringComparison.Ordinal);
        Assert.Contains("whoever asks too", said.Output, StringComparison.Ordinal);
        await ctl.DoAsync("workflow publish tenant-7 wf_sched");
        Assert.Null((await ctl.Registry.FindWorkflowAsync(OperatorFixture.Seven, Scheduler, Cancel))!.Approval);
    }

    [Theory]
    [InlineData("--approve-by-group ops", 1, "--approve-in")]
    [InlineData("--approve-in C1", 1, "--approve-by-group")]
    [InlineData("--approve-by-group nobody --approve-in C1", 1, "no group nobody")]
    [InlineData("--approve-by-group ops --approve-in T0009/C1", 1, "T0009")]
    [InlineData("--approve-by-group ops --approve-in U1", 1, "--approve-in")]
    [InlineData("--approve-by-group ops --approve-in C1 --approve-within 8d", 2, "no time to wait")]
    [InlineData("--approve-by-group ops --approve-in C1 --approvals 11", 2, "1 to 10")]
    public async Task An_approval_that_nobody_could_give_is_refused(string options, int exit, string said)
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        await ctl.DoAsync("group set tenant-7 ops --user U1");
        (await ctl.SayAsync($"workflow publish tenant-7 wf_sched {options}")).Refuses(exit, said);
        Assert.Null(await ctl.Registry.FindWorkflowAsync(OperatorFixture.Seven, Scheduler, Cancel));
    }

    [Fact]
    public async Task Without_a_path_it_is_the_name_and_without_a_deadline_an_hour()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        await ctl.DoAsync("workflow publish tenant-7 wf_sched");
        var workflow = (await ctl.Registry.FindWorkflowAsync(OperatorFixture.Seven, Scheduler, Cancel))!;
        Assert.Equal((WebhookPath.Of(Scheduler), TimeSpan.FromHours(1)), (workflow.Path, workflow.Deadline));
    }

    [Fact]
    public async Task A_disabled_workflow_is_enabled_by_publishing_it_again()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        const string publish = "workflow publish tenant-7 wf_sched --path wf_sched --param city:string:default=Paris --deadline 60m --output json";
        Assert.Equal("published", Result(await ctl.DoAsync(publish)));
        Assert.Equal("unchanged", Result(await ctl.DoAsync(publish)));
        Assert.Equal("disabled", Result(await ctl.DoAsync("workflow disable tenant-7 wf_sched --output json")));
        Assert.Equal("unchanged", Result(await ctl.DoAsync("workflow disable tenant-7 wf_sched --output json")));
        Assert.False((await ctl.Registry.FindWorkflowAsync(OperatorFixture.Seven, Scheduler, Cancel))!.Enabled);
        Assert.Equal("replaced", Result(await ctl.DoAsync(publish)));
        Assert.True((await ctl.Registry.FindWorkflowAsync(OperatorFixture.Seven, Scheduler, Cancel))!.Enabled);
        (await ctl.SayAsync("workflow disable tenant-7 wf_other")).Refuses(1, "no workflow wf_other", "./ctl workflow list tenant-7");

        static string? Result(Said said) => said.Json.GetProperty("result").GetString();
    }

    [Fact]
    public async Task A_group_that_is_not_there_would_lock_everyone_out_and_is_refused()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        (await ctl.SayAsync("workflow publish tenant-7 wf_sched --allow-group ops")).Refuses(1, "no group ops", "./ctl group set tenant-7 ops");
        Assert.Null(await ctl.Registry.FindWorkflowAsync(OperatorFixture.Seven, Scheduler, Cancel));
    }

    [Theory]
    [InlineData("wf/../x", "is no workflow's name")]
    [InlineData("wf_sched --path wf/../x", "is no path")]
    [InlineData("wf_sched --deadline 59s", "1m to 24h")]
    [InlineData("wf_sched --deadline 24h1s", "1m to 24h")]
    [InlineData("wf_sched --deadline 60", "1m to 24h")]
    [InlineData("wf_sched --param city:strng", "--param 'city:strng'", "is no type")]
    [InlineData("wf_sched --param a:string --param a:number", "declared twice")]
    [InlineData("wf_sched --allow-user bob", "begins with U or W")]
    [InlineData("wf_sched --allow-channel general", "begins with C, D or G")]
    [InlineData("wf_sched --allow-group 'a b'", "a group's name")]
    public async Task A_wrong_definition_is_refused_with_the_mend(string definition, params string[] words)
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        (await ctl.SayAsync($"workflow publish tenant-7 {definition}")).Refuses(2, [.. words, "See ./ctl workflow publish --help"]);
    }

    [Fact]
    public async Task The_longest_and_the_shortest_deadline_are_taken()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        await ctl.DoAsync("workflow publish tenant-7 wf_long --deadline 24h");
        await ctl.DoAsync("workflow publish tenant-7 wf_short --deadline 60s");
    }

    [Fact]
    public async Task A_group_is_set_in_place_of_what_it_was()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        await ctl.DoAsync("group set tenant-7 ops --user U1 --user U2");
        await ctl.DoAsync("group set tenant-7 night --user U9");
        await ctl.DoAsync("group set tenant-7 ops --user U3");
        var groups = (await ctl.Registry.CatalogueAsync(OperatorFixture.Seven, Cancel))!.Groups;
        Assert.Equal(["T0007/U3"], groups.Single(group => group.Name == "ops").Users);
        Assert.Equal(["T0007/U9"], groups.Single(group => group.Name == "night").Users);
        (await ctl.SayAsync("group set tenant-7 ops")).Refuses(2, "--user");
    }

    [Fact]
    public async Task With_several_workspaces_a_user_is_named_with_theirs()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        await ctl.DoAsync("slack link tenant-7 T0008");
        const string publish = "workflow publish tenant-7 wf_sched --path wf_sched --allow-user";
        (await ctl.SayAsync($"{publish} U1")).Refuses(1, "2 workspaces", "T0007/U1");
        (await ctl.SayAsync($"{publish} T0009/U1")).Refuses(1, "T0009 does not speak for tenant-7");
        (await ctl.SayAsync("group set tenant-7 ops --user T0007/U1 --user U2")).Refuses(1, "2 workspaces", "T0007/U2");
        await ctl.DoAsync($"{publish} T0008/U1");
        Assert.Equal(["T0008/U1"], (await ctl.Registry.FindWorkflowAsync(OperatorFixture.Seven, WorkflowName.Parse("wf_sched"), Cancel))!.AllowedUsers);
    }
}
