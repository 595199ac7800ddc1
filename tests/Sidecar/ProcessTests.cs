using System.Diagnostics;
using System.Text.Json;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Sidecar;

/// <summary>The sidecar as a process: its help, its signals, and a disk that is really full.</summary>
public sealed class ProcessTests : IDisposable
{
    private readonly string _folder = RunningSidecar.NewFolder();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("--help"), InlineData("-h"), InlineData("--url --help --once --help")]
    public async Task Help_names_every_option_and_needs_none(string arguments)
    {
        var (exitCode, output) = await RunAsync(arguments.Split(' '));
        Assert.Equal(0, exitCode);
        foreach (var option in Options)
            Assert.Matches($"(?m)^  +--{option} ", output);
    }

    [Fact]
    public async Task What_the_operator_registers_is_shown_with_its_names()
    {
        var (exitCode, output) = await RunAsync("--key-file", RunningSidecar.KeyFile(_folder), "--show-key-id");
        Assert.Equal(0, exitCode);
        Assert.Equal("key id:     kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k\npublic key: 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n", output);
    }

    [Fact]
    public async Task Asked_to_end_it_delivers_a_last_sample_first()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "signals");
        await using var controlPlane = ScriptedEngine.Answering(200);
        using var process = Start("dotnet", [Program, .. OptionsFor(controlPlane, Path.Combine(_folder, "state"))]);
        await UntilAsync(process, () => controlPlane.Requests.Count > 0);
        var first = Stopwatch.StartNew();
        await UntilAsync(process, () => first.Elapsed > TimeSpan.FromSeconds(1.1));
        await KillAsync(process, "TERM");
        Assert.Equal(0, process.ExitCode);
        Assert.Equal([1, 2], controlPlane.Requests.Select(CounterOf));
        Assert.Empty(Directory.GetFiles(Path.Combine(_folder, "state", "waiting")));
    }

    [Fact]
    public async Task On_a_disk_that_is_full_its_heartbeats_go_on()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && CanMount(), "no disk of one's own can be mounted here");
        await using var controlPlane = ScriptedEngine.Answering(200);
        var disk = Directory.CreateDirectory(Path.Combine(_folder, "disk")).FullName;
        var full = Path.Combine(_folder, "full");
        // A disk of 64 KiB in a mount namespace of its own; from the first sample on, somebody else takes every byte that gets free.
        var script = $"""
            mount -t tmpfs -o size=64k none {disk} || exit 99
            (until ls {disk}/state.json; do sleep 0.05; done
            while kill -0 $$; do cat /dev/zero >> {disk}/other; touch {full}; sleep 0.01; done) >/dev/null 2>&1 &
            exec "$@"
            """;
        using var process = Start("unshare", ["-m", "sh", "-c", script, "sh", "dotnet", Program, .. OptionsFor(controlPlane, disk), "--interval", "1"]);
        await UntilAsync(process, () => File.Exists(full));
        var before = controlPlane.Requests.Count;
        await UntilAsync(process, () => controlPlane.Requests.Count >= before + 4);
        await KillAsync(process, "TERM");
        Assert.Equal(0, process.ExitCode);
        var counters = controlPlane.Requests.Select(CounterOf).ToList();
        Assert.Equal(Enumerable.Range(1, counters.Count).Select(one => (long)one), counters);
        var said = await process.StandardOutput.ReadToEndAsync(Cancel);
        Assert.Contains("disk fails, goes on from memory: No space left on device", said, StringComparison.Ordinal);
    }

    private static string Program => Path.Combine(AppContext.BaseDirectory, "metering-sidecar.dll");

    private static readonly string[] Options =
    [
        "config", "url", "failover-url", "tenant", "key-file", "next-key-file", "instance", "state", "interval", "source", "nvml", "nvidia-smi",
        "once", "check", "enrol", "make-key", "show-key-id", "help",
    ];

    private string[] OptionsFor(ScriptedEngine controlPlane, string state) =>
    [
        "--url", $"http://{controlPlane.Address}/prod", "--tenant", "tenant-43", "--instance", RunningSidecar.Instance,
        "--key-file", RunningSidecar.KeyFile(_folder), "--state", state,
        "--nvml", "/nonexistent/libnvidia-ml.so.1", "--nvidia-smi", "/nonexistent/nvidia-smi",
    ];

    private static bool CanMount()
    {
        try
        {
            using var process = Start("unshare", ["-m", "sh", "-c", "mount -t tmpfs -o size=64k none /mnt"]);
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static Process Start(string program, IEnumerable<string> arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;

    private static async Task<(int ExitCode, string Output)> RunAsync(params string[] arguments)
    {
        using var process = Start("dotnet", [Program, .. arguments]);
        var output = await process.StandardOutput.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        return (process.ExitCode, output);
    }

    private static async Task UntilAsync(Process process, Func<bool> condition)
    {
        while (!condition())
        {
            Assert.False(process.HasExited, process.HasExited ? await process.StandardError.ReadToEndAsync(Cancel) : "");
            await Task.Delay(20, Cancel);
        }
    }

    private static async Task KillAsync(Process process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)])!;
        await process.WaitForExitAsync(Cancel);
    }

    private static long CounterOf(EngineRequest request) => JsonDocument.Parse(request.Body).RootElement.GetProperty("counter").GetInt64();
}
