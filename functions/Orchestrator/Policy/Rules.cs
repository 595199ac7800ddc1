using System.Globalization;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Orchestrator.Plans;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Orchestrator.Policy;

/// <summary>The rules of who may run what and when. Each looks at one thing and knows no other rule.</summary>
internal static class Rules
{
    private static readonly Verdict NotAsked = new Verdict.NotAsked();

    public static Verdict TenantIsActive(Situation situation) => situation.Standing switch
    {
        { Fault: not null } => Deny("tenant_misconfigured", "This workspace's set-up is broken. Its operators have been told."),
        { Tenant: null } => Deny("tenant_unknown", "This workspace is not set up to run workflows."),
        { Tenant.Status: TenantStatus.Suspended } => Deny("tenant_suspended", "This workspace is suspended."),
        { Tenant.Status: TenantStatus.Deleting } => Deny("tenant_deleting", "This workspace is being removed."),
        _ => Allow("The workspace is active."),
    };

    public static Verdict WorkflowIsPublished(Situation situation) => situation.Standing.Workflow switch
    {
        null when situation.Standing.Tenant is null => NotAsked,
        null => Deny("workflow_unknown", $"There is no workflow {situation.Request.Workflow}."),
        { Enabled: false } => Deny("workflow_disabled", $"{situation.Request.Workflow} is switched off."),
        _ => Allow($"{situation.Request.Workflow} is in the catalogue."),
    };

    public static Verdict UserMayRunIt(Situation situation) => (situation.Standing.Workflow, situation.Request.RequestedBy) switch
    {
        (null, _) => NotAsked,
        (_, Requester.Operator or Requester.Schedule { Caller: not null }) => Allow("An operator may run every workflow."),
        ({ } workflow, { Asker: { } by }) when workflow.PermitsUser(by.TeamId, by.UserId, situation.Standing.Groups) => Allow("The user may run it."),
        _ => Deny("user_not_allowed", $"You may not run {situation.Request.Workflow}."),
    };

    public static Verdict ChannelMayRunIt(Situation situation) => (situation.Standing.Workflow, situation.Request.RequestedBy) switch
    {
        (null, _) => NotAsked,
        (_, Requester.Operator or Requester.Schedule { Caller: not null }) => Allow("An operator runs it from no channel."),
        ({ } workflow, { Asker: { } by }) when workflow.PermitsChannel(by.ChannelId) => Allow("It may be run from this channel."),
        _ => Deny("channel_not_allowed", $"{situation.Request.Workflow} may not be run from this channel."),
    };

    public static Verdict InputsFit(Situation situation) => situation.Planning switch
    {
        null => NotAsked,
        Planning.Unusable unusable => Deny("inputs_invalid", string.Join(" ", unusable.InPlainWords)),
        _ => Allow("The inputs fit."),
    };

    /// <summary>A request can wait: behind a fault of ours, or as a dead letter that is sent again a day later.</summary>
    public static Verdict IsStillInTime(Situation situation) => situation.Planning switch
    {
        Planning.Ready { Plan: var plan } when situation.Now < plan.DeadlineAt => Allow($"It has until {Rfc3339.Format(plan.DeadlineAt)}."),
        Planning.Ready => Deny("request_expired", "The request waited too long to be carried out. Please send it again."),
        _ => NotAsked,
    };

    /// <remarks>A data plane that was never heard of is not known to be down: it may be new. One whose sidecar is silent is not either: the engine may be
    /// well. Dispatch finds out. Where an operator wants silence to deny, it must be the tenant's own: told as such by the sweeper, and no echo of an outage of
    /// the hub or of most tenants.</remarks>
    public static Verdict DataPlaneAnswers(Situation situation) => situation.DataPlane.HealthAt(situation.Now) switch
    {
        null => Warn("data_plane_unheard", "The data plane has not reported yet."),
        { Liveness: Liveness.Offline } when Situation.SilenceDenies(situation.Standing, situation.DataPlane, situation.Now)
            && situation.DataPlane.Told == Liveness.Offline && situation.Watch?.CanTellSilence(situation.Now) == true =>
            Deny("data_plane_offline", "The data plane is offline. Please try again when it is back."),
        { Liveness: Liveness.Offline, LastSeen: var lastSeen } =>
            Warn("data_plane_silent", $"The data plane has been silent for {Silence(situation.Now - lastSeen)}. Trying anyway."),
        { Liveness: Liveness.Late } => Warn("data_plane_late", "The data plane has missed a report. It may be slow to answer."),
        _ => Allow("The data plane is healthy."),
    };

    public static Verdict IsWithinConcurrency(Situation situation) => situation.Standing.Tenant switch
    {
        null => NotAsked,
        { Limits.Concurrency: var limit } when situation.Standing.Active < limit =>
            Allow($"{Text(situation.Standing.Active)} of at most {Text(limit)} executions are under way."),
        { Limits: var limits } => TooManyUnderWay(limits),
    };

    public static Verdict IsWithinMonthlyQuota(Situation situation) => situation.Standing.Tenant switch
    {
        null => NotAsked,
        { Limits.MonthlyQuota: var limit } when situation.Standing.Month.Charged < limit =>
            Allow($"{Text(situation.Standing.Month.Charged)} of this month's {Text(limit)} executions are used or reserved."),
        { Limits: var limits } => QuotaUsedUp(limits),
    };

    public static Verdict IsWithinGpuTime(Situation situation) => situation.Standing.Tenant switch
    {
        null => NotAsked,
        { Limits.MonthlyGpuMs: { } limit } when situation.DataPlane.Usage.GpuMs >= limit =>
            Deny("gpu_time_used_up", $"This month's GPU time of {Minutes(limit)} minutes is used up."),
        { Limits.MonthlyGpuMs: { } limit } =>
            Allow($"{Minutes(situation.DataPlane.Usage.GpuMs)} of this month's {Minutes(limit)} minutes of GPU time are used."),
        _ => Allow("GPU time has no limit."),
    };

    public static Verdict.Deny TooManyUnderWay(TenantLimits limits) =>
        Deny("too_many_under_way", $"{Text(limits.Concurrency)} executions may be under way at once, and that many are. Please try again when one has ended.");

    /// <summary>Traffic reached a region that does not write the tenant's ledger: it moves, or is about to come back.</summary>
    public static readonly Verdict.Deny LedgerElsewhere = new(
        "ledger_elsewhere", "The control plane is moving to another region, and nothing new is started meanwhile. Please try again in a few minutes.");

    public static Verdict.Deny QuotaUsedUp(TenantLimits limits) =>
        Deny("quota_used_up", $"This month's quota of {Text(limits.MonthlyQuota)} executions is used up.");

    private static Verdict.Allow Allow(string inPlainWords) => new(inPlainWords);

    private static Verdict.Deny Deny(string code, string inPlainWords) => new(code, inPlainWords);

    private static Verdict.Warn Warn(string code, string inPlainWords) => new(code, inPlainWords);

    private static string Silence(TimeSpan time) => time switch
    {
        { TotalHours: < 1 } => $"{Text(Math.Floor(time.TotalMinutes))} min",
        { TotalDays: < 2 } => $"{Text(Math.Floor(time.TotalHours))} h",
        _ => $"{Text(Math.Floor(time.TotalDays))} days",
    };

    private static string Minutes(long milliseconds) => Text(TimeSpan.FromMilliseconds(milliseconds).TotalMinutes);

    private static string Text(double number) => number.ToString("0.#", CultureInfo.InvariantCulture);
}
