using System.Globalization;

namespace ControlPlane.Sidecar;

/// <summary>Reads the GPUs through NVIDIA's library: busy time from the driver's own samples, so that no burst is missed between two looks.</summary>
/// <remarks>Whatever fails is tried anew every minute, with the library loaded again: it may be another version by then.</remarks>
/// <param name="library">Its name or path.</param>
/// <param name="marks">Up to when each GPU's time is counted already.</param>
internal sealed class NvmlReader(string library, IReadOnlyList<GpuMark> marks, TimeProvider clock) : IDisposable
{
    /// <summary>How often to read. The driver keeps the last hundred or so, 16 s at the shortest period: two readings may fail before one is lost.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    public static readonly TimeSpan TriesAgainAfter = TimeSpan.FromMinutes(1);

    // Two readings without a new sample: the driver has stopped.
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(8);

    private readonly Dictionary<string, Track> _tracks =
        marks.ToDictionary(mark => mark.Uuid, mark => new Track { Time = new(mark.SeenUs) }, StringComparer.Ordinal);
    private readonly long _startedUs = Microseconds(clock.GetUtcNow());
    private Nvml? _nvml;
    private long? _triedAt;
    private bool _needsReload;

    /// <summary>Why there is no reading through the library; null while there is one, or while there is no library.</summary>
    public string? Fault { get; private set; }

    public IReadOnlyList<GpuMark> Marks => [.. _tracks.Select(track => new GpuMark(track.Key, track.Value.Time.SeenUs))];

    /// <summary>Notes up to when somebody else has counted a GPU.</summary>
    public void SkipTo(string uuid, DateTimeOffset time) => TrackOf(uuid).Time.SkipTo(Microseconds(time));

    /// <returns>Null when the library is not there or does not serve: then another way may.</returns>
    public GpuReading? Read()
    {
        if (!Open())
            return null;
        var (result, count) = _nvml!.Count();
        if (result != NvmlReturn.Success)
        {
            Close($"the driver answers {Words(result)}");
            return null;
        }

        _needsReload = false;
        var faults = new List<string>();
        var gpus = new List<GpuUse>();
        for (var index = 0; index < Math.Min(count, Plausible.MostGpus); index++)
            if (ReadOne(index, faults) is { } use)
                gpus.Add(use);
        if (_needsReload && clock.GetElapsedTime(_triedAt!.Value) >= TriesAgainAfter)
            Close(null);                                    // a handle from before a reset never gets well
        return new(gpus, faults);
    }

    public void Dispose() => Close(null);

    private bool Open()
    {
        if (_nvml is not null)
            return true;
        if (_triedAt is { } tried && clock.GetElapsedTime(tried) < TriesAgainAfter)
            return false;
        _triedAt = clock.GetTimestamp();
        (_nvml, var reason) = Nvml.Load(library);
        Fault = _nvml is not null || reason == NvmlReturn.NotFound ? null : $"the driver answers {Words(reason)}";
        return _nvml is not null;
    }

    private void Close(string? fault)
    {
        foreach (var track in _tracks.Values)
        {
            foreach (var counters in track.Counters.Values)
                _nvml?.Free(counters);
            track.Counters.Clear();
        }
        _nvml?.Dispose();
        _nvml = null;
        Fault = fault;
        _triedAt = fault is null ? null : clock.GetTimestamp();
    }

    private GpuUse? ReadOne(int index, List<string> faults)
    {
        var (found, device) = _nvml!.DeviceAt(index);
        var (named, uuid) = found == NvmlReturn.Success ? _nvml.UuidOf(device) : (found, "");
        if (named != NvmlReturn.Success)
        {
            faults.Add($"GPU {index.ToString(CultureInfo.InvariantCulture)} answers {Words(named)}");
            _needsReload = true;
            return null;
        }
        var track = TrackOf(uuid);
        if (SpanOf(device, track, out var fault) is not { } span)
        {
            faults.Add($"{uuid} {fault}");
            return null;
        }
        if (fault is not null)
            faults.Add($"{uuid} {fault}");
        track.ReadAt = clock.GetTimestamp();
        var memory = _nvml.MemoryOf(device);
        return new(
            new(index, Plausible.Name(uuid), Plausible.Name(_nvml.NameOf(device).Text), PercentNow(device),
                Plausible.Bytes(memory?.UsedBytes), Plausible.Bytes(memory?.TotalBytes),
                Plausible.Watts(_nvml.WattsOf(device)), Plausible.Celsius(_nvml.CelsiusOf(device))),
            span);
    }

    private double? PercentNow(nint device) => _nvml!.UtilizationOf(device) is (NvmlReturn.Success, var percent) ? Plausible.Percent(percent) : null;

    /// <returns>Null when nothing is known of the time since the last look.</returns>
    private GpuSpan? SpanOf(nint device, Track track, out string? fault)
    {
        fault = null;
        if (_nvml!.IsDivided(device))
            return SpanOfInstances(device, track, out fault);

        var since = track.ReadAt is { } readAt ? clock.GetElapsedTime(readAt) : (TimeSpan?)null;
        var (result, samples) = _nvml.SamplesOf(device, track.Time.SeenUs);
        switch (result)
        {
            case NvmlReturn.Success:
                track.NewsAt = clock.GetTimestamp();
                // Of a GPU that is new to us, what was before we began is not ours to count.
                return track.Time.Add(track.Time.SeenUs > 0 ? samples : samples.Where(sample => sample.TimeUs > _startedUs), since);
            case NvmlReturn.NotFound:
                return SpanOfSilence(device, track, since, out fault);
            case NvmlReturn.NotSupported or NvmlReturn.FunctionNotFound when PercentNow(device) is { } percent:
                return GpuSpan.Estimate(percent, since ?? TimeSpan.Zero, NvidiaSmi.StandsFor);
            default:
                fault = $"answers {Words(result)}";
                _needsReload = true;
                return null;
        }
    }

    // No sample after the last one: the clock was set back, or the driver has stopped.
    private GpuSpan? SpanOfSilence(nint device, Track track, TimeSpan? since, out string? fault)
    {
        fault = null;
        var (result, all) = _nvml!.SamplesOf(device, afterUs: 0);
        if (result == NvmlReturn.Success && all.Max(sample => sample.TimeUs) is var newest && newest < track.Time.SeenUs)
        {
            track.Time.BeginAgainAt(newest);
            track.NewsAt = clock.GetTimestamp();
            return new(0, 0, (since ?? TimeSpan.Zero).TotalMilliseconds);
        }
        track.NewsAt ??= clock.GetTimestamp();
        if (clock.GetElapsedTime(track.NewsAt.Value) <= LongestSilence)
            return track.Time.Add([], since);
        fault = "is not sampled by its driver any more";
        _needsReload = true;
        return null;
    }

    // Of a divided GPU the driver knows the instances' counters, from the Hopper generation on. An instance's time weighs as much as its slices.
    private GpuSpan? SpanOfInstances(nint device, Track track, out string? fault)
    {
        fault = null;
        var sinceMs = track.ReadAt is { } readAt ? clock.GetElapsedTime(readAt).TotalMilliseconds : 0;
        var instances = _nvml!.InstancesOf(device);
        var slices = Math.Max(_nvml.SlicesOf(device), instances.Sum(one => one.Slices));
        double busy = 0, lost = 0;
        foreach (var (instance, its) in instances)
        {
            var (earlier, later) = (track.Counters.GetValueOrDefault(instance), _nvml.CountersOf(device, instance));
            var percent = earlier != 0 && later != 0 ? Plausible.Percent(_nvml.PercentBetween(earlier, later)) : null;
            if (later == 0 || (earlier != 0 && percent is null))
                fault = $"is divided (MIG), and its driver does not tell how busy instance {instance.ToString(CultureInfo.InvariantCulture)} is";
            var shareMs = slices > 0 ? sinceMs * its / slices : 0;
            busy += (percent ?? 0) / 100 * shareMs;
            lost += percent is null ? shareMs : 0;
            _nvml.Free(earlier);
            if (later != 0)
                track.Counters[instance] = later;
            else
                track.Counters.Remove(instance);
        }
        if (fault is not null && lost >= sinceMs * instances.Sum(one => one.Slices) / Math.Max(1, slices))
            return null;                                    // of no instance anything is known: unknown, not idle
        return new(busy, sinceMs - lost, lost);
    }

    private Track TrackOf(string uuid)
    {
        if (!_tracks.TryGetValue(uuid, out var track))
            _tracks[uuid] = track = new() { Time = new() };
        return track;
    }

    private static long Microseconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private static string Words(NvmlReturn result) => Enum.IsDefined(result) ? result.ToString() : ((int)result).ToString(CultureInfo.InvariantCulture);

    private sealed class Track
    {
        public required GpuTime Time { get; init; }
        public long? ReadAt { get; set; }
        public long? NewsAt { get; set; }
        public Dictionary<uint, nint> Counters { get; } = [];
    }
}
