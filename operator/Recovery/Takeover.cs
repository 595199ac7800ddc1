using System.Diagnostics;
using ControlPlane.Operator.Deployments;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Quotas;

namespace ControlPlane.Operator.Recovery;

/// <summary>One region stops, another begins: the active region and every tenant's ledger go over. Each step looks first whether it is done already, so that
/// all of it may be said again.</summary>
/// <remarks>
/// The order is what keeps counters from forking: the one that writes is told to stop, its copies have to arrive, then the other begins. A mark goes ahead of
/// all to see that copies arrive at all, and one after, for items arrive each for itself. What is left to differ is then counted from the executions.
/// </remarks>
/// <param name="primary">The region that is active while nobody has named another.</param>
/// <param name="wait">How long copies may take.</param>
internal sealed class Takeover(RegionSide from, RegionSide to, string primary, TimeSpan wait, TimeProvider clock)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly List<TakeoverStepView> _steps = [];

    public string Primary => primary;

    public IReadOnlyList<TakeoverStepView> Steps => _steps;

    /// <summary>What would be done, from what the regions say now. Nothing is written.</summary>
    public void Plan(RegionReport source, RegionReport target, bool isLost)
    {
        var isStopped = source.Names(to.Region);
        Note("copies arrive", from, isLost ? "left out: --lost" : "to be seen");
        Note("stops", from, !source.Answers ? "left out: it does not answer" : isStopped ? "is so" : "to do");
        Note("hears of it", to, isLost ? "left out: --lost" : "to be seen");
        Note("begins", to, target.Names(to.Region) ? "is so" : "to do");
        Note("counts its ledgers", to, "to do");
    }

    /// <returns>Why it went no further; null when all is done.</returns>
    public async Task<string?> RunAsync(RegionReport source, bool isLost, CancellationToken cancel)
    {
        if (isLost)
            Note("copies arrive", from, "left out: --lost");
        else if (!await CopiesArriveAsync(cancel))
            return $"Nothing was changed: what {from.Region} writes does not reach {to.Region} within {wait.TotalSeconds:0} s. See the alarms …LagsBehind, and try again.";

        if (!source.Answers)
            Note("stops", from, "left out: it does not answer");
        else
            Note("stops", from, await NameAsync(from, cancel));

        if (isLost)
            Note("hears of it", to, "left out: --lost");
        else if (!await ArrivesAsync(async (client, stop) => (await ReportAsync(client, stop)).Names(to.Region), cancel)
            || !await CopiesArriveAsync(cancel, note: false))
            return $"{from.Region} has stopped, and {to.Region} has not heard of it within {wait.TotalSeconds:0} s. Nothing is lost meanwhile: run it again, it goes on from here.";
        else
            Note("hears of it", to, "done");

        Note("begins", to, await NameAsync(to, cancel));
        return await RecountAsync(cancel);
    }

    private async Task<bool> CopiesArriveAsync(CancellationToken cancel, bool note = true)
    {
        var mark = Guid.NewGuid().ToString("N");
        var began = Stopwatch.GetTimestamp();
        await from.TellAsync((client, stop) => client.ActiveRegion(primary).LeaveMarkAsync(mark, stop), cancel);
        if (!await ArrivesAsync(async (client, stop) => await client.ActiveRegion(primary).FindMarkAsync(stop) == mark, cancel))
            return false;
        if (note)
            Note("copies arrive", from, $"within {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");
        return true;
    }

    private async Task<bool> ArrivesAsync(Func<ControlPlaneClient, CancellationToken, Task<bool>> isThereAsync, CancellationToken cancel)
    {
        for (var began = Stopwatch.GetTimestamp(); ; await Task.Delay(Pause, cancel))
        {
            if (await to.AskAsync(isThereAsync, cancel))
                return true;
            if (Stopwatch.GetElapsedTime(began) > wait)
                return false;
        }
    }

    /// <summary>Names the region that takes over, in this side's copies.</summary>
    private async Task<string> NameAsync(RegionSide side, CancellationToken cancel) => await side.AskAsync(async (client, stop) =>
    {
        if ((await ReportAsync(client, stop)).Names(to.Region))
            return "was so";
        // The ledgers first: where it stops, the sweeper may still close what is due, without the ledger's part; where it begins, it has them when it sweeps.
        foreach (var tenant in await RegionSide.TenantsAsync(client, stop))
            if (await client.Quotas.OwnerAsync(tenant, stop) is { } owner && owner != to.Region)
                await client.Quotas.GiveToAsync(tenant, to.Region, await client.AuditorAsync(stop), stop);
        await client.ActiveRegion(primary).SetAsync(to.Region, await client.AuditorAsync(stop), clock.GetUtcNow(), stop);
        return "done";
    }, cancel);

    private async Task<RegionReport> ReportAsync(ControlPlaneClient client, CancellationToken cancel)
    {
        var owners = new List<string?>();
        foreach (var tenant in await RegionSide.TenantsAsync(client, cancel))
            owners.Add(await client.Quotas.OwnerAsync(tenant, cancel));
        return new(null, await client.ActiveRegion(primary).NameAsync(cancel), owners, [], null);
    }

    private async Task<string?> RecountAsync(CancellationToken cancel)
    {
        // What is under way may have been charged to the month before.
        var now = clock.GetUtcNow();
        Month[] months = now.UtcDateTime.Day == 1 ? [Month.Of(now.AddDays(-1)), Month.Of(now)] : [Month.Of(now)];
        var (corrected, moving) = (0, new List<string>());
        await to.TellAsync(async (client, stop) =>
        {
            foreach (var tenant in await RegionSide.TenantsAsync(client, stop))
                foreach (var month in months)
                {
                    var count = await LedgerRecount.RunAsync(client, tenant, month, applies: true, stop);
                    corrected += count.IsCorrected ? 1 : 0;
                    if (count.WasOvertaken)
                        moving.Add(tenant.ToString());
                }
        }, cancel);
        Note("counts its ledgers", to, corrected == 0 ? "they agree" : $"{corrected} put right");
        return moving.Count == 0
            ? null
            : $"{to.Region} is active. The ledger of {DisplayText.List([.. moving.Distinct()])} moved while it was counted: count it again there, ./ctl quota recount <tenant> --apply.";
    }

    private void Note(string step, RegionSide side, string result) => _steps.Add(new(step, side.Region, result));
}
