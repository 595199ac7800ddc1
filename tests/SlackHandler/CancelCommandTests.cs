using System.Text.Json;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.SlackHandler;

public sealed class CancelCommandTests(SlackFixture world) : IClassFixture<SlackFixture>
{
    [Fact]
    public async Task What_waits_is_cancelled_at_once_and_does_not_count()
    {
        var (workspace, id) = await StartAsync();
        var said = await workspace.TypeAsync($"cancel {id}");

        Assert.Contains("is cancelled. It had not begun, and does not count.", said.Text, StringComparison.Ordinal);
        var execution = await FindAsync(id);
        Assert.Equal((ExecutionState.Cancelled, "U1"), (execution.State, execution.CancelledBy));
        Assert.Equal(0, (await QuotaAsync(workspace)).Charged);
        Assert.Equal([("execution.cancel", $"slack:{workspace.TeamId}/U1")], await world.RecordsAsync(workspace.Tenant));
        await AssertNotifiedAsync(workspace, id);
    }

    [Fact]
    public async Task What_the_engine_has_is_cancelled_at_once_and_counts()
    {
        var (workspace, id) = await StartAsync();
        await world.Executions.ClaimAsync(id, workspace.Tenant, "dispatcher", TimeSpan.FromSeconds(30), SlackFixture.Cancel);
        var said = await workspace.TypeAsync($"cancel {id}");

        Assert.Contains("whatever it still reports is ignored", said.Text, StringComparison.Ordinal);
        Assert.Equal(ExecutionState.Cancelled, (await FindAsync(id)).State);
        Assert.Equal((1, 1), ((await QuotaAsync(workspace)).Charged, (await QuotaAsync(workspace)).Used));
        await AssertNotifiedAsync(workspace, id);
    }

    [Fact]
    public async Task Cancelling_twice_is_cancelling_once()
    {
        var (workspace, id) = await StartAsync();
        await workspace.TypeAsync($"cancel {id}");
        await AssertNotifiedAsync(workspace, id);
        var again = await workspace.TypeAsync($"cancel {id}");
        Assert.Contains("is cancelled.", again.Text, StringComparison.Ordinal);
        Assert.Contains("nothing left to cancel", (await workspace.TypeAsync($"cancel {id}", user: "U2")).Text, StringComparison.Ordinal);
        Assert.Empty(await world.DrainAsync(world.Queues.Notifications));
    }

    [Fact]
    public async Task Twenty_cancels_at_once_give_the_charge_back_once()
    {
        var (workspace, id) = await StartAsync();
        var said = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => workspace.TypeAsync($"cancel {id}", user: $"U{i}")));
        Assert.All(said, one => Assert.Equal(200, one.Status));
        Assert.Equal(0, (await QuotaAsync(workspace)).Charged);
        await AssertNotifiedAsync(workspace, id);
    }

    [Fact]
    public async Task A_cancel_that_loses_its_race_against_the_dispatcher_goes_on_with_what_it_finds()
    {
        var (workspace, id) = await StartAsync();
        var claimed = false;
        var seam = new FaultSeam(call =>
        {
            if (call.Operation == "TransactWriteItems" && !claimed)
            {
                claimed = true;     // between the read and the write, a dispatcher takes it
                world.Executions.ClaimAsync(id, workspace.Tenant, "dispatcher", TimeSpan.FromSeconds(30), CancellationToken.None).GetAwaiter().GetResult();
            }
            return null;
        });
        using var dynamo = seam.DynamoDb(world.Tables.Endpoint);
        var said = await workspace.TypeAsync($"cancel {id}", function: world.NewFunction(dynamo));

        Assert.Contains("whatever it still reports is ignored", said.Text, StringComparison.Ordinal);
        Assert.Equal(1, (await QuotaAsync(workspace)).Used);
        await AssertNotifiedAsync(workspace, id);
    }

    [Fact]
    public async Task A_cancel_whose_answer_is_lost_is_not_called_a_failure()
    {
        var (workspace, id) = await StartAsync();
        using var dynamo = new FaultSeam(call => call.Operation == "TransactWriteItems" ? Fault.Silence : null).DynamoDb(world.Tables.Endpoint);
        var said = await workspace.TypeAsync($"cancel {id}", function: world.NewFunction(dynamo));
        Assert.Contains("can't tell whether that was cancelled", said.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancel_holds_though_its_notification_cannot_be_sent()
    {
        var (workspace, id) = await StartAsync();
        using var sqs = new FaultSeam(_ => Fault.Throttled).Sqs(await world.QueueEndpointAsync());
        var said = await workspace.TypeAsync($"cancel {id}", function: world.NewFunction(sqs: sqs));
        Assert.Contains("is cancelled", said.Text, StringComparison.Ordinal);
        Assert.Equal(ExecutionState.Cancelled, (await FindAsync(id)).State);
    }

    [Fact]
    public async Task Only_who_asked_for_it_or_may_run_it_may_cancel_it()
    {
        var (workspace, id) = await StartAsync(workflow: "payroll", user: "UFIN");
        Assert.Contains("no such execution that you may see", (await workspace.TypeAsync($"cancel {id}", user: "U2")).Text, StringComparison.Ordinal);
        Assert.Equal(ExecutionState.Queued, (await FindAsync(id)).State);
        Assert.Contains("is cancelled", (await workspace.TypeAsync($"cancel {id}", user: "UFIN")).Text, StringComparison.Ordinal);
        await AssertNotifiedAsync(workspace, id);
    }

    [Fact]
    public async Task What_is_ordered_and_not_on_record_yet_is_to_be_tried_again()
    {
        var workspace = await world.NewWorkspaceAsync();
        var form = workspace.Form("run report");
        await workspace.SendAsync(form);
        Assert.Contains("Try again in a few seconds", (await workspace.TypeAsync($"cancel {workspace.ExecutionOf(form)}")).Text, StringComparison.Ordinal);
    }

    private async Task<(Workspace, ExecutionId)> StartAsync(string workflow = "wf_sched", string user = "U1")
    {
        var workspace = await world.NewWorkspaceAsync();
        return (workspace, await workspace.QueueAsync(workflow, user));
    }

    private async Task<Execution> FindAsync(ExecutionId id) => (await world.Executions.FindAsync(id, SlackFixture.Cancel))!;

    private Task<MonthUsage> QuotaAsync(Workspace workspace) =>
        new QuotaLedger(world.Tables.Client, world.Tables.Quotas).MonthAsync(workspace.Tenant, Month.Of(SlackFixture.Start), SlackFixture.Cancel);

    private async Task AssertNotifiedAsync(Workspace workspace, ExecutionId id)
    {
        var message = Assert.Single(await world.DrainAsync(world.Queues.Notifications));
        Assert.Equal(
            new Notification(Notification.SchemaV1, id.ToString(), workspace.Tenant.ToString()),
            JsonSerializer.Deserialize(message.Body, DomainJson.Default.Notification));
    }
}
