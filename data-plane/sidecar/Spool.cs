using System.Globalization;
using System.Text.Json;

namespace ControlPlane.Sidecar;

/// <summary>Samples that wait for delivery, a file each, in the order in which they were taken; in memory while the disk takes none.</summary>
internal sealed class Spool
{
    /// <summary>A week of minutes. Totals are cumulative, so what is dropped beyond that costs detail and no usage.</summary>
    public const int MostWaiting = 7 * 24 * 60;

    /// <summary>A day of minutes, 2 MB at most.</summary>
    public const int MostInMemory = 24 * 60;

    /// <summary>How many refused samples are kept for whoever looks into it.</summary>
    public const int MostRefused = 100;

    private readonly StateFolder _state;
    private readonly Journal _journal;
    private readonly string _waiting, _refused;
    private SortedSet<(long Epoch, long Counter)> _order;                                              // on disk
    private readonly SortedDictionary<(long Epoch, long Counter), (Heartbeat Heartbeat, MeterState State)> _inMemory = [];   // always later than those
    private readonly SemaphoreSlim _arrived = new(0);
    private readonly Lock _lock = new();
    private long _dropped;
    private string? _fault;

    public Spool(StateFolder state, Journal journal)
    {
        (_state, _journal) = (state, journal);
        (_waiting, _refused) = (state.FileOf("waiting"), state.FileOf("refused"));
        _order = [];
        TryDisk(() =>
        {
            Directory.CreateDirectory(_waiting);
            Directory.CreateDirectory(_refused);
        });
        TryDisk(() =>
        {
            FinishOrForgetPending();
            _order = [.. Directory.EnumerateFiles(_waiting, "*.json").Select(OrderOf)];
        });
    }

    public int Count { get { lock (_lock) return _order.Count + _inMemory.Count; } }

    /// <summary>Takes a sample and the state that belongs to it, as one: after a crash either both are there or neither is.</summary>
    /// <returns>Whether they are safe on the disk.</returns>
    public bool Add(Heartbeat heartbeat, MeterState state)
    {
        lock (_lock)
        {
            _inMemory.Add((heartbeat.Epoch, heartbeat.Counter), (heartbeat, state));
            while (_inMemory.Count > 0 && _inMemory.First() is var (key, next) && TryDisk(() => Keep(next.Heartbeat, next.State)))
                _inMemory.Remove(key);
            while (_inMemory.Count > MostInMemory)
                Drop(_inMemory.First().Key);
            while (_order.Count > MostWaiting)
                Drop(_order.Min);
            _arrived.Release();
            return _inMemory.Count == 0;
        }
    }

    /// <returns>The sample to deliver next, or null when none waits.</returns>
    public Heartbeat? Oldest()
    {
        lock (_lock)
        {
            while (_order.Count > 0)
            {
                var (epoch, counter) = _order.Min;
                byte[] body = [];
                if (TryDisk(() => body = File.ReadAllBytes(FileOf(epoch, counter))))
                    return new(epoch, counter, body);
                Drop((epoch, counter));
            }
            return _inMemory.Count > 0 ? _inMemory.First().Value.Heartbeat : null;
        }
    }

    public Task WaitAsync(CancellationToken cancel) => _arrived.WaitAsync(cancel);

    /// <returns>The state that belongs to the sample, when it was in memory only: it is nowhere safe yet.</returns>
    public MeterState? Remove(Heartbeat heartbeat)
    {
        lock (_lock)
        {
            var key = (heartbeat.Epoch, heartbeat.Counter);
            if (_inMemory.Remove(key, out var kept))
                return kept.State;
            TryDisk(() => File.Delete(FileOf(heartbeat.Epoch, heartbeat.Counter)));
            _order.Remove(key);
            return null;
        }
    }

    /// <summary>Puts a sample aside that will never be accepted, so that it holds back no other.</summary>
    public void SetAside(Heartbeat heartbeat)
    {
        lock (_lock)
        {
            if (_inMemory.Remove((heartbeat.Epoch, heartbeat.Counter)))
                return;
            var file = FileOf(heartbeat.Epoch, heartbeat.Counter);
            TryDisk(() =>
            {
                File.Move(file, Path.Combine(_refused, Path.GetFileName(file)), overwrite: true);
                foreach (var surplus in Directory.GetFiles(_refused).Order(StringComparer.Ordinal).SkipLast(MostRefused))
                    File.Delete(surplus);
            });
            _order.Remove((heartbeat.Epoch, heartbeat.Counter));
        }
    }

    /// <summary>Does something with the disk. That it fails is said once, and once that it works again.</summary>
    public bool TryDisk(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (_fault is null)
                _journal.Say($"disk fails, goes on from memory: {e.Message}");
            _fault = e.Message;
            return false;
        }
        return true;
    }

    private string PendingFile => _state.FileOf("pending.json");

    private void Keep(Heartbeat heartbeat, MeterState state)
    {
        Directory.CreateDirectory(_waiting);                // a full disk may have refused it at the start
        StateFolder.Write(PendingFile, heartbeat.Body);
        _state.Save(state);
        File.Move(PendingFile, FileOf(heartbeat.Epoch, heartbeat.Counter), overwrite: true);
        _order.Add((heartbeat.Epoch, heartbeat.Counter));
        if (_fault is not null)
            _journal.Say("disk works again");
        _fault = null;
    }

    private void Drop((long Epoch, long Counter) oldest)
    {
        if (!_inMemory.Remove(oldest))
        {
            TryDisk(() => File.Delete(FileOf(oldest.Epoch, oldest.Counter)));
            _order.Remove(oldest);
        }
        _journal.Say($"dropped epoch={oldest.Epoch} counter={oldest.Counter} dropped_so_far={++_dropped}: detail is lost, usage is in the next sample");
    }

    // The state is the judge: it is written between the sample's bytes and the sample's place in the order.
    private void FinishOrForgetPending()
    {
        if (!File.Exists(PendingFile))
            return;
        var (epoch, counter) = PlaceOf(File.ReadAllBytes(PendingFile));
        if (_state.Load() is { } state && (state.Epoch, state.Counter) == (epoch, counter))
            File.Move(PendingFile, FileOf(epoch, counter), overwrite: true);
        else
            File.Delete(PendingFile);
    }

    private static (long Epoch, long Counter) PlaceOf(byte[] body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return (json.RootElement.GetProperty("epoch").GetInt64(), json.RootElement.GetProperty("counter").GetInt64());
        }
        catch (JsonException)
        {
            return (0, 0);                                  // no sample's
        }
    }

    private string FileOf(long epoch, long counter) => Path.Combine(_waiting, string.Create(CultureInfo.InvariantCulture, $"{epoch:D12}-{counter:D12}.json"));

    private static (long Epoch, long Counter) OrderOf(string file)
    {
        var name = Path.GetFileNameWithoutExtension(file).Split('-');
        return (long.Parse(name[0], CultureInfo.InvariantCulture), long.Parse(name[1], CultureInfo.InvariantCulture));
    }
}
