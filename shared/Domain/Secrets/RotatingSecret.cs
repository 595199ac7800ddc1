namespace ControlPlane.Secrets;

/// <summary>A secret kept in memory: read when first needed, again after a while, and at once (but not often) when somebody proves to know a newer one.</summary>
/// <remarks>While the store is down the last good versions go on serving. A version that cannot be parsed never replaces a good one.</remarks>
/// <param name="parse">Throws <see cref="FormatException"/> for a value that is no such secret.</param>
/// <param name="overlap">How long the previous version is honoured after the current one was created.</param>
public sealed class RotatingSecret<T>(ISecretSource source, string secretId, Func<string, T> parse, TimeSpan overlap, TimeProvider clock)
{
    /// <summary>How old versions in memory may get before they are read again.</summary>
    public static readonly TimeSpan MaximumAge = TimeSpan.FromMinutes(5);

    /// <summary>The least time between two reads: a flood of wrong signatures is no flood of reads.</summary>
    public static readonly TimeSpan RefreshInterval = TimeSpan.FromSeconds(30);

    /// <summary>How long a store that hangs is waited for while there are versions in memory.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _reading = new(1);
    private Reading? _last;
    private DateTimeOffset _lastTry = DateTimeOffset.MinValue;

    private sealed record Reading(SecretVersion<T> Current, SecretVersion<T>? Previous, DateTimeOffset PreviousUntil, DateTimeOffset At);

    /// <exception cref="Exception">The store failed and nothing is in memory yet.</exception>
    public async ValueTask<SecretVersions<T>> GetAsync(CancellationToken cancel)
    {
        if (_last is not { } last || clock.GetUtcNow() - last.At >= MaximumAge)
            await ReadAsync(onlyIfOlderThan: MaximumAge, cancel);
        return Versions();
    }

    /// <summary>Reads anew unless that was tried a moment ago: for a caller whose proof fits none of the versions in memory.</summary>
    /// <returns>Whether the versions differ from those before.</returns>
    public async ValueTask<bool> RefreshAsync(CancellationToken cancel)
    {
        var before = _last?.Current.VersionId;
        await ReadAsync(onlyIfOlderThan: RefreshInterval, cancel);
        return _last?.Current.VersionId != before;
    }

    private SecretVersions<T> Versions()
    {
        var last = _last!;
        return new(last.Current, last.Previous is not null && clock.GetUtcNow() < last.PreviousUntil ? last.Previous : null);
    }

    private async Task ReadAsync(TimeSpan onlyIfOlderThan, CancellationToken cancel)
    {
        await _reading.WaitAsync(cancel);
        try
        {
            var now = clock.GetUtcNow();
            var isFresh = _last is { } last && now - last.At < onlyIfOlderThan;
            var wasJustTried = _last is not null && now - _lastTry < RefreshInterval;
            if (isFresh || wasJustTried)
                return;

            _lastTry = now;
            using var patience = new CancellationTokenSource(_last is null ? Timeout.InfiniteTimeSpan : Patience, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancel);
            _last = await ReadStagesAsync(now, either.Token);
        }
        catch (Exception) when (_last is not null)
        {
            // The last good versions serve on; the next try comes after the interval.
        }
        finally
        {
            _reading.Release();
        }
    }

    private async Task<Reading> ReadStagesAsync(DateTimeOffset now, CancellationToken cancel)
    {
        var current = await source.ReadAsync(secretId, "AWSCURRENT", cancel) ?? throw new FormatException($"The secret {secretId} has no current version.");
        var previousUntil = current.CreatedAt + overlap;
        var previous = now < previousUntil ? await source.ReadAsync(secretId, "AWSPREVIOUS", cancel) : null;
        return new(new(current.VersionId, parse(current.Text), current.CreatedAt), Previous(previous), previousUntil, now);
    }

    // The first value of a new secret is often a placeholder: a previous version that cannot be parsed is none.
    private SecretVersion<T>? Previous(StoredSecret? stored)
    {
        if (stored is null)
            return null;
        try
        {
            return new(stored.VersionId, parse(stored.Text), stored.CreatedAt);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
