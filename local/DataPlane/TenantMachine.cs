using ControlPlane.Local.Peering;
using ControlPlane.Local.Preparation;
using ControlPlane.Local.Processes;
using ControlPlane.Local.Runtime;
using ControlPlane.Tenants;
using NSec.Cryptography;

namespace ControlPlane.Local.DataPlane;

/// <summary>A tenant's machine: the metering sidecar that data planes run, as a process of its own. It samples when it starts and every minute after
/// that.</summary>
internal sealed class TenantMachine : IAsyncDisposable
{
    private const string LogPrefix = "MeteringSidecar-";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>It samples once more as it ends, and a sample within a second of the last is refused.</summary>
    private static readonly TimeSpan AfterItsLast = TimeSpan.FromSeconds(1.1);

    private readonly string[] _arguments;
    private readonly FunctionLogs _logs;
    private readonly TaskCompletionSource _booked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ChildProcess? _process;

    private TenantMachine(Tenant tenant, string keyFile, byte[] publicKey, string folder, Uri privateApi, FunctionLogs logs)
    {
        (KeyFile, PublicKey, LogName, _logs) = (keyFile, publicKey, LogPrefix + tenant.Id, logs);
        _arguments =
        [
            Path.Combine(FunctionProgram.Built(Preparation.Repository.Root, "data-plane/sidecar").Folder, "metering-sidecar.dll"),
            "--url", privateApi.ToString(), "--tenant", tenant.Id.ToString(), "--instance", InstanceOf(tenant.Id), "--key-file", keyFile,
            "--state", folder, "--source", RoutingTable.StandInFor(tenant.Engine.Address).ToString(),
        ];
    }

    /// <summary>The private key that it signs with, as PEM.</summary>
    public string KeyFile { get; }

    /// <summary>32 bytes.</summary>
    public byte[] PublicKey { get; }

    /// <summary>How its lines are filed in the logs.</summary>
    public string LogName { get; }

    public static bool IsLogOfOne(string name) => name.StartsWith(LogPrefix, StringComparison.Ordinal);

    public static string InstanceOf(TenantId tenant) => tenant == DemoData.Tenant ? DemoData.Instance : $"i-local-{tenant}";

    /// <param name="folder">Its own: the key and what waits to be delivered survive a restart there.</param>
    public static TenantMachine Make(Tenant tenant, Uri privateApi, FunctionLogs logs, string folder)
    {
        StateFolder.CreateFolder(folder);
        var keyFile = Path.Combine(folder, "key.pem");
        return new(tenant, keyFile, KeyIn(keyFile, tenant.Id), folder, privateApi, logs);
    }

    /// <summary>Has its key registered by the control plane, as a machine in a tenant's network does. Where that fails, its lines in the logs say
    /// why.</summary>
    public async Task EnrolAsync(string code, CancellationToken cancel)
    {
        await using var enrolling = Run(["--enrol", code]);
        await enrolling.Ended.WaitAsync(cancel);
    }

    public void Start() => _process = Run([]);

    /// <summary>Waits for its first heartbeat to be booked. Where that does not come, its lines in the logs say why.</summary>
    public Task ReadyAsync(Pace pace, CancellationToken cancel) => Task.WhenAny(_booked.Task, _process!.Ended, Task.Delay(pace.Of(Patience), cancel));

    /// <summary>Off and on again: a new epoch, and a sample at once.</summary>
    public async Task RestartAsync()
    {
        await DisposeAsync();
        await Task.Delay(AfterItsLast);
        Start();
    }

    public ValueTask DisposeAsync() => _process?.DisposeAsync() ?? ValueTask.CompletedTask;

    private ChildProcess Run(string[] more) => ChildProcess.Start("dotnet", [.. _arguments, .. more], line =>
    {
        _logs.Add(LogName, line);
        if (line.StartsWith("booked ", StringComparison.Ordinal))
            _booked.TrySetResult();
    });

    /// <summary>Makes the key on the first start; the demo's is published.</summary>
    private static byte[] KeyIn(string file, TenantId tenant)
    {
        var parameters = new KeyCreationParameters { ExportPolicy = KeyExportPolicies.AllowPlaintextExport };
        var algorithm = SignatureAlgorithm.Ed25519;
        Key? kept = null;
        if (File.Exists(file) && !Key.TryImport(algorithm, File.ReadAllBytes(file), KeyBlobFormat.PkixPrivateKeyText, out kept, parameters))
            throw StateFolder.Unreadable(file, "the machine makes itself a new key");
        using var key = kept ?? (tenant == DemoData.Tenant
            ? Key.Import(algorithm, DemoData.SidecarSeed, KeyBlobFormat.RawPrivateKey, parameters)
            : Key.Create(algorithm, parameters));
        StateFolder.Write(file, System.Text.Encoding.ASCII.GetString(key.Export(KeyBlobFormat.PkixPrivateKeyText)));
        return key.PublicKey.Export(KeyBlobFormat.RawPublicKey);
    }
}
