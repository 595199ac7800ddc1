using System.Text.Json;
using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.Secrets;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;
using ControlPlane.Tokens;
using Microsoft.IdentityModel.JsonWebTokens;

namespace ControlPlane.Tests.Orchestrator;

public class StartExecutionTests(LocalCloud cloud)
{
    [Fact]
    public async Task A_request_becomes_a_queued_execution_with_a_reservation_and_one_message()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);

        var execution = await world.StartAsync(world.Request());

        Assert.Equal(ExecutionState.Queued, execution.State);
        Assert.Equal(world.Now + TimeSpan.FromHours(1), execution.DeadlineAt);
        Assert.Equal(1, (await world.Ledger.MonthAsync(OrchestratorFixture.Tenant, world.Month, Cancel)).Reserved);
        Assert.Equal(1, await world.Ledger.ActiveAsync(OrchestratorFixture.Tenant, Cancel));
        Assert.Equal([$$"""{"schema":"dispatch-request.v1","execution_id":"{{execution.Id}}","tenant_id":"tenant-43"}"""], await world.DispatchesAsync());
        Assert.Empty(await world.NotificationsAsync());
    }

    [Fact]
    public async Task It_takes_two_reads_one_transaction_and_one_message()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        await world.PublishAsync(OrchestratorFixture.Workflow() with { AllowedGroups = ["ops"] });
        await world.Registry.SaveAsync(OrchestratorFixture.Tenant, new UserGroup("ops", ["U0001"]), Cancel);
        var before = world.Seam.Calls.Count;

        await world.StartExecution.RunAsync(world.Request(), Cancel);

        var calls = world.Seam.Calls.Skip(before).Select(call => call.Operation).ToList();
        Assert.Equal(["BatchGetItem", "Query"], calls[..2].Order());
        Assert.Equal(["TransactWriteItems", "SendMessage"], calls[2..]);
        var costs = world.Seam.Capacity.TakeLast(3).ToDictionary(cost => cost.Operation, cost => cost.Units);
        Assert.InRange(costs["BatchGetItem"], 1, 5);                       // one for each item that is there
        Assert.InRange(costs["Query"], 1, 1);
        Assert.InRange(costs["TransactWriteItems"], 1, 32);                // four items of at most 2 KiB, three indexes; transactions count twice
    }

    [Fact]
    public async Task A_refusal_takes_two_reads_one_write_and_one_message()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        await world.RegisterAsync(TenantLimits.Default, TenantStatus.Suspended);
        var before = world.Seam.Calls.Count;

        await world.StartExecution.RunAsync(world.Request(), Cancel);

        var calls = world.Seam.Calls.Skip(before).Select(call => call.Operation).ToList();
        Assert.Equal(["BatchGetItem", "Query"], calls[..2].Order());
        Assert.Equal(["PutItem", "SendMessage"], calls[2..]);
    }

    [Theory]
    [InlineData(Fault.StopBefore)]
    [InlineData(Fault.StopAfter)]
    [InlineData(Fault.AnswerLost)]
    [InlineData(Fault.Error)]
    [InlineData(Fault.Throttled)]
    [InlineData(Fault.Conflict)]
    [InlineData(Fault.Silence)]
    public async Task Whichever_call_fails_the_message_that_comes_again_leaves_one_charge_one_order_and_a_message(Fault fault)
    {
        for (var number = 1; number <= 4; number++)
        {
            var world = await OrchestratorFixture.StartAsync(cloud);
            var request = world.Request();
            var broken = world.Seam.Calls.Count + number;
            world.Plan = call => call.Number == broken ? fault : null;
            await Record.ExceptionAsync(() => world.StartExecution.RunAsync(request, Cancel));

            var next = world.Restarted();
            await next.StartExecution.RunAsync(request, Cancel);

            var execution = await next.Executions.FindAsync(request.Execution, Cancel);
            Assert.Equal(ExecutionState.Queued, execution!.State);
            Assert.Equal(1, (await next.Ledger.MonthAsync(OrchestratorFixture.Tenant, next.Month, Cancel)).Charged);
            Assert.Equal(1, await next.Ledger.ActiveAsync(OrchestratorFixture.Tenant, Cancel));
            Assert.NotNull(await next.Executions.FindOrderAsync(request.Execution, Cancel));
            Assert.NotEmpty(await next.DispatchesAsync());
        }
    }

    [Fact]
    public async Task A_request_that_comes_again_charges_nothing_and_still_sends()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        var request = world.Request();

        await world.StartAsync(request);
        var order = await world.Executions.FindOrderAsync(request.Execution, Cancel);
        await world.StartAsync(request);

        Assert.Equal(2, (await world.DispatchesAsync()).Count);
        Assert.Equal(1, (await world.Ledger.MonthAsync(OrchestratorFixture.Tenant, world.Month, Cancel)).Charged);
        Assert.Equal(order!.Token, (await world.Executions.FindOrderAsync(request.Execution, Cancel))!.Token);
    }

    [Fact]
    public async Task A_request_that_comes_again_after_dispatch_sends_nothing()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        var request = world.Request();
        await world.StartAsync(request);
        await world.DispatchesAsync();
        await world.Executions.ClaimAsync(request.Execution, OrchestratorFixture.Tenant, "one", TimeSpan.FromMinutes(1), Cancel);

        await world.StartAsync(request);

        Assert.Empty(await world.DispatchesAsync());
        Assert.Empty(await world.NotificationsAsync());
    }

    [Fact]
    public async Task A_denied_request_is_recorded_reserves_nothing_and_is_told()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        await world.RegisterAsync(TenantLimits.Default, TenantStatus.Suspended);

        var execution = await world.StartAsync(world.Request());

        Assert.Equal(ExecutionState.Denied, execution.State);
        Assert.Equal("tenant_suspended", execution.Decision!.Code);
        Assert.Equal(MonthUsage.None, await world.Ledger.MonthAsync(OrchestratorFixture.Tenant, world.Month, Cancel));
        Assert.Empty(await world.DispatchesAsync());
        Assert.Equal([$$"""{"schema":"notification.v1","execution_id":"{{execution.Id}}","tenant_id":"tenant-43"}"""], await world.NotificationsAsync());
    }

    [Fact]
    public async Task An_operators_request_tells_its_engine_who_asked_and_nobody_of_a_denial()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        await world.PublishAsync(OrchestratorFixture.Workflow() with { AllowedUsers = ["U9999"], AllowedChannels = [ChannelId.Parse("C9999")] });
        var request = world.Request() with { RequestedBy = Requesters.AnOperator };

        var execution = await world.StartAsync(request);
        Assert.Equal((ExecutionState.Queued, Requesters.AnOperator), (execution.State, execution.RequestedBy));
        var body = JsonDocument.Parse((await world.Executions.FindOrderAsync(execution.Id, Cancel))!.Body).RootElement;
        Assert.Equal(
            """{"source":"operator","caller":"arn:aws:sts::123456789012:assumed-role/operator/jane@example.com"}""",
            body.GetProperty("requested_by").GetRawText());

        await world.RegisterAsync(TenantLimits.Default, TenantStatus.Suspended);
        var denied = await world.StartAsync(world.Request("t2") with { RequestedBy = Requesters.AnOperator });
        Assert.Equal((ExecutionState.Denied, world.Now), (denied.State, denied.ToldAt));
        Assert.Empty(await world.NotificationsAsync());
    }

    [Fact]
    public async Task A_schedules_request_tells_its_engine_whose_it_is_and_the_owner_of_a_denial()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        var owner = Requesters.OfSchedule() with { OrganisationId = TeamId.Parse("E0001") };

        var execution = await world.StartAsync(world.Request() with { RequestedBy = owner });
        Assert.Equal((ExecutionState.Queued, owner), (execution.State, execution.RequestedBy));
        var body = JsonDocument.Parse((await world.Executions.FindOrderAsync(execution.Id, Cancel))!.Body).RootElement;
        Assert.Equal(
            $$"""{"source":"schedule","schedule_id":"{{owner.ScheduleId}}","team_id":"T0001","user_id":"U0001","channel_id":"C0001"}""",
            body.GetProperty("requested_by").GetRawText());

        await world.PublishAsync(OrchestratorFixture.Workflow() with { AllowedUsers = ["U9999"] });
        var denied = await world.StartAsync(world.Request("t2") with { RequestedBy = owner });
        Assert.Equal((ExecutionState.Denied, "user_not_allowed", null), (denied.State, denied.Decision!.Code, denied.ToldAt));
        Assert.Single(await world.NotificationsAsync());
    }

    [Theory]
    [InlineData("""{"source":"schedule","schedule_id":"sch_0123456789abcdef0123456789abcdef"}""")]                  // in nobody's name
    [InlineData("""{"source":"schedule","schedule_id":"sch_0123456789abcdef0123456789abcdef","team_id":"T1","user_id":"U1"}""")]
    [InlineData("""{"source":"schedule","schedule_id":"sch_1","caller":"local:root"}""")]
    [InlineData("""{"source":"schedule","caller":"local:root"}""")]
    public void A_schedule_that_is_nobodys_starts_nothing(string json) =>
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize(json, DomainJson.Default.Requester));

    [Fact]
    public async Task A_denied_request_that_comes_again_is_told_until_it_was()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
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
        var world = await OrchestratorFixture.StartAsync(cloud);
        await world.RegisterAsync(TenantLimits.Default, TenantStatus.Suspended);
        var request = world.Request();
        await world.StartAsync(request);

        await world.RegisterAsync(TenantLimits.Default);
        var execution = await world.StartAsync(request);

        Assert.Equal(ExecutionState.Denied, execution.State);
        Assert.Equal(MonthUsage.None, await world.Ledger.MonthAsync(OrchestratorFixture.Tenant, world.Month, Cancel));
        Assert.Empty(await world.DispatchesAsync());
    }

    [Fact]
    public async Task A_dead_letter_sent_again_a_day_later_is_closed_and_told_and_charges_nothing()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        var stale = world.Request() with { RequestedAt = world.Now.AddDays(-1) };

        var execution = await world.StartAsync(stale);

        Assert.Equal((ExecutionState.Denied, "request_expired"), (execution.State, execution.Decision!.Code));
        Assert.Equal(MonthUsage.None, await world.Ledger.MonthAsync(OrchestratorFixture.Tenant, world.Month, Cancel));
        Assert.Single(await world.NotificationsAsync());
    }

    [Fact]
    public async Task A_dead_letter_of_something_long_done_has_no_second_effect()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        var request = world.Request();
        var execution = await world.StartAsync(request);
        await world.DispatchesAsync();
        await world.Executions.CancelAsync(execution, "U0001", world.Tables.Auditor, Cancel);
        world.Clock.Advance(TimeSpan.FromDays(1));

        Assert.Equal(ExecutionState.Cancelled, (await world.StartAsync(request)).State);

        Assert.Empty(await world.DispatchesAsync());
        Assert.Empty(await world.NotificationsAsync());
        Assert.Equal(0, (await world.Ledger.MonthAsync(OrchestratorFixture.Tenant, world.Month, Cancel)).Charged);
    }

    [Fact]
    public async Task Another_tenants_message_for_an_execution_that_is_there_changes_nothing_and_fails()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        var execution = await world.StartAsync(world.Request());
        await world.DispatchesAsync();

        await Assert.ThrowsAsync<InvalidDataException>(() => world.StartExecution.RunAsync(world.Request(tenant: TenantId.Parse("tenant-44")), Cancel));

        Assert.Equal(ExecutionState.Queued, (await world.Executions.FindAsync(execution.Id, Cancel))!.State);
        Assert.Empty(await world.DispatchesAsync());
    }

    [Fact]
    public async Task A_hundred_requests_for_the_last_unit_leave_one_queued_and_the_others_denied_with_the_reason()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        await world.RegisterAsync(TenantLimits.Default with { MonthlyQuota = 1, Concurrency = 100 });

        var executions = await RaceAsync(world, 100);

        Assert.Single(executions, execution => execution.State == ExecutionState.Queued);
        Assert.All(executions.Where(execution => execution.State == ExecutionState.Denied), denied =>
        {
            Assert.Equal("quota_used_up", denied.Decision!.Code);
            Assert.Contains(denied.Decision.Verdicts, verdict => verdict is { Rule: "quota", Verdict: Judgement.Deny });
        });
        Assert.Equal(1, (await world.Ledger.MonthAsync(OrchestratorFixture.Tenant, world.Month, Cancel)).Charged);
        Assert.Equal(1, await world.Ledger.ActiveAsync(OrchestratorFixture.Tenant, Cancel));
    }

    [Fact]
    public async Task The_concurrency_limit_holds_however_many_ask_at_once()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        await world.RegisterAsync(TenantLimits.Default with { Concurrency = 3 });

        var executions = await RaceAsync(world, 12);

        Assert.Equal(3, executions.Count(execution => execution.State == ExecutionState.Queued));
        Assert.All(
            executions.Where(execution => execution.State == ExecutionState.Denied), denied => Assert.Equal("too_many_under_way", denied.Decision!.Code));
        Assert.Equal(3, await world.Ledger.ActiveAsync(OrchestratorFixture.Tenant, Cancel));
        Assert.Equal(3, (await world.Ledger.MonthAsync(OrchestratorFixture.Tenant, world.Month, Cancel)).Charged);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(0)]
    public async Task A_limit_lowered_below_what_is_used_refuses(int limit)
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        for (var i = 0; i < 6; i++)
            await world.StartAsync(world.Request($"before{i}"));
        await world.RegisterAsync(TenantLimits.Default with { MonthlyQuota = limit });

        Assert.Equal("quota_used_up", (await world.StartAsync(world.Request("after"))).Decision!.Code);
    }

    [Fact]
    public async Task Fifty_requests_while_the_month_turns_are_each_charged_to_one_month()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        await world.RegisterAsync(TenantLimits.Default with { Concurrency = 100 });
        world.Clock.Now = new(2026, 11, 30, 23, 59, 59, 999, TimeSpan.Zero);
        await world.HeardFromAsync(world.Now);

        var executions = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Task.Run(() =>
        {
            if (i == 25)
                world.Clock.Advance(TimeSpan.FromMilliseconds(1));
            return world.StartAsync(world.Request($"race{i}"));
        })));

        Assert.All(executions, execution => Assert.Equal(ExecutionState.Queued, execution.State));
        foreach (var month in new[] { new Month(2026, 11), new Month(2026, 12) })
            Assert.Equal(
                executions.Count(execution => execution.Month == month), (await world.Ledger.MonthAsync(OrchestratorFixture.Tenant, month, Cancel)).Charged);
        Assert.All(executions, execution => Assert.Equal(Month.Of(execution.CreatedAt), execution.Month));
    }

    [Fact]
    public async Task Another_transaction_in_the_way_is_waited_for_a_bounded_number_of_times_and_charges_nothing()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        world.Plan = call => call.Operation == "TransactWriteItems" ? Fault.Conflict : null;

        await Assert.ThrowsAsync<Amazon.DynamoDBv2.Model.TransactionCanceledException>(() => world.StartExecution.RunAsync(world.Request(), Cancel));

        Assert.InRange(world.Seam.Calls.Count(call => call.Operation == "TransactWriteItems"), 2, 20);
        Assert.Null(await world.Executions.FindAsync(world.Request().Execution, Cancel));
        Assert.Equal(MonthUsage.None, await world.Ledger.MonthAsync(OrchestratorFixture.Tenant, world.Month, Cancel));
    }

    [Fact]
    public async Task What_is_stored_wrong_is_denied_and_logged()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        await world.RegisterAsync(TenantLimits.Default with { MonthlyQuota = -1 });

        var execution = await world.StartAsync(world.Request());

        Assert.Equal("tenant_misconfigured", execution.Decision!.Code);
        Assert.Contains("tenant_stored_wrong", System.Text.Encoding.UTF8.GetString(world.Logged.ToArray()), StringComparison.Ordinal);
    }

    /// <summary>From the moment that a new generation is published until the one before it is honoured no longer: first the old one signs and the new one is
    /// beside it, then the other way round.</summary>
    [Fact]
    public async Task An_order_has_a_token_of_each_generation_while_two_are_honoured()
    {
        var world = await OrchestratorFixture.StartAsync(cloud);
        var old = (await world.Keys.ToSignAsync(OrchestratorFixture.Tenant, Cancel)).Id.ToString();
        Assert.Equal((old, null), await KeysAsync("before"));

        world.Secrets.PutRoot("v2", world.Now, first: 1);
        world.Clock.Advance(RotatingSecret<RootSecret>.MaximumAge);
        var published = await world.Keys.PublishedAsync(OrchestratorFixture.Tenant, Cancel);
        var young = published[0].Id.ToString();
        Assert.Equal((old, young), await KeysAsync("published"));

        world.Clock.Advance(RootSecret.PublishFirst);
        Assert.Equal((young, old), await KeysAsync("signing"));

        world.Clock.Advance(RootSecret.Overlap);
        Assert.Equal((young, null), await KeysAsync("after"));

        async Task<(string, string?)> KeysAsync(string trigger)
        {
            await world.HeardFromAsync(world.Now);
            var execution = await world.StartAsync(world.Request(trigger));
            var order = (await world.Executions.FindOrderAsync(execution.Id, Cancel))!;
            if (order.OtherToken is { } other)
                Assert.Equal(Claims(order.Token), Claims(other));
            return (new JsonWebToken(order.Token).Kid, order.OtherToken is { } text ? new JsonWebToken(text).Kid : null);
        }

        // All but the token's own id.
        static IEnumerable<(string, string)> Claims(string token) =>
            new JsonWebToken(token).Claims.Where(claim => claim.Type != "jti").Select(claim => (claim.Type, claim.Value));
    }

    private static Task<Execution[]> RaceAsync(OrchestratorFixture world, int count) =>
        Task.WhenAll(Enumerable.Range(0, count).Select(i => Task.Run(() => world.StartAsync(world.Request($"race{i}")))));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
