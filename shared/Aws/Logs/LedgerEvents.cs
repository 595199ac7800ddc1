using ControlPlane.Executions;
using ControlPlane.Tenants;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Aws.Logs;

/// <summary>What every function that ends executions may have to tell of the ledger.</summary>
public sealed partial class LedgerEvents(JsonLog output, TimeProvider clock)
{
    private readonly ILogger _log = output;
    private readonly Metrics _metrics = new(output, clock);

    /// <summary>An execution ended without its ledger's part.</summary>
    public void Unbooked(ExecutionId execution, TenantId tenant)
    {
        LogUnbooked(execution, execution.TraceId, tenant);
        _metrics.Count(MetricCatalogue.ExecutionsUnbooked);
    }

    // Its number is of no function's own range.
    [LoggerMessage(EventId = 100, EventName = "execution_unbooked", Level = LogLevel.Error,
        Message = "{ExecutionId} ({TraceId}) of {TenantId} ended, and its ledger does not know: it lacks the reservation, or is written in another region. ctl quota recount mends it")]
    private partial void LogUnbooked(ExecutionId executionId, string traceId, TenantId tenantId);
}
