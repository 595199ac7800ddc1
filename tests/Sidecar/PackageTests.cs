using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Sidecar;

/// <summary>What a tenant downloads: built, installed on a machine with a real systemd, and used there.</summary>
[Trait("Length", "long")]
public sealed class PackageTests(PackageTests.Built built) : IClassFixture<PackageTests.Built>
{
    /// <summary>Slips: the file, what is there, and what stands in its place.</summary>
    private static readonly (string File, string There, string Slip)[] Planted =
    [
        ("install.sh", "runuser -u \"$user\" -- \"$program\" --make-key", "\"$program\" --make-key"),
        ("install.sh", "[ -e \"$conf\" ] || install", "install"),
        ("install.sh", "mv \"/opt/metering-sidecar/$file.new\"", "cp \"/opt/metering-sidecar/$file.new\""),
        ("install.sh", "systemctl restart", "systemctl start"),
        ("install.sh", "systemctl enable", "true"),
        ("metering-sidecar.service", "RestartPreventExitStatus=2", ""),
        ("metering-sidecar.service", "CapabilityBoundingSet=", ""),
        ("metering-sidecar.service", "SystemCallFilter=@system-service", "SystemCallFilter=@basic-io"),
        ("metering-sidecar.service", "ProtectSystem=strict\nProtectHome=yes", ""),
    ];

    public static TheoryData<string> Texts => [.. Planted.Select(one => one.There)];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_installs_with_one_command_reports_and_is_replaced_by_a_newer_one() => Script.Holds(await TryAsync(built.Archive));

    /// <summary>Each must be seen by the trial.</summary>
    [Theory]
    [MemberData(nameof(Texts))]
    public Task The_trial_sees_a_slip(string there) => built.Trials.SeesAsync(there);

    [Fact]
    public async Task It_is_made_for_arm64_too()
    {
        Assert.SkipUnless(Script.Exists("aarch64-linux-gnu-gcc") && Script.Exists("qemu-aarch64-static"),
            "there is nothing to link and run it with (apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static)");
        using var folder = new TemporaryFolder();
        Done(await Script.RunAsync("data-plane/sidecar/package/build", ["arm64", folder.Path]));
        Done(await Script.RunAsync("tar", ["-xzf", Directory.GetFiles(folder.Path, "*.tar.gz").Single(), "-C", folder.Path]));
        var program = Path.Combine(Directory.GetDirectories(folder.Path).Single(), "metering-sidecar");

        var (exit, said) = await Script.RunAsync("qemu-aarch64-static", ["-L", "/usr/aarch64-linux-gnu", program, "--help"]);

        Assert.Equal(0, exit);
        Assert.Contains("--make-key", said, StringComparison.Ordinal);
    }

    private static Task<(int Exit, string Said)> TryAsync(string archive) => Script.RunAsync("data-plane/sidecar/package/try", [archive]);

    private static void Done((int Exit, string Said) command) => Assert.True(command.Exit == 0, command.Said);

    /// <summary>The archive, made once for all tests here: it compiles to native code.</summary>
    public sealed class Built : IAsyncLifetime
    {
        private readonly TemporaryFolder _folder = new();

        public Built() => Trials = new(Planted.Select(one => (one.There, one.Slip)), TryWithAsync);

        public string Archive { get; private set; } = "";

        public Slips Trials { get; }

        public async ValueTask InitializeAsync()
        {
            Assert.SkipUnless(OperatingSystem.IsLinux(), "the package is for Linux");
            Done(await Script.RunAsync("data-plane/sidecar/package/build", ["x64", _folder.Path]));
            Archive = Directory.GetFiles(_folder.Path, "*.tar.gz").Single();
        }

        public ValueTask DisposeAsync()
        {
            _folder.Dispose();
            return ValueTask.CompletedTask;
        }

        private async Task<(int Exit, string Said)> TryWithAsync(string there, string slip)
        {
            using var folder = new TemporaryFolder();
            Done(await Script.RunAsync("tar", ["-xzf", Archive, "-C", folder.Path]));
            var changed = Path.Combine(Directory.GetDirectories(folder.Path).Single(), Planted.Single(one => one.There == there).File);
            var sound = await File.ReadAllTextAsync(changed, Cancel);
            Assert.Contains(there, sound, StringComparison.Ordinal);
            await File.WriteAllTextAsync(changed, sound.Replace(there, slip, StringComparison.Ordinal), Cancel);
            var archive = Path.Combine(folder.Path, "slip.tar.gz");
            Done(await Script.RunAsync("tar", ["-czf", archive, "-C", folder.Path, Path.GetFileName(Path.GetDirectoryName(changed))!]));
            return await TryAsync(archive);
        }
    }

    private sealed class TemporaryFolder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("sidecar-package-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
