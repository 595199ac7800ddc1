using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Aws;

public class ExecutionStoreTests(LocalCloud cloud)
{
    [Fact]
    public async Task Creating_takes_a_unit_and_a_place()
    {
        var world = await StoreFixture.StartAsync(cloud);

        await world.CreatedAsync();

        Assert.Equal((1, 0, 1), await world.BooksAsync());
    }

    [Fact]
    public async Task Creating_twice_finds_the_first_and_charges_once()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var first = await world.CreatedAsync();

        var second = await world.CreateAsync(first with { CreatedAt = first.CreatedAt.AddMinutes(1) });

        Assert.Equal(first.CreatedAt, Assert.IsType<Creation.AlreadyThere>(second).Execution.CreatedAt);
        Assert.Equal((1, 0, 1), await world.BooksAsync());
    }

    [Fact]
    public async Task A_used_up_quota_creates_nothing()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var limits = StoreFixture.Limits with { MonthlyQuota = 1 };
        await world.CreateAsync(world.New("t1"), limits);

        var second = await world.CreateAsync(world.New("t2"), limits);

        Assert.Equal(1, Assert.IsType<Creation.QuotaUsedUp>(second).Month.Charged);
        Assert.Null(await world.Store.FindAsync(world.New("t2").Id, Cancel));
        Assert.Null(await world.Store.FindOrderAsync(world.New("t2").Id, Cancel));
        Assert.Equal((1, 0, 1), await world.BooksAsync());
    }

    [Fact]
    public async Task A_full_house_creates_nothing_and_charges_nothing()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var limits = StoreFixture.Limits with { Concurrency = 1 };
        await world.CreateAsync(world.New("t1"), limits);

        Assert.Equal(1, Assert.IsType<Creation.TooManyUnderWay>(await world.CreateAsync(world.New("t2"), limits)).Active);

        Assert.Equal((1, 0, 1), await world.BooksAsync());
    }

    [Fact]
    public async Task Limits_of_nothing_let_nothing_through()
    {
        var world = await StoreFixture.StartAsync(cloud);

        Assert.IsType<Creation.QuotaUsedUp>(await world.CreateAsync(world.New("t1"), StoreFixture.Limits with { MonthlyQuota = 0 }));
        Assert.IsType<Creation.TooManyUnderWay>(await world.CreateAsync(world.New("t2"), StoreFixture.Limits with { Concurrency = 0 }));
        Assert.Equal((0, 0, 0), await world.BooksAsync());
    }

    [Fact]
    public async Task Limits_that_were_lowered_to_nothing_let_nothing_more_through()
    {
        var world = await StoreFixture.StartAsync(cloud);
        await world.CreatedAsync();

        Assert.IsType<Creation.QuotaUsedUp>(await world.CreateAsync(world.New("t2"), StoreFixture.Limits with { MonthlyQuota = 0 }));
        Assert.IsType<Creation.TooManyUnderWay>(await world.CreateAsync(world.New("t3"), StoreFixture.Limits with { Concurrency = 0 }));
        Assert.Equal((1, 0, 1), await world.BooksAsync());
    }

    [Fact]
    public async Task One_dispatcher_at_a_time_has_the_claim()
    {
        var world = await StoreFixture.StartAsync(cloud);
        await world.CreatedAsync();

        var claims = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => Task.Run(() => world.ClaimAsync(owner: $"dispatcher {i}"))));

        Assert.Single(claims.OfType<Claim.Held>());
        Assert.Equal(1, (await world.FindAsync(world.New().Id)).AttemptCount);
    }

    [Fact]
    public async Task A_claim_whose_answer_was_lost_is_still_ones_own()
    {
        var world = await StoreFixture.StartAsync(cloud);
        await world.CreatedAsync();

        await world.ClaimAsync(owner: "one");
        var again = await world.ClaimAsync(owner: "one");

        Assert.Equal(1, Assert.IsType<Claim.Held>(again).Execution.AttemptCount);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_lapsed_lease_is_taken_over_for_an_idempotent_workflow_only(bool idempotent)
    {
        var world = await StoreFixture.StartAsync(cloud);
        await world.ClaimedAsync(idempotent: idempotent);

        world.Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.IsType<Claim.Lost>(await world.ClaimAsync(owner: "two"));
        world.Clock.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal(idempotent, await world.ClaimAsync(owner: "two") is Claim.Held);
    }

    [Fact]
    public async Task A_deferred_attempt_is_queued_again_and_stays_on_record()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var claimed = await world.ClaimedAsync();

        await world.Store.RecordAttemptAsync(claimed, Signal.Deferred, world.Attempt("again"), notFound: true, Cancel);

        var execution = await world.FindAsync(claimed.Id);
        Assert.Equal(ExecutionState.Queued, execution.State);
        Assert.Equal(world.Now, execution.FirstNotFoundAt);
        Assert.Equal("again", Assert.Single(execution.Attempts).Result.Code);
        Assert.Equal((1, 0, 1), await world.BooksAsync());
    }

    [Fact]
    public async Task The_record_of_an_attempt_is_known_again_by_its_number_whatever_became_of_its_time()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var claimed = await world.ClaimedAsync();
        var attempt = world.Attempt("again") with { At = world.Now.AddTicks(1) };       // tables keep milliseconds

        await world.Store.RecordAttemptAsync(claimed, Signal.Deferred, attempt, notFound: false, Cancel);

        Assert.IsType<Move.Moved>(await world.Store.RecordAttemptAsync(claimed, Signal.Deferred, attempt, notFound: false, Cancel));
        Assert.Single((await world.FindAsync(claimed.Id)).Attempts);
        Assert.IsType<Move.Lost>(
            await world.Store.RecordAttemptAsync(claimed, Signal.Ambiguous, attempt with { Result = AttemptResult.Parse("ambiguous") }, notFound: false, Cancel));
    }

    [Fact]
    public async Task A_refused_execution_gives_its_unit_and_its_place_back()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var claimed = await world.ClaimedAsync();

        Assert.IsType<Move.Moved>(await world.Store.RefuseAsync(claimed, DispatchFailure.WorkflowNotActive, world.Attempt("workflow_not_active"), Cancel));

        var execution = await world.FindAsync(claimed.Id);
        Assert.Equal((ExecutionState.Failed, DispatchFailure.WorkflowNotActive), (execution.State, execution.FailureCode));
        Assert.Equal((0, 0, 0), await world.BooksAsync());
    }

    [Fact]
    public async Task An_outcome_turns_the_reservation_into_a_use_and_adds_what_was_metered()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var execution = await world.DispatchedAsync();

        await world.Store.FinishAsync(execution, StoreFixture.Outcome(OutcomeStatus.Succeeded, cpuMs: 1200), "aa", Cancel);

        Assert.Equal((1, 1, 0), await world.BooksAsync());
        Assert.Equal(1200, (await world.Ledger.MonthAsync(StoreFixture.Tenant, execution.Month, Cancel)).Metered.CpuMs);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_outcome_whose_reservation_is_not_there_ends_the_execution_and_leaves_the_month_alone(bool monthHasUsage)
    {
        var world = await StoreFixture.StartAsync(cloud);
        var execution = await world.DispatchedAsync();
        var month = QuotaLedger.KeyOf(StoreFixture.Tenant, execution.Month);
        await world.Tables.Client.DeleteItemAsync(world.Tables.Quotas, month, Cancel);
        if (monthHasUsage)
            await world.Tables.Client.PutItemAsync(world.Tables.Quotas, new(month) { ["cpu_ms"] = Items.Number(5) }, Cancel);

        Assert.Equal(new Move.Moved(IsBooked: false), await world.Store.FinishAsync(execution, StoreFixture.Outcome(OutcomeStatus.Succeeded), "h1", Cancel));

        Assert.Equal(ExecutionState.Succeeded, (await world.FindAsync(execution.Id)).State);
        Assert.Equal((0, 0, 0), await world.BooksAsync());
        Assert.Equal(monthHasUsage ? 5 : 0, (await world.Ledger.MonthAsync(StoreFixture.Tenant, execution.Month, Cancel)).Metered.CpuMs);
    }

    [Theory]
    [InlineData("finish", 0, null), InlineData("finish", 2, 2), InlineData("time out", 0, null), InlineData("time out", 2, 2)]
    public async Task A_month_of_which_all_is_used_holds_no_reservation_to_settle_or_to_give_back(string how, int charged, int? used)
    {
        var world = await StoreFixture.StartAsync(cloud);
        var execution = await world.DispatchedAsync();
        await SetAsync(world, QuotaLedger.KeyOf(StoreFixture.Tenant, execution.Month), "charged", charged);
        if (used is { } count)
            await SetAsync(world, QuotaLedger.KeyOf(StoreFixture.Tenant, execution.Month), "used", count);

        Assert.Equal(new Move.Moved(IsBooked: false), await EndAsync(world, execution, how));

        Assert.Equal((charged, used ?? 0, 0), await world.BooksAsync());
    }

    [Theory]
    [InlineData("finish"), InlineData("time out")]
    public async Task Of_none_under_way_none_leaves(string how)
    {
        var world = await StoreFixture.StartAsync(cloud);
        var execution = await world.DispatchedAsync();
        await SetAsync(world, QuotaLedger.ActiveKeyOf(StoreFixture.Tenant), "active", 0);

        Assert.Equal(new Move.Moved(IsBooked: false), await EndAsync(world, execution, how));

        Assert.Equal((1, 0, 0), await world.BooksAsync());
    }

    public static TheoryData<string> Ends => ["finish", "refuse", "cancel", "time out"];

    [Theory]
    [MemberData(nameof(Ends))]
    public async Task Whatever_ends_an_execution_ends_it_without_a_ledger_too(string how)
    {
        var world = await StoreFixture.StartAsync(cloud);
        var execution = await world.ClaimedAsync();
        foreach (var key in new[] { QuotaLedger.KeyOf(StoreFixture.Tenant, execution.Month), QuotaLedger.ActiveKeyOf(StoreFixture.Tenant) })
            await world.Tables.Client.DeleteItemAsync(world.Tables.Quotas, key, Cancel);

        Assert.Equal(new Move.Moved(IsBooked: false), await EndAsync(world, execution, how));

        Assert.True((await world.FindAsync(execution.Id)).State.IsTerminal);
        Assert.Equal((0, 0, 0), await world.BooksAsync());
        Assert.IsType<Move.Lost>(await EndAsync(world, execution, how));
    }

    [Theory]
    [MemberData(nameof(Ends))]
    public async Task A_region_that_does_not_write_the_ledger_ends_executions_and_changes_no_counter(string how)
    {
        var world = await StoreFixture.StartAsync(cloud);
        var execution = await world.ClaimedAsync();
        await world.Ledger.GiveToAsync(StoreFixture.Tenant, "us-west-2", world.Tables.Auditor, Cancel);

        Assert.Equal(new Move.Moved(IsBooked: false), await EndAsync(world, execution, how));

        Assert.True((await world.FindAsync(execution.Id)).State.IsTerminal);
        Assert.Equal((1, 0, 1), await world.BooksAsync());
    }

    [Fact]
    public async Task A_late_outcome_changes_no_counter_either_where_the_ledger_is_not_written()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var execution = await world.DispatchedAsync();
        await world.Store.TimeOutAsync(execution, Cancel);
        await world.Ledger.GiveToAsync(StoreFixture.Tenant, "us-west-2", world.Tables.Auditor, Cancel);

        Assert.Equal(
            new Move.Moved(IsBooked: false),
            await world.Store.FinishAsync(await world.FindAsync(execution.Id), StoreFixture.Outcome(OutcomeStatus.Succeeded), "aa", Cancel));

        Assert.True((await world.FindAsync(execution.Id)) is { State: ExecutionState.Succeeded, IsLate: true });
        Assert.Equal((0, 0, 0), await world.BooksAsync());
    }

    [Fact]
    public async Task A_region_that_does_not_write_the_ledger_creates_nothing_until_it_does()
    {
        var world = await StoreFixture.StartAsync(cloud);
        await world.Ledger.GiveToAsync(StoreFixture.Tenant, "us-west-2", world.Tables.Auditor, Cancel);

        Assert.Equal(new Creation.LedgerElsewhere("us-west-2"), await world.CreateAsync(world.New()));
        Assert.Null(await world.Store.FindAsync(world.New().Id, Cancel));

        await world.Ledger.GiveToAsync(StoreFixture.Tenant, "us-east-1", world.Tables.Auditor, Cancel);
        Assert.IsType<Creation.Created>(await world.CreateAsync(world.New()));
    }

    [Fact]
    public async Task The_first_region_to_write_a_ledger_becomes_its_owner()
    {
        var world = await StoreFixture.StartAsync(cloud);
        Assert.Null(await world.Ledger.OwnerAsync(StoreFixture.Tenant, Cancel));
        await world.CreatedAsync();
        Assert.Equal("us-east-1", await world.Ledger.OwnerAsync(StoreFixture.Tenant, Cancel));
    }

    private static Task<Move> EndAsync(StoreFixture world, Execution execution, string how) => how switch
    {
        "finish" => world.Store.FinishAsync(execution, StoreFixture.Outcome(OutcomeStatus.Succeeded), "aa", Cancel),
        "refuse" => world.Store.RefuseAsync(execution, DispatchFailure.Unreachable, null, Cancel),
        "cancel" => world.Store.CancelAsync(execution, "U0002", world.Tables.Auditor, Cancel),
        _ => world.Store.TimeOutAsync(execution, Cancel),
    };

    private static Task SetAsync(StoreFixture world, Dictionary<string, Amazon.DynamoDBv2.Model.AttributeValue> key, string counter, long value) =>
        world.Tables.Client.UpdateItemAsync(
        new()
        {
            TableName = world.Tables.Quotas,
            Key = key,
            UpdateExpression = $"SET {counter} = :value",
            ExpressionAttributeValues = new() { [":value"] = Items.Number(value) }
        }, Cancel);

    [Fact]
    public async Task The_first_of_two_outcomes_stays_and_the_second_learns_of_it()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var execution = await world.DispatchedAsync();

        var moves = await Task.WhenAll(
            Task.Run(() => world.Store.FinishAsync(execution, StoreFixture.Outcome(OutcomeStatus.Succeeded), "aa", Cancel)),
            Task.Run(() => world.Store.FinishAsync(execution, StoreFixture.Outcome(OutcomeStatus.Failed), "bb", Cancel)));

        Assert.Single(moves.OfType<Move.Moved>());
        var lost = Assert.Single(moves.OfType<Move.Lost>());
        Assert.Equal((await world.FindAsync(execution.Id)).OutcomeHash, lost.Now.OutcomeHash);
        Assert.Equal((1, 1, 0), await world.BooksAsync());
    }

    [Theory]
    [InlineData(ExecutionState.Queued)]
    [InlineData(ExecutionState.Dispatching)]
    public async Task An_outcome_may_overtake_our_own_record_of_the_dispatch(ExecutionState state)
    {
        var world = await StoreFixture.StartAsync(cloud);
        var execution = state == ExecutionState.Queued ? await world.CreatedAsync() : await world.ClaimedAsync();

        Assert.IsType<Move.Moved>(await world.Store.FinishAsync(execution, StoreFixture.Outcome(OutcomeStatus.Succeeded), "aa", Cancel));
        Assert.IsType<Move.Lost>(await world.Store.RecordAttemptAsync(execution, Signal.Accepted, world.Attempt("accepted"), notFound: false, Cancel));

        Assert.Equal(ExecutionState.Succeeded, (await world.FindAsync(execution.Id)).State);
    }

    [Fact]
    public async Task A_cancellation_before_dispatch_costs_nothing()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var execution = await world.CreatedAsync();

        Assert.IsType<Move.Moved>(await world.Store.CancelAsync(execution, "U0002", world.Tables.Auditor, Cancel));

        Assert.Equal("U0002", (await world.FindAsync(execution.Id)).CancelledBy);
        Assert.Equal((0, 0, 0), await world.BooksAsync());
        Assert.Equal(ExecutionState.Cancelled, Assert.IsType<Claim.Lost>(await world.ClaimAsync()).Now.State);
    }

    [Fact]
    public async Task A_cancellation_after_dispatch_is_charged_and_a_late_result_is_ignored()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var execution = await world.DispatchedAsync();

        Assert.IsType<Move.Moved>(await world.Store.CancelAsync(execution, "U0002", world.Tables.Auditor, Cancel));
        var late = await world.Store.FinishAsync(execution, StoreFixture.Outcome(OutcomeStatus.Succeeded), "aa", Cancel);

        Assert.Equal(ExecutionState.Cancelled, Assert.IsType<Move.Lost>(late).Now.State);
        Assert.Equal((1, 1, 0), await world.BooksAsync());
    }

    [Fact]
    public async Task A_cancellation_that_the_dispatcher_outran_learns_where_the_execution_is()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var seen = await world.CreatedAsync();
        await world.ClaimAsync();

        var move = await world.Store.CancelAsync(seen, "U0002", world.Tables.Auditor, Cancel);

        Assert.Equal(ExecutionState.Dispatching, Assert.IsType<Move.Lost>(move).Now.State);
        Assert.Equal((1, 0, 1), await world.BooksAsync());
    }

    [Fact]
    public async Task A_timed_out_execution_gives_its_unit_back_once()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var execution = await world.DispatchedAsync();

        var moves = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => world.Store.TimeOutAsync(execution, Cancel))));

        Assert.Single(moves.OfType<Move.Moved>());
        Assert.Equal((0, 0, 0), await world.BooksAsync());
    }

    [Fact]
    public async Task A_failure_and_the_sweeper_return_the_unit_once_between_them()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var claimed = await world.ClaimedAsync();

        var moves = await Task.WhenAll(
            Task.Run(() => world.Store.RefuseAsync(claimed, DispatchFailure.Unreachable, null, Cancel)),
            Task.Run(() => world.Store.TimeOutAsync(claimed, Cancel)));

        Assert.Single(moves.OfType<Move.Moved>());
        Assert.Equal((0, 0, 0), await world.BooksAsync());
    }

    [Fact]
    public async Task A_late_outcome_replaces_the_time_out_and_is_charged()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var dispatched = await world.DispatchedAsync();
        await world.Store.TimeOutAsync(dispatched, Cancel);
        await world.Store.MarkToldAsync(dispatched.Id, ExecutionState.TimedOut, Cancel);

        var timedOut = await world.FindAsync(dispatched.Id);
        Assert.IsType<Move.Moved>(await world.Store.FinishAsync(timedOut, StoreFixture.Outcome(OutcomeStatus.Succeeded, cpuMs: 700), "aa", Cancel));

        var execution = await world.FindAsync(dispatched.Id);
        Assert.True(execution is { State: ExecutionState.Succeeded, IsLate: true, ToldAt: null });
        Assert.Equal((1, 1, 0), await world.BooksAsync());
        Assert.Equal(700, (await world.Ledger.MonthAsync(StoreFixture.Tenant, execution.Month, Cancel)).Metered.CpuMs);
    }

    [Fact]
    public async Task A_late_outcome_is_charged_above_the_limit_too()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var dispatched = await world.DispatchedAsync();
        await world.Store.TimeOutAsync(dispatched, Cancel);
        Assert.IsType<Creation.Created>(await world.CreateAsync(world.New("t2"), StoreFixture.Limits with { MonthlyQuota = 1 }));

        await world.Store.FinishAsync(await world.FindAsync(dispatched.Id), StoreFixture.Outcome(OutcomeStatus.Succeeded), "aa", Cancel);

        Assert.Equal((2, 1, 1), await world.BooksAsync());
        Assert.IsType<Creation.QuotaUsedUp>(await world.CreateAsync(world.New("t3"), StoreFixture.Limits with { MonthlyQuota = 2 }));
    }

    [Theory]
    [InlineData(OutcomeStatus.Succeeded, ExecutionState.Succeeded), InlineData(OutcomeStatus.Failed, ExecutionState.Failed),
        InlineData(OutcomeStatus.Cancelled, ExecutionState.Cancelled)]
    public async Task An_outcome_replaces_a_rejection_once(OutcomeStatus status, ExecutionState end)
    {
        var world = await StoreFixture.StartAsync(cloud);
        var claimed = await world.ClaimedAsync();
        await world.Store.RefuseAsync(claimed, DispatchFailure.Rejected, world.Attempt(DispatchFailure.Rejected.Code), Cancel);
        await world.Store.MarkToldAsync(claimed.Id, ExecutionState.Failed, Cancel);

        Assert.IsType<Move.Moved>(await world.Store.FinishAsync(await world.FindAsync(claimed.Id), StoreFixture.Outcome(status, cpuMs: 700), "aa", Cancel));
        Assert.IsType<Move.Lost>(await world.Store.FinishAsync(await world.FindAsync(claimed.Id), StoreFixture.Outcome(OutcomeStatus.Failed), "bb", Cancel));

        var execution = await world.FindAsync(claimed.Id);
        Assert.True(execution is { IsLate: true, ToldAt: null, FailureCode: null, OutcomeHash: "aa" });
        Assert.Equal(end, execution.State);
        Assert.Equal((1, 1, 0), await world.BooksAsync());
    }

    [Theory]
    [InlineData("accepted"), InlineData("again")]
    public async Task An_attempt_that_the_outcome_overtook_is_noted_once(string result)
    {
        var world = await StoreFixture.StartAsync(cloud);
        var claimed = await world.ClaimedAsync();
        await world.Store.FinishAsync(claimed, StoreFixture.Outcome(OutcomeStatus.Succeeded), "aa", Cancel);
        for (var i = 0; i < 2; i++)
            await world.Store.RecordAttemptAsync(claimed, Signal.Accepted, world.Attempt(result), notFound: false, Cancel);
        Assert.Equal(result, Assert.Single((await world.FindAsync(claimed.Id)).Attempts).Result.Code);
    }

    [Fact]
    public async Task An_attempt_is_noted_once_however_often_its_end_comes_too_late()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var claimed = await world.ClaimedAsync();
        await world.Store.FinishAsync(claimed, StoreFixture.Outcome(OutcomeStatus.Succeeded), "aa", Cancel);
        for (var i = 0; i < 2; i++)
            Assert.IsType<Move.Lost>(await world.Store.RefuseAsync(claimed, DispatchFailure.Rejected, world.Attempt("dispatch_rejected"), Cancel));
        Assert.Single((await world.FindAsync(claimed.Id)).Attempts);
    }

    [Fact]
    public async Task Whoever_was_taken_over_notes_nothing()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var first = await world.ClaimedAsync(idempotent: true);
        world.Clock.Advance(TimeSpan.FromMinutes(1));
        await world.ClaimAsync(owner: "two");

        Assert.IsType<Move.Lost>(await world.Store.RecordAttemptAsync(first, Signal.Deferred, world.Attempt("again"), notFound: false, Cancel));
        Assert.Empty((await world.FindAsync(first.Id)).Attempts);       // the second attempt reads from it that the first may have arrived
    }

    [Fact]
    public async Task Nobody_moves_another_tenants_execution_or_learns_of_it()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var theirs = await world.ClaimedAsync() with { Tenant = StoreFixture.Neighbour };

        Assert.IsType<Claim.Unknown>(await world.Store.ClaimAsync(theirs.Id, StoreFixture.Neighbour, "x", TimeSpan.FromSeconds(1), Cancel));
        Assert.IsType<Move.Unknown>(await world.Store.RecordAttemptAsync(theirs, Signal.Accepted, world.Attempt("accepted"), false, Cancel));
        Assert.IsType<Move.Unknown>(await world.Store.RefuseAsync(theirs, DispatchFailure.Rejected, null, Cancel));
        Assert.IsType<Move.Unknown>(await world.Store.StartAsync(theirs, StoreFixture.Outcome(OutcomeStatus.Running), Cancel));
        Assert.IsType<Move.Unknown>(await world.Store.FinishAsync(theirs, StoreFixture.Outcome(OutcomeStatus.Succeeded), "aa", Cancel));
        Assert.IsType<Move.Unknown>(await world.Store.CancelAsync(theirs, "U0002", world.Tables.Auditor, Cancel));
        Assert.IsType<Move.Unknown>(await world.Store.TimeOutAsync(theirs, Cancel));
        Assert.Equal(ExecutionState.Dispatching, (await world.FindAsync(theirs.Id)).State);
    }

    [Fact]
    public async Task An_unknown_execution_is_never_brought_about_by_moving_it()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var nobody = world.New("nobody");

        Assert.IsType<Move.Unknown>(await world.Store.FinishAsync(nobody, StoreFixture.Outcome(OutcomeStatus.Succeeded), "aa", Cancel));
        Assert.IsType<Move.Unknown>(await world.Store.StartAsync(nobody, StoreFixture.Outcome(OutcomeStatus.Running), Cancel));

        Assert.Null(await world.Store.FindAsync(nobody.Id, Cancel));
        Assert.Equal((0, 0, 0), await world.BooksAsync());
    }

    [Fact]
    public async Task What_is_due_shows_until_the_requester_was_told()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var execution = await world.DispatchedAsync();
        Assert.Empty(await DueAsync(world));

        world.Clock.Now = execution.DeadlineAt;
        Assert.Equal([execution.Id], await DueAsync(world));

        await world.Store.TimeOutAsync(execution, Cancel);
        Assert.Empty(await DueAsync(world));

        world.Clock.Advance(TimeSpan.FromSeconds(90));
        Assert.Equal([execution.Id], await DueAsync(world));

        await world.Store.PutOffAsync(await world.FindAsync(execution.Id), TimeSpan.FromSeconds(60), Cancel);
        Assert.Empty(await DueAsync(world));

        world.Clock.Advance(TimeSpan.FromSeconds(60));
        await world.Store.MarkToldAsync(execution.Id, ExecutionState.TimedOut, Cancel);
        Assert.Empty(await DueAsync(world));
    }

    [Theory]
    [InlineData(true), InlineData(false)]
    public async Task A_late_outcome_is_told_anew_even_when_the_word_of_the_time_out_comes_after_it(bool couldBeTold)
    {
        var world = await StoreFixture.StartAsync(cloud);
        var execution = await world.DispatchedAsync();
        await world.Store.TimeOutAsync(execution, Cancel);
        await world.Store.FinishAsync(await world.FindAsync(execution.Id), StoreFixture.Outcome(OutcomeStatus.Failed), "aa", Cancel);

        await (couldBeTold
            ? world.Store.MarkToldAsync(execution.Id, ExecutionState.TimedOut, Cancel)
            : world.Store.MarkUntellableAsync(execution.Id, ExecutionState.TimedOut, Cancel));

        Assert.Null((await world.FindAsync(execution.Id)).ToldAt);
    }

    [Theory]
    [InlineData(true), InlineData(false)]
    public async Task What_was_told_or_given_up_first_stays_so_and_is_not_looked_at_again(bool couldBeTold)
    {
        var world = await StoreFixture.StartAsync(cloud);
        var execution = await world.DispatchedAsync();
        await world.Store.TimeOutAsync(execution, Cancel);
        var timedOut = await world.FindAsync(execution.Id);
        Func<Task> tellAsync = () => world.Store.MarkToldAsync(execution.Id, ExecutionState.TimedOut, Cancel),
            giveUpAsync = () => world.Store.MarkUntellableAsync(execution.Id, ExecutionState.TimedOut, Cancel);

        await (couldBeTold ? tellAsync() : giveUpAsync());
        var first = world.Now;
        world.Clock.Advance(TimeSpan.FromMinutes(5));
        await (couldBeTold ? giveUpAsync() : tellAsync());
        await world.Store.PutOffAsync(timedOut, TimeSpan.Zero, Cancel);

        var told = await world.FindAsync(execution.Id);
        Assert.Equal((first, !couldBeTold), (told.ToldAt, told.IsUntellable));
        var item = await world.Tables.Client.GetItemAsync(world.Tables.Executions, ExecutionItems.KeyOf(execution.Id), consistentRead: true, Cancel);
        Assert.False(item.Item.ContainsKey("due_at"));
    }

    [Fact]
    public async Task What_has_expired_is_gone_at_once_although_the_table_still_has_it()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var execution = await world.CreatedAsync();

        world.Clock.Now = execution.CreatedAt.AddSeconds(599);
        Assert.NotNull(await world.Store.FindOrderAsync(execution.Id, Cancel));
        world.Clock.Now = execution.CreatedAt.AddSeconds(600);
        Assert.Null(await world.Store.FindOrderAsync(execution.Id, Cancel));

        world.Clock.Now = execution.CreatedAt + TimeSpan.FromDays(90) - TimeSpan.FromSeconds(1);
        Assert.NotNull(await world.Store.FindAsync(execution.Id, Cancel));
        world.Clock.Now = execution.CreatedAt + TimeSpan.FromDays(90);
        Assert.Null(await world.Store.FindAsync(execution.Id, Cancel));
    }

    [Fact]
    public async Task What_has_expired_is_gone_from_the_tenants_list_too()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var execution = await world.CreatedAsync();

        world.Clock.Now = execution.CreatedAt + TimeSpan.FromDays(90) - TimeSpan.FromSeconds(1);
        Assert.Single(await world.Store.LatestAsync(StoreFixture.Tenant, 10, Cancel));
        world.Clock.Now = execution.CreatedAt + TimeSpan.FromDays(90);
        Assert.Empty(await world.Store.LatestAsync(StoreFixture.Tenant, 10, Cancel));
    }

    [Fact]
    public async Task A_tenants_list_is_its_own_newest_first()
    {
        var world = await StoreFixture.StartAsync(cloud);
        await world.CreatedAsync("t1");
        world.Clock.Advance(TimeSpan.FromSeconds(1));
        await world.CreatedAsync("t2");

        Assert.Equal([world.New("t2").Id, world.New("t1").Id], (await world.Store.LatestAsync(StoreFixture.Tenant, 10, Cancel)).Select(one => one.Id));
        Assert.Single(await world.Store.LatestAsync(StoreFixture.Tenant, 1, Cancel));
        Assert.Empty(await world.Store.LatestAsync(StoreFixture.Neighbour, 10, Cancel));
    }

    [Fact]
    public async Task Where_nobody_is_to_be_told_the_write_that_ends_it_says_so_and_nothing_is_due()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var execution = world.New() with { RequestedBy = Requesters.AnOperator };
        Assert.IsType<Creation.Created>(await world.CreateAsync(execution));
        Assert.Equal(Requesters.AnOperator, (await world.FindAsync(execution.Id)).RequestedBy);
        Assert.IsType<Creation.Created>(
            await world.Store.CreateDeniedAsync(
            world.New("t2") with { RequestedBy = Requesters.AnOperator, State = ExecutionState.Denied, FinishedAt = world.Now }, Cancel));
        Assert.Equal(world.Now, (await world.FindAsync(world.New("t2").Id)).ToldAt);

        world.Clock.Now = execution.DeadlineAt;
        Assert.Equal([execution.Id], await DueAsync(world));
        Assert.IsType<Move.Moved>(await world.Store.TimeOutAsync(execution, Cancel));
        Assert.Equal((ExecutionState.TimedOut, world.Now), await StandsAsync());

        world.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Empty(await DueAsync(world));
        Assert.IsType<Move.Moved>(
            await world.Store.FinishAsync(await world.FindAsync(execution.Id), StoreFixture.Outcome(OutcomeStatus.Succeeded), "aa", Cancel));
        Assert.Equal((ExecutionState.Succeeded, world.Now), await StandsAsync());
        world.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Empty(await DueAsync(world));

        async Task<(ExecutionState, DateTimeOffset?)> StandsAsync() =>
            await world.FindAsync(execution.Id) is var now ? (now.State, now.ToldAt) : default;
    }

    private static async Task<IReadOnlyList<ExecutionId>> DueAsync(StoreFixture world)
    {
        var due = new List<ExecutionId>();
        for (var shard = 0; shard < ExecutionStore.DueShards; shard++)
            due.AddRange(await world.Store.DueAsync(shard, 10, Cancel));
        return due;
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
