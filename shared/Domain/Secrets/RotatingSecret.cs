namespace ControlPlane.Secrets;

/// <summary>A secret kept in memory: read when first needed, again after a while, and at once (but not often) when somebody proves to know a newer
/// one.</summary>
/// <remarks>While the store is down the last good generations go on serving. A value that cannot be parsed never replaces a good one, be it in memory or the
/// one before it in the store.</remarks>
/// <param name="parse">Throws <see cref="FormatException"/> for a value that is no such secret.</param>
/// <param name="overlap">How long a generation is honoured after the next one was made.</param>
/// <param name="noticeMalformed">Called whenever the current value was read and cannot be, and the one before it serves.</param>
public sealed class RotatingSecret<T>(
    ISecretSource source, string secretId, Func<string, T> parse, TimeSpan overlap, TimeProvider clock, Action? noticeMalformed = null)
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

    private sealed record Reading(IReadOnlyList<SecretVersion<T>> Generations, DateTimeOffset At, bool IsMalformed = false);

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
        var before = _last?.Generations[0].VersionId;
        await ReadAsync(onlyIfOlderThan: RefreshInterval, cancel);
        return _last?.Generations[0].VersionId != before;
    }

    /// <summary>Tries the versions in memory and, where none serves, those of the store once more.</summary>
    /// <returns>What <paramref name="use"/> made of them; null where none served.</returns>
    public async ValueTask<TResult?> TryAsync<TResult>(Func<SecretVersions<T>, TResult?> use, CancellationToken cancel) where TResult : class =>
        use(await GetAsync(cancel)) is { } known ? known
        : await RefreshAsync(cancel) ? use(await GetAsync(cancel))
        : null;

    /// <summary>Whether a proof fits the versions in memory or, where it does not, those of the store.</summary>
    public async ValueTask<bool> FitsAsync(Func<SecretVersions<T>, bool> fits, CancellationToken cancel) =>
        await TryAsync(versions => fits(versions) ? versions : null, cancel) is not null;

    private SecretVersions<T> Versions()
    {
        var (now, generations) = (clock.GetUtcNow(), _last!.Generations);
        return new([.. generations.Where((_, i) => i == 0 || now < generations[i - 1].CreatedAt + overlap)], _last!.IsMalformed);
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
        if (TryRead(current) is not { } read)
        {
            // A slip: the value before it goes on serving until it is mended, also for whoever starts meanwhile. Without one this throws what is wrong.
            var before = await PreviousAsync(cancel);
            if (before.Count == 0)
                return new(SecretGenerations.Read(current, parse).Generations, now);
            noticeMalformed?.Invoke();
            return new(before, now, IsMalformed: true);
        }

        return read.AreAll || now >= current.CreatedAt + overlap
            ? new(read.Generations, now)                         // what is not among them was left out on purpose
            : new([.. read.Generations.Concat(await PreviousAsync(cancel)).DistinctBy(one => one.VersionId).OrderByDescending(one => one.CreatedAt)], now);
    }

    // The first value of a new secret is often a placeholder: a previous version that cannot be parsed is none.
    private async Task<IReadOnlyList<SecretVersion<T>>> PreviousAsync(CancellationToken cancel) =>
        await source.ReadAsync(secretId, "AWSPREVIOUS", cancel) is { } stored && TryRead(stored) is { } read ? read.Generations : [];

    private (IReadOnlyList<SecretVersion<T>> Generations, bool AreAll)? TryRead(StoredSecret stored)
    {
        try
        {
            return SecretGenerations.Read(stored, parse);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
