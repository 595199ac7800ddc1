using Amazon.DynamoDBv2.Model;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Quotas;
using ControlPlane.Slack;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Aws;

/// <summary>Writes that ask something of what is there, where their callers ask it too, or a race is needed to see it: each by itself.</summary>
public sealed class ConditionTests(LocalCloud cloud)
{
    private static readonly TenantId One = TenantId.Parse("tenant-1"), Two = TenantId.Parse("tenant-2");

    private static readonly SealedToken Token = new(TeamId.Parse("T1"), [1]);

    private readonly SetClock _clock = new(new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_tenants_number_is_registered_once()
    {
        var registry = await RegistryAsync();
        Assert.True(await registry.TryRegisterAsync(Tenant("Acme"), Cancel));
        Assert.False(await registry.TryRegisterAsync(Tenant("Other"), Cancel));
        Assert.Equal("Acme", (await registry.FindAsync(One, Cancel))!.Name);
    }

    [Fact]
    public async Task A_key_needs_a_tenant_that_is_there()
    {
        var tables = await cloud.TablesAsync();
        var key = new SidecarSigner().Registration() with { Tenant = One };
        Assert.Equal(Enrolled.TenantGone, await new EnrolmentStore(tables.Client, tables.Tenants, _clock).EnrolAsync(key, Cancel));
        Assert.Null(await new TenantRegistry(tables.Client, tables.Tenants).FindKeyAsync(key.KeyId, Cancel));
    }

    [Fact]
    public async Task A_code_never_takes_the_place_of_another()
    {
        var tables = await cloud.TablesAsync();
        var store = new EnrolmentStore(tables.Client, tables.Tenants, _clock);
        var invite = new EnrolmentInvite(new('a', 64), One, null, _clock.Now, _clock.Now + EnrolmentInvite.StandardLifetime);
        await store.AddAsync(invite, tables.Auditor, Cancel);
        await Assert.ThrowsAsync<ConditionalCheckFailedException>(() => store.AddAsync(invite with { Tenant = Two }, tables.Auditor, Cancel));
    }

    [Fact]
    public async Task A_state_of_an_installation_never_takes_the_place_of_another()
    {
        var tables = await cloud.TablesAsync();
        var installations = new SlackInstallations(tables.Client, tables.Tenants, _clock);
        await installations.BeginAsync(new("state", "mine", "ticket"), Cancel);
        await Assert.ThrowsAsync<ConditionalCheckFailedException>(() => installations.BeginAsync(new("state", "another", "ticket"), Cancel));
        Assert.Equal("ticket", await installations.TakeAsync("state", "mine", Cancel));
    }

    [Fact]
    public async Task A_token_ends_once()
    {
        var tables = await cloud.TablesAsync();
        var (installations, ticket) = await InvitedAsync(tables);
        Assert.IsType<Installed.Now>(await InstallAsync(installations, ticket, tables));

        Assert.Equal(ChangeResult.Made, await installations.EndTokenAsync(Token.WorkspaceId, _clock.Now, tables.Auditor, Cancel));
        Assert.Equal(ChangeResult.NothingThere, await installations.EndTokenAsync(Token.WorkspaceId, _clock.Now, tables.Auditor, Cancel));
    }

    [Fact]
    public async Task Of_two_sweepers_one_tells_that_an_outage_began_and_one_that_it_is_over()
    {
        var tables = await cloud.TablesAsync();
        var instances = new InstanceStore(tables.Client, tables.Instances, _clock);
        Assert.True(await instances.TryBeginOutageAsync(_clock.Now, "one", Cancel));
        Assert.False(await instances.TryBeginOutageAsync(_clock.Now.AddSeconds(1), "two", Cancel));

        Assert.False(await instances.TryEndOutageAsync(_clock.Now.AddSeconds(1), _clock.Now, "two", Cancel));      // not the outage that it saw
        Assert.True(await instances.TryEndOutageAsync(_clock.Now, _clock.Now, "one", Cancel));
        Assert.False(await instances.TryEndOutageAsync(_clock.Now, _clock.Now, "two", Cancel));
    }

    [Fact]
    public async Task What_ended_otherwise_meanwhile_is_not_put_off()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var running = await world.DispatchedAsync();
        Assert.IsType<Move.Moved>(await world.Store.TimeOutAsync(running, Cancel));
        var timedOut = await world.FindAsync(running.Id);
        Assert.IsType<Move.Moved>(await world.Store.FinishAsync(timedOut, StoreFixture.Outcome(OutcomeStatus.Succeeded), "00", Cancel));
        var due = await DueAsync(world, running.Id);

        await world.Store.PutOffAsync(timedOut, TimeSpan.FromHours(5), Cancel);

        Assert.Equal(due, await DueAsync(world, running.Id));
    }

    [Fact]
    public async Task Settling_a_request_that_left_no_mark_leaves_none()
    {
        var tables = await cloud.TablesAsync();
        await new ReplyStore(tables.Client, tables.Executions, _clock).SettleAsync(ExecutionId.Of("T1", "t1"), Cancel);
        Assert.Empty((await tables.Client.ScanAsync(new ScanRequest(tables.Executions), Cancel)).Items);
    }

    [Fact]
    public async Task A_look_at_the_health_writes_nothing()
    {
        var (tables, queues) = (await cloud.TablesAsync(), await cloud.QueuesAsync());
        var check = new StoreCheck(tables.Client, [tables.Tenants], queues.Client, [queues.Dispatch], _clock, counters: tables.RateLimits);
        Assert.True(await check.AnswerAsync(Cancel));
        Assert.Empty((await tables.Client.ScanAsync(new ScanRequest(tables.RateLimits), Cancel)).Items);
    }

    [Fact]
    public async Task A_warning_that_was_never_told_is_taken_over_once_and_a_lower_one_is_not_noted_for_a_higher()
    {
        var tables = await cloud.TablesAsync();
        var (warnings, month) = (new UsageWarningStore(tables.Client, tables.Quotas, _clock), Month.Of(_clock.Now));
        Assert.True(await ClaimAsync(80, null));
        var first = await FindAsync();
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.True(await ClaimAsync(80, first));
        Assert.False(await ClaimAsync(80, first));                         // another sweeper, on the same look
        var second = await FindAsync();
        await warnings.MarkToldAsync(One, month, MonthlyLimit.Executions, 80, Cancel);
        Assert.False(await ClaimAsync(80, second));                        // told since that look

        Assert.True(await ClaimAsync(100, await FindAsync()));
        await warnings.MarkToldAsync(One, month, MonthlyLimit.Executions, 80, Cancel);
        Assert.Null((await FindAsync())!.ToldAt);

        Task<bool> ClaimAsync(int percent, UsageWarning? last) => warnings.TryClaimAsync(One, month, MonthlyLimit.Executions, percent, last, Cancel);
        Task<UsageWarning?> FindAsync() => warnings.FindAsync(One, month, MonthlyLimit.Executions, Cancel);
    }

    [Fact]
    public async Task A_tenant_that_is_being_deleted_gets_no_key_and_no_workspace()
    {
        var tables = await cloud.TablesAsync();
        var (installations, ticket) = await InvitedAsync(tables);
        Assert.Equal(ChangeResult.Made, await new TenantAdministration(tables.Client, tables.Tenants, tables.Auditor, _clock).RemoveAsync(One, Cancel));

        var key = new SidecarSigner().Registration() with { Tenant = One };
        Assert.Equal(Enrolled.TenantGone, await new EnrolmentStore(tables.Client, tables.Tenants, _clock).EnrolAsync(key, Cancel));
        Assert.IsType<Installed.TenantGone>(await InstallAsync(installations, ticket, tables));
    }

    [Fact]
    public async Task A_token_is_sealed_anew_only_while_it_is_that_one()
    {
        var tables = await cloud.TablesAsync();
        var (installations, ticket) = await InvitedAsync(tables);
        Assert.IsType<Installed.Now>(await InstallAsync(installations, ticket, tables));

        Assert.True(await installations.ReplaceAsync(One, Token, [2], tables.Auditor, Cancel));
        Assert.False(await installations.ReplaceAsync(One, Token, [3], tables.Auditor, Cancel));
        Assert.Equal([2], (await installations.FindTokenAsync(One, Token.WorkspaceId, null, Cancel))!.Sealed);
    }

    [Fact]
    public async Task A_yes_is_added_to_the_ones_that_were_read_while_it_waits_and_for_its_tenant_alone()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var waiting = world.New() with { State = ExecutionState.AwaitingApproval };
        Assert.IsType<Creation.Created>(await world.Store.CreateAsync(waiting, order: null, StoreFixture.Limits, Cancel));

        Assert.IsNotType<Move.Moved>(await YesAsync(waiting with { Tenant = StoreFixture.Neighbour }, "U1"));
        Assert.IsType<Move.Moved>(await YesAsync(waiting, "U1"));
        Assert.IsNotType<Move.Moved>(await YesAsync(waiting, "U2"));        // read before the first
        var one = await world.FindAsync(waiting.Id);
        Assert.IsType<Move.Moved>(await YesAsync(one, "U2"));
        Assert.IsNotType<Move.Moved>(await YesAsync(one, "U3"));            // read before the second
        var two = await world.FindAsync(waiting.Id);
        Assert.IsType<Move.Moved>(await world.Store.CancelAsync(two, "somebody", world.Tables.Auditor, Cancel));
        Assert.IsNotType<Move.Moved>(await YesAsync(two, "U3"));            // read before its end
        Assert.Equal(["U1", "U2"], (await world.FindAsync(waiting.Id)).Approvals.Select(yes => yes.UserId.ToString()));

        Task<Move> YesAsync(Execution execution, string user) => world.Store.AddApprovalAsync(
            execution, new(TeamId.Parse("T1"), UserId.Parse(user), world.Now), isLast: false, world.Tables.Auditor, Cancel);
    }

    [Fact]
    public async Task Progress_is_that_of_a_running_execution_of_its_tenant_and_told_by_whoever_notes_it_first()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var dispatched = await world.DispatchedAsync();
        Assert.False(await NoteAsync(dispatched, 0));                       // not running yet
        Assert.IsType<Move.Moved>(await world.Store.StartAsync(dispatched, StoreFixture.Outcome(OutcomeStatus.Running), Cancel));
        var running = await world.FindAsync(dispatched.Id);

        Assert.False(await NoteAsync(running with { Tenant = StoreFixture.Neighbour }, 0));
        Assert.True(await NoteAsync(running, 0));
        Assert.False(await NoteAsync(running, 1));
        var told = await world.FindAsync(dispatched.Id);
        Assert.True(await NoteAsync(told, 60));
        Assert.False(await NoteAsync(told, 61));

        Task<bool> NoteAsync(Execution execution, int second) =>
            world.Store.NoteProgressAsync(execution, new Progress.Percent(40), world.Now.AddSeconds(second), Cancel);
    }

    /// <summary>A tenant that is invited to install.</summary>
    private async Task<(SlackInstallations Installations, InstallTicket Ticket)> InvitedAsync(TestTables tables)
    {
        Assert.True(await new TenantRegistry(tables.Client, tables.Tenants).TryRegisterAsync(Tenant("Acme"), Cancel));
        var installations = new SlackInstallations(tables.Client, tables.Tenants, _clock);
        var ticket = new InstallTicket(new('a', 64), One, _clock.Now, _clock.Now + InstallTicket.Lifetime);
        await installations.AddAsync(ticket, tables.Auditor, Cancel);
        return (installations, ticket);
    }

    private static Task<Installed> InstallAsync(SlackInstallations installations, InstallTicket ticket, TestTables tables) =>
        installations.CompleteAsync(ticket, Token, UserId.Parse("U1"), UserId.Parse("U2"), tables.Auditor, Cancel);

    private async Task<TenantRegistry> RegistryAsync()
    {
        var tables = await cloud.TablesAsync();
        return new(tables.Client, tables.Tenants);
    }

    private static Tenant Tenant(string name)
    {
        Assert.True(EngineAddress.TryParse("10.100.128.10", One, allowPublicSubnet: false, out var engine));
        return new(One, name, TenantStatus.Active, engine, false, TenantLimits.Default);
    }

    private static async Task<string?> DueAsync(StoreFixture world, ExecutionId id)
    {
        var answer = await world.Tables.Client.GetItemAsync(world.Tables.Executions, ExecutionItems.KeyOf(id), consistentRead: true, Cancel);
        return answer.Item["due_at"].N;
    }
}
