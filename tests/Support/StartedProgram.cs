using System.Diagnostics;
using System.Text;

namespace ControlPlane.Tests.Support;

/// <summary>A program as somebody at a terminal starts it: what it prints, the keys that are pressed, and what it leaves running.</summary>
public sealed class StartedProgram : IAsyncDisposable
{
    private const string Mark = "STARTED_BY_TEST";

    private readonly string _mark = Guid.NewGuid().ToString("N");
    private readonly StringBuilder _output = new();
    private readonly CancellationToken _cancel;
    private readonly Process _process;
    private readonly TimeSpan _patience;
    private readonly Task _reading;

    private StartedProgram(
        IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, string folder, TimeSpan patience, CancellationToken cancel)
    {
        (_cancel, _patience) = (cancel, patience);
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        start.Environment[Mark] = _mark;
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        _process = Process.Start(start)!;
        _reading = Task.WhenAll(ReadAsync(_process.StandardOutput), ReadAsync(_process.StandardError));
    }

    /// <summary>Both streams, as they came.</summary>
    public string Output { get { lock (_output) return _output.ToString(); } }

    /// <param name="environment">Added to ours.</param>
    /// <param name="folder">Where it is started; a temporary one unless said otherwise.</param>
    /// <param name="patience">For whatever is waited for; two minutes unless said otherwise.</param>
    public static StartedProgram Start(
        IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, CancellationToken cancel, string? folder = null,
        TimeSpan? patience = null) =>
        new(command, environment, folder ?? Path.GetTempPath(), patience ?? TimeSpan.FromMinutes(2), cancel);

    /// <summary>Ctrl-C, for this process alone.</summary>
    public void Interrupt()
    {
        using var kill = Process.Start("kill", ["-INT", $"{_process.Id}"]);
        kill.WaitForExit();
    }

    /// <summary>Ends this process alone, at once.</summary>
    public void Kill() => _process.Kill();

    public void Type(string line) => _process.StandardInput.WriteLine(line);

    /// <returns>The exit code.</returns>
    public async Task<int> EndAsync()
    {
        try { await _process.WaitForExitAsync(_cancel).WaitAsync(_patience, _cancel); }
        catch (TimeoutException) { Assert.Fail($"It does not end. It said:\n{Output}"); }
        await Task.WhenAny(_reading, Task.Delay(TimeSpan.FromSeconds(5), _cancel));
        return _process.ExitCode;
    }

    public async Task UntilAsync(Func<bool> shows)
    {
        for (var waited = Stopwatch.StartNew(); !shows(); await Task.Delay(TimeSpan.FromMilliseconds(50), _cancel))
            if (waited.Elapsed > _patience)
                Assert.Fail($"That was not seen. It said:\n{Output}");
    }

    /// <summary>The processes that it started, and theirs, that still run: they inherited a mark.</summary>
    public IReadOnlyList<int> LeftBehind() =>
        [.. Directory.GetDirectories("/proc").Select(folder => Path.GetFileName(folder)).Where(name => int.TryParse(name, out _)).Select(int.Parse)
            .Where(process => process != _process.Id && IsMarked(process))];

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }

    private bool IsMarked(int process)
    {
        try { return File.ReadAllText($"/proc/{process}/environ").Contains($"{Mark}={_mark}", StringComparison.Ordinal); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return false; }     // it is gone, or another's
    }

    private async Task ReadAsync(StreamReader from)
    {
        var buffer = new char[1024];
        while (await from.ReadAsync(buffer) is > 0 and var read)
            lock (_output)
                _output.Append(buffer, 0, read);
    }
}
