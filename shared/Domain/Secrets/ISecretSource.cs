namespace ControlPlane.Secrets;

/// <summary>Where secrets are kept: Secrets Manager, or a table in a test.</summary>
public interface ISecretSource
{
    /// <returns>Null when the secret has no version in that stage.</returns>
    Task<StoredSecret?> ReadAsync(string secretId, string stage, CancellationToken cancel);
}

/// <summary>What a secret store says of one stage: <c>AWSCURRENT</c> or <c>AWSPREVIOUS</c>.</summary>
public sealed record StoredSecret(string VersionId, string Text, DateTimeOffset CreatedAt)
{
    // Records print their members; this one must not.
    public override string ToString() => $"StoredSecret {VersionId}";
}
