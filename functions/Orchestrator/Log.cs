using ControlPlane.Executions;
using ControlPlane.Tenants;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Orchestrator;

internal static partial class Log
{
    [LoggerMessage(EventId = 1, EventName = "execution_decided", Level = LogLevel.Information,
        Message = "{ExecutionId} ({TraceId}) of {TenantId} runs {Workflow}: {State}, {Code}")]
    public static partial void Decided(this ILogger log, ExecutionId executionId, string traceId, TenantId tenantId, WorkflowName workflow, string state, string code);

    [LoggerMessage(EventId = 2, EventName = "request_repeated", Level = LogLevel.Information,
        Message = "{ExecutionId} ({TraceId}) of {TenantId} was asked for again; it is {State}")]
    public static partial void Repeated(this ILogger log, ExecutionId executionId, string traceId, TenantId tenantId, string state);

    [LoggerMessage(EventId = 3, EventName = "tenant_stored_wrong", Level = LogLevel.Error,
        Message = "{ExecutionId} ({TraceId}): what is stored of {TenantId} breaks a rule: {Fault}")]
    public static partial void StoredWrong(this ILogger log, ExecutionId executionId, string traceId, TenantId tenantId, string fault);

    [LoggerMessage(EventId = 4, EventName = "request_failed", Level = LogLevel.Error, Message = "Request {MessageId} failed and comes again")]
    public static partial void MessageFailed(this ILogger log, string messageId, Exception exception);

    [LoggerMessage(EventId = 5, EventName = "keys_unavailable", Level = LogLevel.Error, Message = "The public keys of {TenantId} could not be given")]
    public static partial void KeysUnavailable(this ILogger log, TenantId tenantId, Exception exception);
}
