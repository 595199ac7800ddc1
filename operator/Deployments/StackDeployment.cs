using System.Text.RegularExpressions;
using Amazon;
using Amazon.DynamoDBv2;
using Amazon.Runtime;
using Amazon.SecretsManager;
using Amazon.SecurityToken;
using Amazon.SQS;
using ControlPlane.Executions;

namespace ControlPlane.Operator.Deployments;

/// <summary>A deployed stack of serverless.template. Credentials are the AWS SDK's default chain.</summary>
/// <remarks>The template names tables and secrets after the stack, so they need no look-up. Queues have names that CloudFormation made up around the stack's
/// and the logical id: those are looked up when a command needs them.</remarks>
/// <param name="region">Null for the SDK's own: <c>AWS_REGION</c> or the profile's.</param>
internal sealed partial class StackDeployment(string stack, string? region) : Deployment
{
    public const string StandardStack = "control-plane";

    private const string IssuerTag = "ControlPlaneUrl";

    public override string InWords => $"the stack {stack} in {KnownRegion?.SystemName ?? "the default region"}";

    public override string Stack => stack;

    public override string Mend => "check --stack and --region.";

    /// <summary>Null when neither the operator, the environment nor the profile names one.</summary>
    private RegionEndpoint? KnownRegion =>
        region is not null ? RegionEndpoint.GetBySystemName(region) : FallbackRegionFactory.GetRegionEndpoint(includeInstanceMetadata: false);

    private RegionEndpoint RequiredRegion =>
        KnownRegion ?? throw new NoDeploymentException("No AWS region is known: say --region us-east-1, or set AWS_REGION. (For a running ./run: --local.)");

    public override string Region => RequiredRegion.SystemName;

    public override Uri? HealthAddress(string region, string? domain) => domain is null ? null : new($"https://origin-{region}.{domain}/health");

    // TenantsTable → control-plane-tenants; RateLimitsTable → control-plane-rate-limits.
    public override string TableOf(string logicalId) => $"{stack}-{Dashed(logicalId[..^"Table".Length])}";

    // TokenRootSecret → control-plane/token-root.
    public override string SecretOf(string logicalId) => $"{stack}/{Dashed(logicalId[..^"Secret".Length])}";

    public override async Task<string> QueueUrlOfAsync(string logicalId, IAmazonSQS sqs, CancellationToken cancel)
    {
        var answer = await sqs.ListQueuesAsync(new Amazon.SQS.Model.ListQueuesRequest { QueueNamePrefix = $"{stack}-{logicalId}-", MaxResults = 100 }, cancel);
        var found = (answer.QueueUrls ?? []).Where(url => MadeUp().IsMatch(url[(url.LastIndexOf('/') + 1 + $"{stack}-{logicalId}-".Length)..])).ToList();
        return found switch
        {
            [var url] => url,
            [] => throw new NoDeploymentException($"There is no queue {stack}-{logicalId}-… in {RequiredRegion.SystemName}: {Mend}"),
            _ => throw new NoDeploymentException(
                $"There are {found.Count} queues {stack}-{logicalId}-… in {RequiredRegion.SystemName}: delete the one that no stack owns."),
        };
    }

    /// <remarks>The template hangs its parameter on a queue as a tag: who operates the stack may ask that, while the stack itself is the deployer's.</remarks>
    public override async Task<string?> IssuerAsync(IAmazonSQS sqs, CancellationToken cancel)
    {
        try
        {
            var queue = await QueueUrlOfAsync("ExecutionRequestsQueue", sqs, cancel);
            return (await sqs.ListQueueTagsAsync(new() { QueueUrl = queue }, cancel)).Tags?.GetValueOrDefault(IssuerTag);
        }
        catch (Exception e) when (e is NoDeploymentException or AmazonSQSException)
        {
            return null;        // a stack of before, or nothing that this operator may ask
        }
    }

    public override async Task<OperatorId> CallerAsync(CancellationToken cancel)
    {
        using var sts = new AmazonSecurityTokenServiceClient(new AmazonSecurityTokenServiceConfig { RegionEndpoint = RequiredRegion });
        return OperatorId.Parse((await sts.GetCallerIdentityAsync(new(), cancel)).Arn);
    }

    public override IAmazonDynamoDB NewDynamo() => new AmazonDynamoDBClient(new AmazonDynamoDBConfig { RegionEndpoint = RequiredRegion });

    public override IAmazonSQS NewSqs() => new AmazonSQSClient(new AmazonSQSConfig { RegionEndpoint = RequiredRegion });

    public override IAmazonSecretsManager NewSecretsManager() =>
        new AmazonSecretsManagerClient(new AmazonSecretsManagerConfig { RegionEndpoint = RequiredRegion });

    private static string Dashed(string name) => WithinWord().Replace(name, "-").ToLowerInvariant();

    [GeneratedRegex("(?<=[a-z])(?=[A-Z])")]
    private static partial Regex WithinWord();

    [GeneratedRegex(@"\A[A-Za-z0-9]+(\.fifo)?\z")]
    private static partial Regex MadeUp();
}
