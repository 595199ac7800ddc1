using ControlPlane.Quotas;

namespace ControlPlane.Executions;

/// <summary>What a tenant's ledger says, or should say: a month's counters, and the executions under way.</summary>
public sealed record LedgerCount(MonthUsage Month, int Active)
{
    /// <summary>What became of the executions is the truth that the ledger has to agree with.</summary>
    /// <param name="executions">All that were charged to the month, and all that are under way whatever their month.</param>
    public static LedgerCount Of(IReadOnlyCollection<Execution> executions, Month month)
    {
        var ours = executions.Where(one => one.Month == month && one.State != ExecutionState.Denied).ToList();
        var used = ours.Count(one => one.IsCharged);
        var metered = ours.Where(one => one.IsCharged).Select(one => one.Outcome?.Usage ?? ExecutionUsage.None)
            .Aggregate(ExecutionUsage.None, (sum, one) => sum + one);
        return new(new(used + ours.Count(one => !one.State.IsTerminal), used, metered), executions.Count(one => !one.State.IsTerminal));
    }
}
