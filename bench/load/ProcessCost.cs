using System.Globalization;
using System.Text;
using ControlPlane.Local.Hub;

namespace ControlPlane.Load;

/// <summary>What a function's process has used so far.</summary>
/// <param name="Bytes">That it holds in memory now.</param>
internal sealed record ProcessCost(string Function, int Process, TimeSpan Cpu, long Bytes, long PeakBytes)
{
    private const int Quarters = 4;
    private const double Mebi = 1048576;

    /// <summary>At the beginning, and after each quarter of the time.</summary>
    public static async Task<IReadOnlyList<IReadOnlyList<ProcessCost>>> WatchAsync(
        LocalControlPlane local, TimeSpan length, TimeProvider clock, CancellationToken cancel)
    {
        var looks = new List<IReadOnlyList<ProcessCost>> { Of(local) };
        while (looks.Count <= Quarters)
        {
            await Task.Delay(length / Quarters, clock, cancel);
            looks.Add(Of(local));
        }
        return looks;
    }

    public static IReadOnlyList<ProcessCost> Of(LocalControlPlane local) =>
        [.. local.Functions.Values.Select(function => Of(function.Id, function.ProcessId)).OfType<ProcessCost>()];

    /// <summary>Those that lived through all of it.</summary>
    public static string Table(IReadOnlyList<IReadOnlyList<ProcessCost>> looks)
    {
        var table = new StringBuilder("| function | CPU s | MiB after each quarter | peak MiB |\n|---|---:|---|---:|\n");
        foreach (var life in looks.SelectMany(look => look).GroupBy(one => (one.Function, one.Process)).Where(life => life.Count() == looks.Count))
        {
            var (then, now) = (life.First(), life.Last());
            var held = string.Join(", ", life.Select(one => (one.Bytes / Mebi).ToString("0", CultureInfo.InvariantCulture)));
            table.AppendLine(CultureInfo.InvariantCulture, $"| {now.Function} | {(now.Cpu - then.Cpu).TotalSeconds:0.0} | {held} | {now.PeakBytes / Mebi:0} |");
        }
        return table.ToString();
    }

    private static ProcessCost? Of(string function, int? id)
    {
        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(id ?? 0);
            return new(function, process.Id, process.TotalProcessorTime, process.WorkingSet64, process.PeakWorkingSet64);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException) { return null; }    // killed, and not there again yet
    }
}
