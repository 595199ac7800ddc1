using System.Text;
using Amazon.Lambda.SQSEvents;
using Amazon.Lambda.TestUtilities;
using ControlPlane.Aws;
using ControlPlane.Aws.Logs;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tokens;

namespace ControlPlane.Tests.Orchestrator;

/// <summary>Whatever an alarm watches is made to happen, and the line that CloudWatch reads is there.</summary>
public sealed class AlarmTests(LocalCloud cloud)
{
    public static TheoryData<string> Watched => [.. WrittenMetrics.WatchedOf("Orchestrator").Select(series => series.ToString())];

    [Theory]
    [MemberData(nameof(Watched))]
    public async Task What_an_alarm_watches_is_written_when_it_happens(string watched)
    {
        var series = WrittenMetrics.WatchedOf("Orchestrator").Single(one => one.ToString() == watched);
        var world = await OrchestratorFixture.StartAsync(cloud);

        await ProvokeAsync(world, series);

        Assert.Equal(1, WrittenMetrics.Sum(Encoding.UTF8.GetString(world.Logged.ToArray()), series));
    }

    private static async Task ProvokeAsync(OrchestratorFixture world, MetricSeries series)
    {
        switch (series.ToString())
        {
            case "ExecutionRequestsFailed":
                var batch = new SQSEvent { Records = [new() { MessageId = "m1", Body = "poison" }] };
                await world.Function.StartAsync(batch, new TestLambdaContext { RemainingTime = TimeSpan.FromSeconds(15) });
                break;
            case "ExecutionsUnbooked":
                await world.PublishAsync(OrchestratorFixture.Workflow() with { Approval = ApprovalTests.ByOne });
                await world.Registry.SaveAsync(OrchestratorFixture.Tenant, new UserGroup("ops", ["UA"]), TestContext.Current.CancellationToken);
                var waiting = await world.StartAsync(world.Request());
                await world.Tables.LoseLedgerAsync(OrchestratorFixture.Tenant, world.Month, TestContext.Current.CancellationToken);
                await world.PublishAsync(OrchestratorFixture.Workflow() with { Approval = ApprovalTests.ByOne, Enabled = false });
                await ApprovalTests.ApproveAsync(world, waiting.Id, "UA");
                break;
            case "SecretsMalformed":
                world.Secrets.Put("v2", "no secret", world.Now);
                await SecretsManagerSource.Watched(
                    world.Secrets, "root", RootSecret.Parse, RootSecret.Overlap, new JsonLog(world.Logged, world.Clock), world.Clock)
                    .GetAsync(TestContext.Current.CancellationToken);
                break;
            default:
                Assert.Fail($"Nothing here makes {series} happen.");
                break;
        }
    }
}
