using System.Net;
using System.Text.Json;
using Amazon.Lambda.SQSEvents;
using ControlPlane.Aws.Logs;
using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.SlackHandler;
using ControlPlane.SlackHandler.Notifications;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.SlackHandler;

/// <summary>A tenant's channel is told that a limit is near.</summary>
public sealed class UsageNoticeTests(SlackFixture world) : IClassFixture<SlackFixture>
{
    private static readonly ChannelId Channel = ChannelId.Parse("C0042");

    [Fact]
    public async Task The_bot_writes_it_in_the_tenants_channel_once_however_often_the_message_comes()
    {
        var (notice, slack) = (await NoticeAsync(), new SmallSlack());
        Assert.Equal((0, 0), (await TellAsync(notice, slack), await TellAsync(notice, slack)));

        var post = Assert.Single(slack.To("chat.postMessage"));
        Assert.Equal("C0042", (string?)post["channel"]);
        Assert.Contains("80 % of this month's executions are used", (string?)post["text"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_higher_threshold_is_told_after_the_lower_and_never_the_other_way_round()
    {
        var (notice, slack) = (await NoticeAsync(), new SmallSlack());
        await TellAsync(notice with { Percent = 100, Used = 1000 }, slack);
        await TellAsync(notice, slack);                                                     // it was long on its way
        Assert.Contains("used up", (string?)Assert.Single(slack.To("chat.postMessage"))["text"], StringComparison.Ordinal);

        var (other, then) = (await NoticeAsync(), new SmallSlack());
        await TellAsync(other, then);
        await TellAsync(other with { Percent = 100, Used = 1000 }, then);
        await TellAsync(other with { Limit = MonthlyLimit.Gpu }, then);
        Assert.Equal(3, then.To("chat.postMessage").Count());
    }

    [Fact]
    public async Task Two_deliveries_at_once_are_posted_once()
    {
        var (notice, slack) = (await NoticeAsync(), new SmallSlack());
        var again = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => TellAsync(notice, slack)));
        Assert.Single(slack.To("chat.postMessage"));
        Assert.Contains(0, again);
    }

    [Fact]
    public async Task A_Slack_that_is_busy_is_asked_again_after_the_pause_that_it_asked_for()
    {
        var (notice, slack) = (await NoticeAsync(), new Busy(TimeSpan.FromSeconds(100)));
        Assert.Equal(1, await TellAsync(notice, slack));
        world.Clock.Advance(TimeSpan.FromSeconds(90));
        Assert.Equal(1, await TellAsync(notice, slack));
        Assert.Equal(1, slack.Calls);
        world.Clock.Advance(TimeSpan.FromSeconds(10));
        var well = new SmallSlack();
        Assert.Equal(0, await TellAsync(notice, well));
        Assert.Single(well.To("chat.postMessage"));
    }

    [Fact]
    public async Task Who_died_over_the_post_leaves_it_to_the_next_delivery()
    {
        var notice = await NoticeAsync();
        Assert.Equal(1, await TellAsync(notice, new SmallSlack { Answers = _ => throw new InvalidOperationException("It died.") }));
        Assert.Equal(1, await TellAsync(notice, new SmallSlack()));                         // the claim holds
        world.Clock.Advance(TellRequester.Lease);
        var slack = new SmallSlack();
        Assert.Equal(0, await TellAsync(notice, slack));
        Assert.Single(slack.To("chat.postMessage"));
    }

    [Fact]
    public async Task A_telling_that_breaks_is_made_good_by_the_next_delivery()
    {
        var (notice, months, repeats) = (await NoticeAsync(), 0, 0);
        var breaks = await CrashPoints.ForEachAsync(async (seam, name) =>
        {
            var (own, slack) = (notice with { Month = new Month(2026, 11).Before(++months).ToString() }, new SmallSlack());
            await TellAsync(own, slack, seam);
            world.Clock.Advance(TimeSpan.FromSeconds(90));
            Assert.True(await TellAsync(own, slack) == 0, name);
            Assert.Equal(0, await TellAsync(own, slack));
            Assert.NotEmpty(slack.To("chat.postMessage"));
            repeats += slack.To("chat.postMessage").Count() - 1;
        });

        Assert.True(breaks >= 2 * FaultSeam.AllFaults.Count, $"only {breaks} breaks");
        // Where Slack took it, and the note of that was lost.
        Assert.InRange(repeats, 1, FaultSeam.AllFaults.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_channel_that_cannot_be_told_is_given_up_and_rings(bool hasBot)
    {
        var (notice, before) = (await NoticeAsync(hasBot), world.LogText.Length);
        Assert.Equal(0, await TellAsync(notice, new SmallSlack { Answers = _ => """{"ok":false,"error":"not_in_channel"}""" }));
        Assert.Equal(1, WrittenMetrics.Sum(world.LogText[before..], new(MetricCatalogue.NotificationsGivenUp.Name)));
    }

    [Theory]
    [InlineData("usage-80", MonthlyLimit.Executions, 80, 812, 1000)]
    [InlineData("usage-100", MonthlyLimit.Executions, 100, 1000, 1000)]
    [InlineData("usage-gpu", MonthlyLimit.Gpu, 80, 290_000_000, 360_000_000)]
    public void It_reads_well(string name, MonthlyLimit limit, int percent, long used, long most)
    {
        var notice = new UsageNotice(UsageNotice.SchemaV1, "tenant-7", "2026-11", limit, percent, used, most, TeamId.Parse("T1"), Channel);
        Golden.MatchesJson($"Golden/{name}.json", JsonSerializer.Serialize(TellUsage.MessageOf(notice), SlackJson.Default.SlackMessage));
    }

    private async Task<UsageNotice> NoticeAsync(bool hasBot = true)
    {
        var workspace = await world.NewWorkspaceAsync();
        if (hasBot)
            await world.InstallAsync(workspace.TeamId, workspace.Tenant);
        return new(
            UsageNotice.SchemaV1, workspace.Tenant.ToString(), "2026-11", MonthlyLimit.Executions, 80, 812, 1000, TeamId.Parse(workspace.TeamId), Channel);
    }

    /// <returns>How many messages have to come again.</returns>
    private async Task<int> TellAsync(UsageNotice notice, HttpMessageHandler slack, FaultSeam? seam = null)
    {
        var body = JsonSerializer.Serialize(notice, DomainJson.Default.UsageNotice);
        var dynamo = seam is null ? null : world.Tables.ClientOf("SlackNotificationsFunction", seam);
        var answer = await world.NewNotifications(slack, dynamo: dynamo).TellAsync(
            new() { Records = [new SQSEvent.SQSMessage { MessageId = "m1", Body = body }] }, SlackFixture.Context);
        return answer.BatchItemFailures.Count;
    }

    private sealed class Busy(TimeSpan pause) : HttpMessageHandler
    {
        public int Calls { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Calls++;
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.TooManyRequests) { Headers = { RetryAfter = new(pause) } });
        }
    }
}
