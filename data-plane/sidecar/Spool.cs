using System.Globalization;

namespace ControlPlane.Sidecar;

/// <summary>Samples that wait for delivery, a file each, in the order in which they were taken.</summary>
internal sealed class Spool
{
    /// <summary>A week of minutes. Totals are cumulative, so what is dropped beyond that costs detail and no usage.</summary>
    public const int MostWaiting = 7 * 24 * 60;

    /// <summary>How many refused samples are kept for whoever looks into it.</summary>
    public const int MostRefused = 100;

    private readonly StateFolder _state;
    private readonly string _waiting, _refused;
    private readonly SortedSet<(long Epoch, long Counter)> _order;
    private readonly SemaphoreSlim _arrived = new(0);
    private readonly Lock _lock = new();

    public Spool(StateFolder state)
    {
        _state = state;
        _waiting = Directory.CreateDirectory(state.FileOf("waiting")).FullName;
        _refused = Directory.CreateDirectory(state.FileOf("refused")).FullName;
        foreach (var half in Directory.EnumerateFiles(_waiting, "*.new"))
            File.Delete(half);
        FinishOrForgetPending();
        _order = [.. Directory.EnumerateFiles(_waiting, "*.json").Select(OrderOf)];
    }

    public int Count { get { lock (_lock) return _order.Count; } }

    /// <summary>Takes a sample and the state that belongs to it, as one: after a crash either both are there or neither is.</summary>
    public void Add(Heartbeat heartbeat, MeterState state)
    {
        StateFolder.Write(PendingFile, heartbeat.Body);
        _state.Save(state);
        File.Move(PendingFile, FileOf(heartbeat.Epoch, heartbeat.Counter), overwrite: true);
        lock (_lock)
        {
            _order.Add((heartbeat.Epoch, heartbeat.Counter));
            while (_order.Count > MostWaiting)
            {
                var oldest = _order.Min;
                File.Delete(FileOf(oldest.Epoch, oldest.Counter));
                _order.Remove(oldest);
            }
        }
        _arrived.Release();
    }

    /// <returns>The sample to deliver next, or null when none waits.</returns>
    public Heartbeat? Oldest()
    {
        lock (_lock)
            return _order.Count > 0 ? new(_order.Min.Epoch, _order.Min.Counter, File.ReadAllBytes(FileOf(_order.Min.Epoch, _order.Min.Counter))) : null;
    }

    public Task WaitAsync(CancellationToken cancel) => _arrived.WaitAsync(cancel);

    public void Remove(Heartbeat heartbeat)
    {
        lock (_lock)
        {
            File.Delete(FileOf(heartbeat.Epoch, heartbeat.Counter));
            _order.Remove((heartbeat.Epoch, heartbeat.Counter));
        }
    }

    /// <summary>Puts a sample aside that will never be accepted, so that it holds back no other.</summary>
    public void SetAside(Heartbeat heartbeat)
    {
        lock (_lock)
        {
            var file = FileOf(heartbeat.Epoch, heartbeat.Counter);
            File.Move(file, Path.Combine(_refused, Path.GetFileName(file)), overwrite: true);
            _order.Remove((heartbeat.Epoch, heartbeat.Counter));
            foreach (var surplus in Directory.GetFiles(_refused).Order(StringComparer.Ordinal).SkipLast(MostRefused))
                File.Delete(surplus);
        }
    }

    private string PendingFile => _state.FileOf("pending.json");

    // The state is the judge: it is written between the sample's bytes and the sample's place in the order.
    private void FinishOrForgetPending()
    {
        if (!File.Exists(PendingFile))
            return;
        var state = _state.Load();
        using var body = System.Text.Json.JsonDocument.Parse(File.ReadAllBytes(PendingFile));
        var (epoch, counter) = (body.RootElement.GetProperty("epoch").GetInt64(), body.RootElement.GetProperty("counter").GetInt64());
        if ((state?.Epoch, state?.Counter) == (epoch, counter))
            File.Move(PendingFile, FileOf(epoch, counter), overwrite: true);
        else
            File.Delete(PendingFile);
    }

    private string FileOf(long epoch, long counter) => Path.Combine(_waiting, string.Create(CultureInfo.InvariantCulture, $"{epoch:D12}-{counter:D12}.json"));

    private static (long Epoch, long Counter) OrderOf(string file)
    {
        var name = Path.GetFileNameWithoutExtension(file).Split('-');
        return (long.Parse(name[0], CultureInfo.InvariantCulture), long.Parse(name[1], CultureInfo.InvariantCulture));
    }
}
