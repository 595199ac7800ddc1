using Amazon.Runtime;

namespace Amazon.SecretsManager.Model;

public class UpdateSecretVersionStageRequest : AmazonSecretsManagerRequest
{
    public string? MoveToVersionId { get; set; }
    public string? RemoveFromVersionId { get; set; }

    /// <summary>The secret's name or ARN.</summary>
    public string? SecretId { get; set; }

    public string? VersionStage { get; set; }
}

public class UpdateSecretVersionStageResponse : AmazonWebServiceResponse
{
    public string ARN { get; set; } = null!;
    public string Name { get; set; } = null!;
}
