using System.Globalization;
using System.Text;
using System.Text.Json;
using ControlPlane.Metering;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.MeteringCollector;

/// <summary>The table of counters, and what is kept of each heartbeat.</summary>
public sealed class HeartbeatTests(LocalCloud cloud)
{
    private static readonly DateTimeOffset Start = DateTimeOffset.FromUnixTimeSeconds(Sample.Started);

    [Fact]
    public async Task The_published_example_is_accepted_and_signed_as_published()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var published = SidecarSigner.OfRfc8032();
        await desk.Registry.TryAddAsync(published.Registration(), TestContext.Current.CancellationToken);
        var sample = new Sample();
        var body = Encoding.UTF8.GetBytes(sample.ToString());

        Assert.Equal(267, body.Length);
        Assert.Equal(
            "v1a,WgC9IOoxak8DlDVM5Sw1fnLHjmKQqLzz3/VujVbUqq9ytgxfNAiydyG2BwojOS7tg8bPuJhp0r3dlJYNGVfHBQ==",
            published.SignatureText(sample.Id, 1767225660, body));

        var answer = await desk.SendAsync(published.Request(sample, desk.Clock.Now));

        Assert.Equal(200, answer.Status);
        Assert.Equal("no-store", answer.Headers["Cache-Control"]);
        Assert.Equal(
            """{"status":"accepted","duplicate":false,"epoch":1767225600,"counter":1,"gap":0,"server_time":"2026-01-01T00:01:00.000Z","next_interval_s":60,"directives":[]}""",
            answer.Body.GetRawText());
    }

    [Fact]
    public async Task Since_when_gpus_are_unreadable_is_what_the_last_sample_says()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var (minute, next) = (desk.Clock.Now, 1L);
        Assert.Equal(minute, await AfterAsync("2026-01-01T00:01:00Z"));              // the first sample of an instance
        Assert.Equal(minute, await AfterAsync("2026-01-01T00:01:00Z"));
        Assert.Null(await AfterAsync(null));
        Assert.Equal(minute.AddMinutes(3), await AfterAsync("2026-01-01T00:04:00Z"));
        Assert.Null(await AfterAsync(null, epoch: Sample.Started + 240));            // a new epoch
        Assert.Equal(minute.AddMinutes(5), await AfterAsync("2026-01-01T00:06:00Z", epoch: Sample.Started + 300));

        async Task<DateTimeOffset?> AfterAsync(string? since, long epoch = Sample.Started)
        {
            desk.Clock.Now = desk.Clock.Now.AddMinutes(1);
            var sample = Sample.At(desk.Clock.Now, epoch == Sample.Started ? next++ : 1, cpuMs: 8000, epoch: epoch);
            var answer = await desk.SendAsync(since is null ? sample : sample with { After = $",\"gpu_unreadable_since\":\"{since}\"" });
            Assert.Equal(200, answer.Status);
            return (await desk.StateAsync())!.GpuUnreadableSince;
        }
    }

    // What stands in the tables outlives any version of the code: a renamed attribute must fail here first.
    [Fact]
    public async Task Items_have_the_names_and_values_that_are_in_the_tables_already()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(new Sample());
        desk.Clock.Now = new(2026, 2, 1, 0, 1, 0, TimeSpan.Zero);
        await desk.SendAsync(Sample.At(desk.Clock.Now, 2, cpuMs: 8000));

        Assert.Equal(
            "base_cpu_ms=0 base_gpu_ms=0 body_hash=# counter=2 cpu_ms=8000 epoch=1767225600 first_seen=2026-01-01T00:01:00.000Z gpu_ms=0 last_seen=2026-02-01T00:01:00.000Z month=2026-02 "
            + "month_cpu_ms=7500 month_gpu_ms=0 pk=tenant-43 sampled_at=2026-02-01T00:01:00.000Z sk=INSTANCE#i-0abc1234def567890 told=HEALTHY",
            await TextOfAsync(desk, desk.Tables.Instances, "INSTANCE#i-0abc1234def567890"));
        Assert.Equal(
            "cpu_ms=7500 gpu_ms=0 pk=tenant-43 sk=CLOSED#2026-01#i-0abc1234def567890",
            await TextOfAsync(desk, desk.Tables.Instances, "CLOSED#2026-01#i-0abc1234def567890"));
        Assert.Equal(
            $$"""cpu_ms=7500 expires_at=1769817660 gpu_ms=0 interval_s=60 key_id={{desk.Sidecar.KeyId}} metrics={"cpu":{"count":4,"utilization_pct":12.5},"gpus":[]} pk=tenant-43 sk=2026-01-01T00:01:00.000Z#i-0abc1234def567890#1767225600#1""",
            await TextOfAsync(desk, desk.Tables.Metering, "2026-01-01T00:01:00.000Z#i-0abc1234def567890#1767225600#1"));

        static async Task<string> TextOfAsync(HeartbeatFixture desk, string table, string sk)
        {
            var item =
                (await desk.Tables.Client.GetItemAsync(table, new() { ["pk"] = new("tenant-43"), ["sk"] = new(sk) }, TestContext.Current.CancellationToken))
                    .Item;
            return string.Join(' ', item.OrderBy(attribute => attribute.Key, StringComparer.Ordinal).Select(attribute => $"{attribute.Key}={(attribute.Key == "body_hash" ? "#" : attribute.Value.S ?? attribute.Value.N)}"));
        }
    }

    [Fact]
    public async Task The_next_sample_books_counter_and_usage_and_keeps_a_record()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(Sample.At(Start.AddSeconds(60), 1, cpuMs: 7500));
        desk.Clock.Advance(TimeSpan.FromSeconds(60));
        var answer = await desk.SendAsync(Sample.At(Start.AddSeconds(120), 2, cpuMs: 9000, gpuMs: 40));

        Assert.Equal(200, answer.Status);
        var state = await desk.StateAsync();
        Assert.Equal((2, new ComputeTime(9000, 40), desk.Clock.Now), (state!.Counter, state.Lifetime, state.LastSeen));
        Assert.Equal([1, 2], (await desk.RecordsAsync()).Select(record => record.Counter));
    }

    [Fact]
    public async Task In_steady_state_a_heartbeat_is_two_write_units_and_no_read()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var seam = new FaultSeam(_ => null) { MetersCapacity = true };
        desk.Restart(seam);
        await desk.SendAsync(Sample.At(Start.AddSeconds(60), 1, cpuMs: 7500));
        var before = (seam.Calls.Count, seam.Capacity.Count);

        var answer = await desk.SendAsync(Sample.At(Start.AddSeconds(120), 2, cpuMs: 9000));

        Assert.Equal(200, answer.Status);
        Assert.Equal(["UpdateItem", "PutItem"], seam.Calls.Skip(before.Item1).Select(call => call.Operation));
        Assert.Equal([("UpdateItem", 1), ("PutItem", 1)], seam.Capacity.Skip(before.Item2));
    }

    [Fact]
    public async Task Sixteen_GPUs_cost_no_more()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var seam = new FaultSeam(_ => null) { MetersCapacity = true };
        desk.Restart(seam);
        await desk.SendAsync(Sample.At(Start.AddSeconds(60), 1, cpuMs: 7500));
        var before = seam.Capacity.Count;

        var sample = Sample.At(Start.AddSeconds(120), 2, cpuMs: 9000) with { Gpus = $"[{string.Join(',', Enumerable.Range(0, 16).Select(Gpu))}]" };
        var answer = await desk.SendAsync(sample);

        Assert.Equal(200, answer.Status);
        Assert.Equal([("UpdateItem", 1), ("PutItem", 1)], seam.Capacity.Skip(before));
        var kept = JsonDocument.Parse((await desk.RecordsAsync())[^1].Metrics).RootElement.GetProperty("gpus");
        Assert.Equal(16, kept.GetArrayLength());
        Assert.Equal("NVIDIA H100 80GB HBM3", kept[15].GetProperty("model").GetString());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(24 * 3600)]
    public async Task The_same_heartbeat_again_is_a_repeat_and_booked_once(int secondsLater)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var sample = new Sample();
        await desk.SendAsync(sample);
        var before = await desk.StateAsync();
        desk.Clock.Advance(TimeSpan.FromSeconds(secondsLater));

        var again = await desk.SendAsync(sample);

        Assert.Equal((200, true), (again.Status, again.IsRepeat));
        Assert.Equal(before, await desk.StateAsync());
        Assert.Single(await desk.RecordsAsync());
    }

    [Fact]
    public async Task Another_body_under_the_same_number_is_a_conflict_and_the_first_stays()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(new Sample());
        var before = await desk.StateAsync();
        var answer = await desk.SendAsync(new Sample { CpuMs = "7501" });

        Assert.Equal((409, "counter-conflict"), (answer.Status, answer.Code));
        Assert.Equal(before, await desk.StateAsync());
        foreach (var outcome in new[] { "accepted", "counter-conflict" })
            Assert.Equal(1, WrittenMetrics.Sum(desk.Logged, new("Heartbeats", "Outcome", outcome)));
    }

    /// <summary>Though it says that it is later and has used more.</summary>
    [Theory]
    [InlineData(60, 400)]
    [InlineData(180, 900)]
    public async Task A_lower_counter_is_refused_and_told_what_comes_next(int seconds, long cpuMs)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(Sample.At(Start.AddSeconds(60), 5, cpuMs: 500));
        desk.Clock.Now = Start.AddSeconds(180);
        var answer = await desk.SendAsync(Sample.At(Start.AddSeconds(seconds), 4, cpuMs));

        Assert.Equal((409, "counter-replayed"), (answer.Status, answer.Code));
        Assert.Equal((Sample.Started, 6), (answer.Body.GetProperty("epoch").GetInt64(), answer.Body.GetProperty("expected").GetInt64()));
        Assert.Equal(5, (await desk.StateAsync())!.Counter);
    }

    [Fact]
    public async Task A_lower_epoch_is_refused_whatever_its_counter()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(Sample.At(Start.AddSeconds(60), 5, cpuMs: 500));
        var answer = await desk.SendAsync(Sample.At(Start.AddSeconds(60), 99, cpuMs: 900, epoch: Sample.Started - 1));

        Assert.Equal((409, "counter-replayed"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task A_sample_that_overtakes_loses_nothing_because_totals_are_cumulative()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(Sample.At(Start.AddSeconds(60), 1, cpuMs: 100));
        var third = await desk.SendAsync(Sample.At(Start.AddSeconds(180), 3, cpuMs: 300));
        var second = await desk.SendAsync(Sample.At(Start.AddSeconds(120), 2, cpuMs: 200));

        Assert.Equal((200, 1), (third.Status, third.Body.GetProperty("gap").GetInt64()));
        Assert.Equal(409, second.Status);
        Assert.Equal(new ComputeTime(300, 0), await desk.UsageAsync(2026, 1));
    }

    [Fact]
    public async Task A_restart_keeps_what_the_old_epoch_used()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(Sample.At(Start.AddSeconds(60), 7, cpuMs: 1000, gpuMs: 10));
        desk.Clock.Advance(TimeSpan.FromMinutes(5));
        var answer = await desk.SendAsync(Sample.At(desk.Clock.Now, 2, cpuMs: 5, gpuMs: 1, epoch: Sample.Started + 100));

        Assert.Equal((200, true, 1), (answer.Status, answer.Body.GetProperty("restarted").GetBoolean(), answer.Body.GetProperty("gap").GetInt64()));
        var state = await desk.StateAsync();
        Assert.Equal((new ComputeTime(1000, 10), new ComputeTime(5, 1), 2L), (state!.Base, state.Totals, state.Counter));
        Assert.Equal(new ComputeTime(1005, 11), await desk.UsageAsync(2026, 1));
    }

    [Theory]
    [InlineData(300, 200)]
    [InlineData(301, 422)]
    public async Task An_epoch_may_be_five_minutes_ahead(int seconds, int status)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var answer = await desk.SendAsync(Sample.At(desk.Clock.Now, 1, cpuMs: 0, epoch: desk.Clock.Now.ToUnixTimeSeconds() + seconds));

        Assert.Equal(status, answer.Status);
        Assert.Equal(status == 200 ? null : "epoch-in-future", answer.Code);
        Assert.Equal(status == 200, await desk.StateAsync() is not null);
    }

    [Theory]
    [InlineData(99, 50)]
    [InlineData(100, 49)]
    public async Task Totals_that_shrink_within_an_epoch_are_refused(long cpuMs, long gpuMs)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(Sample.At(Start.AddSeconds(60), 1, cpuMs: 100, gpuMs: 50));
        var before = await desk.StateAsync();
        var answer = await desk.SendAsync(Sample.At(Start.AddSeconds(120), 2, cpuMs, gpuMs));

        Assert.Equal((422, "totals-decreased"), (answer.Status, answer.Code));
        Assert.Equal(before, await desk.StateAsync());
        Assert.Equal(200, (await desk.SendAsync(Sample.At(Start.AddSeconds(120), 2, cpuMs: 100, gpuMs: 50))).Status);
    }

    [Fact]
    public async Task Fifty_copies_at_once_are_booked_once()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var sample = new Sample();
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => desk.SendAsync(sample)));

        Assert.All(answers, answer => Assert.Equal(200, answer.Status));
        Assert.Single(answers, answer => !answer.IsRepeat);
        Assert.Equal(new ComputeTime(7500, 0), await desk.UsageAsync(2026, 1));
    }

    [Fact]
    public async Task Fifty_numbers_at_once_end_at_the_highest_and_its_totals()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var answers = await Task.WhenAll(Enumerable.Range(1, 50).Select(n => desk.SendAsync(Sample.At(Start.AddSeconds(60 + n), n, cpuMs: 100 * n))));

        Assert.Equal(200, answers[49].Status);
        Assert.All(answers, answer => Assert.True(answer.Status is 200 || answer.Code == "counter-replayed", answer.ToString()));
        Assert.Equal((50, new ComputeTime(5000, 0)), ((await desk.StateAsync())!.Counter, await desk.UsageAsync(2026, 1)));
    }

    [Fact]
    public async Task The_greatest_counters_are_kept_exactly()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        Assert.Equal(200, (await desk.SendAsync(new Sample { Counter = "9007199254740990" })).Status);
        var last = await desk.SendAsync(new Sample { Counter = "9007199254740991", SampledAt = "2026-01-01T00:01:01Z" });

        Assert.Equal((200, 9007199254740991, 0), (last.Status, last.Body.GetProperty("counter").GetInt64(), last.Body.GetProperty("gap").GetInt64()));
        Assert.Equal(9007199254740991, (await desk.StateAsync())!.Counter);
        foreach (var beyond in new[] { "9007199254740992", "9223372036854775807" })
            Assert.Equal((400, "malformed"), await desk.SendAsync(new Sample { Counter = beyond }) is var answer ? (answer.Status, answer.Code) : default);
    }

    [Fact]
    public async Task Usage_belongs_to_the_month_in_which_its_sample_was_taken()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var end = new DateTimeOffset(2026, 1, 31, 23, 59, 30, TimeSpan.Zero);
        desk.Clock.Now = end;
        await desk.SendAsync(Sample.At(end, 1, cpuMs: 1000, gpuMs: 10));
        desk.Clock.Now = end.AddSeconds(60);
        await desk.SendAsync(Sample.At(end.AddSeconds(60), 2, cpuMs: 1500, gpuMs: 15));

        Assert.Equal(new ComputeTime(1000, 10), await desk.UsageAsync(2026, 1));
        Assert.Equal(new ComputeTime(500, 5), await desk.UsageAsync(2026, 2));

        // A restart at the end of a month, and one that skips months.
        desk.Clock.Now = new(2026, 3, 1, 0, 0, 30, TimeSpan.Zero);
        await desk.SendAsync(Sample.At(desk.Clock.Now, 1, cpuMs: 7, epoch: desk.Clock.Now.ToUnixTimeSeconds() - 20));
        desk.Clock.Now = new(2027, 1, 1, 0, 0, 0, TimeSpan.Zero);
        await desk.SendAsync(Sample.At(desk.Clock.Now, 2, cpuMs: 9, epoch: new DateTimeOffset(2026, 3, 1, 0, 0, 10, TimeSpan.Zero).ToUnixTimeSeconds()));

        var months = new List<long>();
        foreach (var (year, month) in new[] { (2026, 1), (2026, 2), (2026, 3), (2026, 4), (2027, 1) })
            months.Add((await desk.UsageAsync(year, month)).CpuMs);
        Assert.Equal([1000, 500, 7, 0, 2], months);
        Assert.Equal(1509, (await desk.StateAsync())!.Lifetime.CpuMs);
    }

    [Fact]
    public async Task A_suspended_tenants_usage_is_booked_and_its_sidecar_is_told()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.RegisterAsync(HeartbeatFixture.Tenant, TenantStatus.Suspended);
        var answer = await desk.SendAsync(new Sample());

        Assert.Equal((200, "suspended"), (answer.Status, answer.Body.GetProperty("directives")[0].GetString()));
        Assert.Equal(new ComputeTime(7500, 0), await desk.UsageAsync(2026, 1));
    }

    [Fact]
    public async Task Lifetime_usage_never_passes_what_is_kept_exactly()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(new Sample());
        var state = (await desk.StateAsync())!;
        await desk.Tables.Client.UpdateItemAsync(
            new()
            {
                TableName = desk.Tables.Instances,
                Key = new() { ["pk"] = new("tenant-43"), ["sk"] = new($"INSTANCE#{state.Instance}") },
                UpdateExpression = "SET base_cpu_ms = :most",
                ExpressionAttributeValues = new() { [":most"] = new() { N = (ComputeTime.Highest - 7600).ToString(CultureInfo.InvariantCulture) } },
            }, TestContext.Current.CancellationToken);

        Assert.Equal(
            (422, "totals-implausible"),
            await desk.SendAsync(Sample.At(Start.AddSeconds(120), 2, cpuMs: 7601)) is var over ? (over.Status, over.Code) : default);
        Assert.Equal(200, (await desk.SendAsync(Sample.At(Start.AddSeconds(120), 2, cpuMs: 7600))).Status);
        Assert.Equal(422, (await desk.SendAsync(Sample.At(Start.AddSeconds(180), 1, cpuMs: 1, epoch: Sample.Started + 60))).Status);
        Assert.Equal(ComputeTime.Highest, (await desk.StateAsync())!.Lifetime.CpuMs);
    }

    [Fact]
    public async Task A_tenants_last_hour_is_one_query_and_expired_records_are_not_in_it()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(Sample.At(Start.AddSeconds(60), 1, cpuMs: 1));
        desk.Clock.Now = Start.AddDays(30);
        await desk.SendAsync(Sample.At(desk.Clock.Now, 2, cpuMs: 2));
        await desk.SendAsync(Sample.At(desk.Clock.Now.AddMinutes(1), 3, cpuMs: 3));

        var seam = FaultSeam.None();
        var records = new ControlPlane.Aws.MeteringStore(seam.DynamoDb(desk.Tables.Endpoint), desk.Tables.Metering, desk.Clock);
        var lastHour = new List<long>();
        await foreach (var record in records.SinceAsync(HeartbeatFixture.Tenant, desk.Clock.Now.AddHours(-1), TestContext.Current.CancellationToken))
            lastHour.Add(record.Counter);

        Assert.Equal([2, 3], lastHour);
        Assert.Single(seam.Calls);
        desk.Clock.Now = Start.AddSeconds(60).AddDays(30).AddSeconds(-1);
        Assert.Equal([1, 2, 3], (await desk.RecordsAsync()).Select(record => record.Counter));
        desk.Clock.Now = Start.AddSeconds(60).AddDays(30);
        Assert.Equal([2, 3], (await desk.RecordsAsync()).Select(record => record.Counter));
    }

    private static string Gpu(int index) =>
        $$"""{"index":{{index}},"uuid":"GPU-{{Guid.NewGuid()}}","model":"NVIDIA H100 80GB HBM3","utilization_pct":{{(index * 37 % 1000) / 10.0}},"memory_used_bytes":{{64_000_123_456 + index * 977_123_451L}},"memory_total_bytes":85520809984,"power_w":{{412.7 + index * 3.3:F1}},"temperature_c":{{60 + index}}}""";
}
