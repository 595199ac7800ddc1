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

    // GPUs tell how busy they are, not how busy they were: we look often and add up.
    private static readonly TimeSpan GpuInterval = TimeSpan.FromSeconds(10);

    private readonly string _tenant, _instance;
    private readonly IMachine _machine;
    private readonly IGpuReader _gpuReader;
    private readonly Spool _spool;
    private readonly TimeProvider _clock;
    private readonly Lock _lock = new();

    private long _counter;
    private long _startedFromMs;                            // the kernel's count at which this epoch's totals are zero
    private double _gpuMs;
    private CpuTimes _last;
    private long _gpuRead;
    private IReadOnlyList<Gpu> _gpus = [];
    private (long CpuMs, long GpuMs) _accepted;

    public Meter(string tenant, string instance, TimeSpan interval, IMachine machine, IGpuReader gpus, StateFolder state, Spool spool, TimeProvider clock)
    {
        (_tenant, _instance, Interval, _machine, _gpuReader, _spool, _clock) = (tenant, instance, interval, machine, gpus, spool, clock);
        var before = state.Load();
        _last = machine.ReadCpu();
        _gpuRead = clock.GetTimestamp();
        var takenOver = before is null ? 0 : before.BootId == machine.BootId ? _last.BusyMs - before.BusyMs : _last.BusyMs;
        _startedFromMs = _last.BusyMs - Math.Clamp(takenOver, 0, MostTakenOverMs);
        Epoch = Math.Max(Now().ToUnixTimeSeconds(), (before?.Epoch ?? 0) + 1);
    }

    public string Instance => _instance;

    /// <summary>Always higher than any before, even when the clock was set back.</summary>
    public long Epoch { get; private set; }

    /// <summary>The control plane may ask for another.</summary>
    public TimeSpan Interval { get; set; }

    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await SampleAsync(stop);
                for (var left = Interval; left > TimeSpan.Zero; left -= GpuInterval)
                {
                    await Task.Delay(left < GpuInterval ? left : GpuInterval, _clock, stop);
                    await LookAtGpusAsync(stop);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // What was sampled is on disk.
        }
    }

    public async Task SampleAsync(CancellationToken cancel)
    {
        await LookAtGpusAsync(cancel);
        lock (_lock)
        {
            var cpu = _machine.ReadCpu();
            var (busy, all) = (cpu.BusyMs - _last.BusyMs, cpu.AllMs - _last.AllMs);
            var sample = new Sample(
                Math.Max(0, cpu.BusyMs - _startedFromMs), (long)_gpuMs, cpu.Count, all > 0 ? Math.Clamp(100.0 * busy / all, 0, 100) : 0, _gpus, _machine.ReadMemory());
            _last = cpu;

            // The clock may be set back while we run; an epoch's samples do not lie before it.
            var sampledAt = Now() is var now && now.ToUnixTimeSeconds() >= Epoch ? now : DateTimeOffset.FromUnixTimeSeconds(Epoch);
            var heartbeat = new Heartbeat(Epoch, ++_counter, Heartbeat.BodyOf(_tenant, _instance, Epoch, _counter, sampledAt, Interval, sample));
            _spool.Add(heartbeat, new(Epoch, _counter, _machine.BootId, cpu.BusyMs));
        }
    }

    /// <summary>Notes what the control plane has booked of this epoch.</summary>
    public void NoteAccepted(long epoch, long cpuMs, long gpuMs)
    {
        lock (_lock)
            if (epoch == Epoch)
                _accepted = (cpuMs, gpuMs);
    }

    /// <summary>Begins an epoch above what the control plane has, with what it has not booked yet.</summary>
    public void BeginEpochAbove(long epoch)
    {
        lock (_lock)
        {
            Epoch = Math.Max(Now().ToUnixTimeSeconds(), epoch + 1);
            _counter = 0;
            _startedFromMs += _accepted.CpuMs;
            _gpuMs -= _accepted.GpuMs;
            _accepted = default;
        }
    }

    private async Task LookAtGpusAsync(CancellationToken cancel)
    {
        var gpus = await _gpuReader.ReadAsync(cancel);
        lock (_lock)
        {
            _gpus = gpus;
            _gpuMs += gpus.Sum(gpu => Math.Clamp(gpu.UtilizationPercent, 0, 100) / 100) * _clock.GetElapsedTime(_gpuRead).TotalMilliseconds;
            _gpuRead = _clock.GetTimestamp();
        }
    }

    private DateTimeOffset Now() => _clock.GetUtcNow();
}
