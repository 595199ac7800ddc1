using System.Collections.Concurrent;
using ControlPlane.Secrets;
using ControlPlane.Tenants;

namespace ControlPlane.Tokens;

/// <summary>Every tenant's signing keys: the current generation, and those before it while tokens of them may live.</summary>
/// <remarks>A few keys for each of the 156 tenants, derived when first asked for and kept.</remarks>
public sealed class TenantKeys(RotatingSecret<RootSecret> root, TimeProvider clock)
{
    private readonly ConcurrentDictionary<(TenantId Tenant, string Version), Lazy<TenantSigningKey>> _derived = new();

    /// <summary>The key to sign with now.</summary>
    /// <remarks>A new generation is published for a while before it signs, so that no verifier meets a key it cannot have heard of.</remarks>
    /// <exception cref="FormatException">There is no usable root secret. Called at start, this is the error of the start.</exception>
    public async ValueTask<TenantSigningKey> ToSignAsync(TenantId tenant, CancellationToken cancel)
    {
        return KeyOf(tenant, Signing(await root.GetAsync(cancel)));
    }

    /// <summary>The newest key that is honoured beside the one that signs: the one before it after a rotation, the one to come while that is only
    /// published.</summary>
    public async ValueTask<TenantSigningKey?> BesideAsync(TenantId tenant, CancellationToken cancel)
    {
        var versions = await root.GetAsync(cancel);
        var signing = Signing(versions);
        return versions.All.FirstOrDefault(one => one != signing) is { } other ? KeyOf(tenant, other) : null;
    }

    /// <summary>What of a secret signs now: the newest generation that has been published for long enough; where none has been, the oldest.</summary>
    public SecretVersion<RootSecret> Signing(SecretVersions<RootSecret> versions) =>
        versions.All.FirstOrDefault(one => clock.GetUtcNow() >= one.CreatedAt + RootSecret.PublishFirst) ?? versions.All[^1];

    /// <summary>The keys that verify, current generation first.</summary>
    public async ValueTask<IReadOnlyList<PublicKey>> PublishedAsync(TenantId tenant, CancellationToken cancel) =>
        Published(tenant, await root.GetAsync(cancel));

    /// <summary>The tenant's key with exactly this id; an id nobody knows makes the secret be read anew, at most once an interval.</summary>
    public ValueTask<PublicKey?> FindAsync(TenantId tenant, KeyId keyId, CancellationToken cancel) =>
        root.TryAsync(versions => Published(tenant, versions).FirstOrDefault(key => key.Id == keyId), cancel);

    private IReadOnlyList<PublicKey> Published(TenantId tenant, SecretVersions<RootSecret> versions)
    {
        ForgetAllBut(versions);
        return [.. versions.All.Select(version => KeyOf(tenant, version).Public)];
    }

    private TenantSigningKey KeyOf(TenantId tenant, SecretVersion<RootSecret> version) =>
        _derived.GetOrAdd((tenant, version.VersionId), _ => new(() => version.Value.KeyOf(tenant, version.VersionId))).Value;

    // Not disposed: another request may be verifying with it. The collector takes it when that is done.
    private void ForgetAllBut(SecretVersions<RootSecret> versions)
    {
        foreach (var key in _derived.Keys)
            if (versions.All.All(version => version.VersionId != key.Version))
                _derived.TryRemove(key, out _);
    }
}
