using ControlPlane.Aws.Logs;
using ControlPlane.Executions;
using ControlPlane.Tenants;
using Microsoft.Extensions.Logging;

namespace ControlPlane.DpDispatcher;

/// <summary>What happens here that somebody may ask about later: each told once, to the log and where it counts to the metrics.</summary>
internal sealed partial class DispatcherEvents(JsonLog output, TimeProvider clock)
{
    private readonly ILogger _log = output;
    private readonly Metrics _metrics = new(output, clock);
    private readonly LedgerEvents _ledger = new(output, clock);

    public void Attempted(Execution claimed, DispatchAttempt attempt, EngineAnswer answer)
    {
        LogAttempted(
            claimed.Id, claimed.Id.TraceId, claimed.Tenant, attempt.Number, attempt.Result.Code, answer.GetType().Name, attempt.Status, attempt.Milliseconds);
        _metrics.CountTimed(
            MetricCatalogue.DispatchAttempts, MetricCatalogue.DispatchMilliseconds, attempt.Result.Code, attempt.Milliseconds,
            ("execution_id", claimed.Id.ToString()), ("tenant_id", claimed.Tenant.ToString()), ("trace_id", claimed.Id.TraceId));
        if (answer is EngineAnswer.NotReached { Why: { } why })
            LogNotReached(claimed.Id, claimed.Tenant, why);
        if (answer is EngineAnswer.NotReached)
            _metrics.Count(MetricCatalogue.DispatchConnectFailures, ("tenant_id", claimed.Tenant.ToString()));
        if (answer is EngineAnswer.Answered { Status: 401 or 403 })
            _metrics.Count(MetricCatalogue.DispatchUnauthorized, ("tenant_id", claimed.Tenant.ToString()));
    }

    /// <param name="answer">What the engine said to the second token.</param>
    public void TriedOtherKey(Execution claimed, EngineAnswer answer) =>
        LogTriedOtherKey(claimed.Id, claimed.Id.TraceId, claimed.Tenant, (answer as EngineAnswer.Answered)?.Status);

    public void Closed(Execution claimed, DispatchFailure failure)
    {
        LogClosed(claimed.Id, claimed.Id.TraceId, claimed.Tenant, failure.Code);
        _metrics.Count(MetricCatalogue.DispatchClosed, failure.Code, ("execution_id", claimed.Id.ToString()), ("tenant_id", claimed.Tenant.ToString()));
    }

    public void Unbooked(Execution closed) => _ledger.Unbooked(closed.Id, closed.Tenant);

    public void FoundCrashed(Execution crashed)
    {
        LogFoundCrashed(crashed.Id, crashed.Id.TraceId, crashed.Tenant, crashed.AttemptCount);
        _metrics.Count(MetricCatalogue.DispatchCrashes);
    }

    public void Foreign() => LogForeign();

    public void Needless(Execution execution) => LogNeedless(execution.Id, execution.Id.TraceId, execution.Tenant, execution.State.Name);

    /// <param name="now">How it stands now; null when it is gone.</param>
    public void Overtaken(Execution claimed, ExecutionState? now) => LogOvertaken(claimed.Id, claimed.Id.TraceId, claimed.Tenant, now?.Name);

    public void Held(DispatchMessage.Dispatch message, TimeSpan pause)
    {
        LogHeld(message.Execution, message.Tenant, pause.TotalSeconds);
        _metrics.Count(MetricCatalogue.DispatchHeld);
    }

    public void AddressRefused(Execution claimed)
    {
        LogAddressRefused(claimed.Id, claimed.Tenant);
        _metrics.Count(MetricCatalogue.DispatchAddressRefused, ("tenant_id", claimed.Tenant.ToString()));
    }

    public void NotTheirs(DispatchMessage.Dispatch message)
    {
        LogNotTheirs(message.Execution, message.Tenant);
        _metrics.Count(MetricCatalogue.DispatchNotTheirs, ("execution_id", message.Execution.ToString()), ("tenant_id", message.Tenant.ToString()));
    }

    public void Unreadable(string messageId, ExecutionId? execution, int receives)
    {
        LogUnreadable(messageId, execution, receives);
        _metrics.Count(MetricCatalogue.DispatchUnreadable, ("message_id", messageId));
    }

    [LoggerMessage(EventId = 10, EventName = "dispatch_message_failed", Level = LogLevel.Error, Message = "Message {MessageId} failed and comes again")]
    public partial void MessageFailed(string messageId, Exception exception);

    [LoggerMessage(EventId = 11, EventName = "dispatch_pause_failed", Level = LogLevel.Warning,
        Message = "The pause of message {MessageId} was not set ({Code}): it comes again after the queue's own time")]
    public partial void PauseFailed(string messageId, string? code);

    /// <param name="result">As in <see cref="DispatchAttempt.Result"/>.</param>
    /// <param name="answer">What kind of answer, or none, that result rests on.</param>
    [LoggerMessage(EventId = 1, EventName = "dispatch_attempt", Level = LogLevel.Information,
        Message = "Attempt {Attempt} of {ExecutionId} ({TraceId}) for {TenantId}: {Result} after {Answer} {Status} in {Milliseconds} ms")]
    private partial void LogAttempted(
        ExecutionId executionId, string traceId, TenantId tenantId, int attempt, string result, string answer, int? status, long milliseconds);

    [LoggerMessage(EventId = 2, EventName = "dispatch_closed", Level = LogLevel.Warning,
        Message = "{ExecutionId} ({TraceId}) of {TenantId} failed before its engine had it: {FailureCode}")]
    private partial void LogClosed(ExecutionId executionId, string traceId, TenantId tenantId, string failureCode);

    [LoggerMessage(EventId = 3, EventName = "dispatch_crashed", Level = LogLevel.Warning,
        Message = "Attempt {Attempt} of {ExecutionId} ({TraceId}) of {TenantId} was claimed and never recorded: the engine may have it")]
    private partial void LogFoundCrashed(ExecutionId executionId, string traceId, TenantId tenantId, int attempt);

    [LoggerMessage(EventId = 4, EventName = "dispatch_needless", Level = LogLevel.Information,
        Message = "{ExecutionId} ({TraceId}) of {TenantId} is {State}: nothing to dispatch")]
    private partial void LogNeedless(ExecutionId executionId, string traceId, TenantId tenantId, string state);

    [LoggerMessage(EventId = 5, EventName = "dispatch_overtaken", Level = LogLevel.Information,
        Message = "{ExecutionId} ({TraceId}) of {TenantId} moved on to {State} during the attempt")]
    private partial void LogOvertaken(ExecutionId executionId, string traceId, TenantId tenantId, string? state);

    [LoggerMessage(EventId = 6, EventName = "dispatch_held", Level = LogLevel.Information,
        Message = "The engine of {TenantId} is busy or down: {ExecutionId} waits {Seconds} s")]
    private partial void LogHeld(ExecutionId executionId, TenantId tenantId, double seconds);

    [LoggerMessage(EventId = 7, EventName = "dispatch_address_refused", Level = LogLevel.Error,
        Message = "The stored engine address of {TenantId} is outside its network: {ExecutionId} is not sent")]
    private partial void LogAddressRefused(ExecutionId executionId, TenantId tenantId);

    [LoggerMessage(EventId = 8, EventName = "dispatch_not_theirs", Level = LogLevel.Error,
        Message = "A message says that {ExecutionId} belongs to {TenantId}, which has no such execution")]
    private partial void LogNotTheirs(ExecutionId executionId, TenantId tenantId);

    [LoggerMessage(EventId = 9, EventName = "dispatch_message_unreadable", Level = LogLevel.Error,
        Message = "Message {MessageId} (receive {Receives}) cannot be understood; it names {ExecutionId}")]
    private partial void LogUnreadable(string messageId, ExecutionId? executionId, int receives);

    [LoggerMessage(EventId = 13, EventName = "dispatch_not_reached", Level = LogLevel.Error,
        Message = "The engine of {TenantId} was not reached for {ExecutionId}: {Why}")]
    private partial void LogNotReached(ExecutionId executionId, TenantId tenantId, string why);

    [LoggerMessage(EventId = 14, EventName = "dispatch_other_key", Level = LogLevel.Warning,
        Message = "The engine of {TenantId} refused the token that signs now, for {ExecutionId} ({TraceId}); with the other generation's it said {Status}")]
    private partial void LogTriedOtherKey(ExecutionId executionId, string traceId, TenantId tenantId, int? status);

    [LoggerMessage(EventId = 12, EventName = "foreign_event", Level = LogLevel.Warning,
        Message = "Something came that the queue did not send; there is nothing to do for it")]
    private partial void LogForeign();
}
