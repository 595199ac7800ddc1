using Amazon.Runtime;

namespace Amazon.SecretsManager.Model;

public class PutSecretValueRequest : AmazonSecretsManagerRequest
{
    /// <summary>Becomes the version's id and makes a repeat harmless; a new GUID when null.</summary>
    public string? ClientRequestToken { get; set; }

    public string? RotationToken { get; set; }
    public MemoryStream? SecretBinary { get; set; }

    /// <summary>The secret's name or ARN.</summary>
    public string? SecretId { get; set; }

    public string? SecretString { get; set; }

    /// <summary><c>AWSCURRENT</c> when null.</summary>
    public List<string>? VersionStages { get; set; }
}

public class PutSecretValueResponse : AmazonWebServiceResponse
{
    public string ARN { get; set; } = null!;
    public string Name { get; set; } = null!;
    public string VersionId { get; set; } = null!;
    public List<string>? VersionStages { get; set; }
}
