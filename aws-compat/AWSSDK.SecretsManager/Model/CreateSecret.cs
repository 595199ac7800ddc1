using Amazon.Runtime;

namespace Amazon.SecretsManager.Model;

public class CreateSecretRequest : AmazonSecretsManagerRequest
{
    /// <summary>Becomes the first version's id and makes a repeat harmless; a new GUID when null.</summary>
    public string? ClientRequestToken { get; set; }

    public string? Description { get; set; }
    public string? KmsKeyId { get; set; }
    public string? Name { get; set; }
    public MemoryStream? SecretBinary { get; set; }
    public string? SecretString { get; set; }
    public List<Tag>? Tags { get; set; }
}

public class Tag
{
    public string? Key { get; set; }
    public string? Value { get; set; }
}

public class CreateSecretResponse : AmazonWebServiceResponse
{
    public string ARN { get; set; } = null!;
    public string Name { get; set; } = null!;

    /// <summary>Null when the secret was made without a value.</summary>
    public string? VersionId { get; set; }
}
