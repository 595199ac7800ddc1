using System.Diagnostics;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Infra;

/// <summary>A script of the project's, run as a person runs it.</summary>
internal static class Script
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

    public static bool Exists(string tool) => Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, tool)));
}
