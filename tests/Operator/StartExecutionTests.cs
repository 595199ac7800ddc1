using System.Text.Json;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Operator;

/// <summary>Executions that an operator starts, waits for, and cancels.</summary>
public sealed class StartExecutionTests(LocalCloud cloud)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_start_is_marked_and_ordered_in_the_operators_name()
    {
        await using var ctl = await StartAsync();
        var said = (await ctl.DoAsync("execution start tenant-7 wf_sched --param city=Paris --param days=3 --output json")).Json;
        var id = ExecutionId.Parse(said.GetProperty("execution_id").GetString()!);

        var order = JsonDocument.Parse(Assert.Single(await OrdersAsync(ctl))).RootElement;
        Assert.Equal(id.ToString(), order.GetProperty("execution_id").GetString());
        Assert.Equal("""{"city":"Paris","days":"3"}""", order.GetProperty("inputs").GetRawText());
        Assert.Equal("operator", order.GetProperty("requested_by").GetProperty("source").GetString());
        Assert.StartsWith("local:", order.GetProperty("requested_by").GetProperty("caller").GetString(), StringComparison.Ordinal);

        // An order that is lost is found by its mark.
        var marks = new ReplyStore(ctl.Tables.Client, ctl.Tables.Executions, ctl.Clock);
        Assert.IsType<Requester.Operator>((await marks.FindOrderAsync(id, Cancel))!.RequestedBy);
        ctl.Clock.Advance(Slack.Reply.LostAfter);
        Assert.Equal([id], await marks.OverdueAsync(10, Cancel));
    }

    [Fact]
    public async Task The_same_key_is_the_same_execution_and_without_one_every_start_is_another()
    {
        await using var ctl = await StartAsync();
        Assert.Equal(await StartedAsync("--idempotency-key nightly-1"), await StartedAsync("--idempotency-key nightly-1"));
        Assert.NotEqual(await StartedAsync("--idempotency-key nightly-1"), await StartedAsync("--idempotency-key nightly-2"));
        Assert.NotEqual(await StartedAsync(""), await StartedAsync(""));

        async Task<string?> StartedAsync(string more) =>
            (await ctl.DoAsync($"execution start tenant-7 wf_sched --param city=Paris {more} --output json")).Json.GetProperty("execution_id").GetString();
    }

    [Theory]
    [InlineData("execution start tenant-9 wf_sched", 1, "tenant-9 is not registered")]
    [InlineData("execution start tenant-7 wf_shed --param city=Paris", 1, "Did you mean wf_sched?")]
    [InlineData("execution start tenant-7 wf_sched", 1, "city is missing")]
    [InlineData("execution start tenant-7 wf_sched --param city=Paris --param days=soon", 1, "days must be a whole number")]
    [InlineData("execution start tenant-7 wf_off", 1, "switched off")]
    [InlineData("execution start tenant-7 wf_sched --param Paris", 2, "name=value")]
    [InlineData("execution start tenant-7 wf_sched --param city=Paris --param city=Rome", 2, "given twice")]
    [InlineData("execution again exec_0123456789abcdef0123456789abcdef", 1, "no execution")]
    [InlineData("execution cancel exec_0123456789abcdef0123456789abcdef", 1, "no execution")]
    [InlineData("execution wait exec_0123456789abcdef0123456789abcdef", 1, "no execution")]
    public async Task What_cannot_run_is_said_and_orders_nothing(string line, int exit, string words)
    {
        await using var ctl = await StartAsync();
        (await ctl.SayAsync(line)).Refuses(exit, words);
        Assert.Empty(await OrdersAsync(ctl));
    }

    [Fact]
    public async Task Again_orders_the_same_inputs_for_the_operator()
    {
        await using var ctl = await StartAsync();
        var first = await ctl.QueueExecutionAsync();
        await ctl.DoAsync($"execution again {first.Id}");

        var order = JsonDocument.Parse(Assert.Single(await OrdersAsync(ctl))).RootElement;
        Assert.NotEqual(first.Id.ToString(), order.GetProperty("execution_id").GetString());
        Assert.Equal(first.Inputs.GetRawText(), order.GetProperty("inputs").GetRawText());
        Assert.Equal("operator", order.GetProperty("requested_by").GetProperty("source").GetString());
    }

    [Theory]
    [InlineData(OutcomeStatus.Succeeded, 0), InlineData(OutcomeStatus.Failed, 1), InlineData(OutcomeStatus.Cancelled, 1)]
    public async Task Whoever_waits_hears_each_state_and_the_exit_code_tells_success(OutcomeStatus status, int exit)
    {
        await using var ctl = await StartAsync();
        var execution = await ctl.QueueExecutionAsync();
        var waiting = ctl.SayAsync($"execution wait {execution.Id}");
        await Task.Delay(TimeSpan.FromMilliseconds(300), Cancel);
        Assert.False(waiting.IsCompleted);
        await ctl.Executions.FinishAsync(execution, new(status, null, null, null, new(1, 0, 0, 0), null, null), "00", Cancel);

        var said = await waiting;
        Assert.Equal((exit, $"{execution.Id} QUEUED\n"), (said.Exit, said.Error));
        Assert.Contains(ExecutionStates.All.Single(one => one.ToString() == status.ToString()).Name, said.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_that_is_no_execution_yet_is_waited_for()
    {
        await using var ctl = await StartAsync();
        var id = (await ctl.DoAsync("execution start tenant-7 wf_sched --param city=Paris --output json")).Json.GetProperty("execution_id").GetString()!;
        var waiting = ctl.SayAsync($"execution wait {id}");
        await Task.Delay(TimeSpan.FromMilliseconds(300), Cancel);
        Assert.False(waiting.IsCompleted);

        await new ReplyStore(ctl.Tables.Client, ctl.Tables.Executions, ctl.Clock).SettleAsync(ExecutionId.Parse(id), Cancel);
        var said = await waiting;
        Assert.Contains($"{id} ORDERED", said.Error, StringComparison.Ordinal);
        Assert.Contains("no execution", said.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancelled_execution_names_who_did_it_and_its_requester_is_told()
    {
        await using var ctl = await StartAsync();
        var execution = await ctl.QueueExecutionAsync();
        await ctl.DoAsync($"execution cancel {execution.Id}");
        Assert.Contains("cancelled before", (await ctl.DoAsync($"execution cancel {execution.Id}")).Output, StringComparison.Ordinal);

        var now = (await ctl.Executions.FindAsync(execution.Id, Cancel))!;
        Assert.Equal(ExecutionState.Cancelled, now.State);
        Assert.StartsWith("local:", now.CancelledBy, StringComparison.Ordinal);
        Assert.Contains(execution.Id.ToString(), Assert.Single(await ReceivedAsync(ctl, ctl.Queues.Notifications)), StringComparison.Ordinal);

        var done = await ctl.QueueExecutionAsync("t2");
        await ctl.Executions.FinishAsync(done, new(OutcomeStatus.Succeeded, null, null, null, new(1, 0, 0, 0), null, null), "00", Cancel);
        (await ctl.SayAsync($"execution cancel {done.Id}")).Refuses(1, "SUCCEEDED", "nothing left to cancel");
    }

    [Theory]
    [InlineData("--status QUEUED", "t3 t2")]
    [InlineData("--status QUEUED --count 1", "t3")]
    [InlineData("--workflow wf_other", "t3")]
    [InlineData("--user U0001", "t3 t2 t1")]
    [InlineData("--user T0007/U0001", "t3 t2 t1")]
    [InlineData("--user U0002", "")]
    [InlineData("--since 90m", "t3 t2")]
    [InlineData("--since 30m", "t3")]
    public async Task A_list_is_of_those_that_were_asked_for(string filter, string triggers)
    {
        await using var ctl = await StartAsync();
        var names = new Dictionary<string, string>();
        foreach (var trigger in new[] { "t1", "t2", "t3" })
        {
            var execution = await ctl.QueueExecutionAsync(trigger, workflow: trigger == "t3" ? "wf_other" : "wf_sched");
            names[execution.Id.ToString()] = trigger;
            if (trigger == "t1")
                await ctl.Executions.CancelAsync(execution, "U0001", ctl.Tables.Auditor, Cancel);
            if (trigger != "t3")
                ctl.Clock.Advance(TimeSpan.FromHours(1));
        }
        var lines = (await ctl.DoAsync($"execution list tenant-7 {filter} --output json")).Json.GetProperty("executions").EnumerateArray();
        Assert.Equal(triggers, string.Join(' ', lines.Select(line => names[line.GetProperty("execution_id").GetString()!])));
    }

    private async Task<OperatorFixture> StartAsync()
    {
        var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        await ctl.DoAsync("workflow publish tenant-7 wf_sched --param city:string:required --param days:integer --allow-user U9999 --allow-channel C9999");
        await ctl.DoAsync("workflow publish tenant-7 wf_off");
        await ctl.DoAsync("workflow disable tenant-7 wf_off");
        return ctl;
    }

    private static Task<IReadOnlyList<string>> OrdersAsync(OperatorFixture ctl) => ReceivedAsync(ctl, ctl.Queues.ExecutionRequests);

    private static async Task<IReadOnlyList<string>> ReceivedAsync(OperatorFixture ctl, string queue)
    {
        var answer = await ctl.Queues.Client.ReceiveMessageAsync(
            new Amazon.SQS.Model.ReceiveMessageRequest { QueueUrl = queue, MaxNumberOfMessages = 10 }, Cancel);
        return [.. (answer.Messages ?? []).Select(message => message.Body)];
    }
}
