using System.Collections.Concurrent;
using System.Globalization;
using ControlPlane.Executions;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Flows.Simulated;

namespace ControlPlane.Tests.Flows;

/// <summary>The whole loop under faults, repeats and disorder. SIMULATION_SEED=n plays one seed, SIMULATION_SEEDS=n the first n.</summary>
public sealed class SimulationTests(LocalCloud cloud)
{
    private const int UsualSeeds = 30;

    [Fact]
    public async Task Whatever_fails_every_execution_ends_once_is_charged_once_and_its_user_told()
    {
        if (Number("SIMULATION_SEED") is { } only)
        {
            await Simulation.RunAsync(cloud, only, tell: text => TestContext.Current.TestOutputHelper!.WriteLine(text));
            return;
        }

        var ended = new ConcurrentBag<Execution>();
        var seeds = Enumerable.Range(1, Math.Max(UsualSeeds, Number("SIMULATION_SEEDS") ?? 0));
        await Parallel.ForEachAsync(seeds, new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = TestContext.Current.CancellationToken },
            async (seed, _) =>
        {
            foreach (var execution in await Simulation.RunAsync(cloud, seed))
                ended.Add(execution);
        });

        // Or the seeds have become tame.
        Assert.Equal(ExecutionStates.All.Where(state => state.IsTerminal), ended.Select(one => one.State).Distinct().Order());
        Assert.Contains(ended, one => one.IsLate && one.Attempts.All(attempt => attempt.Result.Code != DispatchFailure.Rejected.Code));
        Assert.Contains(ended, one => one.IsLate && one.Attempts.Any(attempt => attempt.Result.Code == DispatchFailure.Rejected.Code));
        Assert.Contains(ended, one => one.CancelledBy is not null);
        Assert.Contains(ended, one => one.Attempts.Count > 1);
        Assert.Contains(ended, one => one is { Approval: not null, State: ExecutionState.Succeeded });
        Assert.Contains(ended, one => one.DeniedBy is not null);
        Assert.Contains(ended, one => one.Decision?.Code == Approvals.Expired(null).Code);
        Assert.Contains(ended, one => one.RequestedBy is Requester.Schedule && one.State == ExecutionState.Succeeded);
        Assert.Contains(ended, one => one is { RequestedBy: Requester.Schedule, Approval: not null });
    }

    [Theory]
    [InlineData(Defect.SettlesTwice, "I3")]
    [InlineData(Defect.ForgetsLateCharge, "I3")]
    [InlineData(Defect.WaitsForLedger, "I1")]
    [InlineData(Defect.NeverRecounts, "I3")]
    [InlineData(Defect.TellsNobody, "I5")]
    [InlineData(Defect.NeverSweeps, "I1")]
    [InlineData(Defect.DispatchesAgain, "I2")]
    [InlineData(Defect.ReopensWhatEnded, "I5")]
    [InlineData(Defect.LogsTokens, "I9")]
    [InlineData(Defect.BeginsUnapproved, "APPROVAL")]
    [InlineData(Defect.MakesTokensEarly, "APPROVAL")]
    [InlineData(Defect.CountsWhoLeft, "APPROVAL")]
    [InlineData(Defect.LetsAskersApprove, "APPROVAL")]
    [InlineData(Defect.KeepsWhatWasDenied, "I3")]
    [InlineData(Defect.NeverExpires, "I1")]
    [InlineData(Defect.AsksNobody, "APPROVAL")]
    [InlineData(Defect.LosesOrders, "SCHEDULE")]
    [InlineData(Defect.FiresTwice, "SCHEDULE")]
    [InlineData(Defect.SkipsTimes, "SCHEDULE")]
    [InlineData(Defect.TellsNoOwner, "I5")]
    [Trait("Length", "long")]
    public async Task A_planted_defect_is_found(Defect defect, string rule)
    {
        for (var seed = 1; ; seed++)
        {
            Assert.True(seed < 60, $"Nothing found {defect}.");
            try
            {
                await Simulation.RunAsync(cloud, seed, defect);
            }
            catch (Broken e)
            {
                Assert.Equal(rule, e.Rule);
                return;
            }
        }
    }

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : null;
}
