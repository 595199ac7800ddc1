using Amazon.DynamoDBv2;
using Amazon.SQS;
using ControlPlane.Aws;
using ControlPlane.Operator.DeadLetters;
using ControlPlane.Operator.Secrets;
using ControlPlane.Secrets;
using ControlPlane.Tokens;

namespace ControlPlane.Operator.Places;

/// <summary>A control plane's stores. Each connection is made when it is first used.</summary>
internal sealed class Hub(Place place, TimeProvider clock) : IDisposable
{
    private IAmazonDynamoDB? _dynamo;
    private IAmazonSQS? _sqs;

    public TimeProvider Clock => clock;

    public TenantRegistry Tenants => new(Dynamo, place.TableOf("TenantsTable"));

    public TenantAdministration Administration => new(Dynamo, place.TableOf("TenantsTable"), clock);

    public ExecutionStore Executions => new(Dynamo, place.TableOf("ExecutionsTable"), place.TableOf("QuotasTable"), clock);

    public QuotaLedger Quotas => new(Dynamo, place.TableOf("QuotasTable"));

    public InstanceStore Instances => new(Dynamo, place.TableOf("InstancesTable"), clock);

    public MeteringStore Samples => new(Dynamo, place.TableOf("MeteringTable"), clock);

    /// <summary>Null where the place does not say.</summary>
    public string? Issuer => place.Issuer;

    public string? NoteOnEngineOf(string tenant) => place.NoteOnEngineOf(tenant);

    public RotatingSecret<RootSecret> TokenRoot() =>
        new(new SecretsManagerSource(place.NewSecretsManager()), place.SecretOf("TokenRootSecret"), RootSecret.Parse, RootSecret.Overlap, clock);

    public SecretRotation RotationOf(SecretPart part) => new(place.NewSecretsManager(), place.SecretOf(part.Secret), part, clock);

    public async Task<DeadLetterQueue> DeadLettersOfAsync(WorkQueue queue, CancellationToken cancel) => new(
        Sqs,
        queue,
        url: await place.QueueUrlOfAsync($"{queue.LogicalName}DeadLetters", Sqs, cancel),
        home: await place.QueueUrlOfAsync($"{queue.LogicalName}Queue", Sqs, cancel));

    private IAmazonDynamoDB Dynamo => _dynamo ??= place.NewDynamo();

    private IAmazonSQS Sqs => _sqs ??= place.NewSqs();

    public void Dispose()
    {
        _dynamo?.Dispose();
        _sqs?.Dispose();
    }
}
