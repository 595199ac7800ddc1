using System.Text.Json;
using System.Text.Json.Nodes;
using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.SlackHandler;

/// <summary>An approver's word: where it is asked for, who may say it, and what it does.</summary>
public sealed class ApproveCommandTests(SlackFixture world) : IClassFixture<SlackFixture>
{
    private static CancellationToken Cancel => SlackFixture.Cancel;

    [Fact]
    public async Task Whoever_orders_it_is_told_that_it_waits_and_for_whom()
    {
        var workspace = await WorkspaceAsync();
        Assert.Contains("*report* needs approval by ops, who are asked in <#COPS>", (await workspace.TypeAsync("run report")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_approvers_see_one_message_with_buttons_that_says_what_became_of_it()
    {
        var workspace = await WorkspaceAsync();
        await world.InstallAsync(workspace.TeamId, workspace.Tenant);
        var waiting = await WaitingAsync(workspace, approvals: 2);
        using var slack = new SmallSlack();
        Assert.Empty(await TellAsync(waiting, slack));
        var asked = Assert.Single(slack.To("chat.postMessage"));
        Assert.Equal("COPS", (string?)asked["channel"]);
        Assert.Contains("*report* waits for approval", (string?)asked["text"], StringComparison.Ordinal);
        Assert.Contains("asked for by <@U1>", (string?)asked["text"], StringComparison.Ordinal);
        Assert.Equal(["approve", "deny", "why"], Buttons(asked));

        await workspace.PressAsync("approve", $"{waiting.Id}", "UA", "COPS");
        Assert.Empty(await TellAsync(waiting, slack));
        Assert.Contains("<@UA> approved it", (string?)slack.To("chat.update").Last()["text"], StringComparison.Ordinal);
        Assert.Contains("approve", Buttons(slack.To("chat.update").Last()));

        await workspace.PressAsync("deny", $"{waiting.Id}", "UB", "COPS");
        Assert.Empty(await TellAsync(waiting, slack));
        var ended = slack.To("chat.update").Last();
        Assert.Contains("<@UB> denied it", (string?)ended["text"], StringComparison.Ordinal);
        Assert.DoesNotContain("approve", Buttons(ended));
        Assert.Single(slack.To("chat.postMessage"));
        // Who asked for it is told too.
        Assert.Contains(slack.Calls, call => call.Place.StartsWith("/commands/", StringComparison.Ordinal)
            && ((string?)call.Json["text"])!.Contains("An approver said no", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Where_there_is_no_bot_it_is_said_to_the_operators_and_a_typed_word_does()
    {
        var workspace = await WorkspaceAsync();
        var waiting = await WaitingAsync(workspace);
        using var slack = new SmallSlack();
        Assert.Empty(await TellAsync(waiting, slack));
        Assert.Contains("approvers_not_asked", world.LogText, StringComparison.Ordinal);
        Assert.Contains("You approved *report*. It begins", (await workspace.TypeAsync($"approve {waiting.Id.Short}", "UA", "COPS")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_yes_is_on_record_once_and_says_so_to_where_tokens_are_made()
    {
        var workspace = await WorkspaceAsync();
        var waiting = await WaitingAsync(workspace);
        for (var press = 0; press < 3; press++)
            Assert.Contains("You approved *report*. It begins", await workspace.PressAsync("approve", $"{waiting.Id}", "UA", "COPS"), StringComparison.Ordinal);

        var now = await FindAsync(waiting);
        Assert.Equal((ExecutionState.AwaitingApproval, UserId.Parse("UA")), (now.State, Assert.Single(now.Approvals).UserId));
        Assert.Equal([("execution.approve", $"slack:{workspace.TeamId}/UA")], await world.RecordsAsync(workspace.Tenant));
        var said = (await world.DrainAsync(world.Queues.ExecutionRequests)).Select(message => JsonNode.Parse(message.Body)!)
            .Where(body => (string?)body["execution_id"] == waiting.Id.ToString()).ToList();
        Assert.Equal(ApprovalGiven.SchemaV1, (string?)Assert.Single(said)["schema"]);
    }

    [Fact]
    public async Task Two_approvers_at_once_are_both_on_record()
    {
        var workspace = await WorkspaceAsync();
        var waiting = await WaitingAsync(workspace, approvals: 3);
        await workspace.PressAsync("approve", $"{waiting.Id}", "UC", "COPS");
        var faster = new Interleaved("TransactWriteItems", () => workspace.PressAsync("approve", $"{waiting.Id}", "UB", "COPS"));
        await workspace.InteractAsync(
            workspace.Press("approve", $"{waiting.Id}", "UA", "COPS"),
            world.NewFunction(dynamo: world.Tables.ClientOf("SlackCommandsFunction", new FaultSeam(_ => null, faster))));
        Assert.True(faster.Happened);
        Assert.Equal(["UA", "UB", "UC"], (await FindAsync(waiting)).Approvals.Select(one => one.UserId.ToString()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_no_ends_it_gives_its_reservation_back_and_is_on_record()
    {
        var workspace = await WorkspaceAsync();
        var waiting = await WaitingAsync(workspace);
        Assert.Contains("You denied *report*", await workspace.PressAsync("deny", $"{waiting.Id}", "UA", "COPS"), StringComparison.Ordinal);
        Assert.Contains("You denied *report*", await workspace.PressAsync("deny", $"{waiting.Id}", "UA", "COPS"), StringComparison.Ordinal);
        Assert.Contains("nothing left to approve", await workspace.PressAsync("approve", $"{waiting.Id}", "UB", "COPS"), StringComparison.Ordinal);

        var denied = await FindAsync(waiting);
        Assert.Equal((ExecutionState.Denied, "approval_denied", UserId.Parse("UA")), (denied.State, denied.Decision!.Code, denied.DeniedBy!.UserId));
        var ledger = new ControlPlane.Aws.QuotaLedger(world.Tables.Client, world.Tables.Quotas);
        Assert.Equal(MonthUsage.None, await ledger.MonthAsync(workspace.Tenant, waiting.Month, Cancel));
        Assert.Equal([("execution.deny", $"slack:{workspace.TeamId}/UA")], await world.RecordsAsync(workspace.Tenant));
        Assert.Contains(await world.DrainAsync(world.Queues.Notifications), message => message.Body.Contains(waiting.Id.ToString(), StringComparison.Ordinal));
        Assert.Contains("<@UA> denied it", (await workspace.TypeAsync($"why {waiting.Id}")).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not before the audit", "not before the audit")]
    [InlineData("\"too  late\" for Q=4", "too  late for Q=4")]
    [InlineData("<@U1> & *co\u0007*", "<@U1> & *co\uFFFD*")]
    public async Task A_no_may_say_why_and_everybody_who_looks_is_told(string typed, string reason)
    {
        var workspace = await WorkspaceAsync();
        var waiting = await WaitingAsync(workspace);
        await workspace.TypeAsync($"deny {waiting.Id} {typed}", "UA", "COPS");

        var denied = await FindAsync(waiting);
        Assert.Equal((reason, $"An approver said no: {reason}"), (denied.DeniedBy!.Reason, denied.Decision!.InPlainWords));
        var shown = reason.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);
        Assert.Contains($"An approver said no: {shown}", (await workspace.TypeAsync($"why {waiting.Id}")).Text, StringComparison.Ordinal);
        Assert.Contains($"An approver said no: {shown}", (await workspace.TypeAsync($"status {waiting.Id}")).Text, StringComparison.Ordinal);
        var record = await new ControlPlane.Aws.AuditTrail(world.Tables.Client, world.Tables.Audit, world.Clock)
            .NewestAsync(workspace.Tenant, null, world.Clock.Now.AddDays(-1), world.Clock.Now.AddDays(1), Cancel).FirstAsync(one => one.Action == "execution.deny", Cancel);
        Assert.Equal(reason, record.Values.Single(one => one.Name == "reason").Is);
    }

    [Theory]
    [InlineData(300, true), InlineData(301, false)]
    public async Task A_reason_has_a_limit_that_is_named(int length, bool isTaken)
    {
        var workspace = await WorkspaceAsync();
        var waiting = await WaitingAsync(workspace);
        var said = (await workspace.TypeAsync($"deny {waiting.Id} {new string('x', length)}", "UA", "COPS")).Text;

        Assert.Contains(isTaken ? "You denied *report*" : "at most 300 characters, and yours has 301", said, StringComparison.Ordinal);
        Assert.Equal(isTaken ? ExecutionState.Denied : ExecutionState.AwaitingApproval, (await FindAsync(waiting)).State);
    }

    [Theory]
    [InlineData("\u200B  "), InlineData("")]
    public async Task A_reason_that_nobody_sees_is_none(string typed)
    {
        var workspace = await WorkspaceAsync();
        var waiting = await WaitingAsync(workspace);
        await workspace.TypeAsync($"deny {waiting.Id} {typed}", "UA", "COPS");
        Assert.Equal("An approver said no.", (await FindAsync(waiting)).Decision!.InPlainWords);
    }

    [Theory]
    [InlineData("UA", true), InlineData("UX", false)]
    public async Task Help_names_both_words_to_whoever_approves_something(string user, bool isNamed)
    {
        var workspace = await WorkspaceAsync();
        var help = (await workspace.TypeAsync("help", user, "COPS")).Text;
        Assert.Equal((isNamed, isNamed), (help.Contains("approve exec_…", StringComparison.Ordinal), help.Contains("deny exec_… why not", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("approve", "UX", "approved by ops, and you are not one of them")]       // may run it, and not approve it
    [InlineData("deny", "UX", "approved by ops, and you are not one of them")]
    [InlineData("approve", "U1", "somebody else has to approve it")]                    // asked for it, and is an approver
    public async Task Whoever_may_not_approve_it_changes_nothing(string verb, string user, string said)
    {
        var workspace = await WorkspaceAsync();
        var waiting = await WaitingAsync(workspace);
        Assert.Contains(said, await workspace.PressAsync(verb, $"{waiting.Id}", user), StringComparison.Ordinal);
        var now = await FindAsync(waiting);
        Assert.Equal((ExecutionState.AwaitingApproval, 0), (now.State, now.Approvals.Count));
        Assert.Empty(await world.RecordsAsync(workspace.Tenant));
    }

    [Fact]
    public async Task Its_approvers_are_those_that_the_catalogue_names_today()
    {
        var workspace = await WorkspaceAsync();
        var waiting = await WaitingAsync(workspace);
        await workspace.SaveAsync(A.Workflow("report", []) with { Approval = Rule(workspace, 1) with { Groups = ["heads"] } });
        await world.Registry.SaveAsync(workspace.Tenant, new UserGroup("heads", ["UH"]), Cancel);

        Assert.Contains("approved by heads, and you are not one of them", await workspace.PressAsync("approve", $"{waiting.Id}", "UA"), StringComparison.Ordinal);
        Assert.Contains("You approved *report*", await workspace.PressAsync("approve", $"{waiting.Id}", "UH"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_approver_no_longer_and_one_who_is_too_late_are_told_so()
    {
        var workspace = await WorkspaceAsync();
        var waiting = await WaitingAsync(workspace);
        await world.Registry.SaveAsync(workspace.Tenant, new UserGroup("ops", ["UB"]), Cancel);
        Assert.Contains("you are not one of them", await workspace.PressAsync("approve", $"{waiting.Id}", "UA"), StringComparison.Ordinal);
        world.Clock.Now = waiting.DeadlineAt;
        Assert.Contains("The time to approve *report* is over", await workspace.PressAsync("approve", $"{waiting.Id}", "UB"), StringComparison.Ordinal);
        Assert.Empty((await FindAsync(waiting)).Approvals);
    }

    [Fact]
    public async Task An_approver_sees_what_they_approve_though_they_may_not_run_it()
    {
        var workspace = await WorkspaceAsync();
        await workspace.SaveAsync(A.Workflow("report", []) with { AllowedUsers = ["U1"], Approval = Rule(workspace, 1) });
        var waiting = await WaitingAsync(workspace);
        Assert.Contains("*report* waits for approval", (await workspace.TypeAsync($"why {waiting.Id}", "UA", "COPS")).Text, StringComparison.Ordinal);
        Assert.Contains("no such execution", (await workspace.TypeAsync($"why {waiting.Id}", "UX", "COPS")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelled_while_it_waits_it_does_not_count()
    {
        var workspace = await WorkspaceAsync();
        var waiting = await WaitingAsync(workspace);
        Assert.Contains("It had not begun, and does not count", (await workspace.TypeAsync($"cancel {waiting.Id}")).Text, StringComparison.Ordinal);
        Assert.Contains("nothing left to approve", await workspace.PressAsync("approve", $"{waiting.Id}", "UA"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("approve")]
    [InlineData("deny")]
    public async Task Whichever_call_fails_the_press_again_says_it_once(string verb)
    {
        var (workspace, said) = (await WorkspaceAsync(), 0);
        var played = await CrashPoints.ForEachAsync(async (seam, name) =>
        {
            var waiting = await WaitingAsync(workspace);
            await Record.ExceptionAsync(() => workspace.InteractAsync(
                workspace.Press(verb, $"{waiting.Id}", "UA", "COPS"),
                world.NewFunction(
                    dynamo: world.Tables.ClientOf("SlackCommandsFunction", seam), sqs: world.Queues.ClientOf("SlackCommandsFunction", world.Tables, seam))));
            world.Clock.Advance(TimeSpan.FromMinutes(1));
            await workspace.PressAsync(verb, $"{waiting.Id}", "UA", "COPS");

            var now = await FindAsync(waiting);
            Assert.True(verb == "deny" ? now.State == ExecutionState.Denied : now is { State: ExecutionState.AwaitingApproval, Approvals.Count: 1 }, name);
            Assert.True((await world.RecordsAsync(workspace.Tenant)).Count == ++said, name);
            await world.Executions.CancelAsync(now, "U1", world.Tables.Auditor, Cancel);
        });
        Assert.InRange(played, 5 * FaultSeam.AllFaults.Count, 20 * FaultSeam.AllFaults.Count);
    }

    private async Task<Workspace> WorkspaceAsync()
    {
        var workspace = await world.NewWorkspaceAsync();
        await workspace.SaveAsync(A.Workflow("report", []) with { Approval = Rule(workspace, 1) });
        await world.Registry.SaveAsync(workspace.Tenant, new UserGroup("ops", ["UA", "UB", "UC", "U1"]), Cancel);
        return workspace;
    }

    private static ApprovalRule Rule(Workspace workspace, int approvals) =>
        new(["ops"], TeamId.Parse(workspace.TeamId), ChannelId.Parse("COPS"), approvals, SelfApproval: false, TimeSpan.FromHours(24));

    /// <summary>As the orchestrator makes it; its requester waits at the address that came with the command.</summary>
    private async Task<Execution> WaitingAsync(Workspace workspace, int approvals = 1)
    {
        var rule = Rule(workspace, approvals);
        if (approvals > 1)
            await workspace.SaveAsync(A.Workflow("report", []) with { Approval = rule });
        var form = workspace.Form("run report");
        await workspace.SendAsync(form);
        await world.OrdersAsync();
        var waiting = A.Execution(ExecutionState.AwaitingApproval, workspace.ExecutionOf(form), workspace.Tenant, "U1") with
        {
            Workflow = WorkflowName.Parse("report"),
            RequestedBy = ControlPlane.Tests.Support.Requesters.OfSlack(workspace.TeamId, "U1", "C1"),
            CreatedAt = world.Clock.Now,
            DeadlineAt = world.Clock.Now + rule.Within,
            Approval = rule,
        };
        Assert.IsType<Creation.Created>(await world.Executions.CreateAsync(waiting, order: null, TenantLimits.Default, Cancel));
        return waiting;
    }

    private async Task<Execution> FindAsync(Execution execution) => (await world.Executions.FindAsync(execution.Id, Cancel))!;

    /// <returns>The messages that have to come again.</returns>
    private async Task<IEnumerable<string>> TellAsync(Execution execution, HttpMessageHandler slack)
    {
        var body = JsonSerializer.Serialize(new(Notification.SchemaV1, execution.Id.ToString(), execution.Tenant.ToString()), DomainJson.Default.Notification);
        var answer = await world.NewNotifications(slack).TellAsync(
            new() { Records = [new() { MessageId = "m1", Body = body, EventSource = "aws:sqs" }] }, SlackFixture.Context);
        return answer.BatchItemFailures.Select(one => one.ItemIdentifier);
    }

    private static IEnumerable<string?> Buttons(JsonObject message) => message["blocks"]!.AsArray()
        .Where(block => (string?)block!["type"] == "actions").SelectMany(block => block!["elements"]!.AsArray()).Select(button => (string?)button!["action_id"]);
}
