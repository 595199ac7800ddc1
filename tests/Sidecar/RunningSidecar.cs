using System.Net;
using System.Text.Json;
using ControlPlane.Sidecar;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Sidecar;

/// <summary>A sidecar put together as its program does, on a machine, GPUs and a clock that the test moves.</summary>
internal sealed class RunningSidecar : IDisposable
{
    public const string Instance = "i-0abc1234def567890";

    // RFC 8032 §7.1, test 1, in the form in which openssl writes a key.
    private const string PublishedKey = """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
        -----END PRIVATE KEY-----
        """;

    private readonly string _folder;
    private readonly SigningKey _key;
    private readonly HeartbeatEndpoint _endpoint;
    private readonly StringWriter _said = new();

    private RunningSidecar(string folder, IMachine machine, IGpuReader gpus, IReadOnlyList<Uri> urls, TimeProvider clock)
    {
        _folder = folder;
        State = StateFolder.Open(folder);
        _key = SigningKey.Load(KeyFile(folder));
        var journal = new Journal(_said);
        Spool = new(State, journal);
        Meter = new("tenant-43", Instance, TimeSpan.FromSeconds(60), machine, gpus, State, Spool, journal, clock);
        _endpoint = new(urls, IPAddress.Loopback, clock);
        Delivery = new(Spool, Meter, [_key], _endpoint, journal, clock);
    }

    public StateFolder State { get; }
    public Spool Spool { get; }
    public Meter Meter { get; }
    public Delivery Delivery { get; }

    /// <summary>The journal.</summary>
    public string Said => _said.ToString();

    /// <summary>The samples on the disk, oldest first.</summary>
    public IReadOnlyList<JsonElement> OnDisk =>
    [
        .. Directory.GetFiles(Path.Combine(_folder, "waiting")).Order(StringComparer.Ordinal)
            .Select(file => JsonDocument.Parse(File.ReadAllBytes(file)).RootElement),
    ];

    /// <param name="controlPlanes">None for tests that deliver nothing.</param>
    public static RunningSidecar Start(string folder, IMachine machine, IGpuReader? gpus, TimeProvider clock, params IEnumerable<ScriptedEngine> controlPlanes)
    {
        var urls = controlPlanes.Select(one => new Uri($"http://{one.Address}/prod")).DefaultIfEmpty(new("http://127.0.0.1:9/prod"));
        return new(folder, machine, gpus ?? new FakeGpus(), [.. urls], clock);
    }

    public static string NewFolder() => Directory.CreateDirectory(
        // In memory where there is such a place: a day of samples is four thousand writes through to the disk.
        Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"sidecar-{Guid.NewGuid():N}")).FullName;

    public static string KeyFile(string folder)
    {
        var file = Path.Combine(folder, $"{Guid.NewGuid():N}.pem");
        File.WriteAllText(file, PublishedKey);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return file;
    }

    public void Dispose()
    {
        _endpoint.Dispose();
        _key.Dispose();
        State.Dispose();
    }
}

internal sealed class FakeMachine : IMachine
{
    private long _busy;

    public string BootId { get; private set; } = "boot-1";

    public void Busy(long ms) => _busy += ms;

    public void Boot() => (BootId, _busy) = ("boot-2", 0);

    public CpuTimes ReadCpu() => new(_busy, _busy * 2 + 1, 4);

    public Memory? ReadMemory() => new(1 << 20, 2 << 20);
}

/// <summary>GPUs that did the same between any two looks.</summary>
internal sealed class FakeGpus(params IReadOnlyList<GpuUse> uses) : IGpuReader
{
    public TimeSpan Every => TimeSpan.FromSeconds(5);

    public IReadOnlyList<GpuMark> Marks { get; set; } = [];

    /// <summary>What a look finds, when it is not the same as ever.</summary>
    public Func<CancellationToken, Task<GpuReading>>? Look { get; set; }

    public Task<GpuReading> ReadAsync(CancellationToken cancel) => Look is { } look ? look(cancel) : Task.FromResult(new GpuReading(uses, []));
}
