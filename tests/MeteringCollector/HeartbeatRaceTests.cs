using ControlPlane.Metering;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.MeteringCollector;

/// <summary>Two heartbeats of one instance, the second between the first one's look and its write: never is the counter put back, nothing counted
/// twice.</summary>
public sealed class HeartbeatRaceTests(LocalCloud cloud)
{
    private static readonly DateTimeOffset Start = DateTimeOffset.FromUnixTimeSeconds(Sample.Started);
    private static readonly DateTimeOffset MonthEnd = new(2026, 1, 31, 23, 59, 30, TimeSpan.Zero);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_restarts_end_in_the_later_epoch()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(Sample.At(Start.AddSeconds(60), 1, cpuMs: 700));
        var (early, late) = (
            Sample.At(Start.AddSeconds(120), 1, cpuMs: 5, epoch: Sample.Started + 100),
            Sample.At(Start.AddSeconds(180), 1, cpuMs: 7, epoch: Sample.Started + 150));

        var answer = await OvertakenAsync(desk, early, "UpdateItem", skip: 1, late);

        Assert.Equal("counter-replayed", answer.Code);
        var state = (await desk.StateAsync())!;
        Assert.Equal((Sample.Started + 150, new ComputeTime(707, 0)), (state.Epoch, state.Lifetime));
    }

    [Fact]
    public async Task A_sample_of_the_old_epoch_that_comes_while_a_restart_is_booked_is_in_the_sum()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(Sample.At(Start.AddSeconds(60), 1, cpuMs: 700));

        var answer = await OvertakenAsync(
            desk, Sample.At(Start.AddSeconds(180), 1, cpuMs: 5, epoch: Sample.Started + 100), "UpdateItem", skip: 1,
            Sample.At(Start.AddSeconds(120), 2, cpuMs: 900));

        Assert.Equal(200, answer.Status);
        var state = (await desk.StateAsync())!;
        Assert.Equal((Sample.Started + 100, new ComputeTime(905, 0)), (state.Epoch, state.Lifetime));
    }

    [Fact]
    public async Task Another_epoch_is_another_epoch_whatever_its_counter_and_totals()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(Sample.At(Start.AddSeconds(60), 1, cpuMs: 5, epoch: Sample.Started + 10));

        var lower = await desk.SendAsync(Sample.At(Start.AddSeconds(120), 3, cpuMs: 700));
        var higher = await desk.SendAsync(Sample.At(Start.AddSeconds(180), 3, cpuMs: 700, epoch: Sample.Started + 100));

        Assert.Equal(("counter-replayed", 200), (lower.Code, higher.Status));
        var state = (await desk.StateAsync())!;
        Assert.Equal((Sample.Started + 100, new ComputeTime(705, 0)), (state.Epoch, state.Lifetime));
    }

    [Fact]
    public async Task Two_samples_of_one_new_epoch_end_at_the_later_counter()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(Sample.At(Start.AddSeconds(60), 1, cpuMs: 700));
        var epoch = Sample.Started + 100;

        var answer = await OvertakenAsync(
            desk, Sample.At(Start.AddSeconds(120), 1, cpuMs: 5, epoch: epoch), "UpdateItem", skip: 1,
            Sample.At(Start.AddSeconds(180), 2, cpuMs: 7, epoch: epoch));

        Assert.Equal("counter-replayed", answer.Code);
        Assert.Equal((2L, new ComputeTime(707, 0)), ((await desk.StateAsync())!.Counter, (await desk.StateAsync())!.Lifetime));
    }

    [Fact]
    public async Task Two_samples_of_a_new_month_close_the_old_one_once_and_end_at_the_later_counter()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        desk.Clock.Now = MonthEnd;
        await desk.SendAsync(Sample.At(MonthEnd, 1, cpuMs: 700));
        desk.Clock.Now = MonthEnd.AddSeconds(120);

        var answer = await OvertakenAsync(
            desk, Sample.At(MonthEnd.AddSeconds(60), 2, cpuMs: 800), "TransactWriteItems", skip: 0, Sample.At(MonthEnd.AddSeconds(120), 3, cpuMs: 900));

        Assert.Equal("counter-replayed", answer.Code);
        Assert.Equal(3, (await desk.StateAsync())!.Counter);
        Assert.Equal((new ComputeTime(700, 0), new ComputeTime(200, 0)), (await desk.UsageAsync(2026, 1), await desk.UsageAsync(2026, 2)));
    }

    [Fact]
    public async Task Two_first_heartbeats_end_at_the_later_counter_and_take_one_place()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var answer = await OvertakenAsync(
            desk, Sample.At(Start.AddSeconds(60), 1, cpuMs: 5), "TransactWriteItems", skip: 0, Sample.At(Start.AddSeconds(120), 2, cpuMs: 7));

        Assert.Equal("counter-replayed", answer.Code);
        Assert.Equal((2L, new ComputeTime(7, 0)), ((await desk.StateAsync())!.Counter, (await desk.StateAsync())!.Lifetime));
        Assert.Equal(1, await HeartbeatBoundsTests.PlacesTakenAsync(desk));
    }

    [Fact]
    public async Task One_that_began_anew_meanwhile_is_not_folded_though_its_counter_is_the_same()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(Sample.At(Start.AddSeconds(60), 1, cpuMs: 700));
        var seen = (await desk.StateAsync())!;
        await desk.SendAsync(Sample.At(Start.AddSeconds(120), 1, cpuMs: 5, epoch: Sample.Started + 100));

        Assert.False(await desk.Instances.TryFoldAsync(seen, Cancel));
        Assert.Equal(new ComputeTime(705, 0), (await desk.StateAsync())!.Lifetime);
    }

    [Fact]
    public async Task One_that_came_back_in_a_new_epoch_and_was_folded_anew_goes_on_from_that_one()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(Sample.At(Start.AddSeconds(60), 1, cpuMs: 700));
        await desk.Instances.TryFoldAsync((await desk.StateAsync())!, Cancel);

        var other = desk.Function;
        var faster = Sample.At(Start.AddSeconds(180), 1, cpuMs: 5, epoch: Sample.Started + 100);
        var between = new Interleaved(
            "TransactWriteItems",
            async () =>
            {
                Assert.Equal(200, (await desk.SendAsync(desk.Sidecar.Request(faster, desk.Clock.Now), other)).Status);
                Assert.True(await desk.Instances.TryFoldAsync((await desk.StateAsync())!, Cancel));
            },
            skip: 1);
        desk.Restart(new FaultSeam(_ => null, between));
        var answer = await desk.SendAsync(Sample.At(Start.AddSeconds(120), 2, cpuMs: 800));

        Assert.Equal("counter-replayed", answer.Code);
        Assert.Equal(new ComputeTime(705, 0), await desk.UsageAsync(2026, 1));
    }

    [Fact]
    public async Task One_that_comes_back_while_it_is_folded_anew_goes_on_from_the_later_state()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(Sample.At(Start.AddSeconds(60), 1, cpuMs: 700));
        await desk.Instances.TryFoldAsync((await desk.StateAsync())!, Cancel);

        var other = desk.Function;
        var between = new Interleaved(
            "TransactWriteItems",
            async () =>
            {
                Assert.Equal(200, (await desk.SendAsync(desk.Sidecar.Request(Sample.At(Start.AddSeconds(180), 3, cpuMs: 900), desk.Clock.Now), other)).Status);
                Assert.True(await desk.Instances.TryFoldAsync((await desk.StateAsync())!, Cancel));
            },
            skip: 1);                                                    // the first is refused: there is something folded
        desk.Restart(new FaultSeam(_ => null, between));
        var answer = await desk.SendAsync(Sample.At(Start.AddSeconds(120), 2, cpuMs: 800));

        Assert.True(between.Happened);
        Assert.Equal("counter-replayed", answer.Code);
        Assert.Equal((null, new ComputeTime(900, 0)), (await desk.StateAsync(), await desk.UsageAsync(2026, 1)));
    }

    [Theory]
    [InlineData(99, 200)]
    [InlineData(100, 200)]
    [InlineData(101, 422)]
    public async Task Lifetime_gpu_time_never_passes_what_is_kept_exactly_either(long gpuMs, int status)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(Sample.At(Start.AddSeconds(60), 1, cpuMs: 1, gpuMs: 1));
        await desk.Tables.Client.UpdateItemAsync(
            new()
            {
                TableName = desk.Tables.Instances,
                Key = ControlPlane.Aws.InstanceItems.KeyOf(HeartbeatFixture.Tenant, InstanceId.Parse("i-0abc1234def567890")),
                UpdateExpression = "SET base_gpu_ms = :most",
                ExpressionAttributeValues = new() { [":most"] = ControlPlane.Aws.Items.Number(ComputeTime.Highest - 100) },
            }, Cancel);
        Assert.Equal(status, (await desk.SendAsync(Sample.At(Start.AddSeconds(120), 2, cpuMs: 1, gpuMs: gpuMs))).Status);
    }

    private static async Task<Answer> OvertakenAsync(HeartbeatFixture desk, Sample sample, string operation, int skip, Sample faster)
    {
        var other = desk.Function;
        var between = new Interleaved(
            operation, async () => Assert.Equal(200, (await desk.SendAsync(desk.Sidecar.Request(faster, desk.Clock.Now), other)).Status), skip);
        desk.Restart(new FaultSeam(_ => null, between));
        var answer = await desk.SendAsync(sample);
        Assert.True(between.Happened);
        return answer;
    }
}
