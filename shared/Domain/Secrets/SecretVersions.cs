namespace ControlPlane.Secrets;

/// <summary>One version of a secret, read.</summary>
/// <param name="VersionId">Secrets Manager's id of the version: the same in every region the secret is replicated to.</param>
public sealed record SecretVersion<T>(string VersionId, T Value, DateTimeOffset CreatedAt);

/// <summary>The current version, and the previous one while the overlap after a rotation lasts.</summary>
public sealed record SecretVersions<T>(SecretVersion<T> Current, SecretVersion<T>? Previous)
{
    public IEnumerable<SecretVersion<T>> All => Previous is null ? [Current] : [Current, Previous];
}
