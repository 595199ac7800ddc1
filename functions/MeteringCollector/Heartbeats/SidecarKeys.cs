using ControlPlane.Aws;
using ControlPlane.Tenants;
using ControlPlane.Tokens;

namespace ControlPlane.MeteringCollector.Heartbeats;

/// <summary>Who may sign.</summary>
internal sealed record Signer(SidecarKey Registration, SidecarPublicKey Key);

/// <summary>Registered keys, read when first needed and kept for a minute, the absent ones too: a revocation takes effect within it.</summary>
internal sealed class SidecarKeys(TenantRegistry registry, TimeProvider clock)
{
    public static readonly TimeSpan MaximumAge = TimeSpan.FromSeconds(60);

    /// <summary>How many of each are kept. Ids that were made up cannot push out those that are real.</summary>
    public const int Capacity = 1024;

    private readonly Dictionary<KeyId, (Signer? Signer, DateTimeOffset At)> _known = [];
    private readonly Dictionary<KeyId, (Signer? Signer, DateTimeOffset At)> _absent = [];
    private readonly Dictionary<TenantId, (Tenant? Tenant, DateTimeOffset At)> _tenants = [];
    private readonly Lock _lock = new();

    /// <returns>Null when no such key is registered, or none that is valid at this moment.</returns>
    public async ValueTask<Signer?> FindAsync(KeyId keyId, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        if (!TryRecall(keyId, now, out var signer))
        {
            signer = await ReadAsync(keyId, cancel);
            Remember(keyId, signer, now);
        }
        return signer is not null && signer.Registration.IsValidAt(now) ? signer : null;
    }

    /// <summary>A tenant whose key has signed, as it was within the last minute. Nobody else's request reads it.</summary>
    /// <returns>Null when this hub has no such tenant.</returns>
    public async ValueTask<Tenant?> TenantAsync(TenantId id, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        lock (_lock)
            if (_tenants.TryGetValue(id, out var entry) && now - entry.At < MaximumAge)
                return entry.Tenant;

        var tenant = await registry.FindRecentAsync(id, cancel);
        lock (_lock)
            _tenants[id] = (tenant, now);
        return tenant;
    }

    private async Task<Signer?> ReadAsync(KeyId keyId, CancellationToken cancel)
    {
        if (await registry.FindRecentKeyAsync(keyId, cancel) is not { } registration)
            return null;
        if (!SidecarPublicKey.TryImport(registration.PublicKey, out var key) || key.KeyId != keyId)
            return null;                                    // a record that registration would not have made
        return new(registration, key);
    }

    private bool TryRecall(KeyId keyId, DateTimeOffset now, out Signer? signer)
    {
        lock (_lock)
        {
            var found = _known.TryGetValue(keyId, out var entry) || _absent.TryGetValue(keyId, out entry);
            signer = entry.Signer;
            return found && now - entry.At < MaximumAge;
        }
    }

    private void Remember(KeyId keyId, Signer? signer, DateTimeOffset now)
    {
        lock (_lock)
        {
            _known.Remove(keyId);
            _absent.Remove(keyId);
            var kept = signer is null ? _absent : _known;
            if (kept.Count == Capacity)
                MakeRoom(kept, now);
            kept[keyId] = (signer, now);
        }
    }

    private static void MakeRoom(Dictionary<KeyId, (Signer? Signer, DateTimeOffset At)> kept, DateTimeOffset now)
    {
        foreach (var (keyId, entry) in kept)
            if (now - entry.At >= MaximumAge)
                kept.Remove(keyId);
        if (kept.Count == Capacity)
            kept.Clear();
    }
}
