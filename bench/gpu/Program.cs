using System.Diagnostics;
using System.Globalization;
using ControlPlane.Bench.Gpu;
using ControlPlane.Sidecar;

// What the sidecar meters of three loads, beside what CUDA's events say they were. The machine's first GPU has to be idle otherwise.
// With --by nvidia-smi it is metered as where NVIDIA's library does not serve.
var library = args is ["--by", "nvidia-smi"] ? "none" : "libnvidia-ml.so.1";
var loads = new (string Name, TimeSpan Busy, TimeSpan Every, TimeSpan For)[]
{
    ("busy all the time", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60)),
    ("2 s of every 10 s", TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(120)),
    ("0.3 s of every second", TimeSpan.FromSeconds(0.3), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(80)),
};

if (Cuda.Open() is not { } cuda)
{
    Console.WriteLine("skipped: there is no NVIDIA GPU with its driver here (libcuda.so.1)");
    return 0;
}

var isWithin = true;
Console.WriteLine(cuda.Name);
Console.WriteLine("| load | true | metered | lost |");
Console.WriteLine("|---|---:|---:|---:|");
foreach (var load in loads)
{
    using var watch = new GpuWatch(library, "nvidia-smi", expectsGpus: () => true, [], new(Console.Error), TimeProvider.System);
    await watch.ReadAsync(CancellationToken.None);
    var truth = Task.Run(() => RunAsync(load));
    var sum = new GpuSpan();
    while (!truth.IsCompleted)
    {
        await Task.WhenAny(truth, Task.Delay(watch.Every));
        sum += await LookAsync(watch);
    }
    await Task.Delay(TimeSpan.FromSeconds(3));              // the last period of the driver's samples
    sum += await LookAsync(watch);
    var trueMs = await truth;
    var share = sum.BusyMs / trueMs;
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {load.Name} | {trueMs:F0} ms | {sum.BusyMs:F0} ({share:F2}) | {sum.LostMs:F0} |"));
    isWithin &= share is >= 0.95 and <= 1.05;
}
return isWithin ? 0 : 1;

async Task<double> RunAsync((string Name, TimeSpan Busy, TimeSpan Every, TimeSpan For) load)
{
    var (began, sum) = (Stopwatch.StartNew(), 0.0);
    for (var at = TimeSpan.Zero; at < load.For; at += load.Every)
    {
        if (at > began.Elapsed)
            await Task.Delay(at - began.Elapsed);
        sum += cuda.Busy(load.Busy);
    }
    return sum;
}

static async Task<GpuSpan> LookAsync(GpuWatch watch)
{
    var reading = await watch.ReadAsync(CancellationToken.None);
    foreach (var fault in reading.Faults)
        Console.Error.WriteLine(fault);
    return reading.Gpus.Where(use => use.Gpu.Index == 0).Aggregate(default(GpuSpan), (sum, use) => sum + use.Span);
}
