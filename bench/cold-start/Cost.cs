using System.Diagnostics;
using System.Globalization;
using ControlPlane.Local.Processes;
using ControlPlane.Local.Runtime;
using ControlPlane.Local.Template;

namespace ControlPlane.ColdStart;

/// <summary>What one fresh process cost.</summary>
/// <param name="Later">The median of the invocations after the first.</param>
/// <param name="CpuPerInvocation">Processor time of those, evenly divided; the kernel counts in hundredths of a second.</param>
/// <param name="CpuToFirst">Processor time of the start and of the first invocation together.</param>
internal sealed record Cost(TimeSpan Init, TimeSpan First, TimeSpan Later, TimeSpan CpuPerInvocation, TimeSpan CpuToFirst, long PeakBytes)
{
    public static async Task<Cost> OfAsync(
        TemplateFunction function, FunctionProgram program, IReadOnlyDictionary<string, string?> environment, Func<FunctionHost, Task> invokeAsync,
        int invocations, CancellationToken cancel, Action<string>? line = null)
    {
        await using var host = await FunctionHost.StartAsync(function, program, environment, line ?? (_ => { }), new Pace(), TimeProvider.System);
        await host.Ready.WaitAsync(cancel);
        using var process = Process.GetProcessById(host.ProcessId!.Value);

        var first = await TimedAsync(() => invokeAsync(host));
        process.Refresh();
        var before = process.TotalProcessorTime;
        var later = new List<TimeSpan>();
        for (var i = 0; i < invocations; i++) later.Add(await TimedAsync(() => invokeAsync(host)));
        process.Refresh();
        return new(host.Init, first, Medians.Of(later), (process.TotalProcessorTime - before) / invocations, before, PeakOf(process.Id));
    }

    private static async Task<TimeSpan> TimedAsync(Func<Task> action)
    {
        var start = Stopwatch.GetTimestamp();
        await action();
        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>The high-water mark of resident memory.</summary>
    private static long PeakOf(int process) =>
        1024 * long.Parse(File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ',
            StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
}

internal static class Medians
{
    public static TimeSpan Of(IEnumerable<TimeSpan> times) => TimeSpan.FromTicks(Of(times.Select(time => time.Ticks)));

    public static long Of(IEnumerable<long> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count % 2 == 1 ? sorted[sorted.Count / 2] : (sorted[sorted.Count / 2 - 1] + sorted[sorted.Count / 2]) / 2;
    }
}
