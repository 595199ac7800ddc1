using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.SecretsManager.Internal;
using Amazon.SecretsManager.Model;

namespace Amazon.SecretsManager;

/// <summary>Secrets Manager over AWSSDK.Core's own pipeline: its credentials, signature, retries and endpoints.</summary>
public class AmazonSecretsManagerClient : AmazonServiceClient, IAmazonSecretsManager
{
    private static readonly IServiceMetadata Metadata = new AmazonSecretsManagerMetadata();

    public AmazonSecretsManagerClient() : base(new AmazonSecretsManagerConfig()) { }

    public AmazonSecretsManagerClient(RegionEndpoint region) : base(new AmazonSecretsManagerConfig { RegionEndpoint = region }) { }

    public AmazonSecretsManagerClient(AmazonSecretsManagerConfig config) : base(config) { }

    public AmazonSecretsManagerClient(AWSCredentials credentials) : this(credentials, new AmazonSecretsManagerConfig()) { }

    public AmazonSecretsManagerClient(AWSCredentials credentials, RegionEndpoint region)
        : this(credentials, new AmazonSecretsManagerConfig { RegionEndpoint = region }) { }

    public AmazonSecretsManagerClient(AWSCredentials credentials, AmazonSecretsManagerConfig clientConfig) : base(credentials, clientConfig) { }

    public AmazonSecretsManagerClient(string awsAccessKeyId, string awsSecretAccessKey, AmazonSecretsManagerConfig clientConfig)
        : base(awsAccessKeyId, awsSecretAccessKey, clientConfig) { }

    protected override IServiceMetadata ServiceMetadata => Metadata;

    public virtual Task<CreateSecretResponse> CreateSecretAsync(CreateSecretRequest request, CancellationToken cancellationToken = default) =>
        InvokeAsync<CreateSecretResponse>(request, Operations.CreateSecret(), cancellationToken);

    public virtual Task<GetSecretValueResponse> GetSecretValueAsync(GetSecretValueRequest request, CancellationToken cancellationToken = default) =>
        InvokeAsync<GetSecretValueResponse>(request, Operations.GetSecretValue(), cancellationToken);

    public virtual Task<PutSecretValueResponse> PutSecretValueAsync(PutSecretValueRequest request, CancellationToken cancellationToken = default) =>
        InvokeAsync<PutSecretValueResponse>(request, Operations.PutSecretValue(), cancellationToken);

    public virtual Task<UpdateSecretVersionStageResponse> UpdateSecretVersionStageAsync(
        UpdateSecretVersionStageRequest request, CancellationToken cancellationToken = default) =>
        InvokeAsync<UpdateSecretVersionStageResponse>(request, Operations.UpdateSecretVersionStage(), cancellationToken);

    protected override void CustomizeRuntimePipeline(RuntimePipeline pipeline)
    {
        pipeline.RemoveHandler<EndpointResolver>();
        pipeline.AddHandlerAfter<Marshaller>(new AmazonSecretsManagerEndpointResolver());
        pipeline.AddHandlerAfter<Marshaller>(new AmazonSecretsManagerAuthSchemeHandler());
    }
}
