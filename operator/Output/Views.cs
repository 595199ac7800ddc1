using ControlPlane.Executions;
using ControlPlane.Quotas;

namespace ControlPlane.Operator.Output;

// What --output json prints. Scripts read it: a member may be added, never renamed. Times are RFC 3339 in UTC, durations milliseconds.

/// <param name="WhenSilent"><c>warn</c> or <c>deny</c>.</param>
/// <param name="AwsAccount">With the role, by whom its machines may enrol with their own identity; null where none may.</param>
internal sealed record TenantView(
    string Tenant, string Name, string Status, string Cidr, string Engine, bool AllowPublicSubnet, long MonthlyQuota, int Concurrency, long? MonthlyGpuMs,
    int InstancesMax, string WhenSilent, string? AwsAccount, string? EngineRole, string? Channel);

internal sealed record TenantsView(IReadOnlyList<TenantView> Tenants);

internal sealed record TenantDetailView(
    TenantView Tenant, IReadOnlyList<string> Slack, IReadOnlyList<string> Workflows, IReadOnlyList<string> Groups, IReadOnlyList<string> ValidKeys);

/// <param name="Result"><c>registered</c>, <c>linked</c> (it was there, its workspace was not) or <c>unchanged</c>.</param>
internal sealed record RegistrationView(string Result, TenantView Tenant, IReadOnlyList<string> Slack);

/// <param name="Result">What was done, in one word; <c>unchanged</c> when it was so before.</param>
internal sealed record TenantChangeView(string Result, TenantView Tenant);

/// <param name="State"><c>done</c>, <c>stopped</c> or <c>open</c>.</param>
/// <param name="StoppedAt">The step that could not be done, and why.</param>
/// <param name="Link">What is shown once: the link for Slack's administrator; null where none was asked for, or none was made now.</param>
internal sealed record SeriesView(
    string Series, string Tenant, string State, IReadOnlyList<StepView> Steps, string? StoppedAt, string? Why, string? Link);

/// <param name="Commands">For a shell, in order; some are remarks.</param>
internal sealed record CommandsView(string Tenant, string Account, IReadOnlyList<string> Commands);

/// <param name="State"><c>done</c>, <c>stopped</c> or <c>open</c>.</param>
/// <param name="Result">What came of it; null until it is done.</param>
internal sealed record StepView(string Step, string InWords, string State, bool LosesData, string? At, string? By, string? Result);

/// <param name="Result"><c>removed</c> or <c>unchanged</c>: it was removed before.</param>
/// <param name="FreeAgainAt">When its number may be registered again.</param>
internal sealed record RemovalView(
    string Result, TenantView Tenant, int KeysRevoked, IReadOnlyList<string> Unlinked, int ExecutionsClosed, string? FreeAgainAt);

/// <param name="Link">Carries the ticket: it is not to be had again.</param>
internal sealed record InviteView(string Id, string Tenant, string Link, string ExpiresAt);

internal sealed record InvitationsView(IReadOnlyList<InvitationView> Invitations);

/// <param name="State"><c>open</c>, <c>used</c> or <c>expired</c>.</param>
internal sealed record InvitationView(string Id, string State, string CreatedAt, string ExpiresAt, string? UsedBy);

internal sealed record InviteRevokedView(string Result, string Id, string Tenant);

/// <param name="Unreadable">Workspaces whose token no key opens.</param>
internal sealed record ResealView(int Anew, int AsTheyWere, IReadOnlyList<string> Unreadable);

internal sealed record SlackLinkView(string Result, string Workspace, string Tenant);

/// <param name="State"><c>valid</c>, <c>expired</c> or <c>revoked</c>.</param>
internal sealed record KeyView(
    string KeyId, string Tenant, string? Instance, string PublicKey, string State, string AddedAt, string? NotAfter, string? RevokedAt);

/// <param name="Code">Not to be had again.</param>
internal sealed record KeyInviteView(string Id, string Code, string Tenant, string? Instance, string ExpiresAt);

internal sealed record EnrolmentInvitesView(IReadOnlyList<EnrolmentInviteView> Invitations);

/// <param name="State"><c>open</c>, <c>used</c> or <c>expired</c>.</param>
/// <param name="Instance">The one machine that it is good for; null for any.</param>
/// <param name="UsedBy">The key that came of it.</param>
internal sealed record EnrolmentInviteView(string Id, string State, string? Instance, string CreatedAt, string ExpiresAt, string? UsedBy);

internal sealed record KeysView(IReadOnlyList<KeyView> Keys);

internal sealed record KeyChangeView(string Result, KeyView Key);

/// <param name="Parameters">As <c>--param</c> takes them.</param>
internal sealed record WorkflowView(
    string Workflow, string Path, bool Enabled, IReadOnlyList<string> Parameters, long DeadlineMs, bool Idempotent,
    IReadOnlyList<string> AllowedUsers, IReadOnlyList<string> AllowedGroups, IReadOnlyList<string> AllowedChannels, ApprovalRuleView? Approval);

/// <param name="Channel">With its workspace: <c>T…/C…</c>.</param>
internal sealed record ApprovalRuleView(IReadOnlyList<string> Groups, string Channel, int Approvals, bool SelfApproval, long WithinMs);

/// <param name="User">With their workspace: <c>T…/U…</c>.</param>
internal sealed record ApprovalView(string User, string At);

internal sealed record WorkflowsView(string Tenant, IReadOnlyList<WorkflowView> Workflows);

internal sealed record WorkflowChangeView(string Result, string Tenant, WorkflowView Workflow);

internal sealed record GroupView(string Group, IReadOnlyList<string> Users);

internal sealed record GroupsView(string Tenant, IReadOnlyList<GroupView> Groups);

internal sealed record GroupChangeView(string Result, string Tenant, GroupView Group);

internal sealed record ExecutionLineView(
    string ExecutionId, string Workflow, string State, string CreatedAt, Requester RequestedBy, string DeadlineAt, string? FinishedAt, string? FailureCode,
    bool Late);

internal sealed record ExecutionsView(string Tenant, IReadOnlyList<ExecutionLineView> Executions);

/// <param name="Result"><c>ordered</c>, <c>cancelled</c> or <c>cancelled before</c>.</param>
internal sealed record ExecutionChangeView(string Result, string ExecutionId, string Tenant, string Workflow);

/// <param name="Inputs">The inputs' names; their values are the tenant's own.</param>
internal sealed record ExecutionView(
    string ExecutionId, string TraceId, string Tenant, string Workflow, string State, Requester RequestedBy, IReadOnlyList<string> Inputs, string Month,
    string CreatedAt, string DeadlineAt, string? DispatchedAt, string? StartedAt, string? FinishedAt, string? ToldAt,
    int Attempts, string? FailureCode, string? CancelledBy, bool Late, OutcomeView? Outcome);

internal sealed record OutcomeView(string Status, string? EngineExecutionId, ExecutionUsage Usage, string? ErrorCode);

/// <param name="Approvals">Who said yes, in that order.</param>
/// <param name="DeniedBy">The approver who said no.</param>
internal sealed record WhyView(
    ExecutionView Execution, PolicyDecision? Decision, IReadOnlyList<ApprovalView> Approvals, ApprovalView? DeniedBy, IReadOnlyList<AttemptView> Attempts,
    string InPlainWords);

/// <param name="Answer">How the engine's answer to a token that it refused began.</param>
internal sealed record AttemptView(int Number, string At, long Milliseconds, string Result, int? Status, string? Answer);

internal sealed record UsageView(
    string Tenant, long MonthlyQuota, long Used, long Reserved, long Left, int UnderWay, int Concurrency, MeteredView Metered, ExecutionUsage Reported);

/// <param name="Liveness">HEALTHY, LATE or OFFLINE.</param>
/// <param name="CpuMs">Of this month, as the next.</param>
/// <param name="CountsAnew">Whether it was reset and its next sample is the new beginning.</param>
internal sealed record InstanceView(
    string Instance, string Liveness, string LastSeen, string FirstSeen, string SampledAt, long Epoch, long Counter, long CpuMs, long GpuMs,
    IReadOnlyList<string> Restarts, bool CountsAnew);

internal sealed record InstancesView(string Tenant, int InstancesMax, IReadOnlyList<InstanceView> Instances);

/// <param name="Result"><c>reset</c>.</param>
internal sealed record InstanceChangeView(string Result, string Tenant, InstanceView Instance);

/// <param name="CpuMs">As the sidecars measured it.</param>
/// <param name="GpuLimitMs">Null for no limit.</param>
/// <param name="GpuUnreadableSince">Since when <paramref name="GpuMs"/> lacks something; null while nothing is missing.</param>
internal sealed record MeteredView(long CpuMs, long GpuMs, long? GpuLimitMs, string? GpuUnreadableSince);

/// <param name="Result"><c>agrees</c>, <c>differs</c> or <c>corrected</c>.</param>
/// <param name="Owner">The region that writes this ledger; null before its first write.</param>
/// <param name="Ledger">As it was read.</param>
/// <param name="Executions">As they were counted.</param>
internal sealed record RecountView(string Tenant, string Month, string Result, string? Owner, LedgerCountView Ledger, LedgerCountView Executions);

internal sealed record LedgerCountView(long Charged, long Used, int UnderWay, ExecutionUsage Reported);

internal sealed record LedgerOwnerView(string Writer, IReadOnlyList<string> Tenants);

internal sealed record UsagesView(string Month, IReadOnlyList<UsageView> Usage);

/// <param name="Months">The newest first.</param>
internal sealed record UsageHistoryView(IReadOnlyList<UsagesView> Months);

/// <param name="CpuMs">Since the epoch began, like <paramref name="GpuMs"/>.</param>
/// <param name="Restarted">Whether it begins an epoch; false for the first that is shown of an instance.</param>
/// <param name="Gap">Samples that are missing before this one; null for the first that is shown of an instance, and for one that is dated after a later
/// one.</param>
internal sealed record SampleView(
    string SampledAt, string Instance, long Epoch, long Counter, long IntervalMs, long CpuMs, long GpuMs, bool Restarted, long? Gap);

/// <param name="Samples">Oldest first.</param>
internal sealed record SamplesView(string Tenant, string Since, IReadOnlyList<SampleView> Samples);

/// <param name="SignsFrom">From when tokens are signed with it, if no newer one is there by then.</param>
/// <param name="Signs">Whether they are at this moment.</param>
internal sealed record EngineKeyGenerationView(string KeyId, string SignsFrom, bool Signs);

/// <param name="Issuer">What <c>iss</c> says in every token; null where this tool cannot know it.</param>
/// <param name="Generation"><c>current</c> or <c>previous</c>.</param>
/// <param name="Signs">Whether tokens are signed with it at this moment.</param>
/// <param name="SignsFrom">From when they are, or were.</param>
/// <param name="Keys">Every key that is published, newest first.</param>
internal sealed record EngineKeyView(
    string Tenant, string? Issuer, string Audience, string KeyId, string Generation, bool Signs, string SignsFrom, string Pem,
    IReadOnlyList<EngineKeyGenerationView> Keys);

/// <param name="PreviousUntil">Until when the value before is honoured; null when it is not.</param>
/// <param name="Kept">Generations before this one that are.</param>
internal sealed record SecretRotationView(string Secret, string VersionId, string? PreviousUntil, int Kept);

/// <param name="AgeMs">Since it was first sent.</param>
internal sealed record DeadLetterView(string Queue, string MessageId, string? ExecutionId, string? Tenant, string SentAt, long AgeMs, int Receives);

internal sealed record DeadLettersView(IReadOnlyList<DeadLetterView> DeadLetters);

internal sealed record RedriveView(string Queue, bool DryRun, IReadOnlyList<DeadLetterView> Messages);

/// <param name="Liveness">Null for a tenant whose sidecars never reported.</param>
/// <param name="GpuUnreadableSince">Null while all that its GPUs do is metered.</param>
/// <param name="Silent">The instances that are not healthy.</param>
internal sealed record TenantHealthView(
    string Tenant, string Status, string? Liveness, string? LastSeen, int HealthyInstances, int Instances, string? GpuUnreadableSince,
    IReadOnlyList<SilentInstanceView> Silent);

internal sealed record SilentInstanceView(string Instance, string Liveness, string LastSeen);

internal sealed record QueueHealthView(string Queue, long Waiting, long InFlight, long DeadLetters);

internal sealed record HealthView(IReadOnlyList<TenantHealthView> Tenants, IReadOnlyList<QueueHealthView> Queues);

/// <summary>What <c>/health</c> says.</summary>
internal sealed record HealthReportView(string Status, string? Region = null);

/// <param name="Active">The active region, where all that answers agrees on it; else null.</param>
/// <param name="State"><c>settled</c>; <c>between</c>, when a takeover is not done; <c>unknown</c>, when nothing answers.</param>
/// <param name="ServesSlack">The region that answers at the public name; null where it does not, or nobody said where to ask.</param>
/// <param name="Next">What there is to do.</param>
internal sealed record RegionsView(string? Active, string State, string? ServesSlack, IReadOnlyList<RegionView> Regions, string Next);

/// <param name="Fault">Why it does not answer; null when it does.</param>
/// <param name="Active">The region that its copies name.</param>
/// <param name="Health">What its <c>/health</c> says: <c>ok</c> or <c>unavailable</c>; null where nobody said where to ask.</param>
/// <param name="Ledgers">How many tenants' ledgers each region writes, as its copies have it.</param>
internal sealed record RegionView(
    string Region, string Role, string? Fault, string? Active, string? Health, IReadOnlyList<LedgerShareView> Ledgers, IReadOnlyList<QueueHealthView> Queues);

/// <param name="Region">Null for those that nobody has written yet.</param>
internal sealed record LedgerShareView(string? Region, int Tenants);

/// <param name="IsPlan">Whether nothing was done.</param>
internal sealed record TakeoverView(string From, string To, bool IsPlan, IReadOnlyList<TakeoverStepView> Steps);

/// <param name="Region">The one it is done in.</param>
/// <param name="Result">What came of it; of a plan, what would.</param>
internal sealed record TakeoverStepView(string Step, string Region, string Result);

/// <param name="Overlap"><c>skip</c> or <c>allow</c>.</param>
/// <param name="Inputs">Their names.</param>
/// <param name="Next">Planned times to come; none while it is paused.</param>
/// <param name="Last">What became of the last ones, the newest last.</param>
internal sealed record ScheduleView(
    string ScheduleId, string Tenant, string Workflow, string Cron, string Zone, string Overlap, IReadOnlyList<string> Inputs, Requester Owner, string MadeAt,
    string? PausedAt, IReadOnlyList<string> Next, IReadOnlyList<FiringView> Last);

/// <param name="Until">Where several came to the same, one after the other: before when.</param>
/// <param name="Result">The execution's state; <c>ordered</c> before there is one, <c>overlapped</c> or <c>missed</c> where there is none.</param>
internal sealed record FiringView(string PlannedAt, string? Until, string Result, string? ExecutionId);

internal sealed record SchedulesView(string Tenant, IReadOnlyList<ScheduleView> Schedules);

/// <param name="Result"><c>added</c>, <c>paused</c>, <c>resumed</c>, <c>removed</c>, or <c>unchanged</c> when it was so before.</param>
internal sealed record ScheduleChangeView(string Result, ScheduleView Schedule);

internal sealed record AuditView(string Since, IReadOnlyList<AuditEntryView> Entries);

/// <param name="Actor">An operator's ARN, <c>local:</c>, <c>slack:</c> or <c>oidc:</c> and who that is there.</param>
/// <param name="Tenant">Null where the change is the hub's.</param>
/// <param name="RequestId">Of the command or the request: its other changes have the same.</param>
internal sealed record AuditEntryView(
    string At, string Actor, string? Mail, string Action, string? Tenant, string Target, IReadOnlyList<AuditedValueView> Values, string RequestId);

/// <param name="Was">Null where there was none.</param>
/// <param name="Is">Null where there is none any more.</param>
internal sealed record AuditedValueView(string Name, string? Was, string? Is);
