using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.MeteringCollector;

/// <summary>An outcome, and a sweep, broken at every call; then what the world does next. In the end one terminal state, one charge, and a requester who is
/// told.</summary>
[Trait("Length", "long")]
public sealed class OutcomeFaultTests(LocalCloud cloud)
{
    private static readonly ExecutionUsage Usage = new(1200, 30, 4, 5);
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_engine_repeats_what_was_not_answered()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var jobs = new List<Job>();
        var breaks = await CrashPoints.ForEachAsync(async (seam, name) =>
        {
            jobs.Add(await desk.StartAsync());
            desk.Restart(seam);
            var broken = await desk.SendAsync(jobs[^1], OutcomeText.Succeeded);
            Assert.True(broken.Status is 200 or 503, $"{name}: {broken}");
            desk.Restart();
            if (broken.Status == 503 || seam.IsDead)
                Assert.Equal(200, (await desk.SendAsync(jobs[^1], OutcomeText.Succeeded)).Status);
            Assert.Equal(ExecutionState.Succeeded, (await desk.ReadAsync(jobs[^1])).State);
        });

        Assert.True(breaks >= 3 * FaultSeam.AllFaults.Count, $"only {breaks} breaks");
        await AssertSettledAsync(desk, jobs);
    }

    [Fact]
    public async Task Two_deliveries_break_one_after_the_other()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var jobs = new List<Job>();
        Fault[] faults = [Fault.StopBefore, Fault.StopAfter, Fault.AnswerLost];
        for (var first = 1; first <= 3; first++)
        {
            foreach (var fault in faults)
            {
                await CrashPoints.ForEachAsync(async (second, _) =>
                {
                    jobs.Add(await desk.StartAsync());
                    foreach (var seam in new[] { FaultSeam.At(first, fault), second, FaultSeam.None() })
                    {
                        desk.Restart(seam);
                        await desk.SendAsync(jobs[^1], OutcomeText.Succeeded);
                    }
                }, faults);
            }
        }
        await AssertSettledAsync(desk, jobs);
    }

    [Fact]
    public async Task The_engine_gives_up_after_a_break()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var jobs = new List<Job>();
        await CrashPoints.ForEachAsync(async (seam, _) =>
        {
            jobs.Add(await desk.StartAsync());
            desk.Restart(seam);
            await desk.SendAsync(jobs[^1], OutcomeText.Failed);
        });

        var notified = await SweepOnAsync(desk);
        foreach (var job in jobs)
        {
            var execution = await desk.ReadAsync(job);
            Assert.True(execution.State is ExecutionState.Failed or ExecutionState.TimedOut);
            Assert.Contains(job.Id.ToString(), notified);
        }
        var month = await desk.Ledger.MonthAsync(OutcomeFixture.Tenant, desk.Month, Cancel);
        Assert.Equal((month.Charged, 0), (month.Used, await desk.Ledger.ActiveAsync(OutcomeFixture.Tenant, Cancel)));
    }

    [Fact]
    public async Task A_late_outcome_breaks()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var jobs = new List<Job>();
        await CrashPoints.ForEachAsync(async (seam, _) =>
        {
            var job = await desk.StartAsync();
            jobs.Add(job);
            await desk.Executions.TimeOutAsync(await desk.ReadAsync(job), Cancel);
            desk.Restart(seam);
            var broken = await desk.SendAsync(job, OutcomeText.Succeeded);
            desk.Restart();
            if (broken.Status == 503 || seam.IsDead)
                Assert.Equal(200, (await desk.SendAsync(job, OutcomeText.Succeeded)).Status);
            var execution = await desk.ReadAsync(job);
            Assert.Equal((ExecutionState.Succeeded, true), (execution.State, execution.IsLate));
        });
        // Given back when it timed out, charged when the outcome came; each once.
        Assert.Equal(new MonthUsage(jobs.Count, jobs.Count, Times(jobs.Count)), await desk.Ledger.MonthAsync(OutcomeFixture.Tenant, desk.Month, Cancel));
        Assert.Equal(0, await desk.Ledger.ActiveAsync(OutcomeFixture.Tenant, Cancel));
    }

    [Fact]
    public async Task An_outcome_whose_reservation_is_gone_breaks()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var jobs = new List<Job>();
        var breaks = await CrashPoints.ForEachAsync(async (seam, name) =>
        {
            jobs.Add(await desk.StartAsync());
            await desk.LoseLedgerAsync();
            desk.Restart(seam);
            var broken = await desk.SendAsync(jobs[^1], OutcomeText.Succeeded);
            desk.Restart();
            if (broken.Status == 503 || seam.IsDead)
                Assert.Equal(200, (await desk.SendAsync(jobs[^1], OutcomeText.Succeeded)).Status);
            Assert.True((await desk.ReadAsync(jobs[^1])) is { State: ExecutionState.Succeeded, IsCharged: true }, name);
            Assert.Equal(MonthUsage.None, await desk.Ledger.MonthAsync(OutcomeFixture.Tenant, desk.Month, Cancel));
        });
        Assert.True(breaks >= 4 * FaultSeam.AllFaults.Count, $"only {breaks} breaks");

        // What became of the executions says what the ledger has to be.
        var read = new LedgerCount(MonthUsage.None, 0);
        var counted = LedgerCount.Of(await desk.Executions.InLedgerAsync(OutcomeFixture.Tenant, desk.Month, Cancel), desk.Month);
        Assert.True(await desk.Ledger.TryCorrectAsync(OutcomeFixture.Tenant, desk.Month, read, counted, desk.Tables.Auditor, Cancel));
        await AssertSettledAsync(desk, jobs);
    }

    [Fact]
    public async Task A_sweep_breaks_and_the_next_goes_on()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var jobs = new List<Job>();
        var breaks = await CrashPoints.ForEachAsync(async (seam, name) =>
        {
            // One that ended and was not told, one that never ended.
            var untold = await desk.StartAsync();
            await desk.Executions.FinishAsync(await desk.ReadAsync(untold), new(OutcomeStatus.Succeeded, null, null, null, Usage, null, null), "hash", Cancel);
            var overdue = await desk.StartAsync();
            jobs.AddRange([untold, overdue]);
            desk.Clock.Advance(TimeSpan.FromHours(1));
            try { await SweeperTests.SweepAsync(desk, seam); }
            catch (Exception) { /* the run failed; its alarm sees it */ }

            desk.Clock.Advance(TimeSpan.FromMinutes(6));
            await SweeperTests.SweepAsync(desk);
            Assert.True((await desk.ReadAsync(overdue)).State == ExecutionState.TimedOut, name);
            var notified = await desk.NotifiedAsync();
            desk.Clock.Advance(TimeSpan.FromMinutes(6));
            await SweeperTests.SweepAsync(desk);
            notified.AddRange(await desk.NotifiedAsync());
            foreach (var job in new[] { untold, overdue })
            {
                Assert.True(notified.Contains(job.Id.ToString()), $"{name}: nobody was told of {(await desk.ReadAsync(job)).State}");
                await desk.Executions.MarkToldAsync(job.Id, (await desk.ReadAsync(job)).State, Cancel);
            }
        });

        Assert.True(breaks >= 8 * FaultSeam.AllFaults.Count, $"only {breaks} breaks");
        var month = await desk.Ledger.MonthAsync(OutcomeFixture.Tenant, desk.Month, Cancel);
        Assert.Equal((jobs.Count / 2, jobs.Count / 2, 0), (month.Charged, month.Used, await desk.Ledger.ActiveAsync(OutcomeFixture.Tenant, Cancel)));
    }

    private static async Task AssertSettledAsync(OutcomeFixture desk, List<Job> jobs)
    {
        var notified = await SweepOnAsync(desk);
        Assert.Equal(new MonthUsage(jobs.Count, jobs.Count, Times(jobs.Count)), await desk.Ledger.MonthAsync(OutcomeFixture.Tenant, desk.Month, Cancel));
        Assert.Equal(0, await desk.Ledger.ActiveAsync(OutcomeFixture.Tenant, Cancel));
        Assert.All(jobs, job => Assert.Contains(job.Id.ToString(), notified));
    }

    /// <summary>Sweeps as time goes by, past every deadline: the executions that a notification was sent for.</summary>
    private static async Task<List<string>> SweepOnAsync(OutcomeFixture desk)
    {
        var notified = await desk.NotifiedAsync();
        foreach (var minutes in new[] { 2, 60, 5 })
        {
            desk.Clock.Advance(TimeSpan.FromMinutes(minutes));
            await SweeperTests.SweepAsync(desk);
            notified.AddRange(await desk.NotifiedAsync());
        }
        return notified;
    }

    private static ExecutionUsage Times(int n) => new(Usage.CpuMs * n, Usage.GpuMs * n, Usage.InputTokens * n, Usage.OutputTokens * n);
}
