using System.Globalization;
using System.Text;
using System.Text.Json;
using ControlPlane.Executions;
using ControlPlane.Slack;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.SlackHandler;

/// <summary><c>run</c>: what is ordered, how often, and for whom.</summary>
public sealed class RunCommandTests(SlackFixture world) : IClassFixture<SlackFixture>
{
    [Fact]
    public async Task A_run_is_ordered_once_with_what_the_user_typed()
    {
        var workspace = await world.NewWorkspaceAsync();
        var form = workspace.Form("run wf_sched city='New York' '{\"days\": 3}'");
        var said = await workspace.SendAsync(form);

        Assert.True(said.IsAccepted);
        Assert.True(said.IsPrivate);
        var order = Assert.Single(await workspace.OrdersAsync());
        Assert.Equal(ExecutionRequest.SchemaV1, order.Schema);
        Assert.Equal(ExecutionId.Of(workspace.TeamId, form["trigger_id"]).ToString(), order.ExecutionId);
        Assert.Contains(order.ExecutionId, said.Text, StringComparison.Ordinal);
        Assert.Equal("wf_sched", order.Workflow);
        Assert.Equal("""{"city":"New York","days":3}""", order.Inputs.GetRawText());
        Assert.Equal(Requesters.OfSlack(workspace.TeamId, "U1", "C1"), order.RequestedBy);
        Assert.Equal(world.Clock.Now, order.RequestedAt);
        Assert.False(order.Public);
    }

    [Fact]
    public async Task A_public_run_answers_in_the_channel()
    {
        var workspace = await world.NewWorkspaceAsync();
        var said = await workspace.TypeAsync("run report --public");
        Assert.Equal("in_channel", (string?)said.Message["response_type"]);
        Assert.True(Assert.Single(await workspace.OrdersAsync()).Public);
    }

    [Fact]
    public async Task The_same_request_again_is_the_same_execution()
    {
        var workspace = await world.NewWorkspaceAsync();
        var form = workspace.Form("run report");
        var first = world.Post(Workspace.Encode(form));
        var said = await workspace.SendAsync(first);
        var before = await world.StateAsync();
        world.Clock.Advance(TimeSpan.FromSeconds(10));
        var again = await workspace.SendAsync(first);
        first.Headers!["x-slack-retry-num"] = "1";
        var retried = await workspace.SendAsync(first);

        Assert.Equal(said, again);
        Assert.Equal(said, retried);
        Assert.Equal(before, await world.StateAsync());
        Assert.Single(await workspace.OrdersAsync());
    }

    [Fact]
    public async Task The_same_request_at_the_same_moment_on_two_instances_is_one_execution()
    {
        var workspace = await world.NewWorkspaceAsync();
        var http = world.Post(Workspace.Encode(workspace.Form("run report")));
        var said = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => workspace.SendAsync(http, world.NewFunction())));

        Assert.All(said, one => Assert.True(one.IsAccepted));
        Assert.Single(await workspace.OrdersAsync());
    }

    [Fact]
    public async Task The_same_text_twice_is_two_executions()
    {
        var workspace = await world.NewWorkspaceAsync();
        await workspace.TypeAsync("run report");
        await workspace.TypeAsync("run report");
        Assert.Equal(2, (await workspace.OrdersAsync()).Select(order => order.ExecutionId).Distinct().Count());
    }

    [Theory]
    [InlineData("text", "run payroll")]
    [InlineData("team_id", "T1")]
    [InlineData("command", "/other")]
    [InlineData("user_id", "U9")]
    [InlineData("trigger_id", "9.9.9")]
    [InlineData("response_url", "https://hooks.slack.com/x")]
    [InlineData("channel_id", "C9")]
    public async Task A_field_that_comes_twice_runs_nothing(string name, string value)
    {
        var workspace = await world.NewWorkspaceAsync();
        var form = Workspace.Encode(workspace.Form("run report"));
        var extra = Workspace.Encode([new(name, value)]);
        foreach (byte[] body in new[] { (byte[])[.. form, (byte)'&', .. extra], [.. extra, (byte)'&', .. form] })
            await AssertNothingRunsAsync(workspace, () => workspace.SendAsync(world.Post(body)));
    }

    [Theory]
    [InlineData("team_id")]
    [InlineData("channel_id")]
    [InlineData("user_id")]
    [InlineData("command")]
    [InlineData("trigger_id")]
    [InlineData("response_url")]
    public async Task A_field_that_is_missing_or_empty_runs_nothing(string name)
    {
        var workspace = await world.NewWorkspaceAsync();
        var form = workspace.Form("run report");
        form[name] = "";
        await AssertNothingRunsAsync(workspace, () => workspace.SendAsync(form));
        form.Remove(name);
        await AssertNothingRunsAsync(workspace, () => workspace.SendAsync(form));
        form[name.ToUpperInvariant()] = "T1";
        form[$"{name}[]"] = "T1";
        await AssertNothingRunsAsync(workspace, () => workspace.SendAsync(form));
    }

    [Theory]
    [InlineData("team_id", "T1#x")]
    [InlineData("user_id", "U1 U2")]
    [InlineData("user_id", "u1")]
    [InlineData("channel_id", "<!channel>")]
    [InlineData("command", "wf")]
    [InlineData("command", "/w f")]
    [InlineData("trigger_id", "1\n2")]
    public async Task A_field_that_Slack_would_not_write_so_runs_nothing(string name, string value)
    {
        var workspace = await world.NewWorkspaceAsync();
        var form = workspace.Form("run report");
        form[name] = value;
        await AssertNothingRunsAsync(workspace, () => workspace.SendAsync(form));
    }

    [Fact]
    public async Task An_unknown_workspace_is_refused_and_leaves_nothing()
    {
        var workspace = await world.NewWorkspaceAsync();
        var form = workspace.Form("run report");
        form["team_id"] = "TUNKNOWN";
        await AssertNothingRunsAsync(workspace, () => workspace.SendAsync(form));
        Assert.DoesNotContain("TUNKNOWN", string.Concat(await world.StateAsync()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TenantStatus.Suspended)]
    [InlineData(TenantStatus.Deleting)]
    public async Task A_tenant_that_is_not_active_is_refused(TenantStatus status)
    {
        var workspace = await world.NewWorkspaceAsync(status: status);
        await AssertNothingRunsAsync(workspace, () => workspace.TypeAsync("run report"), allowed: "suspended");
        await AssertNothingRunsAsync(workspace, () => workspace.TypeAsync("list"), allowed: "suspended");
    }

    [Fact]
    public async Task The_tenant_comes_from_the_workspace_alone()
    {
        var mine = await world.NewWorkspaceAsync();
        var other = await world.NewWorkspaceAsync();
        await mine.SaveAsync(A.Workflow("echo", [new("tenant_id", ParameterType.String), new("team_id", ParameterType.String)]));
        foreach (var text in new[] { $"run echo tenant_id={other.Tenant} team_id={other.TeamId}", $"run echo {{\"tenant_id\": \"{other.Tenant}\"}}",
            $"run {other.Tenant}", $"list {other.Tenant}", $"status {other.Tenant}" })
            await mine.TypeAsync(text);

        Assert.All(await mine.OrdersAsync(), order => Assert.Equal(mine.TeamId, order.RequestedBy.InSlack().TeamId.ToString()));
        Assert.Equal(2, (await mine.OrdersAsync()).Count);
        Assert.Empty(await other.OrdersAsync());
    }

    [Fact]
    public async Task A_grid_installation_is_found_by_its_organisation()
    {
        var workspace = await world.NewWorkspaceAsync();
        await world.Registry.TryLinkAsync(new(TeamId.Parse("EGRID"), workspace.Tenant), SlackFixture.Cancel);
        var form = workspace.Form("run report");
        (form["team_id"], form["enterprise_id"], form["is_enterprise_install"]) = ("TANYTEAM", "EGRID", "true");

        Assert.True((await workspace.SendAsync(form)).IsAccepted);
        form["is_enterprise_install"] = "false";
        Assert.True((await workspace.SendAsync(form)).Text.Contains("not connected", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(8000, true)]
    [InlineData(8001, false)]
    public async Task A_text_has_8000_characters_at_most_and_then_fits_the_queue_whatever_they_are(int length, bool taken)
    {
        var workspace = await world.NewWorkspaceAsync();
        await workspace.SaveAsync(A.Workflow("echo", [new("x", ParameterType.String)]));
        var text = "run echo x=".PadRight(length, '\u0001');
        if (!taken)
        {
            await AssertNothingRunsAsync(workspace, () => workspace.TypeAsync(text));
            return;
        }

        Assert.True((await workspace.TypeAsync(text)).IsAccepted);
        Assert.Equal(length - 11, Assert.Single(await workspace.OrdersAsync()).Inputs.GetProperty("x").GetString()!.Length);
    }

    [Theory]
    [InlineData("&amp;")]
    [InlineData("&lt;")]
    [InlineData("&gt;")]
    [InlineData("\"")]
    [InlineData("\\")]
    [InlineData("\\n")]
    [InlineData("\\u0041")]
    [InlineData("%41")]
    [InlineData("+")]
    [InlineData("\u00e9")]
    [InlineData("😀")]
    [InlineData("\n")]
    [InlineData("\u0001")]
    public async Task Five_thousand_characters_of_a_kind_are_taken_or_told_the_limit(string character)
    {
        var workspace = await world.NewWorkspaceAsync();
        await workspace.SaveAsync(A.Workflow("echo", [new("x", ParameterType.String)]));
        var many = string.Concat(Enumerable.Repeat(character, 5000));
        foreach (var text in new[] { $"run echo x={many}", $"run echo x='{many}'", $"run echo {{\"x\": \"{many}\"}}" })
        {
            var said = await workspace.TypeAsync(text);
            Assert.True(
                said.IsAccepted || (said.Status == 200 && said.Text.Contains("8,000 characters", StringComparison.Ordinal)),
                $"{character}: {said.Status} {said.Body[..Math.Min(300, said.Body.Length)]}");
        }
    }

    [Theory]
    [InlineData("x=\u202Eabc")]
    [InlineData("x=a\u200db")]
    [InlineData("x=😀👩‍👩‍👧")]
    [InlineData("x=caf\u00e9")]
    [InlineData("x=cafe\u0301")]
    [InlineData("x=<!channel>")]
    public async Task Arguments_are_passed_on_as_typed(string argument)
    {
        var workspace = await world.NewWorkspaceAsync();
        await workspace.SaveAsync(A.Workflow("echo", [new("x", ParameterType.String)]));
        Assert.True((await workspace.TypeAsync($"run echo {argument}")).IsAccepted);
        Assert.Equal(argument[2..], Assert.Single(await workspace.OrdersAsync()).Inputs.GetProperty("x").GetString());
    }

    [Fact]
    public async Task Slacks_own_escapes_are_undone_once()
    {
        var workspace = await world.NewWorkspaceAsync();
        await workspace.SaveAsync(A.Workflow("echo", [new("x", ParameterType.String)]));
        await workspace.TypeAsync("run echo x=a&lt;b&amp;amp;lt;");
        Assert.Equal("a<b&amp;lt;", Assert.Single(await workspace.OrdersAsync()).Inputs.GetProperty("x").GetString());
    }

    [Fact]
    public async Task Five_thousand_combining_marks_stay_one_log_line()
    {
        var workspace = await world.NewWorkspaceAsync();
        var said = await workspace.TypeAsync("x" + new string('\u0301', 5000));
        Assert.Equal(200, said.Status);
        Assert.All(world.LogText.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => JsonDocument.Parse(line).Dispose());
    }

    [Theory]
    [InlineData("run", "Which workflow?")]
    [InlineData("run reprot", "Did you mean `/wf run report`?")]
    [InlineData("run nothing_like_it", "`/wf workflows`")]
    [InlineData("run REPORT", "Did you mean `/wf run report`?")]
    [InlineData("run report extra", "name=value")]
    [InlineData("run report a=\"b", "never closed")]
    [InlineData("run <!channel>", "`&lt;!channel&gt;`")]
    [InlineData("run payroll", "You may not run payroll.")]
    [InlineData("run deploy", "deploy may not be run from this channel.")]
    [InlineData("run off", "off is switched off.")]
    [InlineData("run wf_sched", "city is missing: it must be a text of at most 100 characters.")]
    [InlineData("run wf_sched city=", "city is missing")]
    [InlineData("run wf_sched city='\u200b '", "city is missing")]
    [InlineData("run wf_sched city=Paris days=15", "days must be a whole number from 1 to 14.")]
    [InlineData("run wf_sched city=Paris units=miles", "units must be one of metric, imperial.")]
    [InlineData("run wf_sched city=Paris dasy=3", "Did you mean days?")]
    [InlineData("run report x=1", "report takes no x.")]
    public async Task A_run_that_makes_no_sense_is_explained_and_starts_nothing(string text, string hint)
    {
        var workspace = await world.NewWorkspaceAsync();
        await workspace.SaveAsync(A.Workflow("off", []) with { Enabled = false });
        var said = await workspace.TypeAsync(text);
        Assert.True(said.StartedNothing, said.Text);
        Assert.Contains(hint, said.Text, StringComparison.Ordinal);
        Assert.Empty(await workspace.OrdersAsync());
    }

    [Fact]
    public async Task A_run_that_makes_no_sense_counts_like_any_other()
    {
        var workspace = await world.NewWorkspaceAsync();
        for (var i = 0; i < 10; i++)
            Assert.DoesNotContain("too many", (await workspace.TypeAsync(i % 2 == 0 ? "run" : "run reprot")).Text, StringComparison.Ordinal);
        foreach (var text in new[] { "run", "run reprot", "run report" })
            Assert.Contains("too many", (await workspace.TypeAsync(text)).Text, StringComparison.Ordinal);
        Assert.Empty(await workspace.OrdersAsync());
    }

    [Theory]
    [InlineData(30, false)]
    [InlineData(31, true)]
    public async Task Whoever_may_wait_longer_than_Slack_takes_answers_is_told_where_to_look(int minutes, bool isTold)
    {
        var workspace = await world.NewWorkspaceAsync();
        await workspace.SaveAsync(A.Workflow("report", []) with { Deadline = TimeSpan.FromMinutes(minutes) });
        var form = workspace.Form("run report");
        var said = await workspace.SendAsync(form);
        Assert.True(said.IsAccepted);
        Assert.Equal(
            isTold, said.Text.Contains($"After 30 minutes it comes as a direct message, where the app may write; or ask with `/wf status {workspace.ExecutionOf(form)}`.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nobody_is_helped_to_the_name_of_a_workflow_they_may_not_run()
    {
        var workspace = await world.NewWorkspaceAsync();
        Assert.DoesNotContain(
            "payroll", (await workspace.TypeAsync("run payrol")).Text.Replace("payrol`", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("Did you mean `/wf run payroll`", (await workspace.TypeAsync("run payrol", user: "UFIN")).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://hooks.slack.com.evil.test/commands/1")]
    [InlineData("https://hooks.slack.com@evil.test/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("not a url")]
    public async Task A_run_whose_answer_has_nowhere_to_go_runs_all_the_same(string url)
    {
        var workspace = await world.NewWorkspaceAsync();
        var form = workspace.Form("run report");
        form["response_url"] = url;
        var said = await workspace.SendAsync(form);

        Assert.True(said.IsAccepted);
        Assert.Contains("no address", said.Text, StringComparison.Ordinal);
        Assert.Single(await workspace.OrdersAsync());
        Assert.Null((await world.Replies.FindAsync(workspace.ExecutionOf(form), SlackFixture.Cancel))!.SealedUrl);
    }

    [Fact]
    public async Task The_reply_address_is_kept_sealed_and_for_thirty_minutes_from_Slacks_own_time()
    {
        var workspace = await world.NewWorkspaceAsync();
        var form = workspace.Form("run report");
        await workspace.SendAsync(world.Post(Workspace.Encode(form), at: world.Clock.Now - TimeSpan.FromMinutes(2)));

        var reply = await world.Replies.FindAsync(workspace.ExecutionOf(form), SlackFixture.Cancel);
        Assert.Equal(workspace.Tenant, reply!.Tenant);
        Assert.Equal(world.Clock.Now + TimeSpan.FromMinutes(28), reply.Until);
        Assert.DoesNotContain("hooks.slack.com", Encoding.Latin1.GetString(reply.SealedUrl!), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_eleventh_command_of_a_user_in_a_minute_waits_for_the_next()
    {
        var workspace = await world.NewWorkspaceAsync();
        world.Clock.Now = SlackFixture.Start + TimeSpan.FromHours(1);      // five seconds into a minute
        for (var i = 0; i < 10; i++)
            Assert.True((await workspace.TypeAsync(i % 2 == 0 ? "run report" : "list")).Status == 200);

        foreach (var text in new[] { "run report", "list", "help" })
        {
            var said = await workspace.TypeAsync(text);
            Assert.True(said.StartedNothing);
            Assert.Contains("Try again in 55 s", said.Text, StringComparison.Ordinal);
        }
        Assert.True((await workspace.TypeAsync("run report", user: "U2")).IsAccepted);

        world.Clock.Advance(TimeSpan.FromSeconds(54));
        Assert.Contains("Try again in 1 s", (await workspace.TypeAsync("list")).Text, StringComparison.Ordinal);
        world.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True((await workspace.TypeAsync("run report")).IsAccepted);
        Assert.Equal(7, (await workspace.OrdersAsync()).Count);
    }

    [Fact]
    public async Task The_tenants_limit_counts_all_its_users_and_workspaces()
    {
        var workspace = await world.NewWorkspaceAsync();
        var second = new Workspace(world, "TSECOND", workspace.Tenant);
        await world.Registry.TryLinkAsync(new(TeamId.Parse(second.TeamId), workspace.Tenant), SlackFixture.Cancel);
        var function = world.NewFunction(limit: new(PerUser: 10, PerTenant: 4));
        for (var i = 0; i < 4; i++)
            Assert.True((await (i % 2 == 0 ? workspace : second).TypeAsync("run report", user: $"U{i}", function: function)).IsAccepted);

        Assert.True((await second.TypeAsync("run report", user: "U9", function: function)).StartedNothing);
        var other = await world.NewWorkspaceAsync();
        Assert.True((await other.TypeAsync("run report", function: function)).IsAccepted);
    }

    [Fact]
    public async Task Of_fifty_requests_at_once_exactly_as_many_pass_as_the_limit_has_left()
    {
        var workspace = await world.NewWorkspaceAsync();
        var limit = new RateLimit(PerUser: 100, PerTenant: 30);
        for (var i = 0; i < 20; i++)
            await workspace.TypeAsync("help", user: $"U{i}", function: world.NewFunction(limit: limit));

        var said =
            await Task.WhenAll(Enumerable.Range(0, 50).Select(i => workspace.TypeAsync("run report", user: $"U{i.ToString(CultureInfo.InvariantCulture)}",
                function: world.NewFunction(limit: limit))));
        Assert.Equal(10, said.Count(one => one.IsAccepted));
        Assert.Equal(40, said.Count(one => one.StartedNothing));
        Assert.Equal(10, (await workspace.OrdersAsync()).Count);
    }

    private async Task AssertNothingRunsAsync(Workspace workspace, Func<Task<Said>> act, string allowed = "")
    {
        var before = await world.StateAsync();
        var said = await act();
        Assert.Equal(200, said.Status);
        Assert.True(said.IsPrivate);
        Assert.Contains(allowed, said.Text, StringComparison.Ordinal);
        Assert.Equal(before, await world.StateAsync());
        Assert.Empty(await workspace.OrdersAsync());
    }
}
