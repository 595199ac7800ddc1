using System.Text.Json;
using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Orchestrator;

/// <summary>What has to be approved: it waits with its reservation and without a token, and begins or ends when its approvers have said so.</summary>
public sealed class ApprovalTests(LocalCloud cloud)
{
    internal static readonly ApprovalRule ByOne = new(["ops"], TeamId.Parse("T0001"), ChannelId.Parse("COPS"), 1, SelfApproval: false, TimeSpan.FromHours(24));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_waits_with_its_reservation_and_no_token_and_its_approvers_are_asked()
    {
        var world = await WorldAsync(ByOne);
        var waiting = await world.StartAsync(world.Request());

        Assert.Equal((ExecutionState.AwaitingApproval, world.Now + ByOne.Within), (waiting.State, waiting.DeadlineAt));
        Assert.Equal(Json(ByOne), Json(waiting.Approval!));
        Assert.Equal((1, 1), await HeldAsync(world));
        Assert.Null(await world.Executions.FindOrderAsync(waiting.Id, Cancel));
        Assert.Empty(await world.DispatchesAsync());
        Assert.Single(await world.NotificationsAsync());

        await world.StartAsync(world.Request());                // the request again
        Assert.Equal((1, 1), await HeldAsync(world));
        Assert.Empty(await world.DispatchesAsync());
    }

    [Fact]
    public async Task Approved_it_gets_its_tokens_its_whole_deadline_and_is_dispatched()
    {
        var world = await WorldAsync(ByOne);
        var waiting = await world.StartAsync(world.Request());
        await world.NotificationsAsync();
        world.Clock.Advance(TimeSpan.FromHours(3));
        await ApproveAsync(world, waiting.Id, "UA");

        var begun = await ReadAsync(world, waiting.Id);
        Assert.Equal((ExecutionState.Queued, world.Now + TimeSpan.FromHours(1)), (begun.State, begun.DeadlineAt));
        Assert.Equal([UserId.Parse("UA")], begun.Approvals.Select(one => one.UserId));
        Assert.Equal((true, Approvals.Rule, Judgement.Allow), (begun.Decision!.Allowed, begun.Decision.Verdicts[^1].Rule, begun.Decision.Verdicts[^1].Verdict));
        Assert.True((await world.Executions.FindOrderAsync(begun.Id, Cancel))!.TokenExpiresAt > world.Now);
        Assert.Single(await world.DispatchesAsync());
        Assert.Single(await world.NotificationsAsync());        // its approvers' message
        Assert.Equal((1, 1), await HeldAsync(world));
    }

    [Fact]
    public async Task It_waits_on_until_enough_who_may_still_have_said_yes()
    {
        var world = await WorldAsync(ByOne with { Approvals = 2 });
        var waiting = await world.StartAsync(world.Request());
        await ApproveAsync(world, waiting.Id, "UA");
        Assert.Equal(ExecutionState.AwaitingApproval, (await ReadAsync(world, waiting.Id)).State);

        await world.Registry.SaveAsync(OrchestratorFixture.Tenant, new UserGroup("ops", ["UB", "UC"]), Cancel);     // UA is an approver no longer
        await ApproveAsync(world, waiting.Id, "UB");
        Assert.Equal(ExecutionState.AwaitingApproval, (await ReadAsync(world, waiting.Id)).State);
        await ApproveAsync(world, waiting.Id, "UC");
        Assert.Equal(ExecutionState.Queued, (await ReadAsync(world, waiting.Id)).State);
        Assert.Single(await world.DispatchesAsync());
    }

    [Fact]
    public async Task Policy_is_asked_anew_and_may_say_no_in_the_month_that_it_was_made_in()
    {
        var world = await WorldAsync(ByOne);
        world.Clock.Advance(TimeSpan.FromDays(8));              // 30 November, noon
        await world.HeardFromAsync(world.Now);
        var waiting = await world.StartAsync(world.Request());
        world.Clock.Advance(TimeSpan.FromHours(13));
        await world.HeardFromAsync(world.Now);
        Assert.NotEqual(waiting.Month, world.Month);
        await world.PublishAsync(OrchestratorFixture.Workflow() with { Approval = ByOne, Enabled = false });
        await ApproveAsync(world, waiting.Id, "UA");

        var denied = await ReadAsync(world, waiting.Id);
        Assert.Equal((ExecutionState.Denied, "workflow_disabled"), (denied.State, denied.Decision!.Code));
        Assert.Equal(MonthUsage.None, await world.Ledger.MonthAsync(OrchestratorFixture.Tenant, waiting.Month, Cancel));
        Assert.Equal(MonthUsage.None, await world.Ledger.MonthAsync(OrchestratorFixture.Tenant, world.Month, Cancel));
        Assert.Equal(0, await world.Ledger.ActiveAsync(OrchestratorFixture.Tenant, Cancel));
        Assert.Empty(await world.DispatchesAsync());
    }

    [Fact]
    public async Task What_it_holds_itself_is_not_in_its_own_way()
    {
        var world = await WorldAsync(ByOne);
        await world.RegisterAsync(TenantLimits.Default with { Concurrency = 1, MonthlyQuota = 1 });
        var waiting = await world.StartAsync(world.Request());
        await ApproveAsync(world, waiting.Id, "UA");
        Assert.Equal(ExecutionState.Queued, (await ReadAsync(world, waiting.Id)).State);
    }

    [Fact]
    public async Task What_the_month_has_used_in_which_it_is_approved_is_not_its_own()
    {
        var world = await WorldAsync(ByOne);
        world.Clock.Advance(TimeSpan.FromDays(8));              // 30 November, noon
        await world.HeardFromAsync(world.Now);
        var waiting = await world.StartAsync(world.Request());
        world.Clock.Advance(TimeSpan.FromHours(13));
        await world.HeardFromAsync(world.Now);
        foreach (var another in new[] { "one", "two" })
            await world.StartAsync(world.Request(another));
        Assert.Equal((2, 3), await HeldAsync(world));
        await world.RegisterAsync(TenantLimits.Default with { MonthlyQuota = 1 });
        await ApproveAsync(world, waiting.Id, "UA");
        Assert.Equal(ExecutionState.Queued, (await ReadAsync(world, waiting.Id)).State);
    }

    [Fact]
    public async Task After_its_time_or_cancelled_it_is_approved_no_more()
    {
        var world = await WorldAsync(ByOne);
        var (late, cancelled) = (await world.StartAsync(world.Request("late")), await world.StartAsync(world.Request("cancelled")));
        Assert.IsType<Move.Moved>(await world.Executions.CancelAsync(cancelled, "U0001", world.Tables.Auditor, Cancel));
        await world.SeeToApproval.RunAsync(new(cancelled.Id, cancelled.Tenant), Cancel);
        Assert.Equal(ExecutionState.Cancelled, (await ReadAsync(world, cancelled.Id)).State);
        Assert.Equal((1, 1), await HeldAsync(world));

        await AddAsync(world, late.Id, "UA");
        world.Clock.Advance(ByOne.Within);
        await world.SeeToApproval.RunAsync(new(late.Id, late.Tenant), Cancel);
        Assert.Equal(ExecutionState.AwaitingApproval, (await ReadAsync(world, late.Id)).State);
        Assert.Empty(await world.DispatchesAsync());
    }

    [Fact]
    [Trait("Length", "long")]
    public async Task Whichever_call_fails_the_message_that_comes_again_has_it_begin_once()
    {
        var played = 0;
        foreach (var fault in FaultSeam.AllFaults)
        {
            for (var number = 1; ; number++)
            {
                var world = await WorldAsync(ByOne);
                var waiting = await world.StartAsync(world.Request());
                await AddAsync(world, waiting.Id, "UA");
                var broken = world.Seam.Calls.Count + number;
                world.Plan = call => call.Number == broken ? fault : null;
                await Record.ExceptionAsync(() => world.SeeToApproval.RunAsync(new(waiting.Id, waiting.Tenant), Cancel));
                var isBroken = world.Seam.Calls.Count >= broken;

                var next = world.Restarted();
                await next.SeeToApproval.RunAsync(new(waiting.Id, waiting.Tenant), Cancel);
                Assert.Equal(ExecutionState.Queued, (await ReadAsync(next, waiting.Id)).State);
                Assert.Equal((1, 1), await HeldAsync(next));
                Assert.NotNull(await next.Executions.FindOrderAsync(waiting.Id, Cancel));
                Assert.NotEmpty(await next.DispatchesAsync());
                if (!isBroken)
                    break;
                played++;
            }
        }
        Assert.InRange(played, 5 * FaultSeam.AllFaults.Count, 20 * FaultSeam.AllFaults.Count);
    }

    [Fact]
    public async Task The_function_tells_a_yes_from_an_order()
    {
        var world = await WorldAsync(ByOne);
        var waiting = await world.StartAsync(world.Request());
        await AddAsync(world, waiting.Id, "UA");
        var message = JsonSerializer.Serialize(
            new(ApprovalGiven.SchemaV1, waiting.Id.ToString(), waiting.Tenant.ToString()), DomainJson.Default.ApprovalGiven);
        var answer = await world.Function.StartAsync(
            new() { Records = [new() { MessageId = "m1", Body = message, EventSource = "aws:sqs" }] },
            new Amazon.Lambda.TestUtilities.TestLambdaContext { RemainingTime = TimeSpan.FromSeconds(10) });
        Assert.Empty(answer.BatchItemFailures);
        Assert.Equal(ExecutionState.Queued, (await ReadAsync(world, waiting.Id)).State);
    }

    private static string Json(ApprovalRule rule) => JsonSerializer.Serialize(rule, DomainJson.Default.ApprovalRule);

    private async Task<OrchestratorFixture> WorldAsync(ApprovalRule rule)
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        await world.PublishAsync(OrchestratorFixture.Workflow() with { Approval = rule });
        await world.Registry.SaveAsync(OrchestratorFixture.Tenant, new UserGroup("ops", ["UA", "UB", "UC"]), Cancel);
        return world;
    }

    private static async Task AddAsync(OrchestratorFixture world, ExecutionId id, string user) => Assert.IsType<Move.Moved>(
        await world.Executions.AddApprovalAsync(
            await ReadAsync(world, id), new(TeamId.Parse("T0001"), UserId.Parse(user), world.Now), isLast: true, world.Tables.Auditor, Cancel));

    internal static async Task ApproveAsync(OrchestratorFixture world, ExecutionId id, string user)
    {
        await AddAsync(world, id, user);
        await world.SeeToApproval.RunAsync(new(id, OrchestratorFixture.Tenant), Cancel);
    }

    private static async Task<Execution> ReadAsync(OrchestratorFixture world, ExecutionId id) => (await world.Executions.FindAsync(id, Cancel))!;

    private static async Task<(long Charged, int Active)> HeldAsync(OrchestratorFixture world) => (
        (await world.Ledger.MonthAsync(OrchestratorFixture.Tenant, world.Month, Cancel)).Charged,
        await world.Ledger.ActiveAsync(OrchestratorFixture.Tenant, Cancel));
}
