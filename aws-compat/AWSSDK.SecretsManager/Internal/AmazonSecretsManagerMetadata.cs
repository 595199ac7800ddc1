using Amazon.Runtime.Internal;

namespace Amazon.SecretsManager.Internal;

internal sealed class AmazonSecretsManagerMetadata : IServiceMetadata
{
    public string ServiceId => AmazonSecretsManagerConfig.ServiceId;
    public IDictionary<string, string> OperationNameMapping { get; } = new Dictionary<string, string>();
}
