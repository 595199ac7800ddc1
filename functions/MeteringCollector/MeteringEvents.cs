using ControlPlane.Aws.Logs;
using ControlPlane.Executions;
using ControlPlane.Http;
using ControlPlane.Metering;
using ControlPlane.Quotas;
using ControlPlane.Schedules;
using ControlPlane.Tenants;
using ControlPlane.Tokens;
using Microsoft.Extensions.Logging;

namespace ControlPlane.MeteringCollector;

/// <summary>What happens here that somebody may ask about later: each told once, to the log and where it counts to the metrics.</summary>
internal sealed partial class MeteringEvents(JsonLog output, TimeProvider clock)
{
    private readonly ILogger _log = output;
    private readonly Metrics _metrics = new(output, clock);
    private readonly LedgerEvents _ledger = new(output, clock);

    /// <param name="gap">How many samples are missing before this one.</param>
    public void HeartbeatAccepted(Heartbeat heartbeat, bool isRepeat, long gap, long skewSeconds)
    {
        LogHeartbeatAccepted(heartbeat.Tenant, heartbeat.Instance, heartbeat.Epoch, heartbeat.Counter, isRepeat, gap);
        _metrics.Count(MetricCatalogue.Heartbeats, isRepeat ? "duplicate" : "accepted");
        _metrics.Write(MetricCatalogue.HeartbeatSkew, skewSeconds);
        if (gap > 0)
            _metrics.Write(MetricCatalogue.HeartbeatGap, gap);
    }

    /// <summary>An instance crashes again and again, or two sidecars take turns under its name.</summary>
    public void RestartsTooOften(Heartbeat heartbeat)
    {
        LogRestartsTooOften(heartbeat.Tenant, heartbeat.Instance);
        _metrics.Count(MetricCatalogue.InstanceRestartsTooOften, ("tenant_id", heartbeat.Tenant.ToString()), ("instance", heartbeat.Instance.ToString()));
    }

    /// <param name="key">The one that verified the signature; null before that.</param>
    /// <param name="instance">Whose sample it was; null before that was certain.</param>
    public void HeartbeatRefused(Problem problem, SidecarKey? key, InstanceId? instance)
    {
        LogHeartbeatRefused(problem.Code, key?.Tenant.ToString(), key?.KeyId.ToString(), instance?.ToString());
        _metrics.Count(MetricCatalogue.Heartbeats, problem.Code);
    }

    public void HeartbeatFailed(Exception exception)
    {
        LogHeartbeatFailed(exception);
        _metrics.Count(MetricCatalogue.Heartbeats, Problem.Unavailable.Code);
    }

    public void SidecarEnrolled(TenantId tenant, InstanceId instance, KeyId keyId, bool isRepeat)
    {
        LogSidecarEnrolled(tenant, instance, keyId, isRepeat);
        _metrics.Count(MetricCatalogue.Enrolments, isRepeat ? "duplicate" : "enrolled");
    }

    /// <param name="tenant">With the others null before it was certain that the applicant has the key it brings.</param>
    public void EnrolmentRefused(Problem problem, TenantId? tenant, InstanceId? instance, KeyId? keyId)
    {
        LogEnrolmentRefused(problem.Code, tenant?.ToString(), instance?.ToString(), keyId?.ToString());
        _metrics.Count(MetricCatalogue.Enrolments, problem.Code);
    }

    public void EnrolmentFailed(Exception exception)
    {
        LogEnrolmentFailed(exception);
        _metrics.Count(MetricCatalogue.Enrolments, Problem.Unavailable.Code);
    }

    [LoggerMessage(EventId = 4, EventName = "source_outside", Level = LogLevel.Warning,
        Message = "A request signed by {TenantId} came from outside its network (check: {Check})")]
    public partial void SourceOutside(TenantId tenantId, SourceNetworkCheck check);

    /// <param name="status">How the execution stands now.</param>
    public void OutcomeTaken(ExecutionId execution, TenantId tenant, string status, bool isRepeat, bool isLate)
    {
        LogOutcomeTaken(execution, execution.TraceId, tenant, status, isRepeat, isLate);
        _metrics.Count(MetricCatalogue.Outcomes, isRepeat ? "duplicate" : isLate ? "late" : status);
    }

    /// <param name="execution">The token's, null before it was verified.</param>
    public void OutcomeRefused(Problem problem, ExecutionId? execution)
    {
        LogOutcomeRefused(problem.Code, execution?.ToString(), execution?.TraceId);
        _metrics.Count(MetricCatalogue.Outcomes, problem.Code);
    }

    public void OutcomeFailed(Exception exception)
    {
        LogOutcomeFailed(exception);
        _metrics.Count(MetricCatalogue.Outcomes, Problem.Unavailable.Code);
    }

    [LoggerMessage(EventId = 13, EventName = "token_rejected", Level = LogLevel.Warning, Message = "A callback token was rejected: {Fault}")]
    public partial void TokenRejected(TokenFault fault);

    public void NotifyFailed(ExecutionId execution, Exception exception) => LogNotifyFailed(execution, execution.TraceId, exception);

    public void Unbooked(ExecutionId execution, TenantId tenant) => _ledger.Unbooked(execution, tenant);

    public void ApprovalExpired(Execution execution) =>
        LogApprovalExpired(execution.Id, execution.Id.TraceId, execution.Tenant, execution.Approvals.Count);

    /// <param name="execution">As it was at its deadline.</param>
    public void TimedOut(Execution execution)
    {
        LogTimedOut(execution.Id, execution.Id.TraceId, execution.Tenant, execution.State.Name);
        _metrics.Count(MetricCatalogue.ExecutionsTimedOut);
    }

    public void NotificationResent() => _metrics.Count(MetricCatalogue.NotificationsResent);

    public void DueFailed(ExecutionId execution, Exception exception)
    {
        LogDueFailed(execution, execution.TraceId, exception);
        _metrics.Count(MetricCatalogue.SweepFailures);
    }

    /// <summary>What was due failed, which is counted already, and cannot be put off either.</summary>
    public void NotPutOff(ExecutionId execution, Exception exception) => LogDueFailed(execution, execution.TraceId, exception);

    /// <summary>A planned time came, and this became of it.</summary>
    public void ScheduleFired(Schedule schedule, Firing firing) =>
        LogScheduleFired(schedule.Id, schedule.Tenant, firing.PlannedAt, firing.Kind, ExecutionId.OfSchedule(schedule.Id, firing.PlannedAt));

    public void ScheduleFailed(ScheduleId schedule, Exception exception)
    {
        LogScheduleFailed(schedule, exception);
        _metrics.Count(MetricCatalogue.SweepFailures);
    }

    /// <summary>Told at each sweep, whether it goes on or not: DNS stays with the region that says so.</summary>
    public void RegionAsked(bool isActive) => _metrics.Write(MetricCatalogue.RegionIsActive, isActive ? 1 : 0);

    public void TenantsCounted(int tenants) => _metrics.Write(MetricCatalogue.TenantsRegistered, tenants);

    public void TenantStoredWrong(TenantId tenant, string fault)
    {
        LogTenantStoredWrong(tenant, fault);
        _metrics.Count(MetricCatalogue.SweepFailures);
    }

    public void TenantUnwatched(TenantId tenant, Exception exception)
    {
        LogTenantUnwatched(tenant, exception);
        _metrics.Count(MetricCatalogue.SweepFailures);
    }

    public void SweepNotNoted(Exception exception)
    {
        LogSweepNotNoted(exception);
        _metrics.Count(MetricCatalogue.SweepFailures);
    }

    public void CensusNotKept(Exception exception)
    {
        LogCensusNotKept(exception);
        _metrics.Count(MetricCatalogue.SweepFailures);
    }

    public void DataPlanesCounted(Liveness liveness, int dataPlanes) => _metrics.Write(MetricCatalogue.DataPlanes, liveness.Name, dataPlanes);

    /// <summary>Who reports, and cannot tell all of what its GPUs do: told at each sweep, for the alarm clears when it is over.</summary>
    public void GpusUnreadable(IReadOnlyCollection<InstanceState> instances)
    {
        foreach (var instance in instances)
            LogGpuUnreadable(instance.Tenant, instance.Instance, instance.GpuUnreadableSince!.Value);
        _metrics.Write(MetricCatalogue.GpuUnreadable, instances.Count);
    }

    /// <summary>A tenant's data plane changed to how it is now.</summary>
    public void DataPlaneChanged(TenantId tenant, TenantHealth health)
    {
        switch (health.Liveness)
        {
            case Liveness.Healthy:
                LogTenantRecovered(tenant, health.LastSeen);
                _metrics.Count(MetricCatalogue.DataPlaneRecovered);
                break;
            case Liveness.Late:
                LogTenantLate(tenant, health.LastSeen);
                _metrics.Count(MetricCatalogue.DataPlaneLate);
                break;
            case Liveness.Offline:
                LogTenantOffline(tenant, health.LastSeen);
                _metrics.Count(MetricCatalogue.DataPlaneOffline);
                break;
        }
    }

    /// <param name="isOneOfSeveral">Whether its tenant is not silent as a whole: else that rings.</param>
    public void InstanceChanged(InstanceState instance, Liveness liveness, bool isOneOfSeveral)
    {
        var change = liveness == Liveness.Healthy ? "RECOVERED" : liveness.Name;
        LogInstanceChanged(instance.Tenant, instance.Instance, change, instance.LastSeen);
        _metrics.Count(MetricCatalogue.InstanceChanges, change);
        if (liveness == Liveness.Offline && isOneOfSeveral)
            _metrics.Count(MetricCatalogue.InstanceOffline);
    }

    public void OutageBegan(int silent, int tenants)
    {
        LogOutageBegan(silent, tenants);
        _metrics.Count(MetricCatalogue.DataPlanesOfflineTogether);
    }

    public void OutageEnded(DateTimeOffset since, int silent, int tenants)
    {
        LogOutageEnded(since, silent, tenants);
        _metrics.Count(MetricCatalogue.DataPlanesBackTogether);
    }

    [LoggerMessage(EventId = 31, EventName = "instance_folded", Level = LogLevel.Information,
        Message = "{Instance} of {TenantId} gave up its place: last seen {LastSeen}. Its usage stays in its months")]
    public partial void InstanceFolded(TenantId tenantId, InstanceId instance, DateTimeOffset lastSeen);

    [LoggerMessage(EventId = 29, EventName = "swept", Level = LogLevel.Information, Message = "Swept")]
    public partial void Swept();

    [LoggerMessage(EventId = 1, EventName = "heartbeat_accepted", Level = LogLevel.Information,
        Message = "Sample {Counter} of epoch {Epoch} from {Instance} of {TenantId}: repeat {IsRepeat}, gap {Gap}")]
    private partial void LogHeartbeatAccepted(TenantId tenantId, InstanceId instance, long epoch, long counter, bool isRepeat, long gap);

    [LoggerMessage(EventId = 2, EventName = "heartbeat_refused", Level = LogLevel.Warning,
        Message = "Heartbeat of {Instance} of {TenantId} with key {KeyId} refused: {Code}")]
    private partial void LogHeartbeatRefused(string code, string? tenantId, string? keyId, string? instance);

    [LoggerMessage(EventId = 3, EventName = "heartbeat_failed", Level = LogLevel.Error,
        Message = "A heartbeat could not be booked; the sidecar sends it again")]
    private partial void LogHeartbeatFailed(Exception exception);

    [LoggerMessage(EventId = 5, EventName = "restarts_too_often", Level = LogLevel.Error,
        Message = "{Instance} of {TenantId} begins epoch after epoch: it crashes, or two sidecars take turns under one name")]
    private partial void LogRestartsTooOften(TenantId tenantId, InstanceId instance);

    [LoggerMessage(EventId = 33, EventName = "sidecar_enrolled", Level = LogLevel.Information,
        Message = "{Instance} of {TenantId} signs with key {KeyId} from now on: repeat {IsRepeat}")]
    private partial void LogSidecarEnrolled(TenantId tenantId, InstanceId instance, KeyId keyId, bool isRepeat);

    [LoggerMessage(EventId = 34, EventName = "enrolment_refused", Level = LogLevel.Warning,
        Message = "Key {KeyId} of {Instance}, which says that it is {TenantId}'s, is not registered: {Code}")]
    private partial void LogEnrolmentRefused(string code, string? tenantId, string? instance, string? keyId);

    [LoggerMessage(EventId = 35, EventName = "enrolment_failed", Level = LogLevel.Error,
        Message = "A machine could not be enrolled; it asks again")]
    private partial void LogEnrolmentFailed(Exception exception);

    [LoggerMessage(EventId = 10, EventName = "outcome_taken", Level = LogLevel.Information,
        Message = "{ExecutionId} ({TraceId}) of {TenantId} is {Status}: repeat {IsRepeat}, late {IsLate}")]
    private partial void LogOutcomeTaken(ExecutionId executionId, string traceId, TenantId tenantId, string status, bool isRepeat, bool isLate);

    [LoggerMessage(EventId = 11, EventName = "outcome_refused", Level = LogLevel.Warning, Message = "Outcome of {ExecutionId} ({TraceId}) refused: {Code}")]
    private partial void LogOutcomeRefused(string code, string? executionId, string? traceId);

    [LoggerMessage(EventId = 12, EventName = "outcome_failed", Level = LogLevel.Error, Message = "An outcome could not be recorded; the engine sends it again")]
    private partial void LogOutcomeFailed(Exception exception);

    [LoggerMessage(EventId = 14, EventName = "notify_failed", Level = LogLevel.Error,
        Message = "{ExecutionId} ({TraceId}) ended and its notification was not sent; the sweeper sends it")]
    private partial void LogNotifyFailed(ExecutionId executionId, string traceId, Exception exception);

    [LoggerMessage(EventId = 20, EventName = "execution_timed_out", Level = LogLevel.Warning,
        Message = "{ExecutionId} ({TraceId}) of {TenantId} was {State} at its deadline")]
    private partial void LogTimedOut(ExecutionId executionId, string traceId, TenantId tenantId, string state);

    [LoggerMessage(EventId = 42, EventName = "approval_expired", Level = LogLevel.Information,
        Message = "{ExecutionId} ({TraceId}) of {TenantId} was not approved in time; it had {Approvals} approvals")]
    private partial void LogApprovalExpired(ExecutionId executionId, string traceId, TenantId tenantId, int approvals);

    [LoggerMessage(EventId = 21, EventName = "due_failed", Level = LogLevel.Error,
        Message = "{ExecutionId} ({TraceId}) is due and could not be seen to; a later sweep tries again")]
    private partial void LogDueFailed(ExecutionId executionId, string traceId, Exception exception);

    [LoggerMessage(EventId = 22, EventName = "tenant_unwatched", Level = LogLevel.Error,
        Message = "The liveness or the limits of {TenantId} could not be seen to in this sweep")]
    private partial void LogTenantUnwatched(TenantId tenantId, Exception exception);

    [LoggerMessage(EventId = 23, EventName = "tenant_offline", Level = LogLevel.Error, Message = "{TenantId} is OFFLINE: last seen {LastSeen}")]
    private partial void LogTenantOffline(TenantId tenantId, DateTimeOffset lastSeen);

    [LoggerMessage(EventId = 24, EventName = "tenant_late", Level = LogLevel.Warning, Message = "{TenantId} is LATE: last seen {LastSeen}")]
    private partial void LogTenantLate(TenantId tenantId, DateTimeOffset lastSeen);

    [LoggerMessage(EventId = 25, EventName = "tenant_recovered", Level = LogLevel.Information, Message = "{TenantId} has RECOVERED: last seen {LastSeen}")]
    private partial void LogTenantRecovered(TenantId tenantId, DateTimeOffset lastSeen);

    [LoggerMessage(EventId = 26, EventName = "instance_changed", Level = LogLevel.Warning,
        Message = "{Instance} of {TenantId}: {Change}, last seen {LastSeen}")]
    private partial void LogInstanceChanged(TenantId tenantId, InstanceId instance, string change, DateTimeOffset lastSeen);

    [LoggerMessage(EventId = 27, EventName = "outage_began", Level = LogLevel.Critical,
        Message = "{Silent} of {Tenants} tenants fell silent at once: look at the hub before the tenants. "
            + "Single ones are told when it is over, or has lasted for half an hour")]
    private partial void LogOutageBegan(int silent, int tenants);

    [LoggerMessage(EventId = 28, EventName = "outage_ended", Level = LogLevel.Warning,
        Message = "The silence since {Since} is over; {Silent} of {Tenants} tenants are still silent")]
    private partial void LogOutageEnded(DateTimeOffset since, int silent, int tenants);

    [LoggerMessage(EventId = 32, EventName = "sweep_not_noted", Level = LogLevel.Error, Message = "That this sweep took place could not be noted")]
    private partial void LogSweepNotNoted(Exception exception);

    [LoggerMessage(EventId = 43, EventName = "census_not_kept", Level = LogLevel.Error, Message = "What was counted for the admin panel's overview could not be kept")]
    private partial void LogCensusNotKept(Exception exception);

    [LoggerMessage(EventId = 30, EventName = "tenant_stored_wrong", Level = LogLevel.Error,
        Message = "{TenantId} is not watched: what is stored of it breaks a rule: {Fault}")]
    private partial void LogTenantStoredWrong(TenantId tenantId, string fault);

    public void UsageReached(TenantId tenant, Month month, LimitedUse use, int percent)
    {
        LogUsageReached(tenant, month, use.Limit, percent, use.Used, use.Most);
        _metrics.Count(MetricCatalogue.UsageWarnings);
    }

    [LoggerMessage(EventId = 40, EventName = "usage_reached", Level = LogLevel.Warning,
        Message = "{TenantId} reached {Percent} % of its limit of {Limit} for {Month}: {Used} of {Most}")]
    private partial void LogUsageReached(TenantId tenantId, Month month, MonthlyLimit limit, int percent, long used, long most);

    public void RequestLost(ExecutionId execution, TenantId tenant) => LogRequestLost(execution, execution.TraceId, tenant);

    [LoggerMessage(EventId = 36, EventName = "request_lost", Level = LogLevel.Error,
        Message = "{ExecutionId} ({TraceId}) of {TenantId} was asked for and its order never came; its user is told")]
    private partial void LogRequestLost(ExecutionId executionId, string traceId, TenantId tenantId);

    [LoggerMessage(EventId = 38, EventName = "schedule_fired", Level = LogLevel.Information,
        Message = "{ScheduleId} of {TenantId}, planned for {PlannedAt}: {Kind} ({ExecutionId})")]
    private partial void LogScheduleFired(ScheduleId scheduleId, TenantId tenantId, DateTimeOffset plannedAt, FiringKind kind, ExecutionId executionId);

    [LoggerMessage(EventId = 39, EventName = "schedule_failed", Level = LogLevel.Error,
        Message = "{ScheduleId} is due and could not be seen to; a later sweep tries again")]
    private partial void LogScheduleFailed(ScheduleId scheduleId, Exception exception);

    [LoggerMessage(EventId = 37, EventName = "gpu_unreadable", Level = LogLevel.Warning,
        Message = "GPUs of {Instance} of {TenantId} are unreadable since {Since}: their time is not metered. Its sidecar's journal says why")]
    private partial void LogGpuUnreadable(TenantId tenantId, InstanceId instance, DateTimeOffset since);
}
