using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Operator;

/// <summary>A ledger that lost something is put right by what became of the executions.</summary>
public sealed class QuotaCommandsTests(LocalCloud cloud)
{
    private static readonly ExecutionUsage Usage = new(1200, 30, 5, 6);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_ledger_that_was_lost_is_counted_anew_and_agrees_afterwards()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await PlayAsync(ctl);
        var before = await LedgerAsync(ctl);
        Assert.Equal(new LedgerCount(new(Charged: 5, Used: 4, new(2400, 60, 10, 12)), Active: 1), before);
        Assert.Contains("agrees", (await ctl.DoAsync("quota recount tenant-7")).Output, StringComparison.Ordinal);

        await ForgetAsync(ctl);
        Assert.Contains("differs", (await ctl.DoAsync("quota recount tenant-7")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await LedgerAsync(ctl)).Month.Charged);            // a look changes nothing

        Assert.Equal("corrected", (await ctl.DoAsync("quota recount tenant-7 --month 2026-11 --apply --output json")).Json.GetProperty("result").GetString());
        Assert.Equal(before, await LedgerAsync(ctl));
        Assert.Equal("agrees", (await ctl.DoAsync("quota recount tenant-7 --apply --output json")).Json.GetProperty("result").GetString());
    }

    [Fact]
    public async Task What_ended_while_the_ledger_was_lost_is_counted_too()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        var execution = await ctl.QueueExecutionAsync();
        await ForgetAsync(ctl);
        Assert.Equal(new Move.Moved(IsBooked: false), await FinishAsync(ctl, execution));

        await ctl.DoAsync("quota recount tenant-7 --apply");
        Assert.Equal(new LedgerCount(new(1, 1, Usage), 0), await LedgerAsync(ctl));
    }

    [Fact]
    public async Task Only_the_region_that_writes_a_ledger_corrects_it()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        await ctl.QueueExecutionAsync();
        await ForgetAsync(ctl);
        await ctl.DoAsync("quota owner us-west-2");

        (await ctl.SayAsync("quota recount tenant-7 --apply")).Refuses(1, "--region us-west-2");
        Assert.Equal(0, (await LedgerAsync(ctl)).Month.Charged);

        await ctl.DoAsync("quota owner us-east-1 tenant-7");
        await ctl.DoAsync("quota recount tenant-7 --apply");
        Assert.Equal(1, (await LedgerAsync(ctl)).Month.Charged);
    }

    [Fact]
    public async Task A_ledger_that_moves_while_it_is_counted_is_not_overwritten()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        await ctl.QueueExecutionAsync();
        var read = await LedgerAsync(ctl);
        await ctl.QueueExecutionAsync("t2");

        var ledger = new QuotaLedger(ctl.Tables.Client, ctl.Tables.Quotas);
        Assert.False(await ledger.TryCorrectAsync(OperatorFixture.Seven, new(2026, 11), read, read, ctl.Tables.Auditor, Cancel));
        Assert.Equal(2, (await LedgerAsync(ctl)).Month.Charged);
    }

    [Fact]
    public async Task A_month_whose_executions_are_forgotten_is_not_counted()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        (await ctl.SayAsync("quota recount tenant-7 --month 2026-08 --apply")).Refuses(1, "90 days");
        (await ctl.SayAsync("quota recount tenant-8")).Refuses(1, "not registered");
    }

    /// <summary>One of each that ends: settled, given back, cancelled early and late, timed out, late; and one under way.</summary>
    private static async Task PlayAsync(OperatorFixture ctl)
    {
        await ctl.RegisterAsync();
        await FinishAsync(ctl, await ctl.QueueExecutionAsync("succeeded"));
        var refused = await ClaimAsync(ctl, await ctl.QueueExecutionAsync("refused"));
        await ctl.Executions.RefuseAsync(refused, DispatchFailure.Unreachable, null, Cancel);
        await ctl.Executions.CancelAsync(await ctl.QueueExecutionAsync("cancelled in the queue"), "U1", ctl.Tables.Auditor, Cancel);
        await ctl.Executions.CancelAsync(await ClaimAsync(ctl, await ctl.QueueExecutionAsync("cancelled later")), "U1", ctl.Tables.Auditor, Cancel);
        await ctl.Executions.TimeOutAsync(await ctl.QueueExecutionAsync("timed out"), Cancel);
        var late = await ctl.QueueExecutionAsync("late");
        await ctl.Executions.TimeOutAsync(late, Cancel);
        await FinishAsync(ctl, (await ctl.Executions.FindAsync(late.Id, Cancel))!);
        var again = await ClaimAsync(ctl, await ctl.QueueExecutionAsync("cancelled after it was put back"));
        await ctl.Executions.RecordAttemptAsync(again, Signal.Deferred, new(1, ctl.Clock.Now, 1, new AttemptResult.Again(), 503), notFound: false, Cancel);
        await ctl.Executions.CancelAsync((await ctl.Executions.FindAsync(again.Id, Cancel))!, "U1", ctl.Tables.Auditor, Cancel);
        var rejected = await ClaimAsync(ctl, await ctl.QueueExecutionAsync("stopped by its engine"));
        await ctl.Executions.FinishAsync(rejected, new(OutcomeStatus.Cancelled, null, null, null, ExecutionUsage.None, null, null), "cc", Cancel);
        await ctl.QueueExecutionAsync("under way");
    }

    private static async Task<Execution> ClaimAsync(OperatorFixture ctl, Execution execution) =>
        Assert.IsType<Claim.Held>(await ctl.Executions.ClaimAsync(execution.Id, OperatorFixture.Seven, "me", TimeSpan.FromSeconds(30), Cancel)).Execution;

    private static Task<Move> FinishAsync(OperatorFixture ctl, Execution execution) =>
        ctl.Executions.FinishAsync(execution, new(OutcomeStatus.Succeeded, null, null, null, Usage, null, null), "aa", Cancel);

    private static async Task<LedgerCount> LedgerAsync(OperatorFixture ctl)
    {
        var ledger = new QuotaLedger(ctl.Tables.Client, ctl.Tables.Quotas);
        return new(await ledger.MonthAsync(OperatorFixture.Seven, new(2026, 11), Cancel), await ledger.ActiveAsync(OperatorFixture.Seven, Cancel));
    }

    private static async Task ForgetAsync(OperatorFixture ctl)
    {
        foreach (var key in new[] { "MONTH#2026-11", "ACTIVE" })
            await ctl.Tables.Client.DeleteItemAsync(ctl.Tables.Quotas, new() { ["pk"] = new() { S = "tenant-7" }, ["sk"] = new() { S = key } }, Cancel);
    }
}
