namespace ControlPlane.Sidecar;

/// <summary>Looks at the GPUs in the best way there is: through NVIDIA's library, else by its tool, else it says that they are unreadable.</summary>
/// <param name="expectsGpus">Whether the kernel has an NVIDIA GPU at work: then none to be read is a fault.</param>
/// <param name="marks">The GPUs that were known before, and up to when they are counted.</param>
internal sealed class GpuWatch(string library, string program, Func<bool> expectsGpus, IReadOnlyList<GpuMark> marks, Journal journal, TimeProvider clock)
    : IGpuReader, IDisposable
{
    // A call into a driver in trouble can take for ever. A heartbeat does not wait for it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    private readonly NvmlReader _nvml = new(library, marks, clock);
    private readonly NvidiaSmi _tool = new(program, clock);
    private readonly HashSet<string> _known = marks.Select(mark => mark.Uuid).ToHashSet(StringComparer.Ordinal);
    private Task<GpuReading>? _look;
    private long _countedAt = clock.GetTimestamp();
    private string _way = "";

    public TimeSpan Every => _way == "nvidia-smi" ? NvidiaSmi.Every : NvmlReader.Every;

    public IReadOnlyList<GpuMark> Marks { get; private set; } = marks;

    public async Task<GpuReading> ReadAsync(CancellationToken cancel)
    {
        _look ??= Task.Run(LookAsync, CancellationToken.None);
        try
        {
            var reading = await _look.WaitAsync(Patience, clock, cancel);
            _look = null;
            Marks = _nvml.Marks;
            return reading;
        }
        catch (TimeoutException)
        {
            return GpuReading.Unreadable("the driver does not answer");
        }
    }

    public void Dispose()
    {
        if (_look is null)                                  // else it hangs in there, and ends with the process
            _nvml.Dispose();
    }

    private async Task<GpuReading> LookAsync()
    {
        if (_nvml.Read() is { } exact)
        {
            Note("nvml", "");
            return Checked(exact);
        }
        var reading = await _tool.ReadAsync(clock.GetElapsedTime(_countedAt));
        if (reading is not null)
        {
            Note("nvidia-smi", $", an estimate, because {_nvml.Fault ?? $"there is no {library}"}");
            foreach (var use in reading.Gpus)
                _nvml.SkipTo(use.Gpu.Uuid, clock.GetUtcNow());
            return Checked(reading);
        }
        return expectsGpus() || _known.Count > 0 ? GpuReading.Unreadable(_nvml.Fault ?? $"there is neither {library} nor {program}") : GpuReading.Nothing;
    }

    private GpuReading Checked(GpuReading reading)
    {
        if (reading.Gpus.Count > 0)
            _countedAt = clock.GetTimestamp();
        _known.UnionWith(reading.Gpus.Select(use => use.Gpu.Uuid));
        var gone = _known.Except(reading.Gpus.Select(use => use.Gpu.Uuid))
            .Where(uuid => !reading.Faults.Any(fault => fault.StartsWith(uuid, StringComparison.Ordinal)));
        string[] faults = [.. reading.Faults, .. gone.Order(StringComparer.Ordinal).Select(uuid => $"{uuid} is gone")];
        return reading.Gpus.Count == 0 && faults.Length == 0 && expectsGpus()
            ? GpuReading.Unreadable("the driver knows of no GPU")
            : reading with { Faults = faults };
    }

    private void Note(string way, string why)
    {
        if (_way == way)
            return;
        _way = way;
        journal.Say($"gpus are read by {way}{why}");
    }
}
