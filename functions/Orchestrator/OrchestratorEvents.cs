using ControlPlane.Aws.Logs;
using ControlPlane.Executions;
using ControlPlane.Tenants;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Orchestrator;

/// <summary>What happens here that somebody may ask about later: each told once, to the log and where it counts to the metrics.</summary>
internal sealed partial class OrchestratorEvents(JsonLog output, TimeProvider clock)
{
    private readonly ILogger _log = output;
    private readonly Metrics _metrics = new(output, clock);
    private readonly LedgerEvents _ledger = new(output, clock);

    public void Decided(Execution execution)
    {
        var code = execution.Decision!.Code;
        LogDecided(execution.Id, execution.Id.TraceId, execution.Tenant, execution.Workflow, execution.State.Name, code);
        _metrics.Count(MetricCatalogue.ExecutionsRequested, code, ("tenant_id", execution.Tenant.ToString()));
    }

    /// <summary>What waited for approval begins, or was denied.</summary>
    public void ApprovalSeenTo(Execution execution) =>
        LogApprovalSeenTo(execution.Id, execution.Id.TraceId, execution.Tenant, execution.Approvals.Count, execution.State.Name, execution.Decision!.Code);

    public void Unbooked(ExecutionId execution, TenantId tenant) => _ledger.Unbooked(execution, tenant);

    public void Repeated(Execution there) => LogRepeated(there.Id, there.Id.TraceId, there.Tenant, there.State.Name);

    public void StoredWrong(ExecutionId execution, TenantId tenant, string fault) => LogStoredWrong(execution, execution.TraceId, tenant, fault);

    public void RequestFailed(string messageId, Exception exception)
    {
        LogRequestFailed(messageId, exception);
        _metrics.Count(MetricCatalogue.ExecutionRequestsFailed);
    }

    [LoggerMessage(EventId = 5, EventName = "keys_unavailable", Level = LogLevel.Error, Message = "The public keys of {TenantId} could not be given")]
    public partial void KeysUnavailable(TenantId tenantId, Exception exception);

    [LoggerMessage(EventId = 1, EventName = "execution_decided", Level = LogLevel.Information,
        Message = "{ExecutionId} ({TraceId}) of {TenantId} runs {Workflow}: {State}, {Code}")]
    private partial void LogDecided(ExecutionId executionId, string traceId, TenantId tenantId, WorkflowName workflow, string state, string code);

    [LoggerMessage(EventId = 7, EventName = "approval_seen_to", Level = LogLevel.Information,
        Message = "{ExecutionId} ({TraceId}) of {TenantId} has {Approvals} approvals: {State}, {Code}")]
    private partial void LogApprovalSeenTo(ExecutionId executionId, string traceId, TenantId tenantId, int approvals, string state, string code);

    [LoggerMessage(EventId = 2, EventName = "request_repeated", Level = LogLevel.Information,
        Message = "{ExecutionId} ({TraceId}) of {TenantId} was asked for again; it is {State}")]
    private partial void LogRepeated(ExecutionId executionId, string traceId, TenantId tenantId, string state);

    [LoggerMessage(EventId = 3, EventName = "tenant_stored_wrong", Level = LogLevel.Error,
        Message = "{ExecutionId} ({TraceId}): what is stored of {TenantId} breaks a rule: {Fault}")]
    private partial void LogStoredWrong(ExecutionId executionId, string traceId, TenantId tenantId, string fault);

    [LoggerMessage(EventId = 4, EventName = "request_failed", Level = LogLevel.Error, Message = "Request {MessageId} failed and comes again")]
    private partial void LogRequestFailed(string messageId, Exception exception);

    [LoggerMessage(EventId = 6, EventName = "foreign_event", Level = LogLevel.Warning,
        Message = "Something came that neither the queue nor API Gateway sent; there is nothing to do for it")]
    public partial void Foreign();
}
