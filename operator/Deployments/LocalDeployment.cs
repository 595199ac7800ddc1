using System.Text.Json;
using System.Text.Json.Serialization;
using Amazon.DynamoDBv2;
using Amazon.Runtime;
using Amazon.SecretsManager;
using Amazon.SQS;
using ControlPlane.Executions;

namespace ControlPlane.Operator.Deployments;

/// <summary>What <c>./run</c> writes into its state folder for as long as it runs, as far as this tool needs it.</summary>
internal sealed record EndpointsFile(
    string Dynamodb, string Sqs, string SecretsManager, string Region,
    IReadOnlyDictionary<string, string> Tables, IReadOnlyDictionary<string, string> Queues, IReadOnlyDictionary<string, string> Secrets,
    string? ControlPlaneUrl = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(EndpointsFile))]
internal sealed partial class EndpointsJson : JsonSerializerContext;

/// <summary>A control plane that <c>./run</c> runs on this machine.</summary>
internal sealed class LocalDeployment : Deployment
{
    private readonly string _folder;
    private readonly EndpointsFile _endpoints;

    private LocalDeployment(string folder, EndpointsFile endpoints) => (_folder, _endpoints) = (folder, endpoints);

    public override string InWords => $"the control plane of {_folder}";

    public override string Mend => "is ./run still running?";

    // The servers take any.
    private static BasicAWSCredentials Credentials => new("local", "local");

    /// <exception cref="NoDeploymentException">No control plane runs on that folder.</exception>
    public static LocalDeployment Read(string folder)
    {
        var file = Path.Combine(folder, "endpoints.json");
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(file), EndpointsJson.Default.EndpointsFile) is { } endpoints
                ? new(folder, endpoints)
                : throw new JsonException();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new NoDeploymentException($"No control plane runs on {folder}: start ./run, or name its folder with --state.");
        }
        catch (Exception e) when (e is JsonException or UnauthorizedAccessException)
        {
            throw new NoDeploymentException($"{file} cannot be read: stop ./run and start it again.");
        }
    }

    public override Task<string?> IssuerAsync(IAmazonSQS sqs, CancellationToken cancel) => Task.FromResult<string?>(_endpoints.ControlPlaneUrl);

    /// <summary>The region whose functions run there.</summary>
    public override string Region => _endpoints.Region;

    public override Uri? HealthAddress(string region, string? domain) =>
        _endpoints.ControlPlaneUrl is { } url && new Uri(url) is { IsLoopback: true } address ? new(address, "/health") : null;

    public override string NoteOnEngineOf(string tenant) =>
        $"./run gives {tenant} an engine and a metering sidecar of its own, and dials nothing outside this machine. For another engine here: ./run --engine {tenant}=127.0.0.1:5678.";

    public override string TableOf(string logicalId) => Named(_endpoints.Tables, logicalId);

    public override string SecretOf(string logicalId) => Named(_endpoints.Secrets, logicalId);

    public override Task<string> QueueUrlOfAsync(string logicalId, IAmazonSQS sqs, CancellationToken cancel) =>
        Task.FromResult(Named(_endpoints.Queues, logicalId));

    public override Task<OperatorId> CallerAsync(CancellationToken cancel) => Task.FromResult(OperatorIdentity.OfThisMachine());

    public override IAmazonDynamoDB NewDynamo() => new AmazonDynamoDBClient(Credentials, At<AmazonDynamoDBConfig>(_endpoints.Dynamodb));

    public override IAmazonSQS NewSqs() => new AmazonSQSClient(Credentials, At<AmazonSQSConfig>(_endpoints.Sqs));

    public override IAmazonSecretsManager NewSecretsManager() =>
        new AmazonSecretsManagerClient(Credentials, At<AmazonSecretsManagerConfig>(_endpoints.SecretsManager));

    private T At<T>(string url) where T : ClientConfig, new() => new() { ServiceURL = url, AuthenticationRegion = _endpoints.Region, MaxErrorRetry = 1 };

    private string Named(IReadOnlyDictionary<string, string> names, string logicalId) =>
        names.TryGetValue(logicalId, out var name) ? name : throw new NoDeploymentException($"{InWords} has no {logicalId}: stop ./run and start it again.");
}
