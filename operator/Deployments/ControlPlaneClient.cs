using Amazon.DynamoDBv2;
using Amazon.SQS;
using ControlPlane.Administration;
using ControlPlane.Administration.DeadLetters;
using ControlPlane.Audit;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Operator.Secrets;
using ControlPlane.Secrets;
using ControlPlane.Tokens;

namespace ControlPlane.Operator.Deployments;

/// <summary>A control plane's stores. Each connection is made when it is first used.</summary>
internal sealed class ControlPlaneClient(Deployment deployment, TimeProvider clock) : IDisposable
{
    private IAmazonDynamoDB? _dynamo;
    private IAmazonSQS? _sqs;
    private Auditor? _auditor;

    public TimeProvider Clock => clock;

    public TenantRegistry Tenants => new(Dynamo, deployment.TableOf("TenantsTable"));

    public async Task<TenantAdministration> AdministrationAsync(CancellationToken cancel) =>
        new(Dynamo, deployment.TableOf("TenantsTable"), await AuditorAsync(cancel), clock);

    public async Task<Invitations> InvitationsAsync(CancellationToken cancel) => new(Enrolments, Installations, await AuditorAsync(cancel), clock);

    public SlackInstallations Installations => new(Dynamo, deployment.TableOf("TenantsTable"), clock);

    public StepSeriesStore StepSeries => new(Dynamo, deployment.TableOf("TenantsTable"));

    public EnrolmentStore Enrolments => new(Dynamo, deployment.TableOf("TenantsTable"), clock);

    public ExecutionStore Executions => new(Dynamo, deployment.TableOf("ExecutionsTable"), deployment.TableOf("QuotasTable"), clock);

    public ReplyStore Replies => new(Dynamo, deployment.TableOf("ExecutionsTable"), clock);

    public ScheduleStore Schedules => new(Dynamo, deployment.TableOf("ExecutionsTable"), clock);

    public QuotaLedger Quotas => new(Dynamo, deployment.TableOf("QuotasTable"));

    public InstanceStore Instances => new(Dynamo, deployment.TableOf("InstancesTable"), clock);

    public MeteringStore Samples => new(Dynamo, deployment.TableOf("MeteringTable"), clock);

    public AuditTrail Audit => new(Dynamo, deployment.TableOf("AuditTable"), clock);

    /// <summary>Notes what the command that runs changes.</summary>
    public async Task<Auditor> AuditorAsync(CancellationToken cancel) =>
        _auditor ??= Audit.For(Actor.Of(await CallerAsync(cancel)), $"ctl-{Guid.NewGuid():N}");

    /// <param name="primary">The region that is active while nobody has named another.</param>
    public ActiveRegion ActiveRegion(string primary) => new(Dynamo, deployment.TableOf("QuotasTable"), primary);

    /// <summary>Where a region's <c>/health</c> is asked; null where nobody says.</summary>
    public Uri? HealthAddress(string region, string? domain) => deployment.HealthAddress(region, domain);

    /// <summary>The control plane's URL, which is what <c>iss</c> says in every token; null where the place does not say.</summary>
    public Task<string?> IssuerAsync(CancellationToken cancel) => deployment.IssuerAsync(Sqs, cancel);

    /// <inheritdoc cref="Deployment.Region"/>
    public string Region => deployment.Region;

    /// <inheritdoc cref="Deployment.Stack"/>
    public string Stack => deployment.Stack;

    public string? NoteOnEngineOf(string tenant) => deployment.NoteOnEngineOf(tenant);

    public RotatingSecret<RootSecret> TokenRoot() =>
        new(new SecretsManagerSource(deployment.NewSecretsManager()), deployment.SecretOf("TokenRootSecret"), RootSecret.Parse, RootSecret.Overlap, clock);

    public TokenReseal TokenReseal() =>
        new(new SecretsManagerSource(deployment.NewSecretsManager()), deployment.SecretOf("SlackSecret"), Tenants, Installations);

    public SecretRotation RotationOf(SecretPart part) => new(deployment.NewSecretsManager(), deployment.SecretOf(part.Secret), part, clock);

    public async Task<DeadLetterQueue> DeadLettersOfAsync(WorkQueue queue, CancellationToken cancel) => new(
        Sqs,
        queue,
        url: await deployment.QueueUrlOfAsync($"{queue.LogicalName}DeadLetters", Sqs, cancel),
        home: await deployment.QueueUrlOfAsync($"{queue.LogicalName}Queue", Sqs, cancel));

    /// <summary>Who uses this tool, as it goes on record.</summary>
    public Task<OperatorId> CallerAsync(CancellationToken cancel) => deployment.CallerAsync(cancel);

    public async Task<MessageQueue<ExecutionRequest>> ExecutionRequestsAsync(CancellationToken cancel) =>
        new(Sqs, await deployment.QueueUrlOfAsync("ExecutionRequestsQueue", Sqs, cancel), DomainJson.Default.ExecutionRequest);

    public async Task<MessageQueue<Notification>> NotificationsAsync(CancellationToken cancel) =>
        new(Sqs, await deployment.QueueUrlOfAsync("NotificationsQueue", Sqs, cancel), DomainJson.Default.Notification);

    private IAmazonDynamoDB Dynamo => _dynamo ??= deployment.NewDynamo();

    private IAmazonSQS Sqs => _sqs ??= deployment.NewSqs();

    public void Dispose()
    {
        _dynamo?.Dispose();
        _sqs?.Dispose();
    }
}
