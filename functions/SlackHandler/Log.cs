using ControlPlane.Executions;
using ControlPlane.Tenants;
using Microsoft.Extensions.Logging;

namespace ControlPlane.SlackHandler;

internal static partial class Log
{
    [LoggerMessage(EventId = 1, EventName = "command_answered", Level = LogLevel.Information,
        Message = "{Verb} of {UserId} for {TenantId} was answered in {Milliseconds} ms; request {RequestId}")]
    public static partial void CommandAnswered(this ILogger log, string verb, TenantId tenantId, string userId, string requestId, long milliseconds);

    [LoggerMessage(EventId = 2, EventName = "request_turned_away", Level = LogLevel.Warning, Message = "Request {RequestId} was turned away: {Why}")]
    public static partial void TurnedAway(this ILogger log, string requestId, string why);

    [LoggerMessage(EventId = 3, EventName = "command_failed", Level = LogLevel.Error, Message = "{Verb} failed; request {RequestId}")]
    public static partial void CommandFailed(this ILogger log, string verb, string requestId, Exception error);

    [LoggerMessage(EventId = 4, EventName = "request_not_verified", Level = LogLevel.Error, Message = "Request {RequestId} could not be verified, and was not carried out")]
    public static partial void NotVerified(this ILogger log, string requestId, Exception error);

    [LoggerMessage(EventId = 5, EventName = "execution_ordered", Level = LogLevel.Information,
        Message = "{ExecutionId} ({TraceId}) of {Workflow} was ordered for {TenantId}; repeat: {IsRepeat}")]
    public static partial void ExecutionOrdered(this ILogger log, ExecutionId executionId, string traceId, TenantId tenantId, string workflow, bool isRepeat);

    /// <param name="isCertain">Whether the queue refused the order; else its answer was lost and it may have taken it.</param>
    [LoggerMessage(EventId = 6, EventName = "order_not_confirmed", Level = LogLevel.Error,
        Message = "{ExecutionId} ({TraceId}) of {TenantId}: the queue did not confirm the order; certain: {IsCertain}")]
    public static partial void OrderNotConfirmed(this ILogger log, ExecutionId executionId, string traceId, TenantId tenantId, bool isCertain, Exception error);

    [LoggerMessage(EventId = 7, EventName = "response_url_refused", Level = LogLevel.Warning,
        Message = "{ExecutionId} ({TraceId}): its response_url is not one to post to; it runs without")]
    public static partial void ResponseUrlRefused(this ILogger log, ExecutionId executionId, string traceId);

    [LoggerMessage(EventId = 8, EventName = "execution_cancelled", Level = LogLevel.Information, Message = "{ExecutionId} ({TraceId}) of {TenantId} was cancelled by {UserId}")]
    public static partial void ExecutionCancelled(this ILogger log, ExecutionId executionId, string traceId, TenantId tenantId, string userId);

    [LoggerMessage(EventId = 9, EventName = "notification_not_sent", Level = LogLevel.Warning,
        Message = "{ExecutionId} ({TraceId}) was cancelled and its notification not sent; the sweeper sends it")]
    public static partial void NotificationNotSent(this ILogger log, ExecutionId executionId, string traceId, Exception error);

    /// <param name="use">Which of the reply address's posts it was.</param>
    [LoggerMessage(EventId = 20, EventName = "requester_told", Level = LogLevel.Information, Message = "{ExecutionId} ({TraceId}): the requester was told {State} with post {Use}")]
    public static partial void RequesterTold(this ILogger log, ExecutionId executionId, string traceId, string state, int use);

    [LoggerMessage(EventId = 21, EventName = "requester_not_told_yet", Level = LogLevel.Warning,
        Message = "{ExecutionId} ({TraceId}): Slack did not take post {Use} ({Why}); the next in {PauseSeconds} s")]
    public static partial void NotToldYet(this ILogger log, ExecutionId executionId, string traceId, int use, string why, long pauseSeconds);

    [LoggerMessage(EventId = 22, EventName = "requester_never_told", Level = LogLevel.Warning, Message = "{ExecutionId} ({TraceId}) is {State} and the requester cannot be told: {Why}")]
    public static partial void NeverTold(this ILogger log, ExecutionId executionId, string traceId, string state, string why);

    [LoggerMessage(EventId = 23, EventName = "nothing_to_tell", Level = LogLevel.Information, Message = "{ExecutionId} ({TraceId}): {Why}")]
    public static partial void NothingToTell(this ILogger log, ExecutionId executionId, string traceId, string why);

    [LoggerMessage(EventId = 24, EventName = "message_failed", Level = LogLevel.Error, Message = "Message {MessageId} could not be handled and comes again")]
    public static partial void MessageFailed(this ILogger log, string messageId, Exception error);
}
