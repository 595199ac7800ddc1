using Amazon.SecretsManager;
using Amazon.SecretsManager.Model;

namespace ControlPlane.Aws;

/// <summary>Secrets as Secrets Manager keeps them.</summary>
public sealed class SecretsManagerSource(IAmazonSecretsManager secrets) : ISecretSource
{
    public async Task<StoredSecret?> ReadAsync(string secretId, string stage, CancellationToken cancel)
    {
        try
        {
            var answer = await secrets.GetSecretValueAsync(new GetSecretValueRequest { SecretId = secretId, VersionStage = stage }, cancel);
            var created = answer.CreatedDate ?? throw new FormatException($"The secret {secretId} does not say when it was created.");
            return new(answer.VersionId, answer.SecretString ?? throw new FormatException($"The secret {secretId} is binary."), created.ToUniversalTime());
        }
        catch (ResourceNotFoundException) when (stage == "AWSPREVIOUS")
        {
            return null;
        }
    }
}
