using System.Diagnostics.CodeAnalysis;
using Amazon.Runtime;
using Amazon.SecretsManager.Model;

namespace Amazon.SecretsManager;

/// <remarks>https://docs.aws.amazon.com/secretsmanager/latest/apireference/</remarks>
public interface IAmazonSecretsManager : IAmazonService, IDisposable
{
    Task<CreateSecretResponse> CreateSecretAsync(CreateSecretRequest request, CancellationToken cancellationToken = default);
    Task<GetSecretValueResponse> GetSecretValueAsync(GetSecretValueRequest request, CancellationToken cancellationToken = default);
    Task<PutSecretValueResponse> PutSecretValueAsync(PutSecretValueRequest request, CancellationToken cancellationToken = default);
    Task<UpdateSecretVersionStageResponse> UpdateSecretVersionStageAsync(
        UpdateSecretVersionStageRequest request, CancellationToken cancellationToken = default);

    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicProperties, typeof(AmazonSecretsManagerConfig))]
    static ClientConfig IAmazonService.CreateDefaultClientConfig() => new AmazonSecretsManagerConfig();

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The base member's warning is about another service, and suppressed there.")]
    static IAmazonService IAmazonService.CreateDefaultServiceClient(AWSCredentials awsCredentials, ClientConfig clientConfig) => clientConfig switch
    {
        AmazonSecretsManagerConfig config when awsCredentials is null => new AmazonSecretsManagerClient(config),
        AmazonSecretsManagerConfig config => new AmazonSecretsManagerClient(awsCredentials, config),
        _ => throw new AmazonClientException("ClientConfig is not of type AmazonSecretsManagerConfig."),
    };
}
