using System.Runtime.InteropServices;
using System.Text;

namespace ControlPlane.Sidecar;

/// <summary>What a call of the library returned: its own numbers.</summary>
/// <remarks>https://docs.nvidia.com/deploy/nvml-api/group__nvmlDeviceEnumvs.html</remarks>
internal enum NvmlReturn
{
    Success = 0,
    Uninitialized = 1,
    NotSupported = 3,
    NotFound = 6,
    InsufficientSize = 7,
    DriverNotLoaded = 9,
    FunctionNotFound = 13,
    GpuIsLost = 15,
    VersionMismatch = 18,
}

/// <summary>NVIDIA's management library, as far as metering asks it.</summary>
/// <remarks>
/// Loaded when it is there, and function by function: one that this driver lacks answers <see cref="NvmlReturn.FunctionNotFound"/>.
/// Not for several threads at once. Reference: https://docs.nvidia.com/deploy/nvml-api/
/// </remarks>
internal sealed unsafe class Nvml : IDisposable
{
    private const int UtilizationSamples = 1;               // NVML_GPU_UTILIZATION_SAMPLES
    private const int GpuTemperature = 0;                   // NVML_TEMPERATURE_GPU
    private const int LongestText = 96;                     // NVML_DEVICE_UUID_V2_BUFFER_SIZE and NVML_DEVICE_NAME_V2_BUFFER_SIZE
    private const int ProfilesOfInstances = 10;             // NVML_GPU_INSTANCE_PROFILE_…
    private const int GraphicsUtilization = 1;              // NVML_GPM_METRIC_GRAPHICS_UTIL

    private readonly nint _library;

    private Nvml(nint library) => _library = library;

    /// <returns>Null where there is no such library, or one that does not begin: then with the reason.</returns>
    public static (Nvml? Nvml, NvmlReturn Reason) Load(string library)
    {
        if (!NativeLibrary.TryLoad(library, out var handle))
            return (null, NvmlReturn.NotFound);
        var nvml = new Nvml(handle);
        var begun = nvml.Export("nvmlInit_v2") is var init && init != 0 ? ((delegate* unmanaged<NvmlReturn>)init)() : NvmlReturn.FunctionNotFound;
        if (begun == NvmlReturn.Success)
            return (nvml, begun);
        NativeLibrary.Free(handle);
        return (null, begun);
    }

    public (NvmlReturn, int Count) Count()
    {
        uint count = 0;
        var function = (delegate* unmanaged<uint*, NvmlReturn>)Export("nvmlDeviceGetCount_v2");
        return function is null ? (NvmlReturn.FunctionNotFound, 0) : (function(&count), (int)count);
    }

    public (NvmlReturn, nint Device) DeviceAt(int index)
    {
        nint device = 0;
        var function = (delegate* unmanaged<uint, nint*, NvmlReturn>)Export("nvmlDeviceGetHandleByIndex_v2");
        return function is null ? (NvmlReturn.FunctionNotFound, 0) : (function((uint)index, &device), device);
    }

    public (NvmlReturn, string Text) UuidOf(nint device) => TextOf("nvmlDeviceGetUUID", device);

    public (NvmlReturn, string Text) NameOf(nint device) => TextOf("nvmlDeviceGetName", device);

    /// <summary>The driver's samples after a time, as far as its buffer still has them; its order is not promised.</summary>
    /// <returns><see cref="NvmlReturn.NotFound"/> when there is none.</returns>
    public (NvmlReturn, IReadOnlyList<UtilizationSample> Samples) SamplesOf(nint device, long afterUs)
    {
        var function = (delegate* unmanaged<nint, int, ulong, int*, uint*, Sample*, NvmlReturn>)Export("nvmlDeviceGetSamples");
        if (function is null)
            return (NvmlReturn.FunctionNotFound, []);
        // Asked without room, it says how much it needs.
        uint count = 0;
        var type = 0;
        var asked = function(device, UtilizationSamples, (ulong)afterUs, &type, &count, null);
        if (asked is not (NvmlReturn.Success or NvmlReturn.InsufficientSize) || count == 0)
            return (asked == NvmlReturn.Success ? NvmlReturn.NotFound : asked, []);
        var samples = new Sample[count];
        fixed (Sample* first = samples)
        {
            var read = function(device, UtilizationSamples, (ulong)afterUs, &type, &count, first);
            var valueType = type;
            return (read, read == NvmlReturn.Success ? [.. samples.Take((int)count).Select(sample => sample.Read(valueType))] : []);
        }
    }

    /// <summary>How busy it is at this moment, in percent.</summary>
    public (NvmlReturn, double Percent) UtilizationOf(nint device)
    {
        Utilization utilization;
        var function = (delegate* unmanaged<nint, Utilization*, NvmlReturn>)Export("nvmlDeviceGetUtilizationRates");
        return function is null ? (NvmlReturn.FunctionNotFound, 0) : (function(device, &utilization), utilization.Gpu);
    }

    public (double UsedBytes, double TotalBytes)? MemoryOf(nint device)
    {
        MemoryInfo memory;
        var function = (delegate* unmanaged<nint, MemoryInfo*, NvmlReturn>)Export("nvmlDeviceGetMemoryInfo");
        return function is not null && function(device, &memory) == NvmlReturn.Success ? (memory.Used, memory.Total) : null;
    }

    public double? WattsOf(nint device) => NumberOf("nvmlDeviceGetPowerUsage", device) / 1000.0;

    public double? CelsiusOf(nint device)
    {
        uint celsius = 0;
        var function = (delegate* unmanaged<nint, int, uint*, NvmlReturn>)Export("nvmlDeviceGetTemperature");
        return function is not null && function(device, GpuTemperature, &celsius) == NvmlReturn.Success ? (int)celsius : null;
    }

    /// <summary>Whether the GPU is divided into instances (MIG): then it has no utilization of its own.</summary>
    public bool IsDivided(nint device)
    {
        uint current = 0, pending = 0;
        var function = (delegate* unmanaged<nint, uint*, uint*, NvmlReturn>)Export("nvmlDeviceGetMigMode");
        return function is not null && function(device, &current, &pending) == NvmlReturn.Success && current == 1;
    }

    /// <summary>The instances of a divided GPU, with the slices that each has.</summary>
    public IReadOnlyList<(uint Instance, int Slices)> InstancesOf(nint device)
    {
        var handle = (delegate* unmanaged<nint, uint, nint*, NvmlReturn>)Export("nvmlDeviceGetMigDeviceHandleByIndex");
        var attributes = (delegate* unmanaged<nint, DeviceAttributes*, NvmlReturn>)Export("nvmlDeviceGetAttributes_v2");
        if (handle is null || attributes is null || NumberOf("nvmlDeviceGetMaxMigDeviceCount", device) is not { } most)
            return [];
        var slices = new SortedDictionary<uint, int>();     // several compute instances share one GPU instance
        for (uint index = 0; index < most; index++)
        {
            nint part = 0;
            DeviceAttributes its;
            if (handle(device, index, &part) == NvmlReturn.Success && attributes(part, &its) == NvmlReturn.Success
                && NumberOf("nvmlDeviceGetGpuInstanceId", part) is { } id)
                slices[id] = (int)its.GpuInstanceSlices;
        }
        return [.. slices.Select(one => (one.Key, one.Value))];
    }

    /// <summary>How many slices the whole GPU has: those of its largest instance.</summary>
    public int SlicesOf(nint device)
    {
        var function = (delegate* unmanaged<nint, uint, InstanceProfile*, NvmlReturn>)Export("nvmlDeviceGetGpuInstanceProfileInfo");
        var most = 0;
        for (uint profile = 0; function is not null && profile < ProfilesOfInstances; profile++)
        {
            InstanceProfile its;
            if (function(device, profile, &its) == NvmlReturn.Success)
                most = Math.Max(most, (int)its.Slices);
        }
        return most;
    }

    /// <summary>Notes an instance's performance counters, to be compared with later ones.</summary>
    /// <returns>0 where the driver or the GPU has none: they came with the Hopper generation.</returns>
    public nint CountersOf(nint device, uint instance)
    {
        var allocate = (delegate* unmanaged<nint*, NvmlReturn>)Export("nvmlGpmSampleAlloc");
        var get = (delegate* unmanaged<nint, uint, nint, NvmlReturn>)Export("nvmlGpmMigSampleGet");
        nint counters = 0;
        if (allocate is null || get is null || allocate(&counters) != NvmlReturn.Success)
            return 0;
        if (get(device, instance, counters) == NvmlReturn.Success)
            return counters;
        Free(counters);
        return 0;
    }

    /// <summary>How busy an instance was between two notes, in percent.</summary>
    public double? PercentBetween(nint earlier, nint later)
    {
        var function = (delegate* unmanaged<MetricsGet*, NvmlReturn>)Export("nvmlGpmMetricsGet");
        if (function is null)
            return null;
        // The library's header makes room for every metric that its version knows; it reads as many as are asked for.
        var get = new MetricsGet { Version = 1, Count = 1, Earlier = earlier, Later = later, Metric = new() { Id = GraphicsUtilization } };
        return function(&get) == NvmlReturn.Success && get.Metric.Return == NvmlReturn.Success ? get.Metric.Value : null;
    }

    public void Free(nint counters)
    {
        var free = (delegate* unmanaged<nint, NvmlReturn>)Export("nvmlGpmSampleFree");
        if (counters != 0 && free is not null)
            free(counters);
    }

    /// <summary>Lets the library go, and with it the driver: the next <see cref="Load"/> finds what is installed then.</summary>
    public void Dispose()
    {
        var shutdown = (delegate* unmanaged<NvmlReturn>)Export("nvmlShutdown");
        if (shutdown is not null)
            shutdown();
        NativeLibrary.Free(_library);
    }

    private nint Export(string name) => NativeLibrary.TryGetExport(_library, name, out var function) ? function : 0;

    private (NvmlReturn, string Text) TextOf(string name, nint device)
    {
        var function = (delegate* unmanaged<nint, byte*, uint, NvmlReturn>)Export(name);
        if (function is null)
            return (NvmlReturn.FunctionNotFound, "");
        var text = stackalloc byte[LongestText];
        var result = function(device, text, LongestText);
        var bytes = new ReadOnlySpan<byte>(text, LongestText);
        return (result, result == NvmlReturn.Success && bytes.IndexOf((byte)0) is >= 0 and var length ? Encoding.ASCII.GetString(bytes[..length]) : "");
    }

    private uint? NumberOf(string name, nint device)
    {
        uint number = 0;
        var function = (delegate* unmanaged<nint, uint*, NvmlReturn>)Export(name);
        return function is not null && function(device, &number) == NvmlReturn.Success ? number : null;
    }

    // nvmlValueType_t: double, unsigned int, unsigned long, unsigned long long, signed long long, signed int.
    private static double ValueOf(ulong value, int type) => type switch
    {
        0 => BitConverter.UInt64BitsToDouble(value),
        1 => (uint)value,
        2 or 3 => value,
        4 => (long)value,
        5 => (int)value,
        _ => double.NaN,
    };

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Sample
    {
        private readonly ulong _timeStamp, _value;

        public UtilizationSample Read(int valueType) => new((long)_timeStamp, ValueOf(_value, valueType));
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Utilization { public uint Gpu, Memory; }

    [StructLayout(LayoutKind.Sequential)]
    private struct MemoryInfo { public ulong Total, Free, Used; }

    [StructLayout(LayoutKind.Sequential)]
    private struct DeviceAttributes
    {
        public uint Multiprocessors, CopyEngines, Decoders, Encoders, JpegEngines, OpticalFlowEngines, GpuInstanceSlices, ComputeInstanceSlices;
        public ulong MemoryMiB;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct InstanceProfile
    {
        public uint Id, IsPeerToPeerSupported, Slices, Instances, Multiprocessors, CopyEngines, Decoders, Encoders, JpegEngines, OpticalFlowEngines;
        public ulong MemoryMiB;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct MetricsGet
    {
        public uint Version, Count;
        public nint Earlier, Later;
        public Metric Metric;
        private fixed byte _restOfTheMetrics[40 * 512];
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Metric
    {
        public uint Id;
        public NvmlReturn Return;
        public double Value;
        public nint ShortName, LongName, Unit;
    }
}
