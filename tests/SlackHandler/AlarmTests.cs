using System.Net;
using System.Text.Json;
using ControlPlane.Aws;
using ControlPlane.Aws.Logs;
using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.Secrets;
using ControlPlane.Slack;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.SlackHandler.Installation;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.SlackHandler;

/// <summary>Whatever an alarm watches is made to happen, and the line that CloudWatch reads is there.</summary>
public sealed class AlarmTests(SlackFixture world) : IClassFixture<SlackFixture>
{
    public static TheoryData<string> Watched => [.. WrittenMetrics.WatchedOf("SlackHandler").Select(series => series.ToString())];

    [Theory]
    [MemberData(nameof(Watched))]
    public async Task What_an_alarm_watches_is_written_when_it_happens(string watched)
    {
        var series = WrittenMetrics.WatchedOf("SlackHandler").Single(one => one.ToString() == watched);
        var workspace = await world.NewWorkspaceAsync();
        var before = world.LogText.Length;

        await ProvokeAsync(workspace, series);

        Assert.Equal(1, WrittenMetrics.Sum(world.LogText[before..], series));
    }

    /// <summary>What an alarm watches is written in several places: these are the ones that no other test is about.</summary>
    [Fact]
    public async Task Our_own_trouble_with_an_event_or_an_installation_rings()
    {
        var (installer, down, before) = (new Installer(world), world.Secret(new NoSecrets()), world.LogText.Length);

        var fromOrigin = new Dictionary<string, string> { ["x-origin-verify"] = SlackFixture.Origin };
        var told = await installer.NewEventsFunction(down).AnswerAsync(SlackFixture.Event("POST", "/slack/events", headers: fromOrigin), SlackFixture.Context);
        var opened = await installer.OpenAsync(OneTimeCode.Make().Text, function: installer.NewFunction(down));

        Assert.Equal((500, 502), (told.StatusCode, opened.StatusCode));
        Assert.Equal(1, WrittenMetrics.Sum(world.LogText[before..], new(MetricCatalogue.SlackCommandsFailed.Name)));
        Assert.Equal(1, WrittenMetrics.Sum(world.LogText[before..], new(MetricCatalogue.InstallationsFailed.Name)));
    }

    private async Task ProvokeAsync(Workspace workspace, MetricSeries series)
    {
        switch (series.ToString())
        {
            case "SlackCommandsFailed":
                var broken = new FaultSeam(call => call.Operation == "Query" ? Fault.Error : null);
                using (var dynamo = broken.DynamoDb(world.Tables.Endpoint))
                    await workspace.TypeAsync("list", function: world.NewFunction(dynamo));
                break;
            case "NotificationsGivenUp":
                var form = workspace.Form("run report");
                await workspace.SendAsync(form);
                var denied = A.Execution(ExecutionState.Denied, workspace.ExecutionOf(form), workspace.Tenant) with { FinishedAt = world.Clock.Now };
                await world.Executions.CreateDeniedAsync(denied, SlackFixture.Cancel);
                var notification = new Notification(Notification.SchemaV1, denied.Id.ToString(), denied.Tenant.ToString());
                var body = JsonSerializer.Serialize(notification, DomainJson.Default.Notification);
                await world.NewNotifications(new Gone()).TellAsync(new() { Records = [new() { MessageId = "m1", Body = body }] }, SlackFixture.Context);
                break;
            case "ExecutionsUnbooked":
                var queued = await workspace.QueueAsync();
                await world.Tables.LoseLedgerAsync(workspace.Tenant, Month.Of(SlackFixture.Start), SlackFixture.Cancel);
                await workspace.TypeAsync($"cancel {queued}");
                break;
            case "SecretsMalformed":
                var kept = new KeptSecrets();
                kept.Put("v1", SlackFixture.SecretText("old"), SlackFixture.Start.AddDays(-1));
                kept.Put("v2", "no secret", SlackFixture.Start);
                await SecretsManagerSource.Watched(kept, "slack", SlackSecret.Parse, SlackSecret.Overlap, world.NewLog(), world.Clock).GetAsync(SlackFixture.Cancel);
                break;
            case "InstallationsFailed":
                var installer = new Installer(world) { Status = 503 };
                await installer.InstallAsync(await installer.InviteAsync(workspace.Tenant));
                break;
            default:
                Assert.Fail($"Nothing here makes {series} happen.");
                break;
        }
    }

    private sealed class NoSecrets : ISecretSource
    {
        public Task<StoredSecret?> ReadAsync(string secretId, string stage, CancellationToken cancel) => throw new IOException("The secrets do not answer.");
    }

    /// <summary>A Slack that does not know the reply address any more.</summary>
    private sealed class Gone : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.Gone));
    }
}
