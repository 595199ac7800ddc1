using System.Globalization;
using System.Text;
using Amazon.SQS.Model;
using ControlPlane.ColdStart;
using ControlPlane.Local.DataPlane;
using ControlPlane.Local.Hub;
using ControlPlane.Local.Processes;
using ControlPlane.Local.Runtime;
using ControlPlane.Local.Template;

namespace ControlPlane.Peers;

/// <param name="Runs">Fresh processes of each side for each event.</param>
/// <param name="Invocations">Of each process after its first.</param>
/// <param name="Save">A file for the tables.</param>
internal sealed record Measuring(int Runs, int Invocations, string? Save);

/// <summary>Three events through our functions and through the peer's, each process in its turn, over the same tables and queues.</summary>
internal static class PeerBench
{
    private const int Checked = 2;

    /// <param name="measuring">Null checks only.</param>
    public static Task<int> RunAsync(string published, IReadOnlyList<NodePeer> peers, Measuring? measuring, CancellationToken cancel) =>
        Bench.WithControlPlaneAsync(published, async (local, probes) =>
    {
        IReadOnlyList<Side> sides = [new OurSide(published), .. peers];
        // An order that nobody takes: what comes after it is no part of a command.
        var queue = (await local.QueueServer.NewClient().CreateQueueAsync(
            new CreateQueueRequest { QueueName = "peers.fifo", Attributes = new() { ["FifoQueue"] = "true" } }, cancel)).QueueUrl;
        Job[] jobs =
        [
            new CommandJob(local, probes, "help", "help", queue, orders: false, TimeProvider.System),
            new CommandJob(local, probes, "run", $$"""run {{DemoData.Workflow}} '{"city":"Paris"}'""", queue, orders: true, TimeProvider.System),
            new HeartbeatJob(local, probes),
        ];
        var settings = new Dictionary<string, string?>
        {
            ["EXECUTION_REQUESTS_QUEUE_URL"] = queue,
            ["RATE_LIMIT_PER_USER"] = "1000000",
            ["NODE_OPTIONS"] = null,
            ["NODE_ENV"] = "production",
        };
        foreach (var job in jobs) await CheckAsync(local, sides, job, settings, cancel);
        if (measuring is not null) await MeasureAsync(local, sides, jobs, settings, measuring, cancel);
    }, cancel);

    /// <summary>Nobody is timed on an answer that is none: each side refuses a forged event, answers a good one, and writes what the others write.</summary>
    private static async Task CheckAsync(
        LocalControlPlane local, IReadOnlyList<Side> sides, Job job, IReadOnlyDictionary<string, string?> settings, CancellationToken cancel)
    {
        string? shape = null;
        foreach (var side in sides)
        {
            var function = FunctionOf(local, job);
            await job.NoteAsync(cancel);
            try
            {
                await using var host = await FunctionHost.StartAsync(
                    side.As(function), side.ProgramOf(function, job.Entry), EnvironmentOf(local, function, settings), line => Told(side, line), new Pace(),
                    TimeProvider.System);
                await host.Ready.WaitAsync(cancel);
                var forged = new Probe(job.Probe.Function, job.Forged, answer => (int?)answer?["statusCode"] == 401) { What = $"forged {job.Probe.What}" };
                await forged.InvokeAsync(host);
                for (var i = 0; i < Checked; i++) await job.Probe.InvokeAsync(host);
                var wrote = await job.CheckAsync(Checked, cancel);
                shape ??= wrote;
                if (wrote != shape)
                    throw new InvalidOperationException($"{job.Probe.What}: we write {shape}, and it {wrote}");
            }
            catch (InvalidOperationException e) { throw new CannotStart($"{side.Name} is not measured. {e.Message}"); }
            Console.WriteLine($"{job.Probe.What,-12} {side.Name,-8} answers, refuses a forged one, and wrote what it should");
        }
        if (shape is { Length: > 0 })
            Console.WriteLine($"  {shape}");
    }

    private static async Task MeasureAsync(
        LocalControlPlane local, IReadOnlyList<Side> sides, IReadOnlyList<Job> jobs, IReadOnlyDictionary<string, string?> settings, Measuring measuring,
        CancellationToken cancel)
    {
        var report = new Report(sides);
        foreach (var job in jobs)
        {
            var function = FunctionOf(local, job);
            var costs = sides.ToDictionary(side => side, _ => new List<Cost>());
            var loads = new List<double>();
            for (var run = 0; run < measuring.Runs; run++)
            {
                foreach (var side in sides)
                {
                    await job.NoteAsync(cancel);
                    loads.Add(Load());
                    costs[side].Add(await Cost.OfAsync(
                        side.As(function), side.ProgramOf(function, job.Entry), EnvironmentOf(local, function, settings), job.Probe.InvokeAsync,
                        measuring.Invocations, cancel, line => Told(side, line)));
                    await job.CheckAsync(measuring.Invocations + 1, cancel);
                }
            }
            report.Add(job.Probe.What!, costs, side => side.PackageBytes(function, job.Entry), loads);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{job.Probe.What} is measured, at a load of {loads.Min():0.0} to {loads.Max():0.0}"));
        }

        var tables = $"{measuring.Runs} fresh processes each, in turns, {measuring.Invocations} events after the first; medians. {Bench.Machine()}\n\n{report}";
        Console.WriteLine();
        Console.Write(tables);
        if (measuring.Save is { } file)
            await File.WriteAllTextAsync(file, tables, cancel);
    }

    private static TemplateFunction FunctionOf(LocalControlPlane local, Job job) => local.Template.Functions.Single(one => one.Id == job.Probe.Function);

    private static Dictionary<string, string?> EnvironmentOf(LocalControlPlane local, TemplateFunction function, IReadOnlyDictionary<string, string?> settings)
    {
        var environment = Bench.EnvironmentOf(local, function);
        foreach (var (name, value) in settings) environment[name] = value;
        return environment;
    }

    private static void Told(Side side, string line)
    {
        if (line.Contains("Error", StringComparison.Ordinal))
            Console.WriteLine($"{side.Name}: {line}");
    }

    /// <summary>Processes that wanted a core, on average over the last minute; those of the bench among them.</summary>
    private static double Load() => double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);
}

/// <summary>The tables that are printed.</summary>
internal sealed class Report(IReadOnlyList<Side> sides)
{
    private sealed record Column(string Name, string Format, Func<Cost, double> Value);

    private static readonly Column[] Columns =
    [
        new("init ms", "0", cost => cost.Init.TotalMilliseconds),
        new("first ms", "0.0", cost => cost.First.TotalMilliseconds),
        new("CPU ms to the first answer", "0", cost => cost.CpuToFirst.TotalMilliseconds),
        new("later p50 ms", "0.00", cost => cost.Later.TotalMilliseconds),
        new("CPU ms", "0.00", cost => cost.CpuPerInvocation.TotalMilliseconds),
        new("peak MiB", "0.0", cost => cost.PeakBytes / 1048576.0),
    ];

    private readonly StringBuilder _figures = new(Head("event", [.. Columns.Select(column => column.Name), "zip MB", "load"]));
    private readonly StringBuilder _ratios = new(Head("ours ÷ its", [.. Columns.Select(column => column.Name.Replace(" ms", "").Replace(" MiB", "")), "zip"]));

    public void Add(string what, IReadOnlyDictionary<Side, List<Cost>> costs, Func<Side, long> packageBytes, IReadOnlyList<double> loads)
    {
        var medians = sides.ToDictionary(side => side, side => Columns.Select(column => Median(costs[side].Select(column.Value))).ToList());
        foreach (var side in sides)
        {
            var cells = Columns.Zip(medians[side], (column, value) => value.ToString(column.Format, CultureInfo.InvariantCulture));
            _figures.AppendLine(
                CultureInfo.InvariantCulture, $"| {what}, {side.Name} | {string.Join(" | ", cells)} | {packageBytes(side) / 1e6:0.0} | {Median(loads):0.0} |");
        }
        foreach (var peer in sides.Skip(1))
        {
            var cells = medians[sides[0]].Zip(medians[peer], (ours, its) => (ours / its).ToString("0.00", CultureInfo.InvariantCulture));
            _ratios.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {what}, {peer.Name} | {string.Join(" | ", cells)} | {packageBytes(sides[0]) / (double)packageBytes(peer):0.00} |");
        }
    }

    public override string ToString() => $"{_figures}\n{_ratios}";

    private static string Head(string first, IReadOnlyList<string> columns) =>
        $"| {first} | {string.Join(" | ", columns)} |\n|---|{string.Concat(columns.Select(_ => "---:|"))}\n";

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count % 2 == 1 ? sorted[sorted.Count / 2] : (sorted[sorted.Count / 2 - 1] + sorted[sorted.Count / 2]) / 2;
    }
}
