using Amazon.Runtime;

namespace Amazon.SecretsManager.Model;

public class GetSecretValueRequest : AmazonSecretsManagerRequest
{
    /// <summary>The secret's name or ARN.</summary>
    public string? SecretId { get; set; }

    public string? VersionId { get; set; }

    /// <summary><c>AWSCURRENT</c> when neither this nor <see cref="VersionId"/> is set.</summary>
    public string? VersionStage { get; set; }
}

public class GetSecretValueResponse : AmazonWebServiceResponse
{
    public string ARN { get; set; } = null!;

    /// <summary>When this version was made, UTC.</summary>
    public DateTime? CreatedDate { get; set; }

    public string Name { get; set; } = null!;

    /// <summary>Null when the secret is text.</summary>
    public MemoryStream? SecretBinary { get; set; }

    /// <summary>Null when the secret is binary.</summary>
    public string? SecretString { get; set; }

    public string VersionId { get; set; } = null!;
    public List<string>? VersionStages { get; set; }
}
