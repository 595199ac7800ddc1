using System.Runtime.InteropServices;
using System.Text;

namespace ControlPlane.Bench.Gpu;

/// <summary>Keeps the first GPU busy for a given time, by the driver's own interface: no toolkit is needed.</summary>
/// <remarks>https://docs.nvidia.com/cuda/cuda-driver-api/</remarks>
internal sealed unsafe class Cuda
{
    // One thread that looks at the GPU's clock until its time is up. The driver compiles it for whatever GPU there is.
    private const string Spin = """
        .version 6.0
        .target sm_52
        .address_size 64
        .visible .entry spin(.param .u64 nanoseconds)
        {
            .reg .u64 %limit, %start, %now, %passed;
            .reg .pred %goes_on;
            ld.param.u64 %limit, [nanoseconds];
            mov.u64 %start, %globaltimer;
        again:
            mov.u64 %now, %globaltimer;
            sub.u64 %passed, %now, %start;
            setp.lt.u64 %goes_on, %passed, %limit;
            @%goes_on bra again;
            ret;
        }
        """;

    // A display's driver ends a kernel that takes seconds.
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(100);

    private readonly nint _library, _context, _spin, _before, _after;

    private Cuda(nint library)
    {
        _library = library;
        Check(((delegate* unmanaged<uint, int>)Export("cuInit"))(0));
        int device;
        Check(((delegate* unmanaged<int*, int, int>)Export("cuDeviceGet"))(&device, 0));
        var name = stackalloc byte[96];
        Check(((delegate* unmanaged<byte*, int, int, int>)Export("cuDeviceGetName"))(name, 96, device));
        Name = Marshal.PtrToStringUTF8((nint)name)!;
        nint context, module, function, before, after;
        Check(((delegate* unmanaged<nint*, int, int>)Export("cuDevicePrimaryCtxRetain"))(&context, device));
        _context = context;
        Use();                                              // for the calls that follow
        fixed (byte* text = Encoding.ASCII.GetBytes(Spin + '\0'))
            Check(((delegate* unmanaged<nint*, byte*, int>)Export("cuModuleLoadData"))(&module, text));
        fixed (byte* entry = "spin\0"u8)
            Check(((delegate* unmanaged<nint*, nint, byte*, int>)Export("cuModuleGetFunction"))(&function, module, entry));
        var create = (delegate* unmanaged<nint*, uint, int>)Export("cuEventCreate");
        Check(create(&before, 0));
        Check(create(&after, 0));
        (_spin, _before, _after) = (function, before, after);
    }

    public string Name { get; }

    /// <returns>Null where there is no CUDA driver, or no GPU that it knows.</returns>
    public static Cuda? Open()
    {
        if (!NativeLibrary.TryLoad("libcuda.so.1", out var library))
            return null;
        try
        {
            return new(library);
        }
        catch (InvalidOperationException e)
        {
            Console.Error.WriteLine(e.Message);
            return null;
        }
    }

    // A context is the calling thread's.
    private void Use() => Check(((delegate* unmanaged<nint, int>)Export("cuCtxSetCurrent"))(_context));

    /// <summary>Keeps the GPU busy.</summary>
    /// <returns>How long it was, in milliseconds, by the events around each kernel.</returns>
    public double Busy(TimeSpan time)
    {
        Use();
        var launch = (delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, int>)Export("cuLaunchKernel");
        var record = (delegate* unmanaged<nint, nint, int>)Export("cuEventRecord");
        var sum = 0.0;
        for (var left = time; left > TimeSpan.Zero; left -= Longest)
        {
            var nanoseconds = (ulong)(left < Longest ? left : Longest).Ticks * 100;
            void* argument = &nanoseconds;
            float milliseconds;
            Check(record(_before, 0));
            Check(launch(_spin, 1, 1, 1, 1, 1, 1, 0, 0, &argument, null));
            Check(record(_after, 0));
            Check(((delegate* unmanaged<nint, int>)Export("cuEventSynchronize"))(_after));
            Check(((delegate* unmanaged<float*, nint, nint, int>)Export("cuEventElapsedTime"))(&milliseconds, _before, _after));
            sum += milliseconds;
        }
        return sum;
    }

    private nint Export(string name) => NativeLibrary.GetExport(_library, name);

    private static void Check(int result)
    {
        if (result != 0)
            throw new InvalidOperationException($"CUDA answers {result}.");
    }
}
