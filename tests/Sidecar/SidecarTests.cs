using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ControlPlane.MeteringCollector.Heartbeats;
using ControlPlane.Sidecar;
using ControlPlane.Tests.Support;
using ControlPlane.Text;
using ControlPlane.Tokens;
using Microsoft.Extensions.Time.Testing;
using Heartbeat = ControlPlane.Sidecar.Heartbeat;
using Sample = ControlPlane.Sidecar.Sample;

namespace ControlPlane.Tests.Sidecar;

/// <summary>The metering sidecar: what it measures, signs, keeps and sends.</summary>
public sealed class SidecarTests : IDisposable
{
    private const string KeyId = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
    private const string Instance = RunningSidecar.Instance;

    // In memory where there is such a place: a day of samples is four thousand writes through to the disk.
    private readonly string _folder = Directory.CreateDirectory(
        Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"sidecar-{Guid.NewGuid():N}")).FullName;
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.FromUnixTimeSeconds(1767225600));
    private readonly FakeMachine _machine = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_known_heartbeat_is_written_and_signed_byte_by_byte()
    {
        var body = Heartbeat.BodyOf(
            "tenant-43", Instance, 1767225600, 1, DateTimeOffset.Parse("2026-01-01T00:01:00Z", CultureInfo.InvariantCulture), TimeSpan.FromSeconds(60),
            new Sample(7500, 0, 4, 12.5, [], Memory: null));
        Assert.Equal(267, body.Length);
        Assert.Equal("4fe6a93920ae2da50f5910e4859bb81bf8eca5870108d6f8a80c09b62983c54a", Convert.ToHexStringLower(SHA256.HashData(body)));

        using var key = SigningKey.Load(KeyFile());
        Assert.Equal(KeyId, key.ToString());
        Assert.Equal("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", key.PublicKeyText);
        var headers = new Heartbeat(1767225600, 1, body).HeadersAt(DateTimeOffset.FromUnixTimeSeconds(1767225660), Instance, [key])
            .ToDictionary(one => one.Name, one => one.Value);
        Assert.Equal("hb_i-0abc1234def567890_1767225600_1", headers["webhook-id"]);
        Assert.Equal("1767225660", headers["webhook-timestamp"]);
        Assert.Equal("v1a,WgC9IOoxak8DlDVM5Sw1fnLHjmKQqLzz3/VujVbUqq9ytgxfNAiydyG2BwojOS7tg8bPuJhp0r3dlJYNGVfHBQ==", headers["webhook-signature"]);
        Assert.Equal(KeyId, headers["x-dp-key-id"]);
    }

    [Fact]
    public async Task What_it_sends_is_what_the_collector_takes()
    {
        await using var controlPlane = ScriptedEngine.Answering(200, body: """{"status":"accepted","next_interval_s":30,"directives":["suspended"]}""");
        var gpu = new Gpu(0, "GPU-1", "NVIDIA A10G", 50, 1 << 30, 2L << 30, PowerW: null, TemperatureC: 41);
        using var sidecar = Start(controlPlane, gpus: new FakeGpus(new GpuUse(gpu, new GpuSpan(5000, 10_000, 0))));
        _machine.Busy(1500);
        _clock.Advance(TimeSpan.FromSeconds(10));
        await sidecar.Meter.SampleAsync(Cancel);
        await sidecar.Delivery.DrainAsync(Cancel);

        var request = Assert.Single(controlPlane.Requests);
        Assert.StartsWith("POST /prod/metering/heartbeat HTTP/1.1\r\n", request.Head, StringComparison.Ordinal);
        Assert.True(HeartbeatBody.TryParse(request.Body, out var body, out _, out _));
        Assert.Equal((1767225600, 1, 1500, 5000), (body.Epoch, body.Counter, body.Totals.CpuMs, body.Totals.GpuMs));
        Assert.True(SidecarPublicKey.TryImport(StrictBase64.Decode("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="), out var key));
        byte[] signed = [.. Encoding.ASCII.GetBytes($"{request.Header("webhook-id")}.{request.Header("webhook-timestamp")}."), .. request.Body];
        Assert.True(key.Verify(signed, StrictBase64.Decode(request.Header("webhook-signature")!.AsSpan("v1a,".Length))));
        Assert.Equal(0, sidecar.Spool.Count);
        Assert.Equal(TimeSpan.FromSeconds(30), sidecar.Meter.Interval);
        Assert.Contains("directives=suspended", sidecar.Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_day_without_the_control_plane_loses_no_sample_and_keeps_their_order()
    {
        var isUp = false;
        await using var controlPlane = ScriptedEngine.Start(async connection =>
        {
            while (await connection.ReadRequestAsync() is not null)
                await connection.WriteAsync(EngineConnection.Answer(isUp ? 200 : 503, "application/json"));
        });
        using (var sidecar = Start(controlPlane))
            for (var minute = 1; minute <= 1440; minute++)
            {
                _machine.Busy(100);
                await sidecar.Meter.SampleAsync(Cancel);
                _clock.Advance(TimeSpan.FromMinutes(1));
                if (minute % 360 == 0)
                    Assert.NotNull(await sidecar.Delivery.DeliverAsync(sidecar.Spool.Oldest()!, Cancel));
            }

        // The machine's sidecar is restarted, then the control plane is back.
        isUp = true;
        controlPlane.Requests.Clear();
        using var again = Start(controlPlane);
        Assert.Equal(1440, again.Spool.Count);
        _machine.Busy(100);
        await again.Meter.SampleAsync(Cancel);
        await again.Delivery.DrainAsync(Cancel);

        var order = controlPlane.Requests.Select(request => JsonDocument.Parse(request.Body).RootElement)
            .Select(body => (body.GetProperty("epoch").GetInt64(), body.GetProperty("counter").GetInt64())).ToList();
        Assert.Equal([.. Enumerable.Range(1, 1440).Select(i => (1767225600L, (long)i)), (1767225600 + 86400, 1)], order);
        Assert.Equal(0, again.Spool.Count);
    }

    [Fact]
    public async Task A_retry_repeats_the_id_and_the_body_with_a_fresh_time_and_signature()
    {
        await using var controlPlane = ScriptedEngine.Answering(503);
        using var sidecar = Start(controlPlane);
        await sidecar.Meter.SampleAsync(Cancel);
        for (var attempt = 0; attempt < 2; attempt++)
        {
            await sidecar.Delivery.DeliverAsync(sidecar.Spool.Oldest()!, Cancel);
            _clock.Advance(TimeSpan.FromMinutes(7));
        }
        var (first, second) = (controlPlane.Requests.First(), controlPlane.Requests.Last());
        Assert.Equal(first.Body, second.Body);
        Assert.Equal(first.Header("webhook-id"), second.Header("webhook-id"));
        Assert.NotEqual(first.Header("webhook-timestamp"), second.Header("webhook-timestamp"));
        Assert.NotEqual(first.Header("webhook-signature"), second.Header("webhook-signature"));
    }

    [Fact]
    public async Task An_epoch_always_rises_and_takes_over_what_the_machine_did_meanwhile()
    {
        await using var controlPlane = ScriptedEngine.Answering(200);
        using (var first = Start(controlPlane))
        {
            _machine.Busy(1000);
            await first.Meter.SampleAsync(Cancel);
        }
        _machine.Busy(250);                                                  // while no sidecar runs
        _clock.SetUtcNow(_clock.GetUtcNow());                                // the same second: an epoch may not repeat
        using var second = Start(controlPlane);
        Assert.Equal(1767225601, second.Meter.Epoch);
        _machine.Busy(30);
        await second.Meter.SampleAsync(Cancel);
        Assert.Equal([1000L, 280L], Waiting(second).Select(body => body.GetProperty("totals").GetProperty("cpu_ms").GetInt64()));
    }

    [Fact]
    public async Task After_a_boot_the_totals_begin_with_what_the_kernel_counted_since()
    {
        await using var controlPlane = ScriptedEngine.Answering(200);
        _machine.Busy(500_000);
        using (var first = Start(controlPlane))
            await first.Meter.SampleAsync(Cancel);
        _machine.Boot();
        _machine.Busy(700);
        _clock.Advance(TimeSpan.FromMinutes(3));
        using var second = Start(controlPlane);
        await second.Meter.SampleAsync(Cancel);
        Assert.Equal([0L, 700L], Waiting(second).Select(body => body.GetProperty("totals").GetProperty("cpu_ms").GetInt64()));
    }

    [Theory]
    [InlineData(true, 2, 1500), InlineData(false, 1, 1000)]
    public async Task A_crash_between_a_sample_and_its_state_counts_nothing_twice(bool stateWasWritten, int waiting, long cpuMs)
    {
        await using var controlPlane = ScriptedEngine.Answering(200);
        using (var first = Start(controlPlane))
        {
            _machine.Busy(1000);
            await first.Meter.SampleAsync(Cancel);
            _machine.Busy(500);
            var old = File.ReadAllBytes(Path.Combine(_folder, "state.json"));
            await first.Meter.SampleAsync(Cancel);
            // As if the process had died inside the second sample, before or after its state was written.
            var second = Directory.GetFiles(Path.Combine(_folder, "waiting")).Order(StringComparer.Ordinal).Last();
            File.Move(second, Path.Combine(_folder, "pending.json"));
            if (!stateWasWritten)
                File.WriteAllBytes(Path.Combine(_folder, "state.json"), old);
        }
        using var next = Start(controlPlane);
        Assert.Equal(waiting, next.Spool.Count);
        Assert.Equal(cpuMs, Waiting(next).Last().GetProperty("totals").GetProperty("cpu_ms").GetInt64());
        await next.Meter.SampleAsync(Cancel);
        Assert.Equal(1500 - cpuMs, Waiting(next).Last().GetProperty("totals").GetProperty("cpu_ms").GetInt64());       // the new epoch has the rest
    }

    [Theory]
    [InlineData(301), InlineData(302), InlineData(307), InlineData(308)]
    public async Task A_redirect_is_not_followed_and_the_sample_is_kept(int status)
    {
        await using var elsewhere = ScriptedEngine.Answering(200);
        await using var controlPlane = ScriptedEngine.Answering(status, headers: $"Location: http://{elsewhere.Address}/\r\n");
        using var sidecar = Start(controlPlane);
        await sidecar.Meter.SampleAsync(Cancel);
        Assert.NotNull(await sidecar.Delivery.DeliverAsync(sidecar.Spool.Oldest()!, Cancel));
        Assert.Equal((0, 1), (elsewhere.Requests.Count, sidecar.Spool.Count));
    }

    [Fact]
    public async Task The_second_url_serves_while_the_first_fails()
    {
        await using var first = ScriptedEngine.Answering(503);
        await using var second = ScriptedEngine.Answering(200);
        using var sidecar = Start(first, second);
        await sidecar.Meter.SampleAsync(Cancel);
        for (var attempt = 0; attempt < HeartbeatEndpoint.FailsOverAfter; attempt++)
            Assert.NotNull(await sidecar.Delivery.DeliverAsync(sidecar.Spool.Oldest()!, Cancel));
        Assert.Null(await sidecar.Delivery.DeliverAsync(sidecar.Spool.Oldest()!, Cancel));
        Assert.Equal((3, 1), (first.Requests.Count, second.Requests.Count));

        _clock.Advance(HeartbeatEndpoint.StaysAway);
        await sidecar.Meter.SampleAsync(Cancel);
        await sidecar.Delivery.DeliverAsync(sidecar.Spool.Oldest()!, Cancel);
        Assert.Equal(4, first.Requests.Count);
    }

    [Theory]
    [InlineData(200, null, null, "Booked"), InlineData(409, "counter-replayed", 100L, "Overtaken"), InlineData(409, "counter-replayed", 101L, "NeedsNewEpoch")]
    [InlineData(409, "counter-conflict", null, "SetAside"), InlineData(422, "totals-decreased", null, "SetAside"), InlineData(422, "epoch-in-future", null,
        "Again"), InlineData(422, "epoch-implausible", null, "NeedsNewEpoch"), InlineData(422, "too-soon", null, "Overtaken")]
    [InlineData(400, "malformed", null, "SetAside"), InlineData(413, null, null, "SetAside"), InlineData(415, null, null, "SetAside")]
    [InlineData(401, "signature-invalid", null, "Again"), InlineData(401, "timestamp-out-of-window", null, "Again"),
        InlineData(403, "source-network-mismatch", null, "Again"), InlineData(404, null, null, "Again")]
    [InlineData(429, null, null, "Again"), InlineData(500, null, null, "Again"), InlineData(503, null, null, "Again"), InlineData(302, null, null, "Again"),
        InlineData(204, null, null, "Again"), InlineData(null, null, null, "Again")]
    public void Every_answer_decides_one_fate(int? status, string? code, long? epoch, string fate) =>
        Assert.Equal(fate, SampleFate.Of(new(status, code, epoch), epoch: 100, DateTimeOffset.FromUnixTimeSeconds(100)).GetType().Name);

    [Fact]
    public void An_epoch_from_a_clock_that_was_ahead_begins_again() =>
        Assert.IsType<SampleFate.NeedsNewEpoch>(SampleFate.Of(new(422, "epoch-in-future"), epoch: 1000, DateTimeOffset.FromUnixTimeSeconds(100)));

    [Fact]
    public async Task A_new_epoch_has_only_what_was_not_booked_yet()
    {
        var answers = new Queue<string>(
        [
            EngineConnection.Answer(200, "application/json"),
            EngineConnection.Answer(409, "application/problem+json", """{"code":"counter-replayed","epoch":1767225700,"expected":9}"""),
            EngineConnection.Answer(200, "application/json"),
        ]);
        await using var controlPlane = ScriptedEngine.Start(async connection =>
        {
            while (await connection.ReadRequestAsync() is not null)
                await connection.WriteAsync(answers.Dequeue());
        });
        using var sidecar = Start(controlPlane);
        for (var i = 0; i < 3; i++)
        {
            _machine.Busy(100);
            await sidecar.Meter.SampleAsync(Cancel);
            await sidecar.Delivery.DrainAsync(Cancel);
        }
        var sent = controlPlane.Requests.Select(request => JsonDocument.Parse(request.Body).RootElement)
            .Select(body => (body.GetProperty("epoch").GetInt64(), body.GetProperty("counter").GetInt64(),
                body.GetProperty("totals").GetProperty("cpu_ms").GetInt64())).ToList();
        Assert.Equal([(1767225600, 1, 100), (1767225600, 2, 200), (1767225701, 1, 200)], sent);     // 300 in all, 100 of it booked before
    }

    [Theory]
    [InlineData(true, """{"code":"counter-replayed","epoch":1767225700,"expected":9}""", true)]
    [InlineData(false, """{"code":"counter-replayed","epoch":1767225700,"expected":9}""", false)]    // our own, from when the clock was ahead
    [InlineData(false, """{"code":"counter-conflict"}""", true)]
    public async Task Another_sidecar_with_our_identity_is_noticed_and_said(bool wasBooked, string problem, bool isSaid)
    {
        var answers = new Queue<string>([EngineConnection.Answer(409, "application/problem+json", problem), EngineConnection.Answer(200, "application/json")]);
        if (wasBooked)
            answers = new([EngineConnection.Answer(200, "application/json"), .. answers]);
        await using var controlPlane = ScriptedEngine.Start(async connection =>
        {
            while (await connection.ReadRequestAsync() is not null)
                await connection.WriteAsync(answers.Dequeue());
        });
        using var sidecar = Start(controlPlane);
        while (answers.Count > 0)
        {
            await sidecar.Meter.SampleAsync(Cancel);
            await sidecar.Delivery.DrainAsync(Cancel);
        }
        Assert.Equal(isSaid, sidecar.Said.Contains($"another sidecar reports as instance={Instance}: ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_sample_that_is_refused_for_good_holds_back_no_other()
    {
        var statuses = new Queue<int>([400, 200]);
        await using var controlPlane = ScriptedEngine.Start(async connection =>
        {
            while (await connection.ReadRequestAsync() is not null)
                await connection.WriteAsync(EngineConnection.Answer(statuses.Dequeue(), "application/json"));
        });
        using var sidecar = Start(controlPlane);
        await sidecar.Meter.SampleAsync(Cancel);
        await sidecar.Meter.SampleAsync(Cancel);
        await sidecar.Delivery.DrainAsync(Cancel);
        Assert.Equal(0, sidecar.Spool.Count);
        Assert.Single(Directory.GetFiles(Path.Combine(_folder, "refused")));
    }

    [Fact]
    public void A_key_that_others_can_read_is_not_used()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("no file modes");
        else
            foreach (var (mode, isTaken) in new[] { (UnixFileMode.UserRead, true), (UnixFileMode.UserRead | UnixFileMode.GroupRead, false),
                (UnixFileMode.UserRead | UnixFileMode.OtherRead, false) })
            {
                var file = KeyFile();
                File.SetUnixFileMode(file, mode);
                if (isTaken)
                    SigningKey.Load(file).Dispose();
                else
                    Assert.Contains("chmod 600", Assert.Throws<OptionException>(() => SigningKey.Load(file)).Message, StringComparison.Ordinal);
            }
    }

    [Fact]
    public void Two_sidecars_do_not_share_a_state()
    {
        using var first = StateFolder.Open(_folder);
        Assert.Throws<OptionException>(() => StateFolder.Open(_folder));
    }

    [Fact]
    public void The_kernels_counters_are_read_as_documented()
    {
        var proc = Directory.CreateDirectory(Path.Combine(_folder, "proc")).FullName;
        //                                                     user nice system idle iowait irq softirq steal guest guest_nice
        File.WriteAllText(
            Path.Combine(proc, "stat"),
            "cpu  100 10 50 1000 40 5 3 7 20 0\ncpu0 50 5 25 500 20 3 2 4 10 0\ncpu1 50 5 25 500 20 2 1 3 10 0\nintr 1 2 3\nctxt 4\n");
        File.WriteAllText(Path.Combine(proc, "meminfo"), "MemTotal:       16000 kB\nMemFree:  1000 kB\nMemAvailable:   6000 kB\n");
        var machine = new LinuxMachine(proc);
        Assert.Equal(new CpuTimes((100 + 10 + 50 + 5 + 3) * 10, (100 + 10 + 50 + 1000 + 40 + 5 + 3 + 7) * 10, 2), machine.ReadCpu());
        Assert.Equal(new Memory(10_000 * 1024, 16_000 * 1024), machine.ReadMemory());
    }

    [Theory]
    [InlineData("bus/pci/drivers/nvidia/0000:17:00.0", true), InlineData("bus/pci/drivers/nvidia/module", false)]
    [InlineData("bus/pci/drivers/nouveau/0000:17:00.0", false), InlineData("bus", false)]
    public void A_machine_has_gpus_when_nvidias_driver_has_some(string entry, bool expected)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "sys", entry));
        Assert.Equal(expected, new LinuxMachine(sys: Path.Combine(_folder, "sys")).HasGpu);
    }

    [Fact]
    public void This_machine_can_be_read()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/proc is Linux's");
        var machine = new LinuxMachine();
        Assert.Equal(36, machine.BootId.Length);
        Assert.True(machine.ReadCpu() is { BusyMs: > 0, Count: >= 1 } cpu && cpu.AllMs > cpu.BusyMs);
        Assert.True(machine.ReadMemory() is { UsedBytes: > 0 });
    }

    [Theory]
    [InlineData("--url http://api.example.internal --tenant tenant-43 --instance i-1")]      // plain text over a network
    [InlineData("--url https://u:p@api.example --tenant tenant-43 --instance i-1")]
    [InlineData("--url https://api.example --tenant tenant-043 --instance i-1")]
    [InlineData("--url https://api.example --tenant tenant-43 --instance i_1")]
    [InlineData("--url https://api.example --tenant tenant-43 --instance i-1 --interval 0")]
    [InlineData("--url https://api.example --tenant tenant-43 --instance i-1 --verbose")]
    [InlineData("--tenant tenant-43 --instance i-1")]
    public void Options_that_cannot_be_meant_stop_the_start(string options) =>
        Assert.Throws<OptionException>(() => SidecarOptions.From([.. options.Split(' '), "--key-file", "k"], _ => null));

    [Fact]
    public void Options_come_from_the_command_line_before_the_environment()
    {
        var environment =
            new Dictionary<string, string>
            {
                ["SIDECAR_URL"] = "https://api.example",
                ["SIDECAR_TENANT"] = "tenant-1",
                ["SIDECAR_KEY_FILE"] = "/k",
                ["SIDECAR_INSTANCE"] = "i-1",
                ["STATE_DIRECTORY"] = "/s"
            };
        var options = SidecarOptions.From(["--tenant", "tenant-43", "--once"], environment.GetValueOrDefault);
        Assert.Equal(
            ("tenant-43", "https://api.example/", "/s", Purpose.ReportOnce), (options.Tenant, options.Urls.Single().ToString(), options.StateFolder, options.Purpose));
    }

    [Fact]
    public void The_file_comes_after_the_environment()
    {
        var file = Path.Combine(_folder, "sidecar.conf");
        File.WriteAllText(file, """
            # a comment

            url = https://api.example/v1
            tenant=tenant-43
              key-file = /k
            instance = i-1
            """);
        var options = SidecarOptions.From(["--config", file], name => name == "SIDECAR_TENANT" ? "tenant-7" : null);
        Assert.Equal(("https://api.example/v1", "tenant-7", "i-1"), (options.Urls.Single().ToString(), options.Tenant, options.Instance));
    }

    [Theory]
    [InlineData("url https://api.example", 1)]
    [InlineData("# fine\nurl =", 2)]
    [InlineData("verbose = yes", 1)]
    [InlineData("once = yes", 1)]
    [InlineData("config = /other", 1)]
    [InlineData("tenant = tenant-1\n\ntenant = tenant-2", 3)]
    public void A_file_that_is_amiss_is_named_with_its_line(string text, int line)
    {
        var file = Path.Combine(_folder, "sidecar.conf");
        File.WriteAllText(file, text);
        var fault = Assert.Throws<OptionException>(() => SidecarOptions.From(["--config", file], _ => null));
        Assert.StartsWith($"{file}:{line}: ", fault.Message, StringComparison.Ordinal);
    }

    private RunningSidecar Start(ScriptedEngine first, ScriptedEngine? second = null, IGpuReader? gpus = null) =>
        RunningSidecar.Start(_folder, _machine, gpus, _clock, second is null ? [first] : [first, second]);

    private string KeyFile() => RunningSidecar.KeyFile(_folder);

    private List<JsonElement> Waiting(RunningSidecar sidecar)
    {
        Assert.True(sidecar.Spool.Count > 0);
        return [.. Directory.GetFiles(Path.Combine(_folder,
            "waiting")).Order(StringComparer.Ordinal).Select(file => JsonDocument.Parse(File.ReadAllBytes(file)).RootElement)];
    }
}
