using ControlPlane.Executions;
using ControlPlane.Operator.Deployments;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.Operator.Recovery;

/// <summary>A tenant's counters of a month beside what its executions say they should be.</summary>
/// <param name="IsCorrected">Whether they were set to that; false where nothing was to be set or it was not asked for.</param>
/// <param name="WasOvertaken">Whether they were to be set and somebody else wrote meanwhile, or another region writes this ledger.</param>
internal sealed record LedgerRecount(LedgerCount Ledger, LedgerCount Counted, bool IsCorrected, bool WasOvertaken)
{
    public bool Agrees => Ledger == Counted;

    public static async Task<LedgerRecount> RunAsync(ControlPlaneClient hub, TenantId tenant, Month month, bool applies, CancellationToken cancel)
    {
        // The ledger is read first: whatever moves after this makes the correction fail.
        var (stored, active) = (hub.Quotas.MonthAsync(tenant, month, cancel), hub.Quotas.ActiveAsync(tenant, cancel));
        var ledger = new LedgerCount(await stored, await active);
        var counted = LedgerCount.Of(await hub.Executions.InLedgerAsync(tenant, month, cancel), month);
        var isToBeSet = counted != ledger && applies;
        var isCorrected = isToBeSet && await hub.Quotas.TryCorrectAsync(tenant, month, ledger, counted, await hub.AuditorAsync(cancel), cancel);
        return new(ledger, counted, isCorrected, isToBeSet && !isCorrected);
    }
}
