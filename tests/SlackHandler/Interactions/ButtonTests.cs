using System.Text.Json;
using ControlPlane.Executions;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.SlackHandler.Interactions;

/// <summary>What a press of a button does, and for whom.</summary>
public sealed class ButtonTests(SlackFixture world) : IClassFixture<SlackFixture>
{
    [Fact]
    public async Task The_acknowledgement_carries_buttons_that_look_at_and_cancel_what_it_started()
    {
        var workspace = await world.NewWorkspaceAsync();
        var form = workspace.Form("run report");
        var said = await workspace.SendAsync(form);
        var id = workspace.ExecutionOf(form);
        Assert.Equal([("status", $"{id} /wf"), ("cancel", $"{id} /wf")], said.Buttons);
        await CreateAsync(workspace, id, "report");

        Assert.Contains("*report* waits to be handed", await workspace.PressAsync("status", $"{id} /wf"), StringComparison.Ordinal);
        Assert.Contains("*report* is cancelled. It had not begun", await workspace.PressAsync("cancel", $"{id} /wf"), StringComparison.Ordinal);
        Assert.Equal(ExecutionState.Cancelled, (await world.Executions.FindAsync(id, SlackFixture.Cancel))!.State);
        Assert.Contains("What to do", await workspace.PressAsync("why", $"{id} /wf"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_again_starts_the_same_workflow_and_inputs_once_however_often_it_is_pressed()
    {
        var (workspace, id) = await EndedAsync();
        Assert.Contains("Working on *wf_sched* with `city=Paris days=3`", await workspace.PressAsync("again", $"{id} /wf"), StringComparison.Ordinal);
        Assert.Contains("Working on *wf_sched*", await workspace.PressAsync("again", $"{id} /wf"), StringComparison.Ordinal);
        var order = Assert.Single((await workspace.OrdersAsync()).DistinctBy(order => order.ExecutionId));
        Assert.Equal(("wf_sched", """{"city":"Paris","days":3}"""), (order.Workflow, order.Inputs.GetRawText()));
        Assert.NotEqual(id.ToString(), order.ExecutionId);

        // Later, it tells of what it started.
        await CreateAsync(workspace, ExecutionId.Parse(order.ExecutionId), "wf_sched");
        Assert.Contains("pressed before, and started this", await workspace.PressAsync("again", $"{id} /wf"), StringComparison.Ordinal);
        Assert.Empty(await world.DrainAsync(world.Queues.ExecutionRequests));
    }

    [Theory]
    [InlineData("U2", "C1", "1700000000.000100")]          // somebody else
    [InlineData("U1", "C1", "1700000000.000200")]          // another message
    [InlineData("U1", "C2", "1700000000.000100")]          // another channel
    public async Task Another_press_is_another_run(string user, string channel, string place)
    {
        var (workspace, id) = await EndedAsync();
        await workspace.PressAsync("again", $"{id}");
        await workspace.PressAsync("again", $"{id}", user, channel, place);
        var orders = await workspace.OrdersAsync();
        Assert.Equal(2, orders.DistinctBy(order => order.ExecutionId).Count());
        Assert.Equal(Requesters.OfSlack(workspace.TeamId, user, channel), orders[1].RequestedBy);
    }

    [Fact]
    public async Task Two_presses_at_once_are_one_run()
    {
        var (workspace, id) = await EndedAsync();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => workspace.InteractAsync(workspace.Press("again", $"{id}"))));
        Assert.Single((await workspace.OrdersAsync()).DistinctBy(order => order.ExecutionId));
    }

    [Fact]
    public async Task A_button_acts_under_todays_policy()
    {
        var (workspace, id) = await EndedAsync();
        await workspace.SaveAsync(A.Workflow("wf_sched", [new("city", ParameterType.String)]));
        Assert.Contains("takes no days", await workspace.PressAsync("again", $"{id}"), StringComparison.Ordinal);
        await workspace.SaveAsync(A.Workflow("wf_sched", []) with { Enabled = false });
        Assert.Contains("switched off", await workspace.PressAsync("again", $"{id}"), StringComparison.Ordinal);
        await workspace.SaveAsync(A.Workflow("wf_sched", []) with { AllowedUsers = ["UBOSS"] });
        Assert.Contains("You may not run wf_sched", await workspace.PressAsync("again", $"{id}"), StringComparison.Ordinal);
        Assert.Empty(await workspace.OrdersAsync());
    }

    [Theory]
    [InlineData("status")]
    [InlineData("why")]
    [InlineData("cancel")]
    [InlineData("again")]
    public async Task What_its_presser_may_not_see_is_not_there(string action)
    {
        var workspace = await world.NewWorkspaceAsync();
        var theirs = await world.NewWorkspaceAsync();
        var (hidden, foreign) = (ExecutionId.Of(workspace.TeamId, "hidden"), ExecutionId.Of(theirs.TeamId, "foreign"));
        await world.StoreAsync(A.Execution(ExecutionState.Running, hidden) with { Workflow = WorkflowName.Parse("payroll") }, workspace);
        await world.StoreAsync(A.Execution(ExecutionState.Running, foreign), theirs);

        foreach (var id in new[] { hidden, foreign })
        {
            Assert.Contains("no such execution that you may see in this channel", await workspace.PressAsync(action, $"{id}", user: "U2"), StringComparison.Ordinal);
            Assert.Equal(ExecutionState.Running, (await world.Executions.FindAsync(id, SlackFixture.Cancel))!.State);
        }
        Assert.Empty(await workspace.OrdersAsync());
    }

    [Theory]
    [InlineData("launch", "exec_00112233445566778899aabbccddeeff")]
    [InlineData("promote", "exec_00112233445566778899aabbccddeeff")]
    [InlineData("list", "5")]
    [InlineData("usage", "")]
    public async Task An_unknown_button_does_nothing_and_says_so(string action, string value)
    {
        var workspace = await world.NewWorkspaceAsync();
        var before = await world.StateAsync();
        Assert.Contains("I don't know that button", await workspace.PressAsync(action, value), StringComparison.Ordinal);
        Assert.Equal(before, await world.StateAsync());
    }

    [Fact]
    public async Task A_press_counts_like_a_command()
    {
        var workspace = await world.NewWorkspaceAsync();
        for (var i = 0; i < 10; i++)
            await workspace.PressAsync("status", $"{A.Id}");
        Assert.Contains("too many commands", await workspace.PressAsync("status", $"{A.Id}"), StringComparison.Ordinal);
        Assert.Contains("too many commands", (await workspace.TypeAsync("help")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_result_carries_the_buttons_that_make_sense_of_it()
    {
        var (workspace, id) = await EndedAsync();
        Assert.Equal(["why", "again"], (await workspace.TypeAsync($"status {id}")).Buttons.Select(button => button.Action));
        Assert.Equal(["status", "again"], (await workspace.TypeAsync($"why {id}")).Buttons.Select(button => button.Action));
    }

    /// <summary>Every call of a press, broken in every way; then its user presses again.</summary>
    [Fact]
    public async Task Whatever_breaks_a_press_is_one_run_and_its_user_is_never_told_of_one_that_is_none()
    {
        var breaks = await CrashPoints.ForEachAsync(async (seam, name) =>
        {
            var (workspace, id) = await EndedAsync();
            using var dynamo = seam.DynamoDb(world.Tables.Endpoint);
            using var sqs = seam.Sqs(await world.QueueEndpointAsync());
            var slack = new SmallSlack();
            try
            {
                await workspace.InteractAsync(workspace.Press("again", $"{id}"), world.NewFunction(dynamo, sqs, slack: slack));
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                // The process died there: Slack's user saw nothing.
            }
            var told = string.Join('\n', slack.Calls.Select(call => (string?)call.Json["text"]));
            var ordered = (await workspace.OrdersAsync()).Count > 0;
            Assert.True(ordered || !told.Contains("Working on", StringComparison.Ordinal), $"{name}: told of a run that is none");
            Assert.False(ordered && told.Contains("Nothing was started", StringComparison.Ordinal), $"{name}: told that nothing was started");

            await workspace.PressAsync("again", $"{id}");
            Assert.True((await workspace.OrdersAsync()).DistinctBy(order => order.ExecutionId).Count() == 1, $"{name}: not one run");
        });
        Assert.InRange(breaks, 20, 100);
    }

    private async Task<(Workspace, ExecutionId)> EndedAsync()
    {
        var workspace = await world.NewWorkspaceAsync();
        var id = ExecutionId.Of(workspace.TeamId, "ended");
        await world.StoreAsync(A.Execution(ExecutionState.Succeeded, id) with
        {
            RequestedBy = Requesters.OfSlack(workspace.TeamId, "U1", "C1"),
            FinishedAt = SlackFixture.Start,
            Outcome = A.Success,
        }, workspace);
        return (workspace, id);
    }

    private async Task CreateAsync(Workspace workspace, ExecutionId id, string workflow)
    {
        var execution = A.Execution(ExecutionState.Queued, id, workspace.Tenant) with
        {
            Workflow = WorkflowName.Parse(workflow),
            RequestedBy = Requesters.OfSlack(workspace.TeamId, "U1", "C1"),
            Inputs = JsonElement.Parse("{}"),
        };
        Assert.IsType<Creation.Created>(await world.Executions.CreateAsync(
            execution, new(id, workspace.Tenant, WebhookPath.Of(execution.Workflow), [1], "token", execution.DeadlineAt), TenantLimits.Default,
            SlackFixture.Cancel));
    }
}
