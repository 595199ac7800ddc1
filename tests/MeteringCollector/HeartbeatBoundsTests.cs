using System.Globalization;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Aws;
using ControlPlane.Metering;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.MeteringCollector;

/// <summary>What a well-signed heartbeat may claim: how soon, how old, how much, and how many machines.</summary>
public sealed class HeartbeatBoundsTests(LocalCloud cloud)
{
    private static readonly DateTimeOffset Start = DateTimeOffset.FromUnixTimeSeconds(Sample.Started);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1000, 200)]
    [InlineData(999, 422)]
    [InlineData(0, 422)]
    [InlineData(-60_000, 422)]
    public async Task A_sample_is_taken_a_second_after_the_last_one_or_later(int milliseconds, int status)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(Sample.At(desk.Clock.Now, 1, cpuMs: 10));
        var before = await desk.StateAsync();

        var answer = await desk.SendAsync(Sample.At(desk.Clock.Now.AddMilliseconds(milliseconds), 2, cpuMs: 20));

        Assert.Equal((status, status == 200 ? null : "too-soon"), (answer.Status, answer.Code));
        Assert.Equal(status == 200 ? 2 : before!.Counter, (await desk.StateAsync())!.Counter);
        if (status == 200)
            return;
        Assert.Equal(before, await desk.StateAsync());
        Assert.Single(await desk.RecordsAsync());
        await desk.SendAsync(Sample.At(desk.Clock.Now.AddSeconds(60), 3, cpuMs: 30));
        Assert.Equal(30, (await desk.StateAsync())!.Lifetime.CpuMs);        // totals are cumulative: the next one carries it
    }

    [Fact]
    public async Task Two_hundred_samples_in_a_second_are_booked_as_one()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var accepted = 0;
        for (var counter = 1; counter <= 200; counter++)
            accepted += (await desk.SendAsync(Sample.At(desk.Clock.Now.AddMilliseconds(5 * counter), counter, cpuMs: counter))).Status == 200 ? 1 : 0;
        Assert.Equal(1, accepted);
        Assert.Single(await desk.RecordsAsync());
    }

    [Fact]
    public async Task Sixty_epochs_in_a_second_book_one()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var accepted = 0;
        for (var i = 0; i < 60; i++)
        {
            var epoch = desk.Clock.Now.ToUnixTimeSeconds() + i;
            accepted += (await desk.SendAsync(Sample.At(desk.Clock.Now.AddMilliseconds(10 * i), 1, cpuMs: 0, gpuMs: 240_000, epoch))).Status == 200 ? 1 : 0;
        }
        Assert.Equal(1, accepted);
        Assert.Equal(240_000, (await desk.StateAsync())!.Lifetime.GpuMs);
    }

    [Theory]
    [InlineData(4 * 360_000, 360_000, 200)]
    [InlineData(4 * 360_000 + 1, 360_000, 422)]
    [InlineData(4 * 360_000, 360_000 + 1, 422)]
    [InlineData(0, 360_000 + 1, 422)]
    [InlineData(4 * 360_000 + 1, 0, 422)]
    public async Task A_sample_adds_at_most_what_its_processors_can_have_used_since_the_last(long cpuMs, long gpuMs, int status)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(Sample.At(Start.AddSeconds(60), 1, cpuMs: 1000, gpuMs: 100));
        desk.Clock.Advance(TimeSpan.FromSeconds(60));

        var answer = await desk.SendAsync(Sample.At(Start.AddSeconds(120), 2, 1000 + cpuMs, 100 + gpuMs));

        Assert.Equal((status, status == 200 ? null : "totals-implausible"), (answer.Status, answer.Code));
        Assert.Equal(status == 200 ? new ComputeTime(1000 + cpuMs, 100 + gpuMs) : new(1000, 100), (await desk.StateAsync())!.Lifetime);
    }

    [Theory]
    [InlineData(4 * 360_000, 200)]
    [InlineData(4 * 360_000 + 1, 422)]
    public async Task So_it_is_across_epochs_however_long_ago_the_new_one_began(long cpuMs, int status)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        desk.Clock.Now = Start.AddDays(1);
        var last = desk.Clock.Now;
        await desk.SendAsync(Sample.At(last, 1, cpuMs: 1000));
        desk.Clock.Advance(TimeSpan.FromSeconds(60));

        var answer = await desk.SendAsync(Sample.At(last.AddSeconds(60), 1, cpuMs, epoch: Sample.Started + 1));

        Assert.Equal((status, status == 200 ? null : "totals-implausible"), (answer.Status, answer.Code));
        Assert.Equal(status == 200 ? 1000 + cpuMs : 1000, (await desk.StateAsync())!.Lifetime.CpuMs);
    }

    [Fact]
    public async Task After_an_outage_the_whole_time_counts_in_one_sample()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(Sample.At(Start.AddSeconds(60), 1, cpuMs: 0));
        desk.Clock.Now = Start.AddDays(2);
        var most = 4 * (long)(desk.Clock.Now - Start.AddSeconds(60) + TimeSpan.FromSeconds(300)).TotalMilliseconds;
        Assert.Equal(422, (await desk.SendAsync(Sample.At(desk.Clock.Now, 2, most + 1))).Status);
        Assert.Equal(200, (await desk.SendAsync(Sample.At(desk.Clock.Now, 2, most))).Status);
        Assert.Equal(most, (await desk.StateAsync())!.Lifetime.CpuMs);
    }

    [Theory]
    [InlineData(0, 200)]
    [InlineData(-1, 422)]
    public async Task A_sample_is_from_a_day_before_the_first_sight_or_later(int milliseconds, int status)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        desk.Clock.Now = Start.AddDays(5);
        var answer = await desk.SendAsync(Sample.At(desk.Clock.Now.AddHours(-24).AddMilliseconds(milliseconds), 1, cpuMs: 1));
        Assert.Equal((status, status == 200 ? null : "sampled-at-implausible"), (answer.Status, answer.Code));
        Assert.Equal(status == 200, await desk.StateAsync() is not null);
    }

    [Fact]
    public async Task An_instance_more_than_the_tenant_may_have_is_refused_and_leaves_nothing()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await LimitAsync(desk, 3);
        for (var n = 1; n <= 3; n++)
            Assert.Equal(200, (await desk.SendAsync(new Sample { Instance = $"i-{n}" })).Status);
        var refused = await desk.SendAsync(new Sample { Instance = "i-4" });

        Assert.Equal((403, "too-many-instances"), (refused.Status, refused.Code));
        Assert.Null(await desk.StateAsync("i-4"));
        Assert.Equal(3, (await desk.RecordsAsync()).Count);

        // Those it has go on, repeats and new epochs of them too.
        Assert.True((await desk.SendAsync(new Sample { Instance = "i-3" })).IsRepeat);
        Assert.Equal(200, (await desk.SendAsync(Sample.At(Start.AddSeconds(120), 1, cpuMs: 1, epoch: Sample.Started + 60) with { Instance = "i-3" })).Status);
    }

    [Fact]
    public async Task Of_many_first_heartbeats_at_once_as_many_are_taken_as_there_are_places()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await LimitAsync(desk, 5);
        var answers = new System.Collections.Concurrent.ConcurrentBag<int>();
        await Parallel.ForEachAsync(
            Enumerable.Range(1, 40), Cancel, async (n, _) => answers.Add((await desk.SendAsync(new Sample { Instance = $"i-{n}" })).Status));

        Assert.Equal(5, answers.Count(status => status == 200));
        Assert.Equal(35, answers.Count(status => status == 403));
        Assert.Equal(5, (await PlaneAsync(desk)).Instances.Count);
    }

    [Fact]
    public async Task Two_hundred_is_the_limit_where_none_was_set()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(new Sample());
        await SetPlacesTakenAsync(desk, 199);
        Assert.Equal(200, (await desk.SendAsync(new Sample { Instance = "i-200" })).Status);
        Assert.Equal("too-many-instances", (await desk.SendAsync(new Sample { Instance = "i-201" })).Code);
    }

    [Fact]
    public async Task An_instance_that_is_folded_frees_its_place_and_keeps_its_usage_in_its_month()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await LimitAsync(desk, 1);
        await desk.SendAsync(Sample.At(desk.Clock.Now, 1, cpuMs: 700, gpuMs: 7) with { Instance = "i-1" });
        var seen = (await desk.StateAsync("i-1"))!;
        Assert.False(FoldRule.IsDue(seen, seen.LastSeen.AddDays(31).AddTicks(-1)));
        Assert.True(FoldRule.IsDue(seen, seen.LastSeen.AddDays(31)));

        Assert.True(await desk.Instances.TryFoldAsync(seen, Cancel));
        Assert.False(await desk.Instances.TryFoldAsync(seen, Cancel));      // a sweeper beside it

        Assert.Null(await desk.StateAsync("i-1"));
        Assert.Equal(new ComputeTime(700, 7), await desk.UsageAsync(2026, 1));
        Assert.Equal(200, (await desk.SendAsync(new Sample { Instance = "i-2" })).Status);
        Assert.Equal("too-many-instances", (await desk.SendAsync(new Sample { Instance = "i-3" })).Code);
    }

    [Fact]
    public async Task An_instance_that_is_heard_of_at_that_moment_is_not_folded()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(Sample.At(Start.AddSeconds(60), 1, cpuMs: 1));
        var seen = (await desk.StateAsync())!;
        await desk.SendAsync(Sample.At(Start.AddSeconds(120), 2, cpuMs: 2));

        Assert.False(await desk.Instances.TryFoldAsync(seen, Cancel));
        Assert.Equal(2, (await desk.StateAsync())!.Lifetime.CpuMs);
        Assert.Equal(new ComputeTime(2, 0), await desk.UsageAsync(2026, 1));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_instance_that_comes_back_goes_on_where_it_stopped(bool inTheSameMonth)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(Sample.At(Start.AddSeconds(60), 1, cpuMs: 700, gpuMs: 7));
        await desk.Instances.TryFoldAsync((await desk.StateAsync())!, Cancel);
        desk.Clock.Now = inTheSameMonth ? Start.AddDays(2) : Start.AddDays(60);

        Assert.True((await desk.SendAsync(Sample.At(Start.AddSeconds(60), 1, cpuMs: 700, gpuMs: 7))).Status is 422 or 200);
        var replayed = await desk.SendAsync(Sample.At(desk.Clock.Now, 1, cpuMs: 900, gpuMs: 8));
        var back = await desk.SendAsync(Sample.At(desk.Clock.Now, 2, cpuMs: 900, gpuMs: 8));

        Assert.Equal(("counter-conflict", 200), (replayed.Code, back.Status));
        Assert.Equal(new ComputeTime(900, 8), (await desk.StateAsync())!.Lifetime);
        Assert.Equal(inTheSameMonth ? new(900, 8) : new(700, 7), await desk.UsageAsync(2026, 1));
        Assert.Equal(inTheSameMonth ? default : new(200, 1), await desk.UsageAsync(2026, 3));
        Assert.Equal(1, await PlacesTakenAsync(desk));

        // And once more in the month that it was folded into before.
        await desk.Instances.TryFoldAsync((await desk.StateAsync())!, Cancel);
        Assert.Equal(inTheSameMonth ? new(900, 8) : new(700, 7), await desk.UsageAsync(2026, 1));
        Assert.Equal(0, await PlacesTakenAsync(desk));
    }

    [Fact]
    public async Task Two_copies_of_the_heartbeat_that_brings_it_back_count_once()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(Sample.At(Start.AddSeconds(60), 1, cpuMs: 700));
        await desk.Instances.TryFoldAsync((await desk.StateAsync())!, Cancel);
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => desk.SendAsync(Sample.At(Start.AddSeconds(120), 2, cpuMs: 900))));

        Assert.All(answers, answer => Assert.Equal(200, answer.Status));
        Assert.Single(answers, answer => !answer.IsRepeat);
        Assert.Equal((new ComputeTime(900, 0), 1L), (await desk.UsageAsync(2026, 1), await PlacesTakenAsync(desk)));
    }

    [Fact]
    public async Task An_instance_whose_counting_begins_anew_takes_whatever_comes_next_and_adds_nothing_for_it()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(Sample.At(Start.AddSeconds(60), 900, cpuMs: 5000, epoch: Sample.Started + 200));       // a thief's
        Assert.Equal("counter-replayed", (await desk.SendAsync(Sample.At(Start.AddSeconds(120), 2, cpuMs: 700))).Code);
        Assert.False(await desk.Instances.TryResetAsync(HeartbeatFixture.Tenant, InstanceId.Parse("i-nobody"), desk.Tables.Auditor, Cancel));
        Assert.True(await desk.Instances.TryResetAsync(HeartbeatFixture.Tenant, InstanceId.Parse("i-0abc1234def567890"), desk.Tables.Auditor, Cancel));

        Assert.Equal(200, (await desk.SendAsync(Sample.At(Start.AddSeconds(180), 3, cpuMs: 750))).Status);
        Assert.Equal(new ComputeTime(5000, 0), await desk.UsageAsync(2026, 1));
        Assert.Equal(200, (await desk.SendAsync(Sample.At(Start.AddSeconds(240), 4, cpuMs: 800))).Status);
        Assert.Equal(new ComputeTime(5050, 0), await desk.UsageAsync(2026, 1));
        Assert.Equal("counter-replayed", (await desk.SendAsync(Sample.At(Start.AddSeconds(300), 3, cpuMs: 800))).Code);
        Assert.Null(await desk.StateAsync("i-nobody"));
    }

    [Fact]
    public async Task A_fourth_restart_within_ten_minutes_is_an_alarm_that_names_the_instance()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await RestartAsync(0);
        foreach (var second in new[] { 30, 60, 90 })
            await RestartAsync(second);
        Assert.DoesNotContain("restarts_too_often", desk.Logged, StringComparison.Ordinal);

        await RestartAsync(629);        // the first of the three restarts is 599 s ago
        Assert.Equal(1, WrittenMetrics.Sum(desk.Logged, new("InstanceRestartsTooOften")));
        Assert.Contains(
            "\"instance\":\"i-0abc1234def567890\"", desk.Logged.Split('\n').Single(line => line.Contains("restarts_too_often", StringComparison.Ordinal)),
            StringComparison.Ordinal);

        async Task RestartAsync(int second)
        {
            desk.Clock.Now = Start.AddSeconds(60 + second);
            Assert.Equal(200, (await desk.SendAsync(Sample.At(desk.Clock.Now, 1, cpuMs: 1, epoch: desk.Clock.Now.ToUnixTimeSeconds() - 8))).Status);
        }
    }

    [Fact]
    public async Task Three_restarts_in_ten_minutes_are_none()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        foreach (var second in new[] { 0, 30, 60, 90, 630, 660, 690 })
        {
            desk.Clock.Now = Start.AddSeconds(60 + second);
            Assert.Equal(200, (await desk.SendAsync(Sample.At(desk.Clock.Now, 1, cpuMs: 1, epoch: desk.Clock.Now.ToUnixTimeSeconds() - 8))).Status);
        }
        Assert.DoesNotContain("restarts_too_often", desk.Logged, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_conflict_names_its_instance()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(new Sample());
        await desk.SendAsync(new Sample { CpuMs = "7501" });
        Assert.Contains(
            "\"instance\":\"i-0abc1234def567890\"", desk.Logged.Split('\n').Single(line => line.Contains("heartbeat_refused", StringComparison.Ordinal)),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stale_heartbeat_costs_no_read_and_tells_nothing_of_keys()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var seam = FaultSeam.None();
        desk.Restart(seam);
        var stale = desk.Clock.Now.AddSeconds(-301);
        var (known, unknown) = (
            await desk.SendAsync(desk.Sidecar.Request(new Sample(), stale)), await desk.SendAsync(new SidecarSigner().Request(new Sample(), stale)));

        Assert.Equal((401, "timestamp-out-of-window"), (known.Status, known.Code));
        Assert.Equal(known.ToString(), unknown.ToString());
        Assert.Empty(seam.Calls);
    }

    private static Task LimitAsync(HeartbeatFixture desk, int instances) =>
        new TenantAdministration(desk.Tables.Client, desk.Tables.Tenants, desk.Tables.Auditor, desk.Clock)
            .LimitAsync(HeartbeatFixture.Tenant, new LimitChange(Instances: instances), Cancel);

    private static Task<DataPlane> PlaneAsync(HeartbeatFixture desk) => desk.Instances.OfTenantAsync(HeartbeatFixture.Tenant, new(2026, 1), Cancel);

    internal static async Task<long> PlacesTakenAsync(HeartbeatFixture desk)
    {
        var item = (
            await desk.Tables.Client.GetItemAsync(desk.Tables.Instances, InstanceItems.TenantKeyOf(HeartbeatFixture.Tenant), consistentRead: true, Cancel))
            .Item;
        return long.Parse(item["instances"].N, CultureInfo.InvariantCulture);
    }

    private static Task SetPlacesTakenAsync(HeartbeatFixture desk, int number) => desk.Tables.Client.UpdateItemAsync(
        new UpdateItemRequest
        {
            TableName = desk.Tables.Instances,
            Key = InstanceItems.TenantKeyOf(HeartbeatFixture.Tenant),
            UpdateExpression = "SET instances = :number",
            ExpressionAttributeValues = new() { [":number"] = new() { N = number.ToString(CultureInfo.InvariantCulture) } },
        }, Cancel);
}
