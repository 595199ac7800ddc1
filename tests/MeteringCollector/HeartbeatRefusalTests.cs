using System.Globalization;
using System.Text;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.Serialization.SystemTextJson;
using ControlPlane.Aws;
using ControlPlane.MeteringCollector;
using ControlPlane.MeteringCollector.Heartbeats;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.MeteringCollector;

/// <summary>What is not taken, what it is answered, and that it leaves nothing behind.</summary>
public sealed class HeartbeatRefusalTests(LocalCloud cloud)
{
    private static readonly long Now = Sample.Started + 60;

    public static TheoryData<string> NoCounters =>
    [
        "9223372036854775808", "18446744073709551616", "1e400", "-1", "-0", "0", "1.0", "1e3", "1E3", "1.5", "01", "+1", "0x10", "NaN", "\"5\"", "null", "true",
        "[5]", "{}", "",
    ];

    [Theory]
    [MemberData(nameof(NoCounters))]
    public async Task A_counter_is_a_whole_number_from_one_and_nothing_else(string counter)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await AssertMalformedAsync(desk, new Sample { Counter = counter }.ToString());
    }

    public static TheoryData<string, string> Doubled => new()
    {
        { "\"counter\":1,", "" },
        { "\"Counter\":1,", "" },
        { "\"\\u0063ounter\":1,", "" },
        { "", ",\"COUNTER\":99" },
        { "\"tenant_id\":\"tenant-43\",", "" },
        { "\"epoch\":1767225600,", "" },
        { "", ",\"unasked\":{\"a\":1,\"A\":2}" },
        { "", ",\"unasked\":1,\"unasked\":1" },
    };

    [Theory]
    [MemberData(nameof(Doubled))]
    public async Task Two_members_of_one_name_are_refused_with_and_without_case(string before, string after)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await AssertMalformedAsync(desk, new Sample { Before = before, After = after }.ToString());
    }

    public static TheoryData<string> NoHeartbeats =>
    [
        "", " ", "null", "[]", "{}", "\"heartbeat.v1\"", new Sample()
            + "x", new Sample() + "{}", new Sample { After = "," }.ToString(), "/* */" + new Sample(), "\ufeff" + new Sample(),
        new Sample { After = ",\"deep\":" + new string('[', 16) + new string(']', 16) }.ToString(),
        new Sample { After = ",\"number\":9007199254740992" }.ToString(),
        new Sample { After = ",\"text\":\"\\ud800\"" }.ToString(),
        new Sample { Instance = "i_0" }.ToString(), new Sample { Instance = "" }.ToString(), new Sample { Instance = new string('i', 65) }.ToString(),
            new Sample { Instance = "i-1\\n" }.ToString(),
        new Sample { SampledAt = "2026-01-01T00:01:00" }.ToString(), new Sample { SampledAt = "1767225660" }.ToString(),
            new Sample { SampledAt = "2026-13-01T00:01:00Z" }.ToString(),
        new Sample { Epoch = "0" }.ToString(), new Sample { Epoch = "-1" }.ToString(), new Sample { Epoch = "1.5" }.ToString(),
            new Sample { Epoch = "9223372036854775807" }.ToString(),
        new Sample { CpuMs = "-1" }.ToString(), new Sample { CpuMs = "0.5" }.ToString(), new Sample { GpuMs = "9223372036854775807" }.ToString(),
            new Sample { GpuMs = "1" + new string('0', 39) }.ToString(),
        new Sample { After = ",\"gpu_unreadable_since\":\"yesterday\"" }.ToString(), new Sample { After = ",\"gpu_unreadable_since\":1767225660" }.ToString(),
        new Sample { Gpus = "null" }.ToString(), new Sample { Gpus = "[null]" }.ToString(), new Sample { Gpus = "[{}]" }.ToString(),
        new Sample { Gpus = $"[{string.Join(',', Enumerable.Repeat(Gpu, 17))}]" }.ToString(),
        new Sample { Gpus = $"[{Gpu.Replace("50.5", "1e999", StringComparison.Ordinal)}]" }.ToString(),
        new Sample { Gpus = $"[{Gpu.Replace("50.5", "-1", StringComparison.Ordinal)}]" }.ToString(),
    ];

    private const string Gpu = """{"index":0,"uuid":"GPU-1","model":"L4","utilization_pct":50.5,"memory_used_bytes":1,"memory_total_bytes":2}""";

    [Theory]
    [MemberData(nameof(NoHeartbeats))]
    public async Task What_is_no_heartbeat_is_malformed_though_well_signed(string body)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await AssertMalformedAsync(desk, body);
    }

    [Fact]
    public async Task Members_that_nobody_asked_for_are_ignored_and_not_stored()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var sample = new Sample
        {
            Gpus = $"[{Gpu.Replace("\"index\"", "\"colour\":\"green\",\"index\"", StringComparison.Ordinal)}]",
            After = ""","sidecar":{"version":"1.4.0"},"executions":{"running":["exec_1"]},"colour":"green","deep":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]""",
        };
        Assert.Equal(200, (await desk.SendAsync(sample)).Status);
        Assert.DoesNotContain("green", Assert.Single(await desk.RecordsAsync()).Metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_text_of_the_JSON_suite_gets_a_clean_answer()
    {
        using var vectors = Vectors.Read("json_test_suite.json");
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        foreach (var test in vectors.RootElement.GetProperty("cases").EnumerateArray())
        {
            var body = BodyOf(test);
            var answer = await desk.SendAsync(desk.Sidecar.Request(new Sample().Id, body, Now));
            Assert.True(answer.Status == (body.Length > RecordHeartbeat.LargestBody ? 413 : 400), $"{test.GetProperty("name")}: {answer}");
        }
        Assert.Null(await desk.StateAsync());
    }

    [Theory]
    [InlineData(16 * 1024, 200)]
    [InlineData(16 * 1024 + 1, 413)]
    [InlineData(10 * 1024 * 1024, 413)]
    public async Task A_body_has_at_most_sixteen_kilobytes(int size, int status)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var sample = new Sample();
        var padded = new Sample { After = $",\"padding\":\"{new string('x', size - sample.ToString().Length - 13)}\"" };
        Assert.Equal(size, padded.ToString().Length);
        Assert.Equal(status, (await desk.SendAsync(padded)).Status);
    }

    [Fact]
    public async Task What_is_too_large_is_refused_for_its_size_before_anything_of_it_is_decoded()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var request = desk.Sidecar.Request(new Sample(), desk.Clock.Now);
        request.Body = new string('!', 10 * 1024 * 1024);                // no base64 at all
        Assert.Equal((413, "too-large"), await desk.SendAsync(request) is var answer ? (answer.Status, answer.Code) : default);
        var outcomes = await OutcomeFixture.OpenAsync(cloud);
        var outcome = OutcomeFixture.Request("Bearer x", "");
        outcome.Body = request.Body;
        Assert.Equal((413, "too-large"), await outcomes.SendAsync(outcome) is var other ? (other.Status, other.Code) : default);
    }

    [Theory]
    [InlineData("text/plain", null)]
    [InlineData("", null)]
    [InlineData("application/jsonx", null)]
    [InlineData("application/json", "gzip")]
    [InlineData("application/json", "br")]
    [InlineData("application/json", "")]
    public async Task Only_plain_JSON_is_taken(string type, string? encoding)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var answer = await desk.SendAsync(With(desk.Sidecar.Request(new Sample(), desk.Clock.Now), headers =>
        {
            headers["Content-Type"] = type;
            if (encoding is not null) headers["Content-Encoding"] = encoding;
        }));
        Assert.Equal((415, "unsupported-media-type"), (answer.Status, answer.Code));
        Assert.Equal("application/problem+json", answer.Headers["Content-Type"]);
        Assert.Equal("no-store", answer.Headers["Cache-Control"]);
    }

    [Fact]
    public async Task A_body_announced_as_base64_that_is_none_is_malformed()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var request = desk.Sidecar.Request(new Sample(), desk.Clock.Now);
        request.Body += " ";
        Assert.Equal((400, "malformed"), await desk.SendAsync(request) is var answer ? (answer.Status, answer.Code) : default);
    }

    [Fact]
    public async Task A_plain_body_is_read_as_its_bytes_and_header_names_without_case()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var sample = new Sample { After = ",\"note\":\"é\"" };
        var request = desk.Sidecar.Request(sample, desk.Clock.Now);
        request.IsBase64Encoded = false;
        request.Body = sample.ToString();
        request.MultiValueHeaders = request.MultiValueHeaders!.ToDictionary(header => header.Key.ToUpperInvariant(), header => header.Value);
        Assert.Equal(200, (await desk.SendAsync(request)).Status);
    }

    // Each writes the signature header anew from the good base64.
    public static TheoryData<string, string> BadSignatures => new()
    {
        { "hexadecimal", "v1a,{hex}" },
        { "without padding", "v1a,{unpadded}" },
        { "base64url", "v1a,{url}" },
        { "a blank inside", "v1a, {good}" },
        { "a line feed behind", "v1a,{good}\n" },
        { "a blank behind", "v1a,{good} " },
        { "unused bits set", "v1a,{unused}" },
        { "63 bytes", "v1a,{short}" },
        { "65 bytes", "v1a,{long}" },
        { "empty", "" },
        { "scheme alone", "v1a," },
        { "no scheme", "{good}" },
        { "scheme in upper case", "V1A,{good}" },
        { "the symmetric scheme", "v1,{good}" },
        { "twice", "v1a,{good} v1a,{good}" },
        { "two blanks between", "v1,x  v1a,{good}" },
        { "joined by a comma", "v1a,{good},v1a,{good}" },
        { "five", "v1,a v1,b v1,c v1,d v1a,{good}" },
        { "one bit off", "v1a,{flipped}" },
    };

    [Theory]
    [MemberData(nameof(BadSignatures))]
    public async Task A_signature_has_one_form(string what, string form)
    {
        Assert.NotEmpty(what);
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var sample = new Sample();
        var bytes = desk.Sidecar.Sign(sample.Id, Now, Encoding.UTF8.GetBytes(sample.ToString()));
        var good = Convert.ToBase64String(bytes);
        var text = form
            .Replace("{good}", good, StringComparison.Ordinal)
            .Replace("{hex}", Convert.ToHexStringLower(bytes), StringComparison.Ordinal)
            .Replace("{unpadded}", good.TrimEnd('='), StringComparison.Ordinal)
            .Replace("{url}", good.Replace('+', '-').Replace('/', '_') is var url && url == good ? url.TrimEnd('=') : url, StringComparison.Ordinal)
            .Replace("{unused}", $"{good[..^3]}{(char)(good[^3] + 1)}==", StringComparison.Ordinal)
            .Replace("{short}", Convert.ToBase64String(bytes[..63]), StringComparison.Ordinal)
            .Replace("{long}", Convert.ToBase64String([.. bytes, 0]), StringComparison.Ordinal)
            .Replace("{flipped}", Convert.ToBase64String([(byte)(bytes[0] ^ 1), .. bytes[1..]]), StringComparison.Ordinal);

        await AssertSignatureInvalidAsync(desk, With(desk.Sidecar.Request(sample, desk.Clock.Now), headers => headers["webhook-signature"] = text));
    }

    [Theory]
    [InlineData("webhook-id")]
    [InlineData("webhook-timestamp")]
    [InlineData("webhook-signature")]
    [InlineData("x-dp-key-id")]
    public async Task Each_header_is_there_exactly_once(string header)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var request = desk.Sidecar.Request(new Sample(), desk.Clock.Now);
        await AssertSignatureInvalidAsync(desk, With(request, headers => headers.Remove(header)));

        var twice = desk.Sidecar.Request(new Sample(), desk.Clock.Now);
        twice.MultiValueHeaders![header] = [.. twice.MultiValueHeaders[header], .. twice.MultiValueHeaders[header]];
        await AssertSignatureInvalidAsync(desk, twice);
    }

    [Theory]
    [InlineData("")]
    [InlineData("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4")]
    [InlineData("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k=")]
    [InlineData("kPrK/qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")]
    [InlineData("{good},{good}")]
    [InlineData("{good},")]
    [InlineData("{good}\n")]
    [InlineData("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")]
    public async Task A_key_id_has_one_form_and_is_registered(string keyId)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await AssertSignatureInvalidAsync(desk, With(
            desk.Sidecar.Request(new Sample(), desk.Clock.Now), headers =>
                headers["x-dp-key-id"] = keyId.Replace("{good}", desk.Sidecar.KeyId.ToString(), StringComparison.Ordinal)));
    }

    [Fact]
    public async Task What_has_the_wrong_shape_reads_no_table()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var seam = FaultSeam.None();
        desk.Restart(seam);
        foreach (var header in new[] { "webhook-id", "webhook-timestamp", "webhook-signature", "x-dp-key-id", "Content-Type" })
            await desk.SendAsync(With(desk.Sidecar.Request(new Sample(), desk.Clock.Now), headers => headers[header] = "?"));
        Assert.Empty(seam.Calls);
    }

    [Fact]
    public async Task A_key_whose_tenant_is_gone_signs_for_nobody()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var orphan = new SidecarSigner();
        await desk.Registry.TryAddAsync(orphan.Registration("tenant-44"), TestContext.Current.CancellationToken);
        await AssertSignatureInvalidAsync(desk, orphan.Request(new Sample { Tenant = "tenant-44" }, desk.Clock.Now, "10.143.1.7"));
    }

    [Fact]
    public async Task A_forged_signature_costs_the_read_of_its_key_and_no_other()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var seam = FaultSeam.None();
        desk.Restart(seam);
        for (var i = 0; i < 3; i++)
            await AssertSignatureInvalidAsync(desk, With(
                desk.Sidecar.Request(new Sample(), desk.Clock.Now), headers => headers["webhook-signature"] = $"v1a,{Convert.ToBase64String(new byte[64])}"));
        Assert.Equal(["GetItem"], seam.Calls.Select(call => call.Operation));
    }

    [Theory]
    [InlineData("{good}", 200)]
    [InlineData("{later}", 401)]
    [InlineData(" {good}", 401)]
    [InlineData("+1767225660", 401)]
    [InlineData("-1767225660", 401)]
    [InlineData("1767225660.0", 401)]
    [InlineData("01767225660", 401)]
    [InlineData("1767225660\0", 401)]
    [InlineData("١٧٦٧٢٢٥٦٦٠", 401)]
    [InlineData("0", 401)]
    [InlineData("1767225660000", 401)]
    [InlineData("999999999999999999", 401)]
    [InlineData("9223372036854775807", 401)]
    [InlineData("99999999999999999999", 401)]
    public async Task A_timestamp_is_plain_digits_and_part_of_what_is_signed(string timestamp, int status)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var text = timestamp.Replace("{good}", Now.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
            .Replace("{later}", (Now + 1).ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        var answer = await desk.SendAsync(With(desk.Sidecar.Request(new Sample(), desk.Clock.Now), headers => headers["webhook-timestamp"] = text));
        Assert.Equal(status, answer.Status);
        Assert.Equal(status == 200, await desk.StateAsync() is not null);
    }

    [Theory]
    [InlineData(0, 200)]
    [InlineData(1, 200)]
    [InlineData(-1, 200)]
    [InlineData(300, 200)]
    [InlineData(-300, 200)]
    [InlineData(301, 401)]
    [InlineData(-301, 401)]
    [InlineData(86_400, 401)]
    [InlineData(-86_400, 401)]
    [InlineData(31_536_000, 401)]
    [InlineData(-31_536_000, 401)]
    [InlineData(-1767225660, 401)]
    public async Task A_timestamp_may_be_five_minutes_off(int seconds, int status)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var sample = new Sample();
        var answer = await desk.SendAsync(desk.Sidecar.Request(sample.Id, Encoding.UTF8.GetBytes(sample.ToString()), Now + seconds));
        Assert.Equal(status, answer.Status);
        Assert.Equal(status == 200 ? null : "timestamp-out-of-window", answer.Code);
        Assert.Equal(status == 200, await desk.StateAsync() is not null);
    }

    [Theory]
    [InlineData(300, 200)]
    [InlineData(301, 422)]
    [InlineData(-30 * 86_400, 200)]
    [InlineData(-30 * 86_400 - 1, 422)]
    [InlineData(365 * 86_400, 422)]
    [InlineData(-365 * 86_400, 422)]
    public async Task A_sample_is_neither_from_the_future_nor_older_than_the_records(int seconds, int status)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(Sample.At(desk.Clock.Now.AddHours(-12), 1, cpuMs: 1, epoch: 1_577_836_800));
        desk.Clock.Advance(TimeSpan.FromDays(30));
        var answer = await desk.SendAsync(Sample.At(desk.Clock.Now.AddSeconds(seconds), 2, cpuMs: 1, epoch: 1_577_836_800));
        Assert.Equal(status, answer.Status);
        Assert.Equal(status == 200 ? null : "sampled-at-implausible", answer.Code);
    }

    [Theory]
    [InlineData(1_577_836_800, 200)]
    [InlineData(1_577_836_799, 422)]
    [InlineData(1, 422)]
    public async Task An_epoch_is_not_from_before_2020(long epoch, int status)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var answer = await desk.SendAsync(Sample.At(desk.Clock.Now, 1, cpuMs: 1, epoch: epoch));
        Assert.Equal(status, answer.Status);
        Assert.Equal(status == 200 ? null : "epoch-implausible", answer.Code);
        Assert.Equal(status == 200, await desk.StateAsync() is not null);
    }

    [Theory]
    [InlineData("2026-01-01T00:05:00.123456789Z")]
    [InlineData("2026-01-01T00:05:00+00:00")]
    public async Task A_sample_time_is_any_UTC_time_of_RFC_3339(string sampledAt)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var answer = await desk.SendAsync(Sample.At(desk.Clock.Now, 1, cpuMs: 1) with { SampledAt = sampledAt });
        Assert.Equal(200, answer.Status);
    }

    [Theory]
    [InlineData(-300, 200)]
    [InlineData(-301, 422)]
    public async Task A_sample_is_not_older_than_its_epoch(int seconds, int status)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var answer = await desk.SendAsync(Sample.At(DateTimeOffset.FromUnixTimeSeconds(Sample.Started + seconds), 1, cpuMs: 0));
        Assert.Equal(status, answer.Status);
    }

    [Theory]
    [InlineData(86_700_000 * 4L, 0, 200)]
    [InlineData(86_700_000 * 4L + 1, 0, 422)]
    [InlineData(0, 86_700_000, 200)]
    [InlineData(0, 86_700_000 + 1, 422)]
    [InlineData(9_007_199_254_740_991, 0, 422)]
    public async Task What_a_machine_just_seen_has_used_is_no_more_than_its_processors_can_in_a_day(long cpuMs, long gpuMs, int status)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var answer = await desk.SendAsync(Sample.At(desk.Clock.Now, 1, cpuMs, gpuMs));
        Assert.Equal(status, answer.Status);
        Assert.Equal(status == 200 ? null : "totals-implausible", answer.Code);
    }

    [Theory]
    [InlineData("hb_i-0abc1234def567890_1767225600_2")]
    [InlineData("hb_i-0abc1234def567891_1767225600_1")]
    [InlineData("hb_i-0abc1234def567890_1767225601_1")]
    [InlineData("hb_i-0abc1234def567890_1767225600_01")]
    public async Task The_id_says_what_the_body_says(string id)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var answer = await desk.SendAsync(desk.Sidecar.Request(id, Encoding.UTF8.GetBytes(new Sample().ToString()), Now));
        Assert.Equal((422, "id-mismatch"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task A_body_written_anew_on_the_way_does_not_verify()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var request = desk.Sidecar.Request(new Sample(), desk.Clock.Now);
        foreach (var other in new[] { new Sample().ToString().Replace(":", ": ", StringComparison.Ordinal), new Sample { CpuMs = "7501" }.ToString() })
        {
            request.Body = Convert.ToBase64String(Encoding.UTF8.GetBytes(other));
            await AssertSignatureInvalidAsync(desk, request);
        }
    }

    [Fact]
    public async Task The_tenant_is_the_keys_tenant()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var neighbour = new SidecarSigner();
        await desk.RegisterAsync(TenantId.Parse("tenant-2"), TenantStatus.Active);
        await desk.Registry.TryAddAsync(neighbour.Registration("tenant-2"), TestContext.Current.CancellationToken);

        // Verified, and the body names another: said plainly.
        var mismatch = await desk.SendAsync(neighbour.Request(new Sample(), desk.Clock.Now, "10.101.0.1"));
        Assert.Equal((403, "tenant-mismatch"), (mismatch.Status, mismatch.Code));

        // Not verified: a neighbour's key id, an unknown one and a tenant that does not exist look the same.
        var stolenId = await desk.SendAsync(With(desk.Sidecar.Request(new Sample(), desk.Clock.Now), headers => headers["x-dp-key-id"] = neighbour.KeyId.ToString()));
        var unknown = await desk.SendAsync(new SidecarSigner().Request(new Sample(), desk.Clock.Now));
        var nobody = await desk.SendAsync(new SidecarSigner().Request(new Sample { Tenant = "tenant-999" }, desk.Clock.Now));
        Assert.Equal((401, "signature-invalid"), (stolenId.Status, stolenId.Code));
        Assert.Equal(stolenId.ToString(), unknown.ToString());
        Assert.Equal(stolenId.ToString(), nobody.ToString());
        Assert.Null(await desk.StateAsync());
    }

    [Fact]
    public async Task A_key_may_be_bound_to_one_instance()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var bound = new SidecarSigner();
        await desk.Registry.TryAddAsync(bound.Registration(instance: "i-1"), TestContext.Current.CancellationToken);
        Assert.Equal(
            (403, "instance-mismatch"),
            await desk.SendAsync(bound.Request(new Sample { Instance = "i-2" }, desk.Clock.Now)) is var other ? (other.Status, other.Code) : default);
        Assert.Equal(200, (await desk.SendAsync(bound.Request(new Sample { Instance = "i-1" }, desk.Clock.Now))).Status);
    }

    [Fact]
    public async Task During_a_rotation_either_key_will_do_and_the_counter_goes_on()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud, keyLives: TimeSpan.FromMinutes(5));
        var next = new SidecarSigner();
        Assert.Equal(200, (await desk.SendAsync(Sample.At(desk.Clock.Now, 1, cpuMs: 1))).Status);

        // The new key is not registered yet; then it is, for instances started since.
        Assert.Equal(200, (await desk.SendAsync(Both(Sample.At(desk.Clock.Now.AddSeconds(2), 2, cpuMs: 2)))).Status);
        await desk.Registry.TryAddAsync(next.Registration(), TestContext.Current.CancellationToken);
        desk.Clock.Advance(SidecarKeys.MaximumAge);
        Assert.Equal(200, (await desk.SendAsync(next.Request(Sample.At(desk.Clock.Now.AddSeconds(3), 3, cpuMs: 3), desk.Clock.Now))).Status);
        Assert.Equal("counter-replayed", (await desk.SendAsync(Sample.At(desk.Clock.Now, 1, cpuMs: 1))).Code);
        Assert.Equal(200, (await desk.SendAsync(Sample.At(desk.Clock.Now.AddSeconds(4), 4, cpuMs: 4))).Status);

        // The old one ends to the second, cached or not.
        desk.Clock.Advance(TimeSpan.FromMinutes(5) - SidecarKeys.MaximumAge - TimeSpan.FromSeconds(1));
        Assert.Equal(200, (await desk.SendAsync(Sample.At(desk.Clock.Now, 5, cpuMs: 5))).Status);
        desk.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("signature-invalid", (await desk.SendAsync(Sample.At(desk.Clock.Now, 6, cpuMs: 6))).Code);
        Assert.Equal(200, (await desk.SendAsync(Both(Sample.At(desk.Clock.Now, 6, cpuMs: 6)))).Status);

        APIGatewayProxyRequest Both(Sample sample)
        {
            var body = Encoding.UTF8.GetBytes(sample.ToString());
            var time = desk.Clock.Now.ToUnixTimeSeconds();
            return With(desk.Sidecar.Request(sample, desk.Clock.Now), headers =>
            {
                headers["webhook-signature"] = $"{desk.Sidecar.SignatureText(sample.Id, time, body)} v1,aGVsbG8= {next.SignatureText(sample.Id, time, body)}";
                headers["x-dp-key-id"] = $"{desk.Sidecar.KeyId},{next.KeyId}";
            });
        }
    }

    [Fact]
    public async Task A_revoked_key_is_refused_within_a_minute()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        Assert.Equal(200, (await desk.SendAsync(Sample.At(desk.Clock.Now, 1, cpuMs: 1))).Status);
        Assert.Equal(ChangeResult.Made, await new TenantAdministration(desk.Tables.Client, desk.Tables.Tenants, desk.Tables.Auditor, desk.Clock)
            .RevokeAsync(HeartbeatFixture.Tenant, desk.Sidecar.KeyId, TestContext.Current.CancellationToken));
        desk.Clock.Advance(SidecarKeys.MaximumAge);
        Assert.Equal(
            (401, "signature-invalid"), await desk.SendAsync(Sample.At(desk.Clock.Now, 2, cpuMs: 2)) is var answer ? (answer.Status, answer.Code) : default);
    }

    [Fact]
    public async Task An_unknown_key_is_asked_for_once_a_minute_and_made_up_ones_do_not_push_out_the_real()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var seam = FaultSeam.None();
        desk.Restart(seam);
        await desk.SendAsync(Sample.At(desk.Clock.Now, 1, cpuMs: 1));
        var unknown = new SidecarSigner();
        for (var i = 0; i < 5; i++)
            await desk.SendAsync(unknown.Request(new Sample(), desk.Clock.Now));
        Assert.Equal(3, seam.Calls.Count(call => call.Operation == "GetItem"));     // key and tenant, and the unknown key

        for (var i = 0; i <= SidecarKeys.Capacity; i++)
            await desk.SendAsync(With(unknown.Request(new Sample(), desk.Clock.Now),
                headers => headers["x-dp-key-id"] = unknown.KeyId.ToString()[..35] + i.ToString("D8", CultureInfo.InvariantCulture)));
        var before = seam.Calls.Count;
        await desk.SendAsync(Sample.At(desk.Clock.Now.AddSeconds(1), 2, cpuMs: 2));
        Assert.Equal(["UpdateItem", "PutItem"], seam.Calls.Skip(before).Select(call => call.Operation));
    }

    [Theory]
    [InlineData("10.142.0.1", 200)]
    [InlineData("10.142.255.254", 200)]
    [InlineData("10.141.255.255", 403)]
    [InlineData("10.143.0.0", 403)]
    [InlineData("::ffff:10.142.0.1", 403)]
    [InlineData("unknown", 403)]
    [InlineData(null, 403)]
    public async Task The_source_is_in_the_tenants_network(string? sourceIp, int status)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var answer = await desk.SendAsync(desk.Sidecar.Request(new Sample(), desk.Clock.Now, sourceIp));
        Assert.Equal(status, answer.Status);
        Assert.Equal(status == 200 ? null : "source-network-mismatch", answer.Code);
        Assert.Equal(status == 200, await desk.StateAsync() is not null);
    }

    [Fact]
    public async Task The_source_check_can_be_made_to_warn_or_to_be_silent()
    {
        var warning = await HeartbeatFixture.OpenAsync(cloud, SourceNetworkCheck.Warn);
        Assert.Equal(200, (await warning.SendAsync(warning.Sidecar.Request(new Sample(), warning.Clock.Now, "203.0.113.9"))).Status);
        Assert.Contains("source_outside", warning.Logged, StringComparison.Ordinal);

        var off = await HeartbeatFixture.OpenAsync(cloud, SourceNetworkCheck.Off);
        Assert.Equal(200, (await off.SendAsync(off.Sidecar.Request(new Sample(), off.Clock.Now, "203.0.113.9"))).Status);
        Assert.DoesNotContain("source_outside", off.Logged, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stored_key_that_registration_would_refuse_signs_nothing()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        // The neutral element as a public key: R = neutral, S = 0 would fit every message under a lax verifier.
        var neutral = new byte[32];
        neutral[0] = 1;
        const string keyId = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        await desk.Registry.TryAddAsync(
            desk.Sidecar.Registration() with { KeyId = KeyId.Parse(keyId), PublicKey = neutral }, TestContext.Current.CancellationToken);
        await AssertSignatureInvalidAsync(desk, With(desk.Sidecar.Request(new Sample(), desk.Clock.Now), headers =>
        {
            headers["x-dp-key-id"] = keyId;
            headers["webhook-signature"] = $"v1a,{Convert.ToBase64String([.. neutral, .. new byte[32]])}";
        }));
    }

    [Fact]
    public async Task Logs_hold_no_body_no_signature_and_one_line_an_entry()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var secretive = new Sample { After = ",\"note\":\"needle-in-the-body\"" };
        var request = desk.Sidecar.Request(secretive, desk.Clock.Now);
        await desk.SendAsync(request);
        await desk.SendAsync(With(desk.Sidecar.Request(new Sample { Tenant = "x\\n{\\\"level\\\":\\\"forged\\\"}" }, desk.Clock.Now),
            headers => headers["x-amzn-thing"] = "a\nb"));
        await desk.SendAsync(With(desk.Sidecar.Request(new Sample(), desk.Clock.Now), headers => headers["webhook-id"] = "hb_\n{}"));

        Assert.DoesNotContain("needle-in-the-body", desk.Logged, StringComparison.Ordinal);
        Assert.DoesNotContain(request.Headers!["webhook-signature"][4..], desk.Logged, StringComparison.Ordinal);
        Assert.DoesNotContain("forged", desk.Logged, StringComparison.Ordinal);
        Assert.All(desk.Logged.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => System.Text.Json.JsonDocument.Parse(line).Dispose());
    }

    private static async Task AssertMalformedAsync(HeartbeatFixture desk, string body)
    {
        var answer = await desk.SendAsync(desk.Sidecar.Request(new Sample().Id, Encoding.UTF8.GetBytes(body), Now));
        Assert.Equal((400, "malformed"), (answer.Status, answer.Code));
        Assert.Null(await desk.StateAsync());
        Assert.Empty(await desk.RecordsAsync());
    }

    private static async Task AssertSignatureInvalidAsync(HeartbeatFixture desk, APIGatewayProxyRequest request)
    {
        var answer = await desk.SendAsync(request);
        Assert.Equal((401, "signature-invalid"), (answer.Status, answer.Code));
        Assert.Null(await desk.StateAsync());
    }

    private static byte[] BodyOf(System.Text.Json.JsonElement test)
    {
        if (test.TryGetProperty("base64", out var whole))
            return Convert.FromBase64CharArray([.. whole.GetString()!], 0, whole.GetString()!.Length);
        var unit = test.GetProperty("unit_base64").GetString()!.ToCharArray();
        var tail = test.TryGetProperty("tail_base64", out var end) ? end.GetString()!.ToCharArray() : [];
        return [.. Enumerable.Repeat(Convert.FromBase64CharArray(unit, 0, unit.Length), test.GetProperty("count").GetInt32()).SelectMany(bytes => bytes),
            .. Convert.FromBase64CharArray(tail, 0, tail.Length)];
    }

    private static APIGatewayProxyRequest With(APIGatewayProxyRequest request, Action<Dictionary<string, string>> change)
    {
        var headers = new Dictionary<string, string>(request.Headers!);
        change(headers);
        request.Headers = headers;
        request.MultiValueHeaders = headers.ToDictionary(header => header.Key, IList<string> (header) => [header.Value]);
        return request;
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"key1":"value1","key2":"value2"}""")]
    [InlineData("""{"source":"serverless-plugin-warmup"}""")]
    [InlineData("""{"Records":null}""")]
    [InlineData("""{"httpMethod":"POST","path":"/","requestContext":null}""")]
    [InlineData("null")]
    public async Task An_event_that_no_gateway_sent_is_malformed_and_no_fault_of_ours(string json)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var request = new SourceGeneratorLambdaJsonSerializer<EventJson>().Deserialize<APIGatewayProxyRequest>(new MemoryStream(Encoding.UTF8.GetBytes(json)));
        var answer = await desk.SendAsync(request);

        Assert.Equal((400, "malformed"), (answer.Status, answer.Code));
        var lines = desk.Logged.Split('\n', StringSplitOptions.RemoveEmptyEntries).ToLookup(line => line.Contains("\"_aws\"", StringComparison.Ordinal));
        Assert.DoesNotContain("\"level\":\"error\"", Assert.Single(lines[false]), StringComparison.Ordinal);
        Assert.All(lines[true], line => Assert.Contains("\"Outcome\":\"malformed\"", line, StringComparison.Ordinal));
    }
}
