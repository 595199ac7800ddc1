using System.Runtime.InteropServices;
using ControlPlane.Sidecar;

var clock = TimeProvider.System;
SidecarOptions options;
SigningKey[] keys;
try
{
    options = SidecarOptions.From(args, Environment.GetEnvironmentVariable);
    if (options.Purpose == Purpose.ShowHelp)
    {
        Console.WriteLine(SidecarOptions.Usage);
        return 0;
    }
    if (options.Purpose is Purpose.MakeKey or Purpose.Enrol)
        SigningKey.Make(options.KeyFiles[0]);
    keys = [.. options.KeyFiles.Select(SigningKey.Load)];
}
catch (OptionException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}

if (options.Purpose is Purpose.MakeKey or Purpose.ShowKeyIds)
{
    foreach (var key in keys)
    {
        Console.WriteLine($"key id:     {key.KeyId}");
        Console.WriteLine($"public key: {key.PublicKeyText}");
    }
    return 0;
}

using var stop = new CancellationTokenSource();
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);

try
{
    if (options.Purpose == Purpose.Enrol)
        return await new Enrolment(options, keys[0], Console.Out, clock).RunAsync(stop.Token) ? 0 : 1;
    if (options.Purpose == Purpose.Check)
        return await new Check(options, keys, Console.Out, clock).RunAsync(stop.Token) ? 0 : 1;

    using var state = StateFolder.Open(options.StateFolder);
    var journal = new Journal(Console.Out);
    var machine = new LinuxMachine();
    var spool = new Spool(state, journal);
    using var gpus = new GpuWatch(options.Nvml, options.NvidiaSmi, () => machine.HasGpu, KnownGpus(state, machine), journal, clock);
    var meter = new Meter(options.Tenant, options.Instance, options.Interval, machine, gpus, state, spool, journal, clock);
    using var endpoint = new HeartbeatEndpoint(options.Urls, options.SourceAddress, clock);
    var delivery = new Delivery(spool, meter, keys, endpoint, journal, clock);

    journal.Say($"started tenant={options.Tenant} instance={options.Instance} epoch={meter.Epoch} interval_s={options.Interval.TotalSeconds} "
        + $"waiting={spool.Count} keys={string.Join(',', keys.Select(key => key.KeyId))}");
    return options.Purpose == Purpose.ReportOnce
        ? await OnceAsync(meter, delivery, spool, stop.Token)
        : await ForEverAsync(meter, delivery, stop.Token);
}
catch (OptionException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}
finally
{
    foreach (var key in keys)
        key.Dispose();
}

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}

static async Task<int> OnceAsync(Meter meter, Delivery delivery, Spool spool, CancellationToken stop)
{
    await meter.SampleAsync(stop);
    using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
    patience.CancelAfter(TimeSpan.FromSeconds(30));
    await delivery.DrainAsync(patience.Token);
    return spool.Count == 0 ? 0 : 1;
}

static async Task<int> ForEverAsync(Meter meter, Delivery delivery, CancellationToken stop)
{
    // Neither half is of use without the other: when one fails in a way that nobody foresaw, the process ends and systemd starts it anew.
    using var both = CancellationTokenSource.CreateLinkedTokenSource(stop);
    Task[] halves = [meter.RunAsync(both.Token), delivery.RunAsync(both.Token)];
    await Task.WhenAny(halves);
    await both.CancelAsync();
    await Task.WhenAll(halves);

    // The last sample is safe on the disk; this is for a machine that does not come back. systemd waits for 90 s.
    using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
    await delivery.DrainAsync(patience.Token);
    return 0;
}

// A GPU may be taken out while the machine is off, so none is expected after a boot because it was there before.
static IReadOnlyList<GpuMark> KnownGpus(StateFolder state, LinuxMachine machine) =>
    state.Load() is { Gpus: { } gpus } before && before.BootId == machine.BootId ? gpus : [];
