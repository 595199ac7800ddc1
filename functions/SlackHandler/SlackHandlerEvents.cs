using ControlPlane.Aws.Logs;
using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using Microsoft.Extensions.Logging;

namespace ControlPlane.SlackHandler;

/// <summary>What happens here that somebody may ask about later: each told once, to the log and where it counts to the metrics.</summary>
internal sealed partial class SlackHandlerEvents(JsonLog output, TimeProvider clock)
{
    private readonly ILogger _log = output;
    private readonly Metrics _metrics = new(output, clock);
    private readonly LedgerEvents _ledger = new(output, clock);

    [LoggerMessage(EventId = 1, EventName = "command_answered", Level = LogLevel.Information,
        Message = "{Verb} of {UserId} for {TenantId} was answered in {Milliseconds} ms; request {RequestId}")]
    public partial void CommandAnswered(string verb, TenantId tenantId, UserId userId, string requestId, long milliseconds);

    [LoggerMessage(EventId = 2, EventName = "request_turned_away", Level = LogLevel.Warning, Message = "Request {RequestId} was turned away: {Why}")]
    public partial void TurnedAway(string requestId, string why);

    /// <summary>To Lambda nothing failed, for the user got an answer: the alarm counts this.</summary>
    public void CommandFailed(string verb, string requestId, Exception error)
    {
        LogCommandFailed(verb, requestId, error);
        _metrics.Count(MetricCatalogue.SlackCommandsFailed);
    }

    [LoggerMessage(EventId = 4, EventName = "request_not_verified", Level = LogLevel.Error,
        Message = "Request {RequestId} could not be verified, and was not carried out")]
    public partial void NotVerified(string requestId, Exception error);

    [LoggerMessage(EventId = 40, EventName = "modal_opened", Level = LogLevel.Information, Message = "A modal for {Workflow} of {TenantId} opened")]
    public partial void ModalOpened(TenantId tenantId, WorkflowName workflow);

    /// <param name="why">Slack's word for it, or its status.</param>
    [LoggerMessage(EventId = 41, EventName = "modal_not_opened", Level = LogLevel.Warning,
        Message = "No modal for {Workflow} of {TenantId} opened ({Why}); its user was told in words what is missing")]
    public partial void ModalNotOpened(TenantId tenantId, WorkflowName workflow, string why);

    /// <summary>What was asked for is done; its user does not see the answer.</summary>
    [LoggerMessage(EventId = 42, EventName = "answer_not_posted", Level = LogLevel.Warning, Message = "Slack did not take the answer to request {RequestId}: {Why}")]
    public partial void AnswerNotPosted(string requestId, string why);

    [LoggerMessage(EventId = 43, EventName = "home_not_published", Level = LogLevel.Warning, Message = "Slack did not take the App Home of {UserId} for {TenantId}: {Why}")]
    public partial void HomeNotPublished(TenantId tenantId, UserId userId, string why);

    public void ExecutionOrdered(ExecutionId execution, TenantId tenant, WorkflowName workflow, bool isRepeat) =>
        LogExecutionOrdered(execution, execution.TraceId, tenant, workflow.ToString(), isRepeat);

    /// <param name="isCertain">Whether the queue refused the order; else its answer was lost and it may have taken it.</param>
    public void OrderNotConfirmed(ExecutionId execution, TenantId tenant, bool isCertain, Exception error)
    {
        LogOrderNotConfirmed(execution, execution.TraceId, tenant, isCertain, error);
        _metrics.Count(MetricCatalogue.SlackCommandsFailed);
    }

    public void ResponseUrlRefused(ExecutionId execution) => LogResponseUrlRefused(execution, execution.TraceId);

    public void Unbooked(Execution cancelled) => _ledger.Unbooked(cancelled.Id, cancelled.Tenant);

    public void ExecutionCancelled(Execution execution, UserId user) => LogExecutionCancelled(execution.Id, execution.Id.TraceId, execution.Tenant, user);

    /// <summary>Tells of a message that did not leave, where what it is about is done all the same.</summary>
    public async Task UnlessSentAsync(ExecutionId execution, Func<Task> sendAsync)
    {
        try
        {
            await sendAsync();
        }
        catch (Exception e)
        {
            LogNotificationNotSent(execution, execution.TraceId, e);
        }
    }

    /// <param name="use">Which of the reply address's posts it was.</param>
    public void RequesterTold(Execution execution, int use)
    {
        LogRequesterTold(execution.Id, execution.Id.TraceId, execution.State.Name, use);
        _metrics.Count(MetricCatalogue.NotificationsDelivered);
    }

    /// <param name="why">Why not by the address that Slack gave.</param>
    public void RequesterToldByBot(Execution execution, string why, int tries)
    {
        LogRequesterToldByBot(execution.Id, execution.Id.TraceId, execution.State.Name, why, tries);
        _metrics.Count(MetricCatalogue.NotificationsDelivered);
    }

    public void NotToldByBotYet(ExecutionId execution, int tries, string why, TimeSpan pause)
    {
        LogNotToldByBotYet(execution, execution.TraceId, tries, why, (long)pause.TotalSeconds);
        _metrics.Count(MetricCatalogue.NotificationsRetried);
    }

    public void NotToldYet(ExecutionId execution, int use, string why, TimeSpan pause)
    {
        LogNotToldYet(execution, execution.TraceId, use, why, (long)pause.TotalSeconds);
        _metrics.Count(MetricCatalogue.NotificationsRetried);
    }

    /// <param name="isNew">Whether it is a message of its own, and not one that was changed.</param>
    public void ProgressShown(ExecutionId execution, bool isNew) => LogProgressShown(execution, execution.TraceId, isNew);

    public void ProgressNotShown(ExecutionId execution, string why) => LogProgressNotShown(execution, execution.TraceId, why);

    [LoggerMessage(EventId = 44, EventName = "progress_shown", Level = LogLevel.Information,
        Message = "{ExecutionId} ({TraceId}): its progress was shown; in a new message: {IsNew}")]
    private partial void LogProgressShown(ExecutionId executionId, string traceId, bool isNew);

    [LoggerMessage(EventId = 45, EventName = "progress_not_shown", Level = LogLevel.Warning,
        Message = "{ExecutionId} ({TraceId}): Slack did not take its progress: {Why}")]
    private partial void LogProgressNotShown(ExecutionId executionId, string traceId, string why);

    /// <param name="isNew">Whether they are asked by it, or it says what became of that.</param>
    public void ApprovalShown(Execution execution, bool isNew) =>
        LogApprovalShown(execution.Id, execution.Id.TraceId, execution.State.Name, execution.Approvals.Count, isNew);

    public void ApprovalNotShown(ExecutionId execution, string why) => LogApprovalNotShown(execution, execution.TraceId, why);

    /// <summary>Nobody was asked: only a typed <c>approve</c> lets it begin.</summary>
    public void ApproversNotAsked(Execution execution, string why)
    {
        LogApproversNotAsked(execution.Id, execution.Id.TraceId, execution.Tenant, why);
        _metrics.Count(MetricCatalogue.NotificationsGivenUp);
    }

    public void ApprovalGiven(Execution execution, UserId user, int count) =>
        LogApprovalGiven(execution.Id, execution.Id.TraceId, execution.Tenant, user, count);

    public void ApprovalRefused(Execution execution, UserId user) => LogApprovalRefused(execution.Id, execution.Id.TraceId, execution.Tenant, user);

    [LoggerMessage(EventId = 52, EventName = "approval_shown", Level = LogLevel.Information,
        Message = "{ExecutionId} ({TraceId}): its approvers see {State} with {Approvals} approvals; in a new message: {IsNew}")]
    private partial void LogApprovalShown(ExecutionId executionId, string traceId, string state, int approvals, bool isNew);

    [LoggerMessage(EventId = 53, EventName = "approval_not_shown", Level = LogLevel.Warning,
        Message = "{ExecutionId} ({TraceId}): Slack did not take what its approvers are shown: {Why}")]
    private partial void LogApprovalNotShown(ExecutionId executionId, string traceId, string why);

    [LoggerMessage(EventId = 54, EventName = "approvers_not_asked", Level = LogLevel.Error,
        Message = "{ExecutionId} ({TraceId}) of {TenantId} waits for approval and nobody could be asked: {Why}")]
    private partial void LogApproversNotAsked(ExecutionId executionId, string traceId, TenantId tenantId, string why);

    [LoggerMessage(EventId = 55, EventName = "approval_given", Level = LogLevel.Information,
        Message = "{ExecutionId} ({TraceId}) of {TenantId} was approved by {UserId}; it has {Approvals} approvals")]
    private partial void LogApprovalGiven(ExecutionId executionId, string traceId, TenantId tenantId, UserId userId, int approvals);

    [LoggerMessage(EventId = 56, EventName = "approval_refused", Level = LogLevel.Information,
        Message = "{ExecutionId} ({TraceId}) of {TenantId} was denied by {UserId}")]
    private partial void LogApprovalRefused(ExecutionId executionId, string traceId, TenantId tenantId, UserId userId);

    /// <summary>The requester will not be told.</summary>
    /// <param name="isTooLate">Nothing was tried, for the execution outlasted its reply address and there is no bot.</param>
    public void NeverTold(Execution execution, string why, bool isTooLate)
    {
        LogNeverTold(execution.Id, execution.Id.TraceId, execution.State.Name, why);
        _metrics.Count(isTooLate ? MetricCatalogue.NotificationsTooLate : MetricCatalogue.NotificationsGivenUp);
    }

    public void UsageTold(TenantId tenant, ChannelId channel, MonthlyLimit limit, int percent)
    {
        LogUsageTold(tenant, channel, limit, percent);
        _metrics.Count(MetricCatalogue.NotificationsDelivered);
    }

    public void UsageNotToldYet(TenantId tenant, ChannelId channel, string why)
    {
        LogUsageNotToldYet(tenant, channel, why);
        _metrics.Count(MetricCatalogue.NotificationsRetried);
    }

    public void UsageNeverTold(TenantId tenant, ChannelId channel, MonthlyLimit limit, int percent, string why)
    {
        LogUsageNeverTold(tenant, channel, limit, percent, why);
        _metrics.Count(MetricCatalogue.NotificationsGivenUp);
    }

    [LoggerMessage(EventId = 46, EventName = "usage_told", Level = LogLevel.Information,
        Message = "{ChannelId} of {TenantId} was told that {Percent} % of its limit of {Limit} is reached")]
    private partial void LogUsageTold(TenantId tenantId, ChannelId channelId, MonthlyLimit limit, int percent);

    [LoggerMessage(EventId = 47, EventName = "usage_not_told_yet", Level = LogLevel.Warning,
        Message = "{ChannelId} of {TenantId} was not told yet how much of a limit is gone: {Why}")]
    private partial void LogUsageNotToldYet(TenantId tenantId, ChannelId channelId, string why);

    [LoggerMessage(EventId = 48, EventName = "usage_never_told", Level = LogLevel.Warning,
        Message = "{ChannelId} of {TenantId} will not be told that {Percent} % of its limit of {Limit} is reached: {Why}")]
    private partial void LogUsageNeverTold(TenantId tenantId, ChannelId channelId, MonthlyLimit limit, int percent, string why);

    public void NothingToTell(ExecutionId execution, string why) => LogNothingToTell(execution, execution.TraceId, why);

    [LoggerMessage(EventId = 24, EventName = "message_failed", Level = LogLevel.Error, Message = "Message {MessageId} could not be handled and comes again")]
    public partial void MessageFailed(string messageId, Exception error);

    [LoggerMessage(EventId = 3, EventName = "command_failed", Level = LogLevel.Error, Message = "{Verb} failed; request {RequestId}")]
    private partial void LogCommandFailed(string verb, string requestId, Exception error);

    [LoggerMessage(EventId = 5, EventName = "execution_ordered", Level = LogLevel.Information,
        Message = "{ExecutionId} ({TraceId}) of {Workflow} was ordered for {TenantId}; repeat: {IsRepeat}")]
    private partial void LogExecutionOrdered(ExecutionId executionId, string traceId, TenantId tenantId, string workflow, bool isRepeat);

    [LoggerMessage(EventId = 6, EventName = "order_not_confirmed", Level = LogLevel.Error,
        Message = "{ExecutionId} ({TraceId}) of {TenantId}: the queue did not confirm the order; certain: {IsCertain}")]
    private partial void LogOrderNotConfirmed(ExecutionId executionId, string traceId, TenantId tenantId, bool isCertain, Exception error);

    [LoggerMessage(EventId = 7, EventName = "response_url_refused", Level = LogLevel.Warning,
        Message = "{ExecutionId} ({TraceId}): its response_url is not one to post to; it runs without")]
    private partial void LogResponseUrlRefused(ExecutionId executionId, string traceId);

    [LoggerMessage(EventId = 8, EventName = "execution_cancelled", Level = LogLevel.Information,
        Message = "{ExecutionId} ({TraceId}) of {TenantId} was cancelled by {UserId}")]
    private partial void LogExecutionCancelled(ExecutionId executionId, string traceId, TenantId tenantId, UserId userId);

    [LoggerMessage(EventId = 9, EventName = "notification_not_sent", Level = LogLevel.Warning,
        Message = "{ExecutionId} ({TraceId}) was cancelled and its notification not sent; the sweeper sends it")]
    private partial void LogNotificationNotSent(ExecutionId executionId, string traceId, Exception error);

    [LoggerMessage(EventId = 20, EventName = "requester_told", Level = LogLevel.Information,
        Message = "{ExecutionId} ({TraceId}): the requester was told {State} with post {Use}")]
    private partial void LogRequesterTold(ExecutionId executionId, string traceId, string state, int use);

    [LoggerMessage(EventId = 21, EventName = "requester_not_told_yet", Level = LogLevel.Warning,
        Message = "{ExecutionId} ({TraceId}): Slack did not take post {Use} ({Why}); the next in {PauseSeconds} s")]
    private partial void LogNotToldYet(ExecutionId executionId, string traceId, int use, string why, long pauseSeconds);

    [LoggerMessage(EventId = 27, EventName = "requester_told_by_bot", Level = LogLevel.Information,
        Message = "{ExecutionId} ({TraceId}): the requester was told {State} by a direct message, at try {Try}; the address: {Why}")]
    private partial void LogRequesterToldByBot(ExecutionId executionId, string traceId, string state, string why, int @try);

    [LoggerMessage(EventId = 28, EventName = "requester_not_told_by_bot_yet", Level = LogLevel.Warning,
        Message = "{ExecutionId} ({TraceId}): Slack did not take the bot's try {Try} ({Why}); the next in {PauseSeconds} s")]
    private partial void LogNotToldByBotYet(ExecutionId executionId, string traceId, int @try, string why, long pauseSeconds);

    [LoggerMessage(EventId = 22, EventName = "requester_never_told", Level = LogLevel.Warning,
        Message = "{ExecutionId} ({TraceId}) is {State} and the requester cannot be told: {Why}")]
    private partial void LogNeverTold(ExecutionId executionId, string traceId, string state, string why);

    [LoggerMessage(EventId = 23, EventName = "nothing_to_tell", Level = LogLevel.Information, Message = "{ExecutionId} ({TraceId}): {Why}")]
    private partial void LogNothingToTell(ExecutionId executionId, string traceId, string why);

    /// <summary>Slack minded how the message was made; its text is sent alone.</summary>
    public void Misshapen(ExecutionId execution, string why)
    {
        LogMisshapen(execution, execution.TraceId, why);
        _metrics.Count(MetricCatalogue.NotificationsMisshapen);
    }

    [LoggerMessage(EventId = 26, EventName = "foreign_event", Level = LogLevel.Warning,
        Message = "Something came that no queue or API of this control plane sent; there is nothing to do for it")]
    public partial void Foreign();

    [LoggerMessage(EventId = 25, EventName = "message_misshapen", Level = LogLevel.Error,
        Message = "{ExecutionId} ({TraceId}): Slack minds how the message is made ({Why}); it goes as text alone")]
    private partial void LogMisshapen(ExecutionId executionId, string traceId, string why);

    [LoggerMessage(EventId = 30, EventName = "installation_begun", Level = LogLevel.Information,
        Message = "A browser with a ticket of {TenantId} was sent to Slack; request {RequestId}")]
    public partial void InstallationBegun(TenantId tenantId, string requestId);

    public void WorkspaceInstalled(TenantId tenant, TeamId workspace, UserId by, IReadOnlyList<string> scopes)
    {
        LogWorkspaceInstalled(tenant, workspace, by, string.Join(' ', scopes));
        _metrics.Count(MetricCatalogue.WorkspacesInstalled);
    }

    [LoggerMessage(EventId = 32, EventName = "installation_refused", Level = LogLevel.Warning,
        Message = "{WorkspaceId} was not linked to {TenantId}: {Why}")]
    public partial void InstallationRefused(TenantId tenantId, TeamId workspaceId, string why);

    /// <summary>Slack did not exchange a code. That its user can open the link again does not mean that it ever succeeds: an alarm counts these.</summary>
    public void ExchangeFailed(TenantId tenant, string why)
    {
        LogExchangeFailed(tenant, why);
        _metrics.Count(MetricCatalogue.InstallationsFailed);
    }

    public void InstallationFailed(string requestId, Exception error)
    {
        LogInstallationFailed(requestId, error);
        _metrics.Count(MetricCatalogue.InstallationsFailed);
    }

    [LoggerMessage(EventId = 35, EventName = "token_ended", Level = LogLevel.Information, Message = "The bot token of {WorkspaceId} was forgotten: {Why}")]
    public partial void TokenEnded(TeamId workspaceId, string why);

    /// <summary>Slack says it again: that it failed for good shows in the count.</summary>
    public void EventFailed(string requestId, Exception error)
    {
        LogEventFailed(requestId, error);
        _metrics.Count(MetricCatalogue.SlackCommandsFailed);
    }

    [LoggerMessage(EventId = 31, EventName = "workspace_installed", Level = LogLevel.Information,
        Message = "{WorkspaceId} speaks for {TenantId}, installed by {UserId} with {Scopes}")]
    private partial void LogWorkspaceInstalled(TenantId tenantId, TeamId workspaceId, UserId userId, string scopes);

    [LoggerMessage(EventId = 33, EventName = "exchange_failed", Level = LogLevel.Error,
        Message = "Slack did not exchange the code of an installation for {TenantId}: {Why}")]
    private partial void LogExchangeFailed(TenantId tenantId, string why);

    [LoggerMessage(EventId = 34, EventName = "installation_failed", Level = LogLevel.Error, Message = "An installation failed; request {RequestId}")]
    private partial void LogInstallationFailed(string requestId, Exception error);

    [LoggerMessage(EventId = 36, EventName = "event_failed", Level = LogLevel.Error, Message = "An event of Slack's failed; request {RequestId}")]
    private partial void LogEventFailed(string requestId, Exception error);
}
