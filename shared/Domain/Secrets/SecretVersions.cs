namespace ControlPlane.Secrets;

/// <summary>One generation of a secret, read.</summary>
/// <param name="VersionId">The same in every region the secret is replicated to.</param>
/// <param name="CreatedAt">When it was made: the one before it is honoured for a while from then on.</param>
public sealed record SecretVersion<T>(string VersionId, T Value, DateTimeOffset CreatedAt);

/// <summary>The current generation, and those before it that are still honoured.</summary>
/// <param name="All">Newest first; never empty.</param>
/// <param name="IsMalformed">Whether the store's current value cannot be read, so that the one before it serves.</param>
public sealed record SecretVersions<T>(IReadOnlyList<SecretVersion<T>> All, bool IsMalformed = false)
{
    public SecretVersion<T> Current => All[0];

    /// <summary>The generation before the current one, while it is honoured.</summary>
    public SecretVersion<T>? Previous => All.Count > 1 ? All[1] : null;
}
