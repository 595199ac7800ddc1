using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Aws;

/// <summary>Every condition that the store writes admits what the rows of the lifecycle admit, and nothing else: each signal sent to an execution in every
/// state, with every fact that a guard asks for.</summary>
public class LifecycleConditionTests(LocalCloud cloud)
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<Signal> Signals => [.. Enum.GetValues<Signal>()];

    [Theory]
    [MemberData(nameof(Signals))]
    public async Task The_table_judges_as_the_rows_say(Signal signal)
    {
        var world = await StoreFixture.StartAsync(cloud);
        var moved = new HashSet<Transition>();
        foreach (var execution in Situations(world))
        {
            foreach (var effect in ExecutionLifecycle.Transitions.Where(one => one.Signal == signal).Select(one => one.Quota).Distinct())
            {
                await PutAsync(world, execution);
                var expected = ExecutionLifecycle.Of(signal, effect).FirstOrDefault(one => one.Admits(execution, "one", world.Now));
                var stored = (await SendAsync(world, signal, effect, execution), (await world.FindAsync(execution.Id)).State);
                Assert.True(
                    stored == (expected is not null, expected?.To ?? execution.State),
                    $"{signal} ({effect}) to {execution}: {stored}, the rows say {expected}");
                if (expected is not null)
                    moved.Add(expected);
            }
        }
        Assert.Equal(ExecutionLifecycle.Transitions.Count(one => one.Signal == signal), moved.Count);
    }

    /// <summary>Every state with each fact on either side of its edge; where a signal's rows do not ask for a fact, it makes no difference.</summary>
    private static IEnumerable<Execution> Situations(StoreFixture world) =>
        from state in ExecutionStates.All
        from idempotent in new[] { false, true }
        from leaseUntil in new[] { world.Now, world.Now - Moment }
        from owner in new[] { "one", "another" }
        from finished in state.IsTerminal
            ? [world.Now - ExecutionLifecycle.SupersededWithin, world.Now - ExecutionLifecycle.SupersededWithin - Moment]
            : new DateTimeOffset?[] { null }
        from code in state == ExecutionState.Failed ? [DispatchFailure.Rejected, DispatchFailure.Unauthorized] : new DispatchFailure?[] { null }
        select world.New() with
        {
            State = state,
            IsIdempotent = idempotent,
            LeaseUntil = leaseUntil,
            LeaseOwner = owner,
            FinishedAt = finished,
            FailureCode = code
        };

    private static async Task PutAsync(StoreFixture world, Execution execution)
    {
        var item = ExecutionItems.Of(execution, execution.DeadlineAt);
        item["lease_owner"] = Items.Text(execution.LeaseOwner!);
        item["lease_until"] = Items.Time(execution.LeaseUntil!.Value);
        await world.Tables.Client.PutItemAsync(world.Tables.Executions, item, Cancel);

        // Room for whatever the signal does to it.
        var month = QuotaLedger.KeyOf(StoreFixture.Tenant, execution.Month);
        month["charged"] = Items.Number(1);
        await world.Tables.Client.PutItemAsync(world.Tables.Quotas, month, Cancel);
        var active = QuotaLedger.ActiveKeyOf(StoreFixture.Tenant);
        active["active"] = Items.Number(1);
        await world.Tables.Client.PutItemAsync(world.Tables.Quotas, active, Cancel);
    }

    /// <summary>As somebody sends it who read the execution when it was where the effect fits, so that the condition alone decides.</summary>
    private static async Task<bool> SendAsync(StoreFixture world, Signal signal, QuotaEffect effect, Execution execution)
    {
        var seen = execution with { State = ExecutionLifecycle.Of(signal, effect)[0].From, FinishedAt = world.Now, LeaseOwner = "one", FailureCode = null };
        return signal switch
        {
            Signal.Approved =>
                await world.Store.ApproveAsync(seen, StoreFixture.OrderOf(seen), new(true, "allowed", "", []), world.Now.AddHours(1), Cancel) is Move.Moved,
            Signal.Denied => await world.Store.DenyAsync(seen, Approvals.Expired(null), Cancel) is Move.Moved,
            Signal.Claimed => await world.Store.ClaimAsync(seen.Id, seen.Tenant, "two", TimeSpan.FromSeconds(30), Cancel) is Claim.Held,
            Signal.Accepted or Signal.Ambiguous or Signal.Deferred =>
                await world.Store.RecordAttemptAsync(seen, signal, world.Attempt("again"), notFound: false, Cancel) is Move.Moved,
            Signal.Refused => await world.Store.RefuseAsync(seen, DispatchFailure.Rejected, null, Cancel) is Move.Moved,
            Signal.Started => await world.Store.StartAsync(seen, StoreFixture.Outcome(OutcomeStatus.Running), Cancel) is Move.Moved,
            Signal.Succeeded => await world.Store.FinishAsync(seen, StoreFixture.Outcome(OutcomeStatus.Succeeded), "aa", Cancel) is Move.Moved,
            Signal.Failed => await world.Store.FinishAsync(seen, StoreFixture.Outcome(OutcomeStatus.Failed), "aa", Cancel) is Move.Moved,
            Signal.Stopped => await world.Store.FinishAsync(seen, StoreFixture.Outcome(OutcomeStatus.Cancelled), "aa", Cancel) is Move.Moved,
            Signal.Cancelled => await world.Store.CancelAsync(seen, "U0002", world.Tables.Auditor, Cancel) is Move.Moved,
            Signal.Expired => await world.Store.TimeOutAsync(seen, Cancel) is Move.Moved,
            _ => throw new ArgumentOutOfRangeException(nameof(signal)),
        };
    }
}
