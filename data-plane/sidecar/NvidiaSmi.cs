using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace ControlPlane.Sidecar;

/// <summary>Asks NVIDIA's own tool how busy the GPUs are at this moment: an estimate, for where its library does not serve.</summary>
internal sealed class NvidiaSmi(string program, TimeProvider clock)
{
    /// <summary>How often to ask: each time a process starts.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(10);

    /// <summary>How long one moment may stand for, before time counts as lost.</summary>
    public static readonly TimeSpan StandsFor = TimeSpan.FromSeconds(20);

    public static readonly TimeSpan TriesAgainAfter = TimeSpan.FromMinutes(1);

    private const string Fields = "index,uuid,name,utilization.gpu,memory.used,memory.total,power.draw,temperature.gpu";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private long? _absentAt;

    /// <param name="since">Time that is not counted yet.</param>
    /// <returns>Null where there is no such program: it is looked for again every minute.</returns>
    public async Task<GpuReading?> ReadAsync(TimeSpan since)
    {
        if (_absentAt is { } absent && clock.GetElapsedTime(absent) < TriesAgainAfter)
            return null;
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program)
            {
                ArgumentList = { $"--query-gpu={Fields}", "--format=csv,noheader,nounits" },
                Environment = { ["LC_ALL"] = "C" },
                RedirectStandardOutput = true,
            })!;
            _absentAt = null;
            return await ReadAsync(process, since);
        }
        catch (Win32Exception)
        {
            _absentAt = clock.GetTimestamp();
            return null;
        }
    }

    private async Task<GpuReading> ReadAsync(Process process, TimeSpan since)
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        try
        {
            var text = await process.StandardOutput.ReadToEndAsync(patience.Token);
            await process.WaitForExitAsync(patience.Token);
            // With one GPU fallen it ends with 15, and has told of the others all the same.
            var reading = Parse(text, since);
            return process.ExitCode == 0 ? reading
                : reading with { Faults = [.. reading.Faults, $"nvidia-smi ended with {process.ExitCode.ToString(CultureInfo.InvariantCulture)}"] };
        }
        catch (OperationCanceledException)
        {
            process.Kill();                                 // a driver in trouble can hang its tool
            return GpuReading.Unreadable("nvidia-smi does not answer");
        }
    }

    internal static GpuReading Parse(string text, TimeSpan since)
    {
        var gpus = new List<GpuUse>();
        var faults = new List<string>();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            // A comma with a blank parts fields; without one it is some locale's decimal point.
            var fields = line.Split(", ", StringSplitOptions.TrimEntries);
            if (fields.Length != 8 || !int.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out var index) || index > 255)
                continue;
            var percent = Plausible.Percent(Number(fields[3]));
            if (percent is null)
                faults.Add($"{Plausible.Name(fields[1])} has no utilization: {Plausible.Name(fields[3])}");
            else if (gpus.Count < Plausible.MostGpus)
                gpus.Add(new(
                    new(index, Plausible.Name(fields[1]), Plausible.Name(fields[2]), percent.Value, MiB(fields[4]), MiB(fields[5]),
                        Plausible.Watts(Number(fields[6])), Plausible.Celsius(Number(fields[7]))),
                    GpuSpan.Estimate(percent.Value, since, StandsFor)));
        }
        return new(gpus, faults);
    }

    // "[N/A]" and "[Not Supported]" are its words for what a model does not measure.
    private static double? Number(string text) =>
        double.TryParse(text.Replace(',', '.'), NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value : null;

    private static long MiB(string text) => Plausible.Bytes(Number(text) * 1024 * 1024);
}
