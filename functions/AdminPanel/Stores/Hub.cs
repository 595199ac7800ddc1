using Amazon.DynamoDBv2;
using Amazon.SQS;
using ControlPlane.Administration;
using ControlPlane.Administration.DeadLetters;
using ControlPlane.Aws;
using ControlPlane.Executions;

namespace ControlPlane.AdminPanel.Stores;

internal sealed record TableNames(string Tenants, string Executions, string Quotas, string Instances, string Metering, string Audit);

/// <param name="Waiting">Where a queue's messages are sent.</param>
/// <param name="Dead">Where they end that were given up.</param>
internal sealed record QueueUrls(string Waiting, string Dead);

/// <summary>What the pages read, and what they change it with.</summary>
/// <param name="queues">By the names that operators know them by.</param>
/// <param name="publicUrl">Of the control plane's public API: links for Slack's administrators begin with it.</param>
internal sealed class Hub(
    IAmazonDynamoDB dynamo, IAmazonSQS sqs, TableNames tables, IReadOnlyDictionary<string, QueueUrls> queues, Uri publicUrl, TimeProvider clock)
{
    public TimeProvider Clock => clock;

    public Uri PublicUrl => publicUrl;

    public TenantRegistry Tenants { get; } = new(dynamo, tables.Tenants);

    public SlackInstallations Installations { get; } = new(dynamo, tables.Tenants, clock);

    public EnrolmentStore Enrolments { get; } = new(dynamo, tables.Tenants, clock);

    public ExecutionStore Executions { get; } = new(dynamo, tables.Executions, tables.Quotas, clock);

    public ScheduleStore Schedules { get; } = new(dynamo, tables.Executions, clock);

    public QuotaLedger Quotas { get; } = new(dynamo, tables.Quotas);

    public InstanceStore Instances { get; } = new(dynamo, tables.Instances, clock);

    public CensusStore Censuses { get; } = new(dynamo, tables.Instances);

    public MeteringStore Samples { get; } = new(dynamo, tables.Metering, clock);

    public AuditTrail Audit { get; } = new(dynamo, tables.Audit, clock);

    public TenantAdministration AdministrationBy(Auditor auditor) => new(dynamo, tables.Tenants, auditor, clock);

    public RemoveTenant RemovalBy(Auditor auditor) => new(Tenants, AdministrationBy(auditor), Schedules, Executions, auditor);

    public CancelExecution CancellationBy(Auditor auditor) => new(Executions, Notifications, auditor);

    public Invitations InvitationsBy(Auditor auditor) => new(Enrolments, Installations, auditor, clock);

    public ResumeSchedule ResumptionBy(Auditor auditor) => new(Schedules, auditor, clock);

    public OrderExecution OrdersBy(Auditor auditor) => new(new(dynamo, tables.Executions, clock), Requests, auditor, clock);

    public DeadLetterQueue DeadLettersOf(WorkQueue queue) => new(sqs, queue, queues[queue.Name].Dead, queues[queue.Name].Waiting);

    private MessageQueue<ExecutionRequest> Requests => new(sqs, queues["execution-requests"].Waiting, DomainJson.Default.ExecutionRequest);

    private MessageQueue<Notification> Notifications => new(sqs, queues["notifications"].Waiting, DomainJson.Default.Notification);
}
