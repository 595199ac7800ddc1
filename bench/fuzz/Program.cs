using System.Diagnostics;
using System.Text;
using ControlPlane.Bench.Fuzz;
using SharpFuzz;

// --afl TARGET            one target, as afl-fuzz calls it (bench/fuzz/run)
// FILE TARGET             one input: what a find does, with its stack
// [SECONDS] [TARGET...]   without coverage: what is kept, and so many seconds of changes to it for each target
switch (args)
{
    case ["--afl", var target]:
        // In a process of its own, so that an overflowing stack is a find and not the end.
        Fuzzer.OutOfProcess.Run(input =>
        {
            using var bytes = new MemoryStream();
            input.CopyTo(bytes);
            Targets.All[target](bytes.ToArray());
        });
        return 0;
    case [var file, var target] when File.Exists(file):
        Targets.All[target](await File.ReadAllBytesAsync(file));
        return 0;
    default:
        return Search(args is [var first, ..] && double.TryParse(first, out var given) ? given : 1, [.. args.Where(Targets.All.ContainsKey)]);
}

static int Search(double seconds, IReadOnlyList<string> targets)
{
    var root = new DirectoryInfo(AppContext.BaseDirectory);
    while (!File.Exists(Path.Combine(root.FullName, "ControlPlane.slnx")))
        root = root.Parent ?? throw new InvalidOperationException("ControlPlane.slnx is not above this program: run it from a checkout.");

    var finds = 0;
    foreach (var target in targets.Count > 0 ? targets : [.. Targets.All.Keys])
    {
        var kept = Corpus.Of(root.FullName, target);
        var mutator = new Mutator(kept, Environment.TickCount);
        var (tried, since) = (0, Stopwatch.GetTimestamp());
        for (; Stopwatch.GetElapsedTime(since).TotalSeconds < seconds; tried++)
        {
            var input = tried < kept.Count ? kept[tried] : mutator.Next();
            try
            {
                Targets.All[target](input);
            }
            catch (Exception e)
            {
                finds++;
                Console.WriteLine($"{target}: {e.GetType().Name}: {e.Message}\n{e.StackTrace}\n  {Convert.ToBase64String(input)}\n  {Encoding.UTF8.GetString(input)}");
                break;
            }
        }
        Console.WriteLine($"{target}: {tried} inputs");
    }
    return finds;
}
