using ControlPlane.Quotas;

namespace ControlPlane.Executions;

/// <summary>What came of creating an execution together with its reservation.</summary>
public abstract record Creation
{
    private Creation() { }

    public sealed record Created : Creation;

    /// <summary>A repeat of the request: this is what the first one made.</summary>
    public sealed record AlreadyThere(Execution Execution) : Creation;

    public sealed record QuotaUsedUp(MonthUsage Month) : Creation;

    public sealed record TooManyUnderWay(int Active) : Creation;

    /// <summary>The tenant's ledger is written in another region, so nothing can be reserved here.</summary>
    public sealed record LedgerElsewhere(string Region) : Creation;
}
