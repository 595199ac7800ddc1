using System.Text;
using ControlPlane.Aws;
using ControlPlane.Aws.Logs;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;
using ControlPlane.Tokens;

namespace ControlPlane.Tests.MeteringCollector;

/// <summary>Whatever an alarm watches is made to happen, and the line that CloudWatch reads is there.</summary>
public sealed class AlarmTests(LocalCloud cloud)
{
    private static readonly int[] Tenants = [1, 2, 3];

    public static TheoryData<string> Watched => [.. WrittenMetrics.WatchedOf("MeteringCollector").Select(series => series.ToString())];

    [Theory]
    [MemberData(nameof(Watched))]
    public async Task What_an_alarm_watches_is_written_when_it_happens(string watched)
    {
        var series = WrittenMetrics.WatchedOf("MeteringCollector").Single(one => one.ToString() == watched);
        var (log, amount) = await ProvokeAsync(series);
        Assert.Equal(amount, WrittenMetrics.Sum(log, series));
    }

    private async Task<string> ImpersonateAsync()
    {
        using var desk = await EnrolmentFixture.OpenAsync(cloud);
        var (sidecar, another) = (new SidecarSigner(), desk.Sts.Issue(EnrolmentFixture.Account, EnrolmentFixture.Role, "i-another"));
        await desk.SendAsync(sidecar, ("x-dp-aws-identity", desk.Identity(sidecar, another)));
        return desk.Logged;
    }

    private static async Task<string> MisreadAsync()
    {
        var (log, clock) = (new MemoryStream(), new SetClock(DateTimeOffset.UnixEpoch.AddYears(56)));
        var kept = KeptSecrets.WithRoot("v1", clock.Now.AddDays(-1));
        kept.Put("v2", "no secret", clock.Now);
        await SecretsManagerSource.Watched(kept, "root", RootSecret.Parse, RootSecret.Overlap, new JsonLog(log, clock), clock)
            .GetAsync(TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(log.ToArray());
    }

    private async Task<(string Log, double Amount)> ProvokeAsync(MetricSeries series)
    {
        switch (series.ToString())
        {
            case "Heartbeats Outcome=counter-conflict":
                return (await HeartbeatsAsync(SampleAfter(60), SampleAfter(60) with { CpuMs = "2" }), 1);
            case "HeartbeatGap":
                return (await HeartbeatsAsync(SampleAfter(60), SampleAfter(120, counter: 5)), 3);
            case "Enrolments Outcome=identity-refused":
                return (await ImpersonateAsync(), 1);
            case "SecretsMalformed":
                return (await MisreadAsync(), 1);
            case "InstanceRestartsTooOften":
                return (await HeartbeatsAsync([.. new[] { 60, 70, 80, 90, 100 }.Select(second => SampleAfter(second, epoch: second - 8))]), 1);
        }

        var desk = await OutcomeFixture.OpenAsync(cloud);
        await SweeperTests.RegisterAsync(desk, Tenants);
        foreach (var tenant in Tenants)
            await SweeperTests.SeenAsync(desk, tenant);
        switch (series.ToString())
        {
            case "ExecutionsTimedOut":
                await desk.StartAsync();
                desk.Clock.Advance(TimeSpan.FromHours(1));
                return (await SweepAsync(desk), 1);
            case "ExecutionsUnbooked":
                await desk.StartAsync();
                await desk.LoseLedgerAsync();
                desk.Clock.Advance(TimeSpan.FromHours(1));
                return (await SweepAsync(desk), 1);
            case "SweepFailures":
                await desk.StartAsync();
                desk.Clock.Advance(TimeSpan.FromHours(1));
                foreach (var tenant in Tenants)
                    await SweeperTests.SeenAsync(desk, tenant);
                return (await SweepAsync(desk, new FaultSeam(call => call.Operation == "TransactWriteItems" ? Fault.Error : null)), 1);
            case "RegionIsActive":
                return (await SweepAsync(desk), 1);
            case "TenantsRegistered":
                return (await SweepAsync(desk), Tenants.Length);
            case "DataPlaneOffline":
                await SweeperTests.AdvanceAsync(desk, 181, 2, 3);
                return (await SweepAsync(desk), 1);
            case "GpuUnreadable":
                var unreadable = SweeperTests.State(1, "i-1", desk.Clock.Now) with { GpuUnreadableSince = desk.Clock.Now.AddMinutes(-5) };
                await desk.Tables.Client.PutItemAsync(desk.Tables.Instances, InstanceItems.Of(unreadable), TestContext.Current.CancellationToken);
                return (await SweepAsync(desk), 1);
            case "UsageWarnings":
                await SweeperTests.UseAsync(desk, tenant: 1, charged: 800);
                return (await SweepAsync(desk), 1);
            case "InstanceOffline":
                await SweeperTests.SeenAsync(desk, 1, "i-2");
                await SweeperTests.AdvanceAsync(desk, 181, Tenants);
                return (await SweepAsync(desk), 1);
            case "DataPlanesOfflineTogether":
                await SweeperTests.AdvanceAsync(desk, 181, 3);
                return (await SweepAsync(desk), 1);
            default:
                throw new NotImplementedException($"Nothing here makes {series} happen.");
        }
    }

    private async Task<string> HeartbeatsAsync(params Sample[] samples)
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        foreach (var sample in samples)
            await desk.SendAsync(sample);
        return desk.Logged;
    }

    private static Sample SampleAfter(int seconds, long counter = 1, int epoch = 0) =>
        Sample.At(DateTimeOffset.FromUnixTimeSeconds(Sample.Started + seconds), counter, cpuMs: 1, epoch: Sample.Started + epoch);

    private static async Task<string> SweepAsync(OutcomeFixture desk, FaultSeam? seam = null)
    {
        var log = new MemoryStream();
        await SweeperTests.SweepAsync(desk, seam, log);
        return Encoding.UTF8.GetString(log.ToArray());
    }
}
