using System.Globalization;
using System.Text;
using ControlPlane.Local.Hub;

namespace ControlPlane.Load;

/// <summary>What a function's process has used so far.</summary>
internal sealed record ProcessCost(string Function, int Process, TimeSpan Cpu, long PeakBytes)
{
    public static IReadOnlyList<ProcessCost> Of(LocalControlPlane local) =>
        [.. local.Functions.Values.Select(function => Of(function.Id, function.ProcessId)).OfType<ProcessCost>()];

    /// <summary>Those that lived from the one to the other.</summary>
    public static string Table(IReadOnlyList<ProcessCost> before, IReadOnlyList<ProcessCost> after)
    {
        var table = new StringBuilder("| function | CPU s | peak MiB |\n|---|---:|---:|\n");
        foreach (var (then, now) in before.Join(after, one => (one.Function, one.Process), one => (one.Function, one.Process), (then, now) => (then, now)))
            table.AppendLine(CultureInfo.InvariantCulture, $"| {now.Function} | {(now.Cpu - then.Cpu).TotalSeconds:0.0} | {now.PeakBytes / 1048576.0:0} |");
        return table.ToString();
    }

    private static ProcessCost? Of(string function, int? id)
    {
        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(id ?? 0);
            return new(function, process.Id, process.TotalProcessorTime, process.PeakWorkingSet64);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException) { return null; }    // killed, and not there again yet
    }
}
