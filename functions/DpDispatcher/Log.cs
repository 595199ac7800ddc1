using ControlPlane.Executions;
using ControlPlane.Tenants;
using Microsoft.Extensions.Logging;

namespace ControlPlane.DpDispatcher;

internal static partial class Log
{
    /// <param name="result">As in <see cref="DispatchAttempt.Result"/>.</param>
    /// <param name="answer">What kind of answer, or none, that result rests on.</param>
    [LoggerMessage(EventId = 1, EventName = "dispatch_attempt", Level = LogLevel.Information,
        Message = "Attempt {Attempt} of {ExecutionId} ({TraceId}) for {TenantId}: {Result} after {Answer} {Status} in {Milliseconds} ms")]
    public static partial void Attempted(
        this ILogger log, ExecutionId executionId, string traceId, TenantId tenantId, int attempt, string result, string answer, int? status, long milliseconds);

    [LoggerMessage(EventId = 2, EventName = "dispatch_closed", Level = LogLevel.Warning,
        Message = "{ExecutionId} ({TraceId}) of {TenantId} failed before its engine had it: {FailureCode}")]
    public static partial void Closed(this ILogger log, ExecutionId executionId, string traceId, TenantId tenantId, string failureCode);

    [LoggerMessage(EventId = 3, EventName = "dispatch_crashed", Level = LogLevel.Warning,
        Message = "Attempt {Attempt} of {ExecutionId} ({TraceId}) of {TenantId} was claimed and never recorded: the engine may have it")]
    public static partial void FoundCrashed(this ILogger log, ExecutionId executionId, string traceId, TenantId tenantId, int attempt);

    [LoggerMessage(EventId = 4, EventName = "dispatch_needless", Level = LogLevel.Information,
        Message = "{ExecutionId} ({TraceId}) of {TenantId} is {State}: nothing to dispatch")]
    public static partial void Needless(this ILogger log, ExecutionId executionId, string traceId, TenantId tenantId, string state);

    [LoggerMessage(EventId = 5, EventName = "dispatch_overtaken", Level = LogLevel.Information,
        Message = "{ExecutionId} ({TraceId}) of {TenantId} moved on to {State} during the attempt")]
    public static partial void Overtaken(this ILogger log, ExecutionId executionId, string traceId, TenantId tenantId, string? state);

    [LoggerMessage(EventId = 6, EventName = "dispatch_held", Level = LogLevel.Information,
        Message = "The engine of {TenantId} is busy or down: {ExecutionId} waits {Seconds} s")]
    public static partial void Held(this ILogger log, ExecutionId executionId, TenantId tenantId, double seconds);

    [LoggerMessage(EventId = 7, EventName = "dispatch_address_refused", Level = LogLevel.Error,
        Message = "The stored engine address of {TenantId} is outside its network: {ExecutionId} is not sent")]
    public static partial void AddressRefused(this ILogger log, ExecutionId executionId, TenantId tenantId);

    [LoggerMessage(EventId = 8, EventName = "dispatch_not_theirs", Level = LogLevel.Error,
        Message = "A message says that {ExecutionId} belongs to {TenantId}, which has no such execution")]
    public static partial void NotTheirs(this ILogger log, ExecutionId executionId, TenantId tenantId);

    [LoggerMessage(EventId = 9, EventName = "dispatch_message_unreadable", Level = LogLevel.Error,
        Message = "Message {MessageId} (receive {Receives}) cannot be understood; it names {ExecutionId}")]
    public static partial void Unreadable(this ILogger log, string messageId, ExecutionId? executionId, int receives);

    [LoggerMessage(EventId = 10, EventName = "dispatch_message_failed", Level = LogLevel.Error, Message = "Message {MessageId} failed and comes again")]
    public static partial void MessageFailed(this ILogger log, string messageId, Exception exception);

    [LoggerMessage(EventId = 11, EventName = "dispatch_pause_failed", Level = LogLevel.Warning,
        Message = "The pause of message {MessageId} was not set ({Code}): it comes again after the queue's own time")]
    public static partial void PauseFailed(this ILogger log, string messageId, string? code);
}
