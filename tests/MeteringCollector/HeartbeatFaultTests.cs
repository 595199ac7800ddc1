using System.Globalization;
using ControlPlane.Metering;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;
using ControlPlane.Text;

namespace ControlPlane.Tests.MeteringCollector;

/// <summary>A heartbeat broken at every call, sent again as a sidecar would: counter and usage both or neither, and exact in the end.</summary>
[Trait("Length", "long")]
public sealed class HeartbeatFaultTests(LocalCloud cloud)
{
    private static readonly DateTimeOffset Start = DateTimeOffset.FromUnixTimeSeconds(Sample.Started);
    private static readonly DateTimeOffset MonthEnd = new(2026, 1, 31, 23, 59, 30, TimeSpan.Zero);

    [Fact]
    public async Task The_first_heartbeat() => await BreakAsync(
        before: [], Sample.At(Start.AddSeconds(60), 1, cpuMs: 700, gpuMs: 7), lifetime: new(700, 7), january: new(700, 7));

    [Fact]
    public async Task The_next_heartbeat() => await BreakAsync(
        before: [Sample.At(Start.AddSeconds(60), 1, cpuMs: 700, gpuMs: 7)], Sample.At(Start.AddSeconds(120), 2, cpuMs: 900, gpuMs: 8), lifetime: new(900, 8),
        january: new(900, 8));

    [Fact]
    public async Task The_first_heartbeat_after_a_restart() => await BreakAsync(
        before: [Sample.At(Start.AddSeconds(60), 1, cpuMs: 700, gpuMs: 7)],
        Sample.At(Start.AddSeconds(120), 1, cpuMs: 5, gpuMs: 1, epoch: Sample.Started + 100), lifetime: new(705, 8), january: new(705, 8));

    [Fact]
    public async Task The_first_heartbeat_of_a_month() => await BreakAsync(
        before: [Sample.At(MonthEnd, 1, cpuMs: 700, gpuMs: 7)], Sample.At(MonthEnd.AddSeconds(60), 2, cpuMs: 900, gpuMs: 8), lifetime: new(900, 8),
        january: new(700, 7));

    [Fact]
    public async Task A_restart_into_a_new_month() => await BreakAsync(
        before: [Sample.At(MonthEnd, 1, cpuMs: 700, gpuMs: 7)],
        Sample.At(MonthEnd.AddSeconds(60), 1, cpuMs: 5, gpuMs: 1, epoch: Sample.Started + 100), lifetime: new(705, 8), january: new(700, 7));

    [Fact]
    public async Task The_first_heartbeat_since_it_was_folded() => await BreakAsync(
        before: [Sample.At(Start.AddSeconds(60), 1, cpuMs: 700, gpuMs: 7)], Sample.At(Start.AddSeconds(120), 2, cpuMs: 900, gpuMs: 8), lifetime: new(900, 8),
        january: new(900, 8), isFolded: true);

    [Fact]
    public async Task A_fold_happens_whole_or_not_at_all()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var number = 0;
        var breaks = await CrashPoints.ForEachAsync(async (seam, name) =>
        {
            var instance = $"i-{number++}";
            Assert.Equal(200, (await desk.SendAsync(Sample.At(Start.AddSeconds(60), 1, cpuMs: 700, gpuMs: 7) with { Instance = instance })).Status);
            var seen = (await desk.StateAsync(instance))!;
            try
            {
                await new ControlPlane.Aws.InstanceStore(seam.DynamoDb(desk.Tables.Endpoint), desk.Tables.Instances, desk.Clock)
                    .TryFoldAsync(seen, TestContext.Current.CancellationToken);
            }
            catch (Exception) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
            {
                // The sweep failed; the next one looks again.
            }
            Assert.True(new ComputeTime(700, 7) == await UsageOfAsync(desk, instance), name);
            if (await desk.StateAsync(instance) is { } left)
                Assert.True(await desk.Instances.TryFoldAsync(left, TestContext.Current.CancellationToken), name);
            Assert.True(new ComputeTime(700, 7) == await UsageOfAsync(desk, instance), name);
            Assert.True(await HeartbeatBoundsTests.PlacesTakenAsync(desk) == 0, name);
        });
        Assert.True(breaks >= FaultSeam.AllFaults.Count, $"only {breaks} breaks");
    }

    [Theory]
    [InlineData(Fault.Throttled)]
    [InlineData(Fault.Conflict)]
    [InlineData(Fault.Error)]
    [InlineData(Fault.Silence)]
    public async Task Our_own_trouble_is_503_whichever_call_it_meets(Fault fault)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        foreach (var operation in new[] { "GetItem", "UpdateItem", "TransactWriteItems" })
        {
            desk.Restart(new FaultSeam(call => call.Operation == operation ? fault : null));
            var answer = await desk.SendAsync(new Sample());
            Assert.Equal((503, "unavailable"), (answer.Status, answer.Code));
            Assert.Equal("5", answer.Headers["Retry-After"]);
            Assert.Null(await desk.StateAsync());
        }
        Assert.Equal(3, WrittenMetrics.Sum(desk.Logged, new("Heartbeats", "Outcome", "unavailable")));
        desk.Restart();
        Assert.Equal((200, false), await desk.SendAsync(new Sample()) is var again ? (again.Status, again.IsRepeat) : default);
    }

    [Fact]
    public async Task A_lost_answer_is_told_from_a_rival_by_the_body()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(Sample.At(Start.AddSeconds(60), 1, cpuMs: 1));
        desk.Restart(new FaultSeam(call => call.Operation == "UpdateItem" && call.Number == 3 ? Fault.AnswerLost : null));
        Assert.Equal(200, (await desk.SendAsync(Sample.At(Start.AddSeconds(120), 2, cpuMs: 2))).Status);
        Assert.Equal("counter-conflict", (await desk.SendAsync(Sample.At(Start.AddSeconds(120), 2, cpuMs: 3))).Code);
        Assert.Equal(2, (await desk.StateAsync())!.Lifetime.CpuMs);
    }

    [Fact]
    public async Task A_record_that_was_lost_is_there_after_the_repeat()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        await desk.SendAsync(Sample.At(Start.AddSeconds(60), 1, cpuMs: 1));
        desk.Restart(new FaultSeam(call => call.Operation == "PutItem" ? Fault.Throttled : null));
        Assert.Equal(503, (await desk.SendAsync(Sample.At(Start.AddSeconds(120), 2, cpuMs: 2))).Status);
        Assert.Single(await desk.RecordsAsync());

        desk.Restart();
        Assert.True((await desk.SendAsync(Sample.At(Start.AddSeconds(120), 2, cpuMs: 2))).IsRepeat);
        Assert.Equal(2, (await desk.RecordsAsync()).Count);
    }

    private async Task BreakAsync(Sample[] before, Sample sample, ComputeTime lifetime, ComputeTime january, bool isFolded = false)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var number = 0;
        var breaks = await CrashPoints.ForEachAsync(async (seam, name) =>
        {
            var instance = $"i-{number++}";
            desk.Clock.Now = Rfc3339.Parse(sample.SampledAt);
            desk.Restart();
            foreach (var earlier in before)
                Assert.Equal(200, (await desk.SendAsync(earlier with { Instance = instance })).Status);

            if (isFolded)
                Assert.True(await desk.Instances.TryFoldAsync((await desk.StateAsync(instance))!, TestContext.Current.CancellationToken));

            desk.Restart(seam);
            var broken = await desk.SendAsync(sample with { Instance = instance });
            Assert.True(broken.Status is 200 or 503, $"{name}: {broken}");
            if (broken.Status == 200 && !seam.IsDead)
                await AssertBookedAsync(name);              // what we said is true at once

            desk.Restart();
            var again = await desk.SendAsync(sample with { Instance = instance });
            Assert.True(again.Status == 200, $"{name}: {again}");
            await AssertBookedAsync(name);

            async Task AssertBookedAsync(string what)
            {
                var state = (await desk.StateAsync(instance))!;
                Assert.True((sample.Epoch, sample.Counter, lifetime) == (Text(state.Epoch), Text(state.Counter), state.Lifetime), $"{what}: {state}");
                Assert.True(january == await UsageOfAsync(desk, instance), $"{what}: {await UsageOfAsync(desk, instance)}");
                var records = (await desk.RecordsAsync()).Count(record => record.Instance.ToString() == instance);
                Assert.True(records == before.Length + 1, $"{what}: {records} records");
            }
        });
        Assert.True(breaks >= 4 * FaultSeam.AllFaults.Count, $"only {breaks} breaks");
    }

    private static async Task<ComputeTime> UsageOfAsync(HeartbeatFixture desk, string instance)
    {
        var plane = await desk.Instances.OfTenantAsync(HeartbeatFixture.Tenant, new(2026, 1), TestContext.Current.CancellationToken);
        return (plane with
        {
            Instances = [.. plane.Instances.Where(state => state.Instance.ToString() == instance)],
            ClosedMonths = [.. plane.ClosedMonths.Where(closed => closed.Instance.ToString() == instance)],
        }).Usage;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
