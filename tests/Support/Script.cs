using System.Diagnostics;

namespace ControlPlane.Tests.Support;

/// <summary>A script of the project's, run as a person runs it.</summary>
public static class Script
{
    public static async Task<(int Exit, string Said)> RunAsync(string program, IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        var ours = Path.Combine(RepositoryRoot.Find(), program);
        var start = new ProcessStartInfo(File.Exists(ours) ? ours : program, arguments)
        {
            WorkingDirectory = RepositoryRoot.Find(),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var cancel = TestContext.Current.CancellationToken;
        var said = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(cancel), process.StandardError.ReadToEndAsync(cancel));
        await process.WaitForExitAsync(cancel);
        return (process.ExitCode, string.Join('\n', said));
    }

    /// <summary>Of a trial that says of each promise whether it holds: 0 they all do, 77 this machine cannot try it.</summary>
    public static void Holds((int Exit, string Said) trial)
    {
        Assert.SkipWhen(trial.Exit == 77, trial.Said);
        Assert.True(trial.Exit == 0, trial.Said);
    }

    public static bool Exists(string tool) => Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, tool)));
}

/// <summary>Trials of one script with a slip each, two under way at a time: most of their time they wait. All begin with the first that is asked
/// for.</summary>
/// <param name="slips">What is there and what stands in its place.</param>
/// <param name="tryAsync">Tries it with a slip.</param>
public sealed class Slips(IEnumerable<(string There, string Slip)> slips, Func<string, string, Task<(int Exit, string Said)>> tryAsync)
{
    private readonly SemaphoreSlim _two = new(2);
    private Dictionary<string, Task<(int Exit, string Said)>>? _trials;

    /// <summary>Whether the trial says of what a slip breaks that it does not hold; skips where this machine cannot try it.</summary>
    public async Task SeesAsync(string there)
    {
        _trials ??= slips.ToDictionary(one => one.There, one => InTurnAsync(one.There, one.Slip));
        var (exit, said) = await _trials[there];
        Assert.SkipWhen(exit == 77, said);

        Assert.Equal(1, exit);
        Assert.Contains("DOES NOT HOLD", said, StringComparison.Ordinal);
    }

    private async Task<(int Exit, string Said)> InTurnAsync(string there, string slip)
    {
        await _two.WaitAsync(TestContext.Current.CancellationToken);
        try { return await tryAsync(there, slip); }
        finally { _two.Release(); }
    }
}
