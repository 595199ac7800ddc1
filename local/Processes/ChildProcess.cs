using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ControlPlane.Local.Processes;

/// <summary>A program that never outlives us, however we end.</summary>
/// <remarks>
/// A shell becomes the program, so the process id is the program's. Before that it leaves a watcher behind that reads from our end of a pipe: when
/// the pipe closes without a word, we are gone and it ends the program. The program ignores Ctrl-C and the closing of the terminal, which reach all of it: we
/// decide the order of leaving.
/// </remarks>
internal sealed partial class ChildProcess : IAsyncDisposable
{
    internal const string Leash = """
        trap '' INT HUP
        exec 3<&0
        program=$$
        { read -r word <&3 || { kill $program; sleep 2; kill -9 $program; } } >/dev/null 2>&1 </dev/null &
        exec "$@" </dev/null 3<&-
        """;

    private readonly Process _process;

    private ChildProcess(Process process, Task output) => (_process, Id, Ended) = (process, process.Id, EndAsync(process, output));

    public int Id { get; }

    /// <summary>The exit code, once the program has ended and its last line was handed over.</summary>
    public Task<int> Ended { get; }

    /// <param name="environment">Added to ours; a null value removes a variable.</param>
    /// <param name="line">Takes each line of the program's output and of its error stream.</param>
    public static ChildProcess Start(
        string program, IEnumerable<string> arguments, Action<string> line, IReadOnlyDictionary<string, string?>? environment = null, string? folder = null)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", Leash, "sh", program, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? "",
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
            start.Environment[name] = value;
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        return new(process, Task.WhenAll(HandOverAsync(process.StandardOutput, line), HandOverAsync(process.StandardError, line)));
    }

    /// <summary>Asks the program to end, and insists after the grace.</summary>
    public async Task StopAsync(TimeSpan grace)
    {
        if (!Ended.IsCompleted)
            _ = Signal(Id, SigTerm);        // it may have ended meanwhile
        if (await Task.WhenAny(Ended, Task.Delay(grace)) != Ended)
            Kill(withAllItStarted: true);
        await Ended;
    }

    public void Kill() => Kill(withAllItStarted: false);

    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.FromSeconds(3));
        _process.Dispose();
    }

    private void Kill(bool withAllItStarted)
    {
        try { _process.Kill(withAllItStarted); }
        catch (InvalidOperationException) { }    // it ended at this very moment, and whoever saw that let go of it
    }

    private static async Task<int> EndAsync(Process process, Task output)
    {
        await process.WaitForExitAsync();
        try
        {
            await process.StandardInput.WriteLineAsync("ended");    // the watcher may go
            process.StandardInput.Close();
        }
        catch (IOException) { }    // it went already
        await output;
        return process.ExitCode;
    }

    private static async Task HandOverAsync(StreamReader from, Action<string> line)
    {
        while (await from.ReadLineAsync() is { } text)
            line(text);
    }

    private const int SigTerm = 15;

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}
