using ControlPlane.Administration;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Operator.Arguments;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Operator.Output;

/// <summary>The domain as it is shown.</summary>
internal static class ViewMapper
{
    public static TenantView Of(Tenant tenant) => new(
        tenant.Id.ToString(), tenant.Name, Of(tenant.Status), tenant.Id.Network.ToString(), EngineText.Format(tenant.Engine), tenant.AllowPublicSubnet,
        tenant.Limits.MonthlyQuota, tenant.Limits.Concurrency, tenant.Limits.MonthlyGpuMs,
        tenant.Limits.Instances, tenant.Limits.DeniesWhenSilent ? DisplayText.Deny : DisplayText.Warn, tenant.Aws?.Account, tenant.Aws?.EngineRole,
        tenant.Channel is { } place ? $"{place.Team}/{place.Channel}" : null);

    /// <summary>Tenants that a list cannot show, as warnings.</summary>
    public static IReadOnlyList<string> Faults(IEnumerable<(TenantId Id, string Fault)> faulty) =>
        [.. faulty.Select(one => $"{one.Fault} It is left out here: ./ctl tenant engine {one.Id} or ./ctl tenant limits {one.Id} mends it.")];

    public static string Of(TenantStatus status) => status.ToString().ToLowerInvariant();

    public static KeyView Of(SidecarKey key, DateTimeOffset now) => new(
        key.KeyId.ToString(), key.Tenant.ToString(), key.Instance, Convert.ToBase64String(key.PublicKey),
        key.RevokedAt is not null ? "revoked" : key.IsValidAt(now) ? "valid" : "expired",
        Rfc3339.Format(key.AddedAt), Time(key.NotAfter), Time(key.RevokedAt));

    public static WorkflowView Of(Workflow workflow) => new(
        workflow.Name.ToString(), workflow.Path.ToString(), workflow.Enabled, [.. workflow.Parameters.Select(ParameterText.Format)],
        (long)workflow.Deadline.TotalMilliseconds, workflow.Idempotent, workflow.AllowedUsers, workflow.AllowedGroups,
        [.. workflow.AllowedChannels.Select(channel => channel.ToString())],
        workflow.Approval is { } rule
            ? new(rule.Groups, $"{rule.TeamId}/{rule.ChannelId}", rule.Approvals, rule.SelfApproval, (long)rule.Within.TotalMilliseconds)
            : null);

    public static ApprovalView Of(Approval word) => new($"{word.TeamId}/{word.UserId}", Rfc3339.Format(word.At));

    public static ExecutionView Of(Execution execution) => new(
        execution.Id.ToString(), execution.Id.TraceId, execution.Tenant.ToString(), execution.Workflow.ToString(), execution.State.Name, execution.RequestedBy,
        [.. execution.Inputs.EnumerateObject().Select(input => input.Name)], execution.Month.ToString(),
        Rfc3339.Format(execution.CreatedAt), Rfc3339.Format(execution.DeadlineAt), Time(execution.DispatchedAt), Time(execution.StartedAt),
        Time(execution.FinishedAt), Time(execution.ToldAt),
        execution.AttemptCount, execution.FailureCode?.Code, execution.CancelledBy, execution.IsLate,
        execution.Outcome is { } outcome
            ? new(outcome.Status.ToString().ToLowerInvariant(), outcome.EngineExecutionId, outcome.Usage, outcome.Error?.Code)
            : null);

    public static ExecutionLineView LineOf(Execution execution) => new(
        execution.Id.ToString(), execution.Workflow.ToString(), execution.State.Name, Rfc3339.Format(execution.CreatedAt), execution.RequestedBy,
        Rfc3339.Format(execution.DeadlineAt), Time(execution.FinishedAt), execution.FailureCode?.Code, execution.IsLate);

    public static AttemptView Of(DispatchAttempt attempt) =>
        new(attempt.Number, Rfc3339.Format(attempt.At), attempt.Milliseconds, attempt.Result.Code, attempt.Status, attempt.Answer);

    /// <param name="last">The instance's sample before it, if one is shown.</param>
    public static SampleView Of(MeteringRecord sample, MeteringRecord? last) => new(
        Rfc3339.Format(sample.SampledAt), sample.Instance.ToString(), sample.Epoch, sample.Counter, (long)sample.Interval.TotalMilliseconds,
        sample.Totals.CpuMs, sample.Totals.GpuMs,
        Restarted: last is not null && sample.Epoch > last.Epoch, Gap: last is null ? null : sample.GapAfter(last));

    public static InstanceView Of(InstanceState instance, Month month, DateTimeOffset now)
    {
        var used = instance.Month == month ? instance.InMonth : ComputeTime.Zero;
        return new(
            instance.Instance.ToString(), Liveness.Of(instance.LastSeen, now).Name, Rfc3339.Format(instance.LastSeen), Rfc3339.Format(instance.FirstSeen),
            Rfc3339.Format(instance.SampledAt),
            instance.Epoch, instance.Counter, used.CpuMs, used.GpuMs, [.. instance.Restarts.Select(Rfc3339.Format)], instance.IsReset);
    }

    private static string? Time(DateTimeOffset? time) => time is { } known ? Rfc3339.Format(known) : null;
}
