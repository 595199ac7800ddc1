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
