using ControlPlane.Executions;
using ControlPlane.SlackHandler.Commands;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.SlackHandler.Interactions;

/// <summary>The App Home.</summary>
public sealed class HomeTests(SlackFixture world) : IClassFixture<SlackFixture>
{
    [Fact]
    public async Task The_home_shows_what_may_be_run_the_latest_executions_the_quota_and_the_health()
    {
        var workspace = await InstalledAsync();
        await world.StoreAsync(A.Execution(ExecutionState.Succeeded, ExecutionId.Of("T", "seen")) with { Workflow = WorkflowName.Parse("wf_sched") }, workspace);
        await world.StoreAsync(A.Execution(ExecutionState.Running, ExecutionId.Of("T", "hidden")) with
        {
            Workflow = WorkflowName.Parse("payroll"),
            RequestedBy = Requesters.OfSlack("T", "UFIN", "C1")
        }, workspace);
        var home = await OpenAsync(workspace, "U1");

        Assert.Contains("Run wf_sched", home, StringComparison.Ordinal);
        Assert.DoesNotContain("deploy", home, StringComparison.Ordinal);      // belongs to a channel
        Assert.DoesNotContain("payroll", home, StringComparison.Ordinal);
        Assert.Contains("*wf_sched* SUCCEEDED", home, StringComparison.Ordinal);
        Assert.Contains("executions left", home, StringComparison.Ordinal);
        Assert.Contains("0 % used or reserved", home, StringComparison.Ordinal);
        Assert.Contains("has not reported yet", home, StringComparison.Ordinal);
        Assert.Contains("payroll", await OpenAsync(workspace, "UFIN"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_bot_nothing_is_published()
    {
        var workspace = await world.NewWorkspaceAsync();
        var before = world.Slack.Calls.Count;
        await world.NewHome().RunAsync(workspace.Opened(), SlackFixture.Cancel);
        Assert.Equal(before, world.Slack.Calls.Count);
    }

    [Fact]
    public async Task A_run_from_the_home_is_acknowledged_by_a_direct_message()
    {
        var workspace = await InstalledAsync();
        var press = workspace.Press("run", "report");
        foreach (var name in new[] { "channel", "message", "response_url" })
            press.Remove(name);
        press["container"] = new System.Text.Json.Nodes.JsonObject { ["type"] = "view", ["view_id"] = "VHOME" };
        press["view"] = new System.Text.Json.Nodes.JsonObject { ["id"] = "VHOME", ["type"] = "home" };
        Assert.Equal(200, (await workspace.InteractAsync(press)).Status);
        var view = world.Slack.To("views.open").Last()["view"]!.AsObject();
        Assert.Equal(200, (await workspace.InteractAsync(workspace.Submit(view, new Dictionary<string, string>()))).Status);

        Assert.Equal(Requesters.OfSlack(workspace.TeamId, "U1", "U1"), Assert.Single(await workspace.OrdersAsync()).RequestedBy);
        var said = world.Slack.To("chat.postMessage").Last();
        Assert.Equal("D1", (string?)said["channel"]);
        Assert.Equal("U1", (string?)world.Slack.To("conversations.open").Last()["users"]);
        Assert.Contains("Working on *report*", (string?)said["text"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 100, "`░░░░░░░░░░░░░░░░░░░░` 0 %")]
    [InlineData(1, 100, "`░░░░░░░░░░░░░░░░░░░░` 1 %")]
    [InlineData(50, 100, "`██████████░░░░░░░░░░` 50 %")]
    [InlineData(999, 1000, "`████████████████████` 99 %")]
    [InlineData(150, 100, "`████████████████████` 100 %")]
    [InlineData(0, 0, "`████████████████████` 100 %")]
    public void The_bar_says_in_words_what_it_draws(long charged, long quota, string bar) =>
        Assert.StartsWith(bar, UsageCommand.Bar(charged, quota).ToString(), StringComparison.Ordinal);

    private async Task<string> OpenAsync(Workspace workspace, string user)
    {
        await world.NewHome().RunAsync(workspace.Opened(user), SlackFixture.Cancel);
        var call = world.Slack.To("views.publish").Last();
        Assert.Equal(user, (string?)call["user_id"]);
        return call["view"]!.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    private async Task<Workspace> InstalledAsync()
    {
        var workspace = await world.NewWorkspaceAsync();
        await world.InstallAsync(workspace.TeamId, workspace.Tenant);
        return workspace;
    }
}
