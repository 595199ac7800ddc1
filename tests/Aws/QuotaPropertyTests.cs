using System.Runtime.CompilerServices;
using ControlPlane.Executions;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using CsCheck;

namespace ControlPlane.Tests.Aws;

/// <summary>Whatever is done to executions, in whatever order and at once: the books of the quota agree with what became of them.</summary>
public class QuotaPropertyTests(LocalCloud cloud)
{
    private enum Step { Create, Claim, Accept, Ambiguous, Defer, Refuse, Start, Succeed, Fail, Stop, Cancel, TimeOut }

    /// <summary>What one actor does, one step after the other, each to one of the executions.</summary>
    private sealed record Script((int Execution, Step Step)[] Steps);

    private sealed record Scenario(int Quota, int Concurrency, Script[] Actors);

    // Creation and endings more often than what lies between: that is where the quota moves.
    private static readonly Gen<Step> Steps = Gen.Frequency(
        (4, Gen.Const(Step.Create)),
        (3, Gen.Const(Step.Claim)),
        (3, Gen.OneOf(Gen.Const(Step.Accept), Gen.Const(Step.Ambiguous), Gen.Const(Step.Defer), Gen.Const(Step.Start))),
        (4, Gen.OneOf(Gen.Const(Step.Refuse), Gen.Const(Step.Succeed), Gen.Const(Step.Fail), Gen.Const(Step.Stop), Gen.Const(Step.Cancel),
            Gen.Const(Step.TimeOut))));

    private static readonly Gen<Scenario> Scenarios =
        from quota in Gen.Int[0, 6]
        from concurrency in Gen.Int[0, 4]
        from actors in Gen.Select(Gen.Int[0, 5], Steps).Array[8, 20].Select(steps => new Script(steps)).Array[2, 4]
        select new Scenario(quota, concurrency, actors);

    [Fact]
    [Trait("Length", "long")]
    public Task Charged_used_and_active_agree_with_what_became_of_the_executions() => Scenarios.SampleAsync(
        async scenario =>
        {
            var world = await StoreFixture.StartAsync(cloud);
            var late = new StrongBox<int>();
            var settled = (await Task.WhenAll(scenario.Actors.Select(actor => Task.Run(() => PlayAsync(world, scenario, actor, late))))).Sum();

            var executions = new List<Execution>();
            for (var i = 0; i <= 5; i++)
                if (await world.Store.FindAsync(IdOf(i), TestContext.Current.CancellationToken) is { } execution)
                    executions.Add(execution);
            var open = executions.Count(execution => !execution.State.IsTerminal);
            var (charged, used, active) = await world.BooksAsync();
            var metered = (await world.Ledger.MonthAsync(StoreFixture.Tenant, Quotas.Month.Of(world.Now), TestContext.Current.CancellationToken)).Metered.CpuMs;

            Assert.Equal(open, active);
            Assert.Equal(settled, used);
            Assert.Equal(open + settled, charged);
            Assert.InRange(charged, 0, scenario.Quota + late.Value);
            Assert.InRange(active, 0, scenario.Concurrency);
            Assert.Equal(executions.Sum(execution => execution.Outcome?.Usage.CpuMs ?? 0), metered);
        },
        iter: 40, threads: 1);

    /// <param name="late">How many outcomes came after a time-out: those are charged above the limit too.</param>
    /// <returns>How many charges this actor's moves settled.</returns>
    private static async Task<int> PlayAsync(StoreFixture world, Scenario scenario, Script actor, StrongBox<int> late)
    {
        var settled = 0;
        foreach (var (number, step) in actor.Steps)
        {
            if (step == Step.Create)
            {
                var execution = world.New($"t{number}");
                await world.CreateAsync(execution, new TenantLimits(scenario.Quota, scenario.Concurrency, null));
            }
            else if (await world.Store.FindAsync(IdOf(number), TestContext.Current.CancellationToken) is { } execution)
            {
                settled += await DoAsync(world, execution, step, late) ? 1 : 0;
            }

            // At every moment, not only in the end: never negative, never above the limits but for what came late, never more used than charged.
            var (charged, used, active) = await world.BooksAsync();
            Assert.InRange(charged, 0, scenario.Quota + Volatile.Read(ref late.Value));
            Assert.InRange(active, 0, scenario.Concurrency);
            Assert.InRange(used, 0, scenario.Quota + Volatile.Read(ref late.Value));
        }
        return settled;
    }

    /// <returns>Whether this move settled a charge.</returns>
    private static async Task<bool> DoAsync(StoreFixture world, Execution execution, Step step, StrongBox<int> late)
    {
        var cancel = TestContext.Current.CancellationToken;
        var store = world.Store;
        switch (step)
        {
            case Step.Claim:
                await store.ClaimAsync(execution.Id, StoreFixture.Tenant, Guid.NewGuid().ToString("N"), TimeSpan.FromSeconds(30), cancel);
                return false;
            case Step.Accept:
                await store.RecordAttemptAsync(execution, Signal.Accepted, world.Attempt("accepted"), notFound: false, cancel);
                return false;
            case Step.Ambiguous:
                await store.RecordAttemptAsync(execution, Signal.Ambiguous, world.Attempt("ambiguous"), notFound: false, cancel);
                return false;
            case Step.Defer:
                await store.RecordAttemptAsync(execution, Signal.Deferred, world.Attempt("again"), notFound: true, cancel);
                return false;
            case Step.Start:
                await store.StartAsync(execution, StoreFixture.Outcome(OutcomeStatus.Running), cancel);
                return false;
            case Step.Refuse:
                await store.RefuseAsync(execution, DispatchFailure.Unreachable, null, cancel);
                return false;
            case Step.TimeOut:
                await store.TimeOutAsync(execution, cancel);
                return false;
            case Step.Cancel:
                return await store.CancelAsync(execution, "U0002", world.Tables.Auditor, cancel) is Move.Moved && execution.State != ExecutionState.Queued;
            default:
                var status = step switch { Step.Succeed => OutcomeStatus.Succeeded, Step.Fail => OutcomeStatus.Failed, _ => OutcomeStatus.Cancelled };
                if (execution.State == ExecutionState.TimedOut)
                    Interlocked.Increment(ref late.Value);
                return await store.FinishAsync(execution, StoreFixture.Outcome(status, cpuMs: 7), $"{step}", cancel) is Move.Moved;
        }
    }

    private static ExecutionId IdOf(int number) => ExecutionId.Of("T0001", $"t{number}");
}
