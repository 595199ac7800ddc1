using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Tenants;
using ControlPlane.Tokens;
using Microsoft.Extensions.Logging;

namespace ControlPlane.MeteringCollector;

internal static partial class Log
{
    [LoggerMessage(EventId = 1, EventName = "heartbeat_accepted", Level = LogLevel.Information,
        Message = "Sample {Counter} of epoch {Epoch} from {Instance} of {TenantId}: repeat {IsRepeat}, gap {Gap}")]
    public static partial void HeartbeatAccepted(this ILogger log, TenantId tenantId, InstanceId instance, long epoch, long counter, bool isRepeat, long gap);

    /// <param name="tenantId">Whose key verified the signature; null before that.</param>
    /// <param name="instance">Whose sample it was; null before that was certain.</param>
    [LoggerMessage(EventId = 2, EventName = "heartbeat_refused", Level = LogLevel.Warning, Message = "Heartbeat of {Instance} of {TenantId} with key {KeyId} refused: {Code}")]
    public static partial void HeartbeatRefused(this ILogger log, string code, string? tenantId, string? keyId, string? instance);

    [LoggerMessage(EventId = 3, EventName = "heartbeat_failed", Level = LogLevel.Error, Message = "A heartbeat could not be booked; the sidecar sends it again")]
    public static partial void HeartbeatFailed(this ILogger log, Exception exception);

    [LoggerMessage(EventId = 4, EventName = "source_outside", Level = LogLevel.Warning, Message = "A heartbeat signed by {TenantId} came from outside its network (check: {Check})")]
    public static partial void SourceOutside(this ILogger log, TenantId tenantId, SourceNetworkCheck check);

    [LoggerMessage(EventId = 5, EventName = "restarts_too_often", Level = LogLevel.Error,
        Message = "{Instance} of {TenantId} begins epoch after epoch: it crashes, or two sidecars take turns under one name")]
    public static partial void RestartsTooOften(this ILogger log, TenantId tenantId, InstanceId instance);

    [LoggerMessage(EventId = 10, EventName = "outcome_taken", Level = LogLevel.Information,
        Message = "{ExecutionId} ({TraceId}) of {TenantId} is {Status}: repeat {IsRepeat}, late {IsLate}")]
    public static partial void OutcomeTaken(this ILogger log, ExecutionId executionId, string traceId, TenantId tenantId, string status, bool isRepeat, bool isLate);

    /// <param name="executionId">The token's, null before it was verified.</param>
    [LoggerMessage(EventId = 11, EventName = "outcome_refused", Level = LogLevel.Warning, Message = "Outcome of {ExecutionId} ({TraceId}) refused: {Code}")]
    public static partial void OutcomeRefused(this ILogger log, string code, string? executionId, string? traceId);

    [LoggerMessage(EventId = 12, EventName = "outcome_failed", Level = LogLevel.Error, Message = "An outcome could not be recorded; the engine sends it again")]
    public static partial void OutcomeFailed(this ILogger log, Exception exception);

    [LoggerMessage(EventId = 13, EventName = "token_rejected", Level = LogLevel.Warning, Message = "A callback token was rejected: {Fault}")]
    public static partial void TokenRejected(this ILogger log, TokenFault fault);

    [LoggerMessage(EventId = 14, EventName = "notify_failed", Level = LogLevel.Error, Message = "{ExecutionId} ({TraceId}) ended and its notification was not sent; the sweeper sends it")]
    public static partial void NotifyFailed(this ILogger log, ExecutionId executionId, string traceId, Exception exception);

    [LoggerMessage(EventId = 20, EventName = "execution_timed_out", Level = LogLevel.Warning, Message = "{ExecutionId} ({TraceId}) of {TenantId} was {State} at its deadline")]
    public static partial void TimedOut(this ILogger log, ExecutionId executionId, string traceId, TenantId tenantId, string state);

    [LoggerMessage(EventId = 21, EventName = "due_failed", Level = LogLevel.Error, Message = "{ExecutionId} ({TraceId}) is due and could not be seen to; a later sweep tries again")]
    public static partial void DueFailed(this ILogger log, ExecutionId executionId, string traceId, Exception exception);

    [LoggerMessage(EventId = 22, EventName = "tenant_unwatched", Level = LogLevel.Error, Message = "The liveness of {TenantId} could not be seen to in this sweep")]
    public static partial void TenantUnwatched(this ILogger log, TenantId tenantId, Exception exception);

    [LoggerMessage(EventId = 23, EventName = "tenant_offline", Level = LogLevel.Error, Message = "{TenantId} is OFFLINE: last seen {LastSeen}")]
    public static partial void TenantOffline(this ILogger log, TenantId tenantId, DateTimeOffset lastSeen);

    [LoggerMessage(EventId = 24, EventName = "tenant_late", Level = LogLevel.Warning, Message = "{TenantId} is LATE: last seen {LastSeen}")]
    public static partial void TenantLate(this ILogger log, TenantId tenantId, DateTimeOffset lastSeen);

    [LoggerMessage(EventId = 25, EventName = "tenant_recovered", Level = LogLevel.Information, Message = "{TenantId} has RECOVERED: last seen {LastSeen}")]
    public static partial void TenantRecovered(this ILogger log, TenantId tenantId, DateTimeOffset lastSeen);

    [LoggerMessage(EventId = 26, EventName = "instance_changed", Level = LogLevel.Warning, Message = "{Instance} of {TenantId}: {Change}, last seen {LastSeen}")]
    public static partial void InstanceChanged(this ILogger log, TenantId tenantId, InstanceId instance, string change, DateTimeOffset lastSeen);

    [LoggerMessage(EventId = 27, EventName = "outage_began", Level = LogLevel.Critical,
        Message = "{Silent} of {Tenants} tenants fell silent at once: look at the hub before the tenants. Single changes are noted and not told until it is over")]
    public static partial void OutageBegan(this ILogger log, int silent, int tenants);

    [LoggerMessage(EventId = 28, EventName = "outage_ended", Level = LogLevel.Warning, Message = "The silence since {Since} is over; {Silent} of {Tenants} tenants are still silent")]
    public static partial void OutageEnded(this ILogger log, DateTimeOffset since, int silent, int tenants);

    [LoggerMessage(EventId = 29, EventName = "swept", Level = LogLevel.Information, Message = "Swept")]
    public static partial void Swept(this ILogger log);

    [LoggerMessage(EventId = 30, EventName = "tenant_stored_wrong", Level = LogLevel.Error, Message = "{TenantId} is not watched: what is stored of it breaks a rule: {Fault}")]
    public static partial void TenantStoredWrong(this ILogger log, TenantId tenantId, string fault);
}
