using ControlPlane.Aws.Logs;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.DpDispatcher;

/// <summary>Whatever an alarm watches is made to happen, and the line that CloudWatch reads is there.</summary>
public sealed class AlarmTests(LocalCloud cloud)
{
    public static TheoryData<string> Watched => [.. WrittenMetrics.WatchedOf("DpDispatcher").Select(series => series.ToString())];

    [Theory]
    [MemberData(nameof(Watched))]
    public async Task What_an_alarm_watches_is_written_when_it_happens(string watched)
    {
        var series = WrittenMetrics.WatchedOf("DpDispatcher").Single(one => one.ToString() == watched);
        await using var engine = ScriptedEngine.Answering(401);
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-1", engine), ("tenant-2", null));

        await ProvokeAsync(stage, series);

        Assert.Equal(1, WrittenMetrics.Sum(stage.Log, series));
    }

    private static async Task ProvokeAsync(DispatchFixture stage, MetricSeries series)
    {
        switch (series.ToString())
        {
            case "DispatchUnauthorized":
                await stage.DispatchAsync(await stage.QueueAsync("tenant-1"), "tenant-1");
                break;
            case "DispatchConnectFailures":
                await stage.DispatchAsync(await stage.QueueAsync("tenant-2"), "tenant-2");
                break;
            case "DispatchClosed FailureCode=dispatch_unreachable":
                var id = await stage.QueueAsync("tenant-2");
                await stage.DispatchAsync(id, "tenant-2");
                stage.Clock.Advance(TimeSpan.FromMinutes(10));
                await stage.DispatchAsync(id, "tenant-2");
                break;
            case "DispatchAddressRefused":
                await stage.StoreEngineAsync("tenant-2", "169.254.169.254");
                await stage.DispatchAsync(await stage.QueueAsync("tenant-2"), "tenant-2");
                break;
            case "ExecutionsUnbooked":
                await stage.StoreEngineAsync("tenant-2", "169.254.169.254");
                var refused = await stage.QueueAsync("tenant-2");
                await stage.LoseLedgerAsync("tenant-2");
                await stage.DispatchAsync(refused, "tenant-2");
                break;
            case "DispatchNotTheirs":
                await stage.DispatchAsync(await stage.QueueAsync("tenant-1"), "tenant-2");
                break;
            default:
                Assert.Fail($"Nothing here makes {series} happen.");
                break;
        }
    }
}
