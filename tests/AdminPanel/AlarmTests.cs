using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.AdminPanel;

/// <summary>Whatever an alarm watches is made to happen, and the line that CloudWatch reads is there.</summary>
public sealed class AlarmTests(LocalCloud cloud)
{
    public static TheoryData<string> Watched => [.. WrittenMetrics.WatchedOf("AdminPanel").Select(series => series.ToString())];

    [Theory, MemberData(nameof(Watched))]
    public async Task What_an_alarm_watches_is_written_when_it_happens(string watched)
    {
        var series = WrittenMetrics.WatchedOf("AdminPanel").Single(one => one.ToString() == watched);
        await using var panel = await PanelFixture.StartAsync(cloud);

        switch (watched)
        {
            case "PanelRefusals":
                Assert.Equal(401, (await panel.SendAsync(Browser.Balanced("GET", "/", new(), null))).Status);
                break;
            case "PanelFailures":
                panel.Plan = _ => Fault.Error;
                var failed = await panel.Operator().GetAsync("/tenants/tenant-7");
                Assert.Equal(503, failed.Status);
                Assert.Contains("The log has it as request-1.", failed.Words, StringComparison.Ordinal);
                PageTests.IsGuarded(failed);
                Assert.Contains("panel_failed", Assert.Single(panel.Log), StringComparison.Ordinal);
                break;
            default:
                Assert.Fail($"Nothing here makes {watched} happen.");
                break;
        }

        Assert.Equal(1, WrittenMetrics.Sum(panel.LogText, series));
    }
}
