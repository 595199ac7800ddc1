using System.Text.Json;
using ControlPlane.Executions;
using ControlPlane.Orchestrator;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Orchestrator;

public class StartExecutionTests(LocalCloud cloud)
{
    [Fact]
    public async Task A_request_becomes_a_queued_execution_with_a_reservation_and_one_message()
    {
        var world = await OrchestratorWorld.StartAsync(cloud);

        var execution = await world.StartAsync(world.Request());

        Assert.Equal(ExecutionState.Queued, execution.State);
        Assert.Equal(world.Now + TimeSpan.FromHours(1), execution.DeadlineAt);
        Assert.Equal(1, (await world.Ledger.MonthAsync(OrchestratorWorld.Tenant, world.Month, Cancel)).Reserved);
        Assert.Equal(1, await world.Ledger.ActiveAsync(OrchestratorWorld.Tenant, Cancel));
        Assert.Equal([$$"""{"schema":"dispatch-request.v1","execution_id":"{{execution.Id}}","tenant_id":"tenant-43"}"""], await world.DispatchesAsync());
        Assert.Empty(await world.NotificationsAsync());
    }

    [Fact]
    public async Task It_takes_two_reads_and_one_transaction()
    {
        var world = await OrchestratorWorld.StartAsync(cloud);
        await world.PublishAsync(OrchestratorWorld.Workflow() with { AllowedGroups = ["ops"] });
        await world.Registry.SaveAsync(OrchestratorWorld.Tenant, new UserGroup("ops", ["U0001"]), Cancel);
        world.Calls.Forget();

        await world.StartExecution.RunAsync(world.Request(), Cancel);

        Assert.Equal(["BatchGetItem", "Query", "TransactWriteItems"], world.Calls.Operations.Order());
    }

    [Fact]
    public async Task A_refusal_takes_two_reads_and_one_write()
    {
        var world = await OrchestratorWorld.StartAsync(cloud);
        await world.RegisterAsync(TenantLimits.Default, TenantStatus.Suspended);
        world.Calls.Forget();

        await world.StartExecution.RunAsync(world.Request(), Cancel);

        Assert.Equal(["BatchGetItem", "PutItem", "Query"], world.Calls.Operations.Order());
    }

    [Fact]
    public async Task A_request_that_comes_again_charges_nothing_and_still_sends()
    {
        var world = await OrchestratorWorld.StartAsync(cloud);
        var request = world.Request();

        await world.StartAsync(request);
        var order = await world.Executions.FindOrderAsync(request.Execution, Cancel);
        await world.StartAsync(request);

        Assert.Equal(2, (await world.DispatchesAsync()).Count);
        Assert.Equal(1, (await world.Ledger.MonthAsync(OrchestratorWorld.Tenant, world.Month, Cancel)).Charged);
        Assert.Equal(order!.Token, (await world.Executions.FindOrderAsync(request.Execution, Cancel))!.Token);
    }

    [Fact]
    public async Task A_request_that_comes_again_after_dispatch_sends_nothing()
    {
        var world = await OrchestratorWorld.StartAsync(cloud);
        var request = world.Request();
        await world.StartAsync(request);
        await world.DispatchesAsync();
        await world.Executions.ClaimAsync(request.Execution, OrchestratorWorld.Tenant, "one", TimeSpan.FromMinutes(1), Cancel);

        await world.StartAsync(request);

        Assert.Empty(await world.DispatchesAsync());
        Assert.Empty(await world.NotificationsAsync());
    }

    [Fact]
    public async Task A_denied_request_is_recorded_reserves_nothing_and_is_told()
    {
        var world = await OrchestratorWorld.StartAsync(cloud);
        await world.RegisterAsync(TenantLimits.Default, TenantStatus.Suspended);

        var execution = await world.StartAsync(world.Request());

        Assert.Equal(ExecutionState.Denied, execution.State);
        Assert.Equal("tenant_suspended", execution.Decision!.Code);
        Assert.Equal(MonthUsage.None, await world.Ledger.MonthAsync(OrchestratorWorld.Tenant, world.Month, Cancel));
        Assert.Empty(await world.DispatchesAsync());
        Assert.Equal([$$"""{"schema":"notification.v1","execution_id":"{{execution.Id}}","tenant_id":"tenant-43"}"""], await world.NotificationsAsync());
    }

    [Fact]
    public async Task A_denied_request_that_comes_again_is_told_until_it_was()
    {
        var world = await OrchestratorWorld.StartAsync(cloud);
        await world.RegisterAsync(TenantLimits.Default, TenantStatus.Suspended);
        var request = world.Request();

        await world.StartAsync(request);
        await world.StartAsync(request);
        Assert.Equal(2, (await world.NotificationsAsync()).Count);

        await world.Executions.MarkToldAsync(request.Execution, ExecutionState.Denied, Cancel);
        await world.StartAsync(request);
        Assert.Empty(await world.NotificationsAsync());
    }

    [Fact]
    public async Task A_denial_stays_even_when_its_reason_has_gone()
    {
        var world = await OrchestratorWorld.StartAsync(cloud);
        await world.RegisterAsync(TenantLimits.Default, TenantStatus.Suspended);
        var request = world.Request();
        await world.StartAsync(request);

        await world.RegisterAsync(TenantLimits.Default);
        var execution = await world.StartAsync(request);

        Assert.Equal(ExecutionState.Denied, execution.State);
        Assert.Equal(MonthUsage.None, await world.Ledger.MonthAsync(OrchestratorWorld.Tenant, world.Month, Cancel));
        Assert.Empty(await world.DispatchesAsync());
    }

    [Fact]
    public async Task A_hundred_requests_for_the_last_unit_leave_one_queued_and_the_others_denied_with_the_reason()
    {
        var world = await OrchestratorWorld.StartAsync(cloud);
        await world.RegisterAsync(TenantLimits.Default with { MonthlyQuota = 1, Concurrency = 100 });

        var executions = await RaceAsync(world, 100);

        Assert.Single(executions, execution => execution.State == ExecutionState.Queued);
        Assert.All(executions.Where(execution => execution.State == ExecutionState.Denied), denied =>
        {
            Assert.Equal("quota_used_up", denied.Decision!.Code);
            Assert.Contains(denied.Decision.Verdicts, verdict => verdict is { Rule: "quota", Verdict: "deny" });
        });
        Assert.Equal(1, (await world.Ledger.MonthAsync(OrchestratorWorld.Tenant, world.Month, Cancel)).Charged);
        Assert.Equal(1, await world.Ledger.ActiveAsync(OrchestratorWorld.Tenant, Cancel));
    }

    [Fact]
    public async Task The_concurrency_limit_holds_however_many_ask_at_once()
    {
        var world = await OrchestratorWorld.StartAsync(cloud);
        await world.RegisterAsync(TenantLimits.Default with { Concurrency = 3 });

        var executions = await RaceAsync(world, 12);

        Assert.Equal(3, executions.Count(execution => execution.State == ExecutionState.Queued));
        Assert.All(executions.Where(execution => execution.State == ExecutionState.Denied), denied => Assert.Equal("too_many_under_way", denied.Decision!.Code));
        Assert.Equal(3, await world.Ledger.ActiveAsync(OrchestratorWorld.Tenant, Cancel));
        Assert.Equal(3, (await world.Ledger.MonthAsync(OrchestratorWorld.Tenant, world.Month, Cancel)).Charged);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(0)]
    public async Task A_limit_lowered_below_what_is_used_refuses(int limit)
    {
        var world = await OrchestratorWorld.StartAsync(cloud);
        for (var i = 0; i < 6; i++)
            await world.StartAsync(world.Request($"before{i}"));
        await world.RegisterAsync(TenantLimits.Default with { MonthlyQuota = limit });

        Assert.Equal("quota_used_up", (await world.StartAsync(world.Request("after"))).Decision!.Code);
    }

    [Fact]
    public async Task A_month_that_turns_is_charged_for_what_it_began()
    {
        var world = await OrchestratorWorld.StartAsync(cloud);
        world.Clock.SetUtcNow(new(2026, 11, 30, 23, 59, 59, 999, TimeSpan.Zero));
        await world.HeardFromAsync(world.Now);

        var last = await world.StartAsync(world.Request("november"));
        world.Clock.Advance(TimeSpan.FromMilliseconds(1));
        var first = await world.StartAsync(world.Request("december"));

        Assert.Equal(new Month(2026, 11), last.Month);
        Assert.Equal(new Month(2026, 12), first.Month);
        Assert.Equal(1, (await world.Ledger.MonthAsync(OrchestratorWorld.Tenant, last.Month, Cancel)).Charged);
        Assert.Equal(1, (await world.Ledger.MonthAsync(OrchestratorWorld.Tenant, first.Month, Cancel)).Charged);
    }

    [Fact]
    public async Task What_is_stored_wrong_is_denied_and_logged()
    {
        var world = await OrchestratorWorld.StartAsync(cloud);
        await world.RegisterAsync(TenantLimits.Default with { MonthlyQuota = -1 });

        var execution = await world.StartAsync(world.Request());

        Assert.Equal("tenant_misconfigured", execution.Decision!.Code);
        Assert.Contains("tenant_stored_wrong", System.Text.Encoding.UTF8.GetString(world.Logged.ToArray()), StringComparison.Ordinal);
    }

    private static Task<Execution[]> RaceAsync(OrchestratorWorld world, int count) =>
        Task.WhenAll(Enumerable.Range(0, count).Select(i => Task.Run(() => world.StartAsync(world.Request($"race{i}")))));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
