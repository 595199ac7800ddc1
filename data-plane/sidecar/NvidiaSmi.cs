using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace ControlPlane.Sidecar;

internal interface IGpuReader
{
    /// <returns>The GPUs; none where there are none, or where they cannot be read just now.</returns>
    Task<IReadOnlyList<Gpu>> ReadAsync(CancellationToken cancel);
}

/// <summary>Asks NVIDIA's own tool, where it is installed.</summary>
internal sealed class NvidiaSmi(string program, TimeProvider clock) : IGpuReader
{
    private const int MostGpus = 16;                        // what a heartbeat may carry
    private const int LongestName = 64;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private bool _isAbsent;

    public async Task<IReadOnlyList<Gpu>> ReadAsync(CancellationToken cancel)
    {
        if (_isAbsent)
            return [];
        using var patience = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancel);
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program)
            {
                ArgumentList = { "--query-gpu=index,uuid,name,utilization.gpu,memory.used,memory.total,power.draw,temperature.gpu", "--format=csv,noheader,nounits" },
                RedirectStandardOutput = true,
            })!;
            try
            {
                var text = await process.StandardOutput.ReadToEndAsync(either.Token);
                await process.WaitForExitAsync(either.Token);
                return process.ExitCode == 0 ? Parse(text) : [];
            }
            catch (OperationCanceledException)
            {
                process.Kill();                             // a driver in trouble can hang its tool
                cancel.ThrowIfCancellationRequested();
                return [];
            }
        }
        catch (Win32Exception)
        {
            _isAbsent = true;
            return [];
        }
    }

    internal static IReadOnlyList<Gpu> Parse(string text) =>
        [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(ParseLine).OfType<Gpu>().Take(MostGpus)];

    private static Gpu? ParseLine(string line)
    {
        var parts = line.Split(',', StringSplitOptions.TrimEntries);
        return parts.Length == 8 && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            ? new(index, Cut(parts[1]), Cut(parts[2]), Number(parts[3]) ?? 0, MiB(parts[4]), MiB(parts[5]), Number(parts[6]), Number(parts[7]))
            : null;
    }

    // "[N/A]" and "[Not Supported]" are its words for what a model does not measure.
    private static double? Number(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value : null;

    private static long MiB(string text) => (long)((Number(text) ?? 0) * 1024 * 1024);

    private static string Cut(string text) => text.Length <= LongestName ? text : text[..LongestName];
}
