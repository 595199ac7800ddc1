namespace ControlPlane.Sidecar;

/// <summary>Adds up what the looks at the GPUs found, and says in the journal when they cannot be read, and again when they can.</summary>
internal sealed class GpuLedger(double carriedMs, Journal journal)
{
    private readonly SortedDictionary<int, GpuUse> _uses = [];   // since the last sample, by the GPU's index
    private DateTimeOffset? _wellAt;
    private string _said = "";
    private double _lostMs;

    /// <summary>Busy device-milliseconds since the epoch began.</summary>
    public double BusyMs { get; private set; } = carriedMs;

    /// <summary>Since when something of the GPUs is not known; null while all is.</summary>
    public DateTimeOffset? UnreadableSince { get; private set; }

    public void Add(GpuReading reading, DateTimeOffset now)
    {
        foreach (var use in reading.Gpus)
        {
            BusyMs += use.Span.BusyMs;
            _lostMs += use.Span.LostMs;
            var isSame = _uses.TryGetValue(use.Gpu.Index, out var before) && before.Gpu.Uuid == use.Gpu.Uuid;
            _uses[use.Gpu.Index] = isSame ? use with { Span = before!.Span + use.Span } : use;
        }

        var faults = string.Join("; ", reading.Faults);
        if (faults == "")
            (UnreadableSince, _wellAt) = (null, now);
        else
            UnreadableSince ??= _wellAt ?? now;
        if (faults != _said)
            journal.Say(faults == "" ? "gpu readable again" : $"gpu unreadable since={UnreadableSince:yyyy-MM-dd'T'HH:mm:ss'Z'} because {faults}");
        _said = faults;
    }

    /// <summary>What is to be told of each GPU since the last time: how busy it was on average. One of which that is not known is left out.</summary>
    public IReadOnlyList<Gpu> Take()
    {
        var gpus = _uses.Values
            .Select(use => use.Span switch
            {
                { CoveredMs: > 0 } span => use.Gpu with { UtilizationPercent = span.Percent },
                { LostMs: > 0 } => use.Gpu with { UtilizationPercent = null },
                _ => use.Gpu,
            })
            .Where(gpu => gpu.UtilizationPercent is not null).ToList();
        if (_lostMs >= 1)
            journal.Say($"gap gpu_ms={_lostMs:F0}: what the GPUs did in this time is not known and not counted");
        _uses.Clear();
        _lostMs = 0;
        return gpus;
    }

    /// <summary>A new epoch begins: what was booked of the old one is not told again.</summary>
    public void Subtract(double bookedMs) => BusyMs -= bookedMs;
}
