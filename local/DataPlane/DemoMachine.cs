using ControlPlane.Local.Peering;
using ControlPlane.Local.Processes;
using ControlPlane.Local.Runtime;
using NSec.Cryptography;

namespace ControlPlane.Local.DataPlane;

/// <summary>The demo tenant's machine: the metering sidecar that data planes run, as a process of its own. It samples when it starts and every minute after
/// that.</summary>
internal sealed class DemoMachine : IAsyncDisposable
{
    /// <summary>How its lines are filed in the logs.</summary>
    public const string Name = "MeteringSidecar";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>It samples once more as it ends, and a sample within a second of the last is refused.</summary>
    private static readonly TimeSpan AfterItsLast = TimeSpan.FromSeconds(1.1);

    private readonly Func<ChildProcess> _start;
    private ChildProcess _process;

    private DemoMachine(string keyFile, Func<ChildProcess> start) => (KeyFile, _start, _process) = (keyFile, start, start());

    /// <summary>The private key that it signs with, as PEM.</summary>
    public string KeyFile { get; }

    /// <summary>Starts it, and waits for its first heartbeat to be booked. Where that does not come, its lines in the logs say why.</summary>
    public static async Task<DemoMachine> StartAsync(Uri privateApi, FunctionLogs logs, string folder, CancellationToken cancel)
    {
        Directory.CreateDirectory(folder);
        var keyFile = Path.Combine(folder, "key.pem");
        WriteKey(keyFile);
        string[] arguments =
        [
            Path.Combine(FunctionProgram.Built(Preparation.Repository.Root, "data-plane/sidecar").Folder, "metering-sidecar.dll"),
            "--url", privateApi.ToString(), "--tenant", DemoData.Tenant.ToString(), "--instance", DemoData.Instance, "--key-file", keyFile,
            "--state", folder, "--source", RoutingTable.StandInFor(DemoData.Engine.Address).ToString(),
        ];

        var booked = new TaskCompletionSource();
        var machine = new DemoMachine(keyFile, () => ChildProcess.Start("dotnet", arguments, line =>
        {
            logs.Add(Name, line);
            if (line.StartsWith("booked ", StringComparison.Ordinal))
                booked.TrySetResult();
        }));
        await Task.WhenAny(booked.Task, machine._process.Ended, Task.Delay(Patience, cancel));
        return machine;
    }

    /// <summary>Off and on again: a new epoch, and a sample at once.</summary>
    public async Task RestartAsync()
    {
        await _process.DisposeAsync();
        await Task.Delay(AfterItsLast);
        _process = _start();
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static void WriteKey(string file)
    {
        using var key = Key.Import(
            SignatureAlgorithm.Ed25519, DemoData.SidecarSeed, KeyBlobFormat.RawPrivateKey, new() { ExportPolicy = KeyExportPolicies.AllowPlaintextExport });
        File.WriteAllBytes(file, key.Export(KeyBlobFormat.PkixPrivateKeyText));
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
