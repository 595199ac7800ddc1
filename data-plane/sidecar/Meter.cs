namespace ControlPlane.Sidecar;

/// <summary>Takes samples at an interval and puts them into the spool.</summary>
/// <remarks>
/// Totals count from the epoch's begin. An epoch begins with each start of the sidecar, and takes over what the machine did since the last
/// sample of the one before, so that a restart of the sidecar loses nothing.
/// </remarks>
internal sealed class Meter
{
    /// <summary>Processor time that an epoch may begin with: what the control plane believes of an epoch that is new (300 s of 1,000 cores).</summary>
    public const long MostTakenOverMs = 300_000_000;

    /// <summary>GPU time that an epoch may begin with, likewise: 300 s of 16 GPUs.</summary>
    public const double MostGpuTakenOverMs = 4_800_000;

    /// <summary>How often what was seen since the last sample is written down: a power cut costs no more.</summary>
    public static readonly TimeSpan SavesEvery = TimeSpan.FromSeconds(10);

    // Sooner after the last one, the control plane takes no sample.
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(1);

    private readonly string _tenant, _instance, _bootId;
    private readonly IMachine _machine;
    private readonly IGpuReader _gpuReader;
    private readonly GpuLedger _gpus;
    private readonly StateFolder _state;
    private readonly Spool _spool;
    private readonly TimeProvider _clock;
    private readonly Lock _lock = new();

    private MeterState _safe;                               // the last sample that no crash can lose
    private long _counter;
    private long _startedFromMs;                            // the kernel's count at which this epoch's totals are zero
    private double _gpuToldMs;
    private CpuTimes _last;
    private long _savedAt;
    private long? _sampledAt;
    private (long CpuMs, long GpuMs) _accepted;

    public Meter(
        string tenant, string instance, TimeSpan interval, IMachine machine, IGpuReader gpus, StateFolder state, Spool spool, Journal journal,
        TimeProvider clock)
    {
        (_tenant, _instance, Interval) = (tenant, instance, interval);
        (_machine, _gpuReader, _state, _spool, _clock) = (machine, gpus, state, spool, clock);
        var before = state.Load();
        (_last, _bootId, _savedAt) = (machine.ReadCpu(), machine.BootId, clock.GetTimestamp());
        var takenOver = before is null ? 0
            : before.BootId == _bootId ? _last.BusyMs - before.BusyMs
            : Math.Max(0, before.BusySeenMs - before.BusyMs) + _last.BusyMs;
        _startedFromMs = _last.BusyMs - Math.Clamp(takenOver, 0, MostTakenOverMs);
        _gpus = new(Math.Clamp(before?.GpuUntoldMs ?? 0, 0, MostGpuTakenOverMs), journal);
        Epoch = Math.Max(Now().ToUnixTimeSeconds(), (before?.Epoch ?? 0) + 1);
        _safe = (before ?? new(0, 0, _bootId, 0)) with { BusyMs = _startedFromMs };
    }

    public string Instance => _instance;

    /// <summary>Always higher than any before, even when the clock was set back.</summary>
    public long Epoch { get; private set; }

    /// <summary>The control plane may ask for another.</summary>
    public TimeSpan Interval { get; set; }

    /// <summary>Whether the control plane has booked a sample of this epoch.</summary>
    public bool IsEpochBooked { get; private set; }

    public async Task RunAsync(CancellationToken stop)
    {
        var began = _clock.GetTimestamp();
        var due = TimeSpan.Zero;                            // since then
        TimeSpan Passed() => _clock.GetElapsedTime(began);
        try
        {
            while (true)
            {
                await SampleAsync(stop);
                // However long a reading took, the next sample comes when it is due.
                for (due += Interval; due < Passed();)
                    due += Interval;
                while (true)
                {
                    var (left, look) = (due - Passed(), _gpuReader.Every);
                    await Task.Delay(left <= look ? left > TimeSpan.Zero ? left : TimeSpan.Zero : look, _clock, stop);
                    if (left <= look)
                        break;
                    await LookAtGpusAsync(stop);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await TakeLastSampleAsync();
        }
    }

    public async Task SampleAsync(CancellationToken cancel)
    {
        await LookAtGpusAsync(cancel);
        lock (_lock)
        {
            var cpu = _machine.ReadCpu();
            var (busy, all) = (cpu.BusyMs - _last.BusyMs, cpu.AllMs - _last.AllMs);
            var gpus = _gpus.Take();
            if (gpus.Count > 0)                             // the control plane believes no GPU time without a GPU: it is told with the next one
                _gpuToldMs = Math.Max(_gpuToldMs, _gpus.BusyMs);
            var sample = new Sample(
                Math.Max(0, cpu.BusyMs - _startedFromMs), (long)_gpuToldMs, cpu.Count, all > 0 ? Math.Clamp(100.0 * busy / all, 0, 100) : 0,
                gpus, _machine.ReadMemory(), _gpus.UnreadableSince);
            _last = cpu;

            // The clock may be set back while we run; an epoch's samples do not lie before it.
            var sampledAt = Now() is var now && now.ToUnixTimeSeconds() >= Epoch ? now : DateTimeOffset.FromUnixTimeSeconds(Epoch);
            var heartbeat = new Heartbeat(Epoch, ++_counter, Heartbeat.BodyOf(_tenant, _instance, Epoch, _counter, sampledAt, Interval, sample));
            var state = Seen(new(Epoch, _counter, _bootId, cpu.BusyMs, _gpuToldMs), cpu.BusyMs);
            if (_spool.Add(heartbeat, state))
                (_safe, _savedAt) = (state, _clock.GetTimestamp());
            _sampledAt = _clock.GetTimestamp();
        }
    }

    /// <summary>Notes what the control plane has booked of this epoch.</summary>
    public void NoteAccepted(long epoch, long cpuMs, long gpuMs)
    {
        lock (_lock)
            if (epoch == Epoch)
                (_accepted, IsEpochBooked) = ((cpuMs, gpuMs), true);
    }

    /// <summary>Notes that a sample is safe that was only in memory: the control plane has booked it.</summary>
    public void NoteSafe(MeterState sample)
    {
        lock (_lock)
        {
            if (sample.Epoch != Epoch)
                return;
            _safe = sample;
            Save();
        }
    }

    /// <summary>Begins an epoch above what the control plane has, with what it has not booked yet.</summary>
    public void BeginEpochAbove(long epoch)
    {
        lock (_lock)
        {
            Epoch = Math.Max(Now().ToUnixTimeSeconds(), epoch + 1);
            _counter = 0;
            _startedFromMs += _accepted.CpuMs;
            _gpus.Subtract(_accepted.GpuMs);
            (_gpuToldMs, _accepted, IsEpochBooked) = (0, default, false);
            _safe = new(Epoch, 0, _bootId, _startedFromMs);
            Save();
        }
    }

    internal async Task LookAtGpusAsync(CancellationToken cancel)
    {
        var reading = await _gpuReader.ReadAsync(cancel);
        lock (_lock)
        {
            _gpus.Add(reading, Now());
            if (_clock.GetElapsedTime(_savedAt) >= SavesEvery)
                Save();
        }
    }

    // The process is asked to end. What is not told now is told by the next one; but the machine may not come back.
    private async Task TakeLastSampleAsync()
    {
        if (_sampledAt is null || _clock.GetElapsedTime(_sampledAt.Value) >= ShortestInterval)
            await SampleAsync(CancellationToken.None);
        else
            lock (_lock)
                Save();
    }

    private void Save()
    {
        _savedAt = _clock.GetTimestamp();
        _spool.TryDisk(() => _state.Save(_safe = Seen(_safe, _machine.ReadCpu().BusyMs)));
    }

    // What was seen since a sample belongs to it, for whoever goes on from there.
    private MeterState Seen(MeterState sample, long busyMs) => sample with
    {
        BootId = _bootId,
        BusySeenMs = busyMs,
        GpuUntoldMs = Math.Max(0, _gpus.BusyMs - (sample.Epoch == Epoch ? sample.GpuMs : 0)),
        Gpus = _gpuReader.Marks,
    };

    private DateTimeOffset Now() => _clock.GetUtcNow();
}
