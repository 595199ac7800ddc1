using System.Text.Json;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;
using CsCheck;

namespace ControlPlane.Tests.Flows;

/// <summary>One execution and its tenant's quota as a small specification: proved for every order of events, and held against the tables along every step of
/// the proof.</summary>
/// <remarks>Every event may come at any time and any number of times: late, twice, and from somebody who read the execution before others moved it.</remarks>
public sealed class LifecycleSpecTests(LocalCloud cloud)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The latest claim, for as long as it matters.</summary>
    private enum Lease { None, Runs, Lapsed }

    /// <param name="State">Null before it is created.</param>
    /// <param name="MayRunTwice">Whether its workflow is idempotent.</param>
    /// <param name="OddClaims">Whether it was claimed an odd number of times: a claim more or less always shows.</param>
    /// <param name="Rejected">Whether it failed because its engine answered with a refusal that its workflow may have chosen.</param>
    /// <param name="Counts">Whether it ended as a use of the quota, whatever the ledger knows.</param>
    /// <param name="Lost">Whether the ledger was lost while it was under way, and not counted anew since.</param>
    /// <param name="Old">Whether an end that was our guess was a day ago.</param>
    private readonly record struct Books(
        ExecutionState? State, bool Told, bool Late, int Charged, int Used, int Active, bool MayRunTwice, Lease Lease, bool OddClaims, bool Rejected, bool Old,
        bool Counts, bool Lost)
    {
        public bool IsGuess => State == ExecutionState.TimedOut || Rejected;
        public bool IsOpen => State is { IsTerminal: false };
        private bool IsNotBegun => State is ExecutionState.Queued or ExecutionState.AwaitingApproval;
        public bool Waits => State == ExecutionState.AwaitingApproval;
        public bool HasEnded => State is { IsTerminal: true };
        private bool IsClaimed => State is ExecutionState.Dispatching or ExecutionState.DispatchUnknown;

        public Books Create(bool mayRunTwice) =>
            State is null ? this with { State = ExecutionState.Queued, Charged = 1, Active = 1, MayRunTwice = mayRunTwice } : this;
        public Books CreateWaiting() =>
            State is null ? this with { State = ExecutionState.AwaitingApproval, Charged = 1, Active = 1 } : this;
        public Books Approve() => Move(ExecutionState.Queued, ExecutionState.AwaitingApproval);
        public Books Deny() => State == ExecutionState.AwaitingApproval ? Released(ExecutionState.Denied) : this;
        public Books Claim() => State == ExecutionState.Queued || (IsClaimed && MayRunTwice && Lease == Lease.Lapsed) ? Claimed() : this;
        public Books Claimed() => this with { State = ExecutionState.Dispatching, Lease = Lease.Runs, OddClaims = !OddClaims };
        public Books Lapse() => this with { Lease = Lease.Lapsed };
        public Books Age() => this with { Old = true };
        public Books To(ExecutionState state) => this with { State = state, Lease = state == ExecutionState.DispatchUnknown ? Lease : Lease.None };
        public Books Move(ExecutionState to, params ReadOnlySpan<ExecutionState> from) => State is { } now && from.Contains(now) ? To(to) : this;
        public Books Start() => IsOpen && !Waits ? To(ExecutionState.Running) : this;
        public Books Settle(ExecutionState end) => !IsOpen || Waits ? this : To(end) with { Used = Lost ? Used : Used + 1, Active = 0, Counts = true };
        public Books Release(ExecutionState end) => !IsOpen || Waits ? this : Released(end);
        public Books Released(ExecutionState end) => To(end) with { Charged = Lost ? Charged : Charged - 1, Active = 0 };
        public Books Lose() => this with { Charged = 0, Used = 0, Active = 0, Lost = true };
        public Books Recount() => this with { Charged = IsOpen || Counts ? 1 : 0, Used = Counts ? 1 : 0, Active = IsOpen ? 1 : 0, Lost = false };
        public Books End(ExecutionState end) => IsGuess ? Old ? this : Supersede(end) : Settle(end);
        public Books Supersede(ExecutionState end) =>
            this with { State = end, Late = true, Told = false, Charged = Charged + 1, Used = Used + 1, Rejected = false, Counts = true };
        public Books Refuse(bool rejected) =>
            State is ExecutionState.Queued or ExecutionState.Dispatching ? Release(ExecutionState.Failed) with { Rejected = rejected } : this;
        public Books Stop() => IsNotBegun ? Released(ExecutionState.Cancelled) : Settle(ExecutionState.Cancelled);
        public Books StopFromTheQueue() => IsNotBegun ? Released(ExecutionState.Cancelled) : this;
        public Books Tell() => this with { Told = true };
    }

    [Fact]
    public async Task Nobody_is_told_of_an_end_that_has_not_come()
    {
        var tables = await cloud.TablesAsync();
        await Assert.ThrowsAsync<ArgumentException>(
            () => new ExecutionStore(tables.Client, tables.Executions, tables.Quotas, TimeProvider.System)
                .MarkToldAsync(ExecutionId.Of("T0001", "1"), ExecutionState.Queued, Cancel));
    }

    private static Spec<Books> Specification() => Spec.From(default(Books))
        .Action("create", books => books.State is null, books => books.Create(mayRunTwice: false))
        .Action("create, may run twice", books => books.State is null, books => books.Create(mayRunTwice: true))
        .Action("created again", books => books.State is not null, books => books.Create(mayRunTwice: true))
        .Action("create, to be approved", books => books.State is null, books => books.CreateWaiting())
        .Action("approved", books => books.State is not null, books => books.Approve())
        .Action("denied", books => books.State is not null, books => books.Deny())
        .Action("claim", books => books.State is not null, books => books.Claim())
        .Action("the lease lapses", books => books.Lease == Lease.Runs, books => books.Lapse())
        .Action("a day passes", books => books is { IsGuess: true, Old: false }, books => books.Age())
        .Action(
            "accepted", books => books.State is not null,
            books => books.Move(ExecutionState.Dispatched, ExecutionState.Dispatching, ExecutionState.DispatchUnknown))
        .Action("ambiguous", books => books.State is not null, books => books.Move(ExecutionState.DispatchUnknown, ExecutionState.Dispatching))
        .Action("deferred", books => books.State is not null, books => books.Move(ExecutionState.Queued, ExecutionState.Dispatching))
        .Action("refused", books => books.State is not null, books => books.Refuse(rejected: false))
        .Action("rejected", books => books.State is not null, books => books.Refuse(rejected: true))
        .Action("started", books => books.State is not null, books => books.Start())
        .Action("succeeded", books => books.State is not null, books => books.End(ExecutionState.Succeeded))
        .Action("failed", books => books.State is not null, books => books.End(ExecutionState.Failed))
        .Action("succeeded, read before", books => books.State is not null, books => books.Settle(ExecutionState.Succeeded))
        .Action("cancelled", books => books.State is not null, books => books.Stop())
        .Action("cancelled, read before", books => books.State is not null, books => books.StopFromTheQueue())
        .Action("expired", books => books.State is not null, books => books.Release(ExecutionState.TimedOut))
        .Action("the ledger is lost", books => books is { State: ExecutionState.Dispatched, MayRunTwice: false, Lost: false }, books => books.Lose())
        .Action("recount", books => books.State is not null, books => books.Recount())
        .Action("told", books => books.HasEnded, books => books.Tell())
        .Invariant("I3", "Quota used = executions charged - charges returned, never negative.",
            books => (books.Lost || books.Charged - books.Used == books.Active) && books is { Charged: 0 or 1, Used: 0 or 1, Active: 0 or 1 })
        .Invariant(
            "I3-ENDED", "What has ended holds no place and no reservation.",
            books => books.Lost || books.HasEnded == (books.Active == 0 && books.State is not null))
        .Invariant("I3-TRUE", "The ledger says what became of the execution.", books => books.Lost || books == books.Recount())
        .Rule(
            "I3-LOST", "What the ledger lacks keeps no execution open.", "succeeded", (before, _) => before is { Lost: true, IsOpen: true },
            (_, after) => after.HasEnded)
        .Rule("I3-LOST-DEADLINE", "Nor past its deadline.", "expired", (before, _) => before is { Lost: true, IsOpen: true }, (_, after) => after.HasEnded)
        .Rule(
            "I3-RECOUNT", "A recount puts right what was lost.", "recount", (before, _) => before.Lost,
            (before, after) => !after.Lost && after == before.Recount())
        .Rule(
            "I7-WAITS", "What nobody has approved reaches no dispatcher and no engine.", "claim", (before, _) => before.Waits, (before, after) => after == before)
        .Rule("I7-ONCE", "An approval and a denial come once.", "approved", (before, _) => !before.Waits, (before, after) => after == before)
        .Rule("I7-DENIED", "What is denied gives its reservation back.", "denied", (before, _) => before.Waits, (_, after) => after is { HasEnded: true, Charged: 0 })
        .Fault("handed over without approval", "claim", (before, _) => before.Waits, (before, _) => before.Claimed())
        .Fault("approved after its end", "approved", (before, _) => before.HasEnded, (before, _) => before with { State = ExecutionState.Queued })
        .Fault("a denial keeps its reservation", "denied", (before, _) => before.Waits, (_, after) => after with { Charged = 1 })
        .Rule(
            "I2-ONE", "While a dispatcher's lease runs nobody else has the attempt.", "claim", (before, _) => before.Lease == Lease.Runs,
            (before, after) => after == before)
        .Rule("I2-ONCE", "What may have reached the engine and must not run twice is not claimed again.", "claim",
            (before, _) => !before.MayRunTwice && before.Lease != Lease.None, (before, after) => after == before)
        .Rule("I2-AGAIN", "What may run twice is taken over when whoever had it is silent.", "claim",
            (before, _) => before is { MayRunTwice: true, Lease: Lease.Lapsed },
            (before, after) => after is { State: ExecutionState.Dispatching, Lease: Lease.Runs } && after.OddClaims != before.OddClaims)
        .AtMost("I3-ONCE", "Each charge is returned at most once.", 1, (before, after) => after.Charged < before.Charged && !before.Lost && !after.Lost)
        .Never("I5", "A terminal state never changes, but for the engine's word after an end that was our guess.",
            (before, after) => before.HasEnded && after.State != before.State && !(before.IsGuess && after.Late))
        .Rule("I5-DAY", "A guess of a day ago stays.", (before, _) => before.Old, (before, after) => (after.State, after.Late) == (before.State, before.Late))
        .Rule("I5-REJECTED", "A refusal that its workflow may have chosen gives way to the engine's word.", "succeeded",
            (before, _) => before is { Rejected: true, Old: false }, (_, after) => after is { State: ExecutionState.Succeeded, Late: true })
        .Rule("I5-TOLD", "What replaced a guess is told too.", (before, after) => !before.Late && after.Late, (_, after) => !after.Told)
        .Rule("I3-LATE", "Work that is reported late was done: it is charged once.", (before, after) => !before.Late && after.Late,
            (before, after) => (after.Charged, after.Used) == (before.Charged + 1, before.Used + 1) && after.Counts)
        .Never("I5-ONCE", "What replaced a guess stays.", (before, after) => before.Late && after.State != before.State)
        .Reachable("LATE", "The engine's word after a time-out is told.", books => books is { Late: true, Told: true, State: ExecutionState.Succeeded })
        .Reachable(
            "LATE-FAILED", "So is one that agrees with the refusal before it.", books => books is { Late: true, Told: true, State: ExecutionState.Failed })
        .Reachable("CHARGED", "What a user cancels when the engine may have it is charged.", books => books is { State: ExecutionState.Cancelled, Used: 1 })
        .Reachable("GIVEN-BACK", "What a user cancels in the queue is not.", books => books is { State: ExecutionState.Cancelled, Charged: 0 })
        .Fault("taken over while the lease runs", "claim", (before, _) => before is { MayRunTwice: true, Lease: Lease.Runs }, (before, _) => before.Claimed())
        .Fault(
            "taken over though it must not run twice", "claim", (before, _) => before is { MayRunTwice: false, Lease: Lease.Lapsed },
            (before, _) => before.Claimed())
        .Fault("never taken over", "claim", (before, after) => before.Lease == Lease.Lapsed && after != before, (before, _) => before)
        .Fault("replaced after a day", "succeeded", (before, _) => before.Old, (before, _) => before.Supersede(ExecutionState.Succeeded))
        .Fault("a rejection is final", "succeeded", (before, _) => before is { Rejected: true, Old: false }, (before, _) => before)
        .Fault("any refusal gives way", "succeeded", (before, _) => before is { State: ExecutionState.Failed, Rejected: false, Late: false, Used: 0 },
            (before, _) => before.Supersede(ExecutionState.Succeeded))
        .Fault("the late outcome is free", "succeeded", (before, after) => !before.Late && after.Late, (_, books) => books with { Charged = 0, Used = 0 })
        .Fault(
            "a late failure is replaced by another", "failed", (before, _) => before is { Late: true, State: ExecutionState.Failed },
            (before, _) => before.Supersede(ExecutionState.Failed))
        .Fault("an outcome waits for the ledger", "succeeded", (before, _) => before is { Lost: true, IsOpen: true }, (before, _) => before)
        .Fault("a time-out waits for the ledger", "expired", (before, _) => before is { Lost: true, IsOpen: true }, (before, _) => before)
        .Fault(
            "a recount forgets what ended meanwhile", "recount", (before, _) => before is { Lost: true, Counts: true },
            (_, after) => after with { Charged = 0, Used = 0 })
        .Fault("a settled charge is not marked", "succeeded", (before, after) => before.IsOpen && after.HasEnded, (_, books) => books with { Counts = false })
        .Fault(
            "the outcome lacks its condition", "succeeded", (before, _) => before.State == ExecutionState.Cancelled,
            (_, books) => books with { State = ExecutionState.Succeeded })
        .Fault(
            "the charge is returned again", "expired", (before, _) => before.State == ExecutionState.TimedOut,
            (_, books) => books with { Charged = books.Charged - 1 })
        .Fault("settled again", "succeeded", (before, _) => before.State == ExecutionState.Succeeded, (_, books) => books with { Used = books.Used + 1 })
        .Fault(
            "a time-out keeps its place", "expired", (before, after) => before.IsOpen && after.HasEnded,
            (_, books) => books with { Active = 1, Charged = books.Used + 1 })
        .Fault("the late outcome passes for told", "succeeded", (before, after) => !before.Late && after.Late, (_, books) => books with { Told = true });

    [Fact]
    public void The_rules_hold_in_every_order_of_events_and_each_planted_defect_breaks_one()
    {
        Assert.True(Specification().Exhaustive().Closed);
        Assert.Empty(Specification().Faults().Uncaught);
    }

    [Fact]
    [Trait("Length", "long")]
    public async Task The_tables_do_what_the_rules_say_along_every_step()
    {
        var tables = await cloud.TablesAsync();
        var seen = new HashSet<(string, Books, Books)>();
        var report = Specification().ConformExhaustive(
            () => new Stored(tables),
            // The engine that drives this is synchronous; nothing here has a context to wait for.
            (stored, step) => Task.Run(() => stored.DifferenceAsync(step.Action, step.After, compare: seen.Add((step.Action, step.Before, step.After))), Cancel)
                .GetAwaiter().GetResult(),
            writeLine: line => TestContext.Current.TestOutputHelper!.WriteLine(line), threads: 1);
        Assert.Equal(report.Transitions, report.ConformedTransitions);
    }

    /// <summary>One execution in the tables.</summary>
    private sealed class Stored(TestTables tables)
    {
        private static readonly TenantId Tenant = TenantId.Parse("tenant-43");
        private static readonly TimeSpan LeaseTime = TimeSpan.FromMinutes(1);
        private static int _executions;

        private readonly SetClock _clock = new(new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));
        private readonly ExecutionId _id = ExecutionId.Of("T0001", $"{Interlocked.Increment(ref _executions)}");
        private Execution? _asQueued;
        private bool _isLost;

        private ExecutionStore Executions => new(tables.Client, tables.Executions, tables.Quotas, _clock);

        private Month Month => Month.Of(_clock.Now);

        /// <param name="compare">False on a way that was compared before, to somewhere new.</param>
        /// <returns>Null when the tables agree with the books after the step.</returns>
        public async Task<string?> DifferenceAsync(string step, Books expected, bool compare)
        {
            if (_asQueued is null)
                await ForgetOthersAsync();
            var now = await Executions.FindAsync(_id, Cancel);
            await DoAsync(step, now!);
            if (!compare)
                return null;
            var stored = await ReadAsync();
            return stored == expected ? null : $"{step}: the tables say {stored}, the rules {expected}";
        }

        private Task DoAsync(string step, Execution now)
        {
            var attempt = new DispatchAttempt(now?.AttemptCount ?? 0, _clock.Now, 1, new AttemptResult.Again(), 200);
            var outcome = new Outcome(OutcomeStatus.Succeeded, null, null, "1", new(1200, 0, 0, 0), null, null);
            return step switch
            {
                "create" => CreateAsync(mayRunTwice: false),
                "create, may run twice" or "created again" => CreateAsync(mayRunTwice: true),
                "create, to be approved" => CreateWaitingAsync(),
                "approved" => Executions.ApproveAsync(now!, OrderOf(now!), new(true, "allowed", "", []), now!.DeadlineAt, Cancel),
                "denied" => Executions.DenyAsync(now!, Approvals.Expired(null), Cancel),
                "claim" => Executions.ClaimAsync(_id, Tenant, Guid.NewGuid().ToString("N"), LeaseTime, Cancel),
                "the lease lapses" => PassAsync(LeaseTime),
                "the ledger is lost" => LoseLedgerAsync(),
                "recount" => RecountAsync(),
                "a day passes" => PassAsync(ExecutionLifecycle.SupersededWithin),
                "accepted" => Executions.RecordAttemptAsync(now!, Signal.Accepted, attempt, notFound: false, Cancel),
                "ambiguous" => Executions.RecordAttemptAsync(now!, Signal.Ambiguous, attempt, notFound: false, Cancel),
                "deferred" => Executions.RecordAttemptAsync(now!, Signal.Deferred, attempt, notFound: false, Cancel),
                "refused" => Executions.RefuseAsync(now!, DispatchFailure.Unauthorized, attempt, Cancel),
                "rejected" => Executions.RefuseAsync(now!, DispatchFailure.Rejected, attempt, Cancel),
                "started" => Executions.StartAsync(now!, outcome, Cancel),
                "succeeded" => Executions.FinishAsync(now!, outcome, "00", Cancel),
                "failed" => Executions.FinishAsync(now!, outcome with { Status = OutcomeStatus.Failed }, "00", Cancel),
                "succeeded, read before" => Executions.FinishAsync(_asQueued!, outcome, "00", Cancel),
                "cancelled" => Executions.CancelAsync(now!, "U0001", tables.Auditor, Cancel),
                "cancelled, read before" => Executions.CancelAsync(_asQueued!, "U0001", tables.Auditor, Cancel),
                "expired" => Executions.TimeOutAsync(now!, Cancel),
                "told" => Executions.MarkToldAsync(_id, now!.State, Cancel),
                _ => throw new ArgumentOutOfRangeException(nameof(step)),
            };
        }

        private async Task LoseLedgerAsync()
        {
            await ForgetOthersAsync();
            _isLost = true;
        }

        private async Task RecountAsync()
        {
            var (ledger, month) = (new QuotaLedger(tables.Client, tables.Quotas), _asQueued!.Month);
            var read = new LedgerCount(await ledger.MonthAsync(Tenant, month, Cancel), await ledger.ActiveAsync(Tenant, Cancel));
            var counted = LedgerCount.Of([(await Executions.FindAsync(_id, Cancel))!], month);
            Assert.True(await ledger.TryCorrectAsync(Tenant, month, read, counted, tables.Auditor, Cancel));
            _isLost = false;
        }

        private Task PassAsync(TimeSpan time)
        {
            _clock.Advance(time + TimeSpan.FromMilliseconds(1));
            return Task.CompletedTask;
        }

        private async Task CreateAsync(bool mayRunTwice)
        {
            var execution = NewExecution(mayRunTwice);
            await Executions.CreateAsync(execution, OrderOf(execution), new(5, 5, null), Cancel);
            _asQueued ??= execution;
        }

        private async Task CreateWaitingAsync()
        {
            var execution = NewExecution(mayRunTwice: false) with
            {
                State = ExecutionState.AwaitingApproval,
                Approval = new(["ops"], TeamId.Parse("T0001"), ChannelId.Parse("C0001"), 1, SelfApproval: false, TimeSpan.FromHours(24)),
            };
            await Executions.CreateAsync(execution, order: null, new(5, 5, null), Cancel);
            _asQueued ??= execution with { State = ExecutionState.Queued };
        }

        private Execution NewExecution(bool mayRunTwice) => new()
        {
            Id = _id,
            Tenant = Tenant,
            Workflow = WorkflowName.Parse("wf_sched"),
            RequestedBy = Requesters.OfSlack(),
            State = ExecutionState.Queued,
            CreatedAt = _clock.Now,
            DeadlineAt = _clock.Now.AddHours(1),
            Month = Month,
            IsIdempotent = mayRunTwice,
            Inputs = JsonDocument.Parse("{}").RootElement,
        };

        private DispatchOrder OrderOf(Execution execution) =>
            new(_id, Tenant, WebhookPath.Of(execution.Workflow), "{}"u8.ToArray(), "token", _clock.Now.AddMinutes(10));

        private async Task<Books> ReadAsync()
        {
            var ledger = new QuotaLedger(tables.Client, tables.Quotas);
            var month = await ledger.MonthAsync(Tenant, Month, Cancel);
            var execution = await Executions.FindAsync(_id, Cancel);
            var isClaimed = execution?.State is ExecutionState.Dispatching or ExecutionState.DispatchUnknown;
            return new(
                execution?.State, execution?.ToldAt is not null, execution?.IsLate ?? false, (int)month.Charged, (int)month.Used,
                await ledger.ActiveAsync(Tenant, Cancel),
                execution?.IsIdempotent ?? false, !isClaimed
                    ? Lease.None
                    : execution!.LeaseUntil < _clock.Now
                    ? Lease.Lapsed
                    : Lease.Runs, execution?.AttemptCount % 2 == 1,
                execution?.FailureCode == DispatchFailure.Rejected,
                (execution?.State == ExecutionState.TimedOut || execution?.FailureCode == DispatchFailure.Rejected)
                    && execution.FinishedAt < _clock.Now - ExecutionLifecycle.SupersededWithin,
                execution?.IsCharged ?? false, _isLost);
        }

        private Task ForgetOthersAsync() => tables.LoseLedgerAsync(Tenant, Month, Cancel);
    }
}
