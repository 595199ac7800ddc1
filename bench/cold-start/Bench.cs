using System.Runtime.InteropServices;
using System.Text;
using ControlPlane.Local.DataPlane;
using ControlPlane.Local.Hub;
using ControlPlane.Local.Processes;
using ControlPlane.Local.Runtime;
using ControlPlane.Local.Template;

namespace ControlPlane.ColdStart;

/// <summary>Measures the published functions, each beside the empty one and right after it, so that both have the same weather.</summary>
internal static class Bench
{
    private static readonly TemplateFunction Empty = new(
        "(empty)", $"bench/{Publishing.Empty}", "empty", TimeSpan.FromSeconds(10), 512, new Dictionary<string, System.Text.Json.Nodes.JsonNode?>(), []);

    /// <summary>Hands each published function one event.</summary>
    public static Task<int> TryOnceAsync(string published, CancellationToken cancel) => WithFunctionsAsync(published, async (local, probes) =>
    {
        foreach (var probe in probes)
        {
            var function = local.Template.Functions.Single(one => one.Id == probe.Function);
            var cost = await Cost.OfAsync(
                function, FunctionProgram.Published(published, function.Project), EnvironmentOf(local, function), probe.InvokeAsync, invocations: 1, cancel);
            Console.WriteLine($"{probe.Name,-44} init {cost.Init.TotalMilliseconds,5:0} ms, first event {cost.First.TotalMilliseconds,5:0} ms, {cost.PeakBytes >> 20} MiB");
        }
    }, cancel);

    /// <param name="isSecure">Whether tables, queues and secrets are behind TLS.</param>
    /// <param name="memoryMb">Whose share of a core each process has; null for a whole core.</param>
    public static Task<int> MeasureAsync(
        string published, int runs, int invocations, bool isSecure, int? memoryMb, string? save, CancellationToken cancel) =>
        WithFunctionsAsync(published, async (local, probes) =>
    {
        await Publishing.EnsureEmptyAsync(published, cancel);
        using var front = isSecure ? new TlsFront(TimeProvider.System) : null;
        using var share = memoryMb is { } megabytes ? CoreShare.Of(megabytes) : null;
        var table = new StringBuilder();
        var how = $"{(isSecure ? "over TLS" : "over plain HTTP")}, with {(memoryMb is null ? "a whole core" : $"{memoryMb} MB's share of a core")}";
        table.AppendLine($"{runs} fresh processes each, {how}, {invocations} invocations after the first; medians. {Machine()}").AppendLine();
        table.AppendLine("| function | init ms | × empty | first ms | cold answer ms | later ms | CPU ms | peak MiB | zip MB |")
            .AppendLine("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
        var allEmpty = new List<Cost>();
        var rows = new List<string>();
        foreach (var probe in probes)
        {
            var function = local.Template.Functions.Single(one => one.Id == probe.Function);
            var (program, environment) = (FunctionProgram.Published(published, function.Project), EnvironmentOf(local, function));
            environment = front?.Before(environment) ?? environment;
            var (costs, empty) = (new List<Cost>(), new List<Cost>());
            for (var run = 0; run < runs; run++)
            {
                empty.Add(await Cost.OfAsync(Empty, Within(share, FunctionProgram.Published(published, Empty.Project)), environment,
                    host => host.InvokeAsync("{}"u8.ToArray()), invocations, cancel));
                costs.Add(await Cost.OfAsync(function, Within(share, program), environment, probe.InvokeAsync, Math.Min(invocations, probe.Most), cancel));
            }

            rows.Add(Row(probe.Name, costs, empty, program.Folder));
            Console.WriteLine(rows[^1]);
            allEmpty.AddRange(empty);
        }

        table.AppendLine(Row(Empty.Id, allEmpty, allEmpty, FunctionProgram.Published(published, Empty.Project).Folder));
        foreach (var row in rows) table.AppendLine(row);
        Console.WriteLine();
        Console.Write(table);
        if (save is not null) await File.WriteAllTextAsync(save, table.ToString(), cancel);
    }, cancel);

    private static Task<int> WithFunctionsAsync(string published, Func<LocalControlPlane, IReadOnlyList<Probe>, Task> useAsync, CancellationToken cancel) =>
        WithControlPlaneAsync(published, async (local, probes) => await useAsync(local, await probes.PrepareAsync(cancel)), cancel);

    /// <summary>Starts a control plane in a folder of its own, for as long as it is used.</summary>
    public static async Task<int> WithControlPlaneAsync(string published, Func<LocalControlPlane, Probes, Task> useAsync, CancellationToken cancel)
    {
        published = Path.GetFullPath(published);
        var state = Directory.CreateTempSubdirectory("cold-start-").FullName;
        try
        {
            var options = new RunOptions(
                state, Port: 0, PrivatePort: 0, Empty: false, new Dictionary<string, System.Net.IPEndPoint>(), DemoData.Engine.Address, published, Machines: 1);
            await using var local = await LocalControlPlane.StartAsync(options, Console.WriteLine, TimeProvider.System, cancel);
            using var probes = new Probes(local, TimeProvider.System);
            await useAsync(local, probes);
            return 0;
        }
        catch (CannotStart e)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
        finally { Directory.Delete(state, recursive: true); }
    }

    public static Dictionary<string, string?> EnvironmentOf(LocalControlPlane local, TemplateFunction function) =>
        new(local.Environment.Of(function)) { ["RATE_LIMIT_PER_TENANT"] = "1000000" };

    private static FunctionProgram Within(CoreShare? share, FunctionProgram program) => share?.Around(program) ?? program;

    private static string Row(string name, IReadOnlyList<Cost> costs, IReadOnlyList<Cost> empty, string folder)
    {
        var init = Medians.Of(costs.Select(cost => cost.Init)).TotalMilliseconds;
        var ratio = init / Medians.Of(empty.Select(cost => cost.Init)).TotalMilliseconds;
        return string.Create(System.Globalization.CultureInfo.InvariantCulture,
            $"| {name} | {init:0.0} | {ratio:0.00} | {Ms(costs, cost => cost.First):0.0} | {Ms(costs, cost => cost.Init + cost.First):0.0} | {Ms(costs, cost => cost.Later):0.00} | {Ms(costs, cost => cost.CpuPerInvocation):0.00} | {Medians.Of(costs.Select(cost => cost.PeakBytes)) / 1048576.0:0.0} | {Publishing.ZippedBytes(folder) / 1e6:0.0} |");
    }

    private static double Ms(IEnumerable<Cost> costs, Func<Cost, TimeSpan> of) => Medians.Of(costs.Select(of)).TotalMilliseconds;

    public static string Machine()
    {
        var processor = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()
            : null;
        return $"{processor ?? "unknown processor"}, {Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}.";
    }
}
