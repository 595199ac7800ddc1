using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Amazon.Lambda.Serialization.SystemTextJson;
using Amazon.Lambda.SQSEvents;
using ControlPlane.Aws.Logs;
using ControlPlane.Executions;
using ControlPlane.Http;
using ControlPlane.Local.SmallSlack;
using ControlPlane.Secrets;
using ControlPlane.Slack;
using ControlPlane.SlackHandler;
using ControlPlane.SlackHandler.Notifications;
using ControlPlane.SlackHandler.Replies;
using ControlPlane.SlackHandler.WebApi;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace ControlPlane.Tests.SlackHandler;

/// <summary>What reaches the requester after the command was answered, and what does not.</summary>
public sealed class NotificationTests(SlackFixture world) : IClassFixture<SlackFixture>
{
    private static readonly MetricSeries GivenUp = new("NotificationsGivenUp");

    [Theory]
    [InlineData("succeeded")]
    [InlineData("failed")]
    [InlineData("denied")]
    [InlineData("cancelled")]
    [InlineData("timed_out")]
    public async Task The_requester_is_told_how_it_ended_as_the_table_has_it(string state)
    {
        var (execution, slack) = await EndAsync(state);
        await TellAsync(execution, slack);

        var post = Assert.Single(slack.Posts);
        Assert.Equal(
            ("POST", $"https://hooks.slack.com/commands/{execution.RequestedBy.InSlack().TeamId}/1234567890/secretpart", "application/json; charset=utf-8"),
            (post.Method, post.Url, post.ContentType));
        Assert.Contains(WordOf(execution.State), post.Body, StringComparison.Ordinal);
        Assert.Contains("\"response_type\":\"ephemeral\"", post.Body, StringComparison.Ordinal);
        Assert.NotNull((await FindAsync(execution)).ToldAt);

        await TellAsync(execution, slack);
        Assert.Single(slack.Posts);
    }

    [Fact]
    public void Messages_read_well()
    {
        var ended = SlackFixture.Start + TimeSpan.FromSeconds(15);
        foreach (var (name, execution) in new (string, Execution)[]
        {
            ("told-succeeded", A.Execution(ExecutionState.Succeeded) with { FinishedAt = ended, Outcome = A.Success }),
            ("told-late", A.Execution(ExecutionState.Succeeded) with { FinishedAt = ended, Outcome = A.Success, IsLate = true, IsPublic = true }),
            ("told-failed", A.Execution(ExecutionState.Failed) with { FinishedAt = ended, Outcome = A.Failure }),
            ("told-unreachable", A.Execution(ExecutionState.Failed) with { FinishedAt = ended, FailureCode = DispatchFailure.Unreachable }),
            ("told-rejected", A.Execution(ExecutionState.Failed) with { FinishedAt = ended, FailureCode = DispatchFailure.Rejected,
                Attempts = [new(1, ended, 5, AttemptResult.Parse("dispatch_rejected"), 422)] }),
            ("told-late-after-rejection", A.Execution(ExecutionState.Succeeded) with
                { FinishedAt = ended, Outcome = A.Success, IsLate = true, Attempts = [new(1, ended, 5, AttemptResult.Parse("dispatch_rejected"), 422)] }),
            ("told-cancelled", A.Execution(ExecutionState.Cancelled) with { FinishedAt = ended, CancelledBy = "U2" }),
            ("told-timed-out", A.Execution(ExecutionState.TimedOut) with { FinishedAt = ended }),
            (
                "told-denied",
                A.Execution(ExecutionState.Denied) with { FinishedAt = ended, Decision = new(false, "quota", "This month's 100 executions are used up.", []) }),
        })
            Golden.MatchesJson($"Golden/{name}.json", JsonSerializer.Serialize(TellRequester.MessageOf(execution), SlackJson.Default.SlackMessage));
    }

    [Fact]
    public void What_an_engine_reports_can_neither_ping_nor_flood()
    {
        var outcome = A.Success with { Result = new("<!channel> \u001b[31m" + new string('&', 5000), "javascript:alert(1)") };
        var message = TellRequester.MessageOf(A.Execution(ExecutionState.Succeeded) with { Outcome = outcome });
        var json = JsonSerializer.Serialize(message, SlackJson.Default.SlackMessage);
        Assert.DoesNotContain("<!", string.Concat(message.Blocks!.Select(block => block.Text?.Text)), StringComparison.Ordinal);
        Assert.DoesNotContain("javascript", json, StringComparison.Ordinal);
        Assert.All(message.Blocks!, block => Assert.InRange(block.Text?.Text.Length ?? 0, 0, 3000));
    }

    [Theory]
    [InlineData('&')]
    [InlineData('é')]
    [InlineData('a')]
    public async Task A_result_still_reaches_its_user_however_long_its_address(char letter)
    {
        var (execution, slack) = await EndAsync(
            "succeeded", outcome: A.Success with { Result = new(new string('&', 1500), "https://engine.example.com/?" + new string(letter, 1900)) });
        Assert.Empty(await TellAsync(execution, slack));

        var post = Assert.Single(slack.Posts);
        Assert.Contains("amp;amp;", post.Body.Replace("\\u0026", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.DoesNotContain("engine.example.com", post.Body, StringComparison.Ordinal);
        Assert.NotNull((await FindAsync(execution)).ToldAt);
    }

    [Fact]
    public async Task A_result_of_the_longest_summary_and_link_is_told_whole()
    {
        var link = "https://engine.example.com/".PadRight(998, 'a');
        var (execution, slack) = await EndAsync("succeeded", outcome: A.Success with { Result = new(new string('s', 1499), link) });
        await TellAsync(execution, slack);
        Assert.Contains(new string('s', 1499) + "\\n\\u003C" + link + "\\u003E", Assert.Single(slack.Posts).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_execution_whose_items_do_not_come_costs_the_others_of_its_batch_nothing_and_ends_in_its_own_time()
    {
        var (slow, _) = await EndAsync("succeeded");
        var (other, slack) = await EndAsync("succeeded");
        using var dynamo = new FaultSeam(_ => null, new HeldCalls(slow.Id.ToString())).DynamoDb(world.Tables.Endpoint);
        var function = world.NewNotifications(slack, dynamo: dynamo, timers: new HastyClock(world.Clock));

        // The function has an hour: what ends it is the slice.
        var answer = await function.TellAsync(
            Batch(("m0", BodyOf(slow)), ("m1", BodyOf(other))),
            new Amazon.Lambda.TestUtilities.TestLambdaContext { RemainingTime = TimeSpan.FromHours(1) }).WaitAsync(TimeSpan.FromSeconds(60),
                SlackFixture.Cancel);

        Assert.Equal("m0", Assert.Single(answer.BatchItemFailures).ItemIdentifier);
        Assert.NotNull((await FindAsync(other)).ToldAt);
        Assert.Null((await FindAsync(slow)).ToldAt);
    }

    [Fact]
    public async Task A_public_run_is_told_to_the_channel()
    {
        var (execution, slack) = await EndAsync("succeeded", isPublic: true);
        await TellAsync(execution, slack);
        Assert.Contains("\"response_type\":\"in_channel\"", Assert.Single(slack.Posts).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_late_outcome_is_told_after_the_time_out_it_replaces()
    {
        var (execution, slack) = await EndAsync("timed_out");
        await TellAsync(execution, slack);
        await world.Executions.FinishAsync(await FindAsync(execution), A.Success, "hash", SlackFixture.Cancel);
        world.Clock.Advance(TellRequester.Lease);
        await TellAsync(execution, slack);

        Assert.Equal(2, slack.Posts.Count);
        Assert.Contains("timed out", slack.Posts[0].Body, StringComparison.Ordinal);
        Assert.Contains("after it had been given up", slack.Posts[1].Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_outcome_that_overtakes_the_telling_is_told_too()
    {
        var (execution, slack) = await EndAsync("timed_out");
        slack.Before = async () =>
            await world.Executions.FinishAsync((await world.Executions.FindAsync(execution.Id, SlackFixture.Cancel))!, A.Success, "hash", SlackFixture.Cancel);
        await TellAsync(execution, slack);
        Assert.Null((await FindAsync(execution)).ToldAt);       // what was told is no longer so

        slack.Before = null;
        world.Clock.Advance(TellRequester.Lease);
        await TellAsync(execution, slack);
        Assert.Contains("succeeded", slack.Posts[1].Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(429, "30")]
    [InlineData(500, null)]
    [InlineData(503, null)]
    [InlineData(302, null)]
    [InlineData(307, null)]
    public async Task Trouble_at_Slack_is_tried_again_within_five_posts_and_thirty_minutes(int status, string? retryAfter)
    {
        var (execution, slack) = await EndAsync("succeeded");
        (slack.Status, slack.RetryAfter) = (status, retryAfter);
        var (start, before) = (world.Clock.Now, world.LogText.Length);
        var told = new List<TimeSpan>();
        for (var minute = 0.0; minute < 40 && (await FindAsync(execution)).ToldAt is null; minute += Redelivery.TotalMinutes)
        {
            world.Clock.Now = start + TimeSpan.FromMinutes(minute);
            var posts = slack.Posts.Count;
            await TellAsync(execution, slack);
            if (slack.Posts.Count > posts)
                told.Add(world.Clock.Now - start);
        }

        Assert.Equal(5, slack.Posts.Count);
        Assert.InRange(told[^1], TimeSpan.FromMinutes(27), TimeSpan.FromMinutes(29.9));
        Assert.Equal(1, WrittenMetrics.Sum(world.LogText[before..], GivenUp));
        var now = await FindAsync(execution);
        Assert.Equal((ExecutionState.Succeeded, A.Success, true), (now.State, now.Outcome, now.IsUntellable));
        Assert.All(slack.Posts, post => Assert.StartsWith("https://hooks.slack.com/", post.Url, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0, 20)]
    [InlineData(0, 27)]
    [InlineData(20, 27)]        // it ended when the address was old already
    [InlineData(26, 28)]
    public async Task An_outage_of_Slack_that_ends_before_the_address_does_is_outlasted(int ended, int over)
    {
        var (execution, slack) = await EndAsync("succeeded");
        var start = world.Clock.Now;
        for (var at = TimeSpan.FromMinutes(ended); at < TimeSpan.FromMinutes(40) && (await FindAsync(execution)).ToldAt is null; at += Redelivery)
        {
            world.Clock.Now = start + at;
            slack.Status = at < TimeSpan.FromMinutes(over) ? 503 : 200;
            await TellAsync(execution, slack);
        }
        Assert.False((await FindAsync(execution)).IsUntellable);
        Assert.InRange(slack.Posts.Count, 2, 5);
        Assert.DoesNotContain("address to send it to", await StatusAsync(execution), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_says_that_nothing_could_be_delivered_until_something_newer_was()
    {
        var (execution, slack) = await EndAsync("timed_out");
        slack.Status = 404;
        await TellAsync(execution, slack);
        Assert.Contains("Slack took no message about its end", await StatusAsync(execution), StringComparison.Ordinal);

        await world.Executions.FinishAsync(await FindAsync(execution), A.Success, "hash", SlackFixture.Cancel);
        Assert.DoesNotContain("Slack took no message", await StatusAsync(execution), StringComparison.Ordinal);
    }

    /// <summary>How often the queue shows a message that came again.</summary>
    private static TimeSpan Redelivery
    {
        get
        {
            using var template = JsonDocument.Parse(File.ReadAllText(Path.Combine(RepositoryRoot.Find(), "serverless.template")));
            return TimeSpan.FromSeconds(template.RootElement.GetProperty("Resources").GetProperty("NotificationsQueue").GetProperty("Properties").GetProperty("VisibilityTimeout").GetInt32());
        }
    }

    private async Task<string> StatusAsync(Execution execution)
    {
        var form = new Workspace(world, execution.RequestedBy.InSlack().TeamId.ToString(), execution.Tenant).Form($"status {execution.Id}");
        return (await new Workspace(world, execution.RequestedBy.InSlack().TeamId.ToString(), execution.Tenant).SendAsync(form)).Text;
    }

    [Theory]
    [InlineData("succeeded", "")]
    [InlineData("succeeded", " ")]
    [InlineData("succeeded", "\u00a0\u200b\u0007\u3164\ufe0f")]
    [InlineData("failed", "")]
    [InlineData("failed", "\u2800\ufeff\u001b")]
    public async Task A_requester_is_told_though_the_engines_words_are_blank(string state, string words)
    {
        var blank = state == "succeeded" ? A.Success with { Result = new(words, words) } : A.Failure with { Error = new(words, words) };
        var (execution, slack) = await EndAsync(state, outcome: blank);
        Assert.Empty(await TellAsync(execution, slack));
        Assert.Contains(WordOf(execution.State), Assert.Single(slack.Posts).Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(400, "invalid_blocks")]
    [InlineData(400, "invalid_blocks_format")]
    [InlineData(400, "no_text")]
    [InlineData(400, "something_new")]
    [InlineData(200, """{"ok":false,"error":"invalid_blocks"}""")]
    [InlineData(200, """{ "ok": false }""")]
    public async Task A_message_whose_form_Slack_minds_goes_once_more_as_text_alone(int status, string answer)
    {
        var (execution, slack) = await EndAsync("succeeded");
        slack.Answers = body => body.Contains("\"blocks\"", StringComparison.Ordinal) ? (status, answer) : (200, "ok");
        Assert.Empty(await TellAsync(execution, slack));

        Assert.Equal(2, slack.Posts.Count);
        using var second = JsonDocument.Parse(slack.Posts[1].Body);
        var text = second.RootElement.GetProperty("text").GetString();
        Assert.Contains("*wf_sched* succeeded", text, StringComparison.Ordinal);
        Assert.Contains("3 warm days", text, StringComparison.Ordinal);
        Assert.Contains(execution.Id.Short, text, StringComparison.Ordinal);
        Assert.False((await FindAsync(execution)).IsUntellable);
        Assert.Equal(2, (await world.Replies.FindAsync(execution.Id, SlackFixture.Cancel))!.Uses);
    }

    [Theory]
    [InlineData(400, "invalid_blocks", 2)]
    [InlineData(200, """{"ok":false,"error":"invalid_blocks"}""", 2)]
    [InlineData(200, """{"ok":false,"error":"expired_url"}""", 1)]
    [InlineData(404, "used_url", 1)]
    [InlineData(404, "<html>not Slack's word</html>", 1)]
    [InlineData(400, "channel_not_found", 1)]
    public async Task A_refusal_is_final_whatever_its_status(int status, string answer, int posts)
    {
        var (execution, slack) = await EndAsync("succeeded");
        slack.Answers = _ => (status, answer);
        Assert.Empty(await TellAsync(execution, slack));
        Assert.Equal(posts, slack.Posts.Count);
        Assert.True((await FindAsync(execution)).IsUntellable);
        Assert.DoesNotContain("<html>", world.LogText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pause_that_Slack_asks_for_is_kept()
    {
        var (execution, slack) = await EndAsync("succeeded");
        (slack.Status, slack.RetryAfter) = (429, "120");
        Assert.Equal([MessageOf(execution)], await TellAsync(execution, slack));
        slack.Status = 200;
        world.Clock.Advance(TimeSpan.FromSeconds(119));
        Assert.Equal([MessageOf(execution)], await TellAsync(execution, slack));
        Assert.Single(slack.Posts);
        world.Clock.Advance(TimeSpan.FromSeconds(1));
        await TellAsync(execution, slack);
        Assert.Equal(2, slack.Posts.Count);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("99999999999")]
    [InlineData("soon")]
    [InlineData("Sun, 22 Nov 2099 12:00:00 GMT")]
    public async Task A_pause_that_makes_no_sense_is_the_usual_one(string retryAfter)
    {
        var (execution, slack) = await EndAsync("succeeded");
        (slack.Status, slack.RetryAfter) = (429, retryAfter);
        await TellAsync(execution, slack);
        world.Clock.Advance(TellRequester.Lease);
        await TellAsync(execution, slack);
        Assert.Equal(2, slack.Posts.Count);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(408)]
    [InlineData(425)]
    [InlineData(410)]
    [InlineData(403)]
    [InlineData(400)]
    public async Task A_final_no_ends_the_telling_and_leaves_the_outcome(int status)
    {
        var (execution, slack) = await EndAsync("succeeded");
        slack.Status = status;
        var before = world.LogText.Length;
        Assert.Empty(await TellAsync(execution, slack));
        Assert.Equal(1, WrittenMetrics.Sum(world.LogText[before..], GivenUp));
        world.Clock.Advance(TimeSpan.FromMinutes(5));
        await TellAsync(execution, slack);

        Assert.Single(slack.Posts);
        var now = await FindAsync(execution);
        Assert.NotNull(now.ToldAt);
        Assert.Equal(ExecutionState.Succeeded, now.State);
    }

    [Theory]
    [InlineData(29 * 60 + 59, 1)]
    [InlineData(30 * 60, 0)]
    public async Task After_thirty_minutes_nobody_can_be_told(int seconds, int posts)
    {
        var (execution, slack) = await EndAsync("succeeded");
        world.Clock.Now = execution.CreatedAt + TimeSpan.FromSeconds(seconds);
        var before = world.LogText.Length;
        Assert.Empty(await TellAsync(execution, slack));
        Assert.Equal(posts, slack.Posts.Count);
        Assert.NotNull((await FindAsync(execution)).ToldAt);
        Assert.Equal(1 - posts, WrittenMetrics.Sum(world.LogText[before..], new("NotificationsTooLate")));
        Assert.Equal(0, WrittenMetrics.Sum(world.LogText[before..], GivenUp));
    }

    [Theory]
    [InlineData(30, 200, "")]                // too old
    [InlineData(300, 200, "")]               // its item may be gone from the table
    [InlineData(1, 404, "")]                 // Slack says that it is dead
    [InlineData(1, 200, "https://elsewhere.example.com/1")]         // there was none that may be used
    public async Task Where_the_address_is_dead_the_bot_writes_to_the_requester_once(int minutes, int hook, string address)
    {
        var (execution, _) = await EndAsync("succeeded", responseUrl: address.Length > 0 ? address : null);
        await world.InstallAsync(execution.RequestedBy.InSlack().TeamId.ToString(), execution.Tenant);
        using var slack = new SmallSlack { Hook = (HttpStatusCode)hook };
        world.Clock.Now = execution.CreatedAt + TimeSpan.FromMinutes(minutes);
        var before = world.LogText.Length;

        Assert.Empty(await TellAsync(execution, slack));

        Assert.Equal("U1", (string?)Assert.Single(slack.To("conversations.open"))["users"]);
        var message = Assert.Single(slack.To("chat.postMessage"));
        Assert.Equal("D1", (string?)message["channel"]);
        Assert.Contains(WordOf(execution.State), message.ToJsonString(), StringComparison.Ordinal);
        var now = await FindAsync(execution);
        Assert.NotNull(now.ToldAt);
        Assert.False(now.IsUntellable);
        Assert.Equal((1, 0, 0), (
            WrittenMetrics.Sum(world.LogText[before..], new("NotificationsDelivered")), WrittenMetrics.Sum(world.LogText[before..], GivenUp),
            WrittenMetrics.Sum(world.LogText[before..], new("NotificationsTooLate"))));

        await TellAsync(execution, slack);
        Assert.Single(slack.To("chat.postMessage"));
    }

    [Fact]
    public async Task Five_posts_that_Slack_did_not_take_are_followed_by_the_bot()
    {
        var (execution, _) = await EndAsync("succeeded");
        await world.InstallAsync(execution.RequestedBy.InSlack().TeamId.ToString(), execution.Tenant);
        using var slack = new SmallSlack { Hook = HttpStatusCode.ServiceUnavailable };
        var start = world.Clock.Now;
        for (var at = TimeSpan.Zero; at < TimeSpan.FromMinutes(40) && (await FindAsync(execution)).ToldAt is null; at += Redelivery)
        {
            world.Clock.Now = start + at;
            await TellAsync(execution, slack);
        }
        Assert.Equal(5, slack.Calls.Count(call => call.Place.StartsWith("/commands/", StringComparison.Ordinal)));
        Assert.Single(slack.To("chat.postMessage"));
        Assert.False((await FindAsync(execution)).IsUntellable);
    }

    [Fact]
    public async Task Two_deliveries_of_one_message_do_not_both_write()
    {
        var (execution, _) = await EndAsync("succeeded");
        await world.InstallAsync(execution.RequestedBy.InSlack().TeamId.ToString(), execution.Tenant);
        world.Clock.Now = execution.CreatedAt + TimeSpan.FromMinutes(40);
        using var slack = new SmallSlack();
        IEnumerable<string> second = [];
        slack.Answers = call =>
        {
            if (call.Place == "chat.postMessage" && !second.Any())
                second = TellAsync(execution, slack).WaitAsync(TimeSpan.FromSeconds(30)).GetAwaiter().GetResult();
            return null;
        };

        Assert.Empty(await TellAsync(execution, slack));

        Assert.Equal([MessageOf(execution)], second);
        Assert.Single(slack.To("chat.postMessage"));
    }

    [Theory]
    [InlineData("ratelimited", 5)]              // for as long as it lasts
    [InlineData("user_not_found", 1)]
    [InlineData("invalid_auth", 1)]
    public async Task The_bot_tries_five_times_at_most_and_then_nobody_can_be_told(string answer, int tries)
    {
        var (execution, _) = await EndAsync("succeeded");
        await world.InstallAsync(execution.RequestedBy.InSlack().TeamId.ToString(), execution.Tenant);
        var asked = 0;
        using var slack = new SmallSlack();
        slack.Answers = call =>
        {
            asked += call.Place == "conversations.open" ? 1 : 0;
            return new JsonObject { ["ok"] = false, ["error"] = answer }.ToJsonString();
        };
        var (start, before) = (execution.CreatedAt + TimeSpan.FromMinutes(31), world.LogText.Length);
        for (var at = TimeSpan.Zero; at < TimeSpan.FromMinutes(60) && (await FindAsync(execution)).ToldAt is null; at += Redelivery)
        {
            world.Clock.Now = start + at;
            await TellAsync(execution, slack);
        }
        Assert.Equal(tries, asked);
        Assert.True((await FindAsync(execution)).IsUntellable);
        Assert.Equal(1, WrittenMetrics.Sum(world.LogText[before..], GivenUp));       // which rings
    }

    [Fact]
    public async Task A_message_of_the_bot_whose_form_Slack_minds_goes_once_more_as_text_alone()
    {
        var (execution, _) = await EndAsync("succeeded");
        await world.InstallAsync(execution.RequestedBy.InSlack().TeamId.ToString(), execution.Tenant);
        world.Clock.Now = execution.CreatedAt + TimeSpan.FromMinutes(40);
        using var slack = new SmallSlack();
        slack.Answers = call => call.Json.ContainsKey("blocks") ? """{"ok":false,"error":"invalid_blocks"}""" : null;

        Assert.Empty(await TellAsync(execution, slack));

        Assert.Contains("3 warm days", (string?)Assert.Single(slack.To("chat.postMessage"))["text"], StringComparison.Ordinal);
        Assert.False((await FindAsync(execution)).IsUntellable);
    }

    [Fact]
    public async Task A_late_outcome_is_told_by_the_bot_too()
    {
        var (execution, _) = await EndAsync("timed_out");
        await world.InstallAsync(execution.RequestedBy.InSlack().TeamId.ToString(), execution.Tenant);
        using var slack = new SmallSlack();
        world.Clock.Now = execution.CreatedAt + TimeSpan.FromMinutes(40);
        await TellAsync(execution, slack);
        await world.Executions.FinishAsync(await FindAsync(execution), A.Success, "hash", SlackFixture.Cancel);
        world.Clock.Advance(TellRequester.Lease);
        await TellAsync(execution, slack);

        Assert.Equal(["* timed out", "* succeeded"], slack.To("chat.postMessage").Select(message =>
            new[] { "* timed out", "* succeeded" }.First(word => ((string?)message["text"])!.Contains(word, StringComparison.Ordinal))));
    }

    [Fact]
    public async Task A_corrected_end_has_the_bots_tries_for_itself()
    {
        var (execution, _) = await EndAsync("timed_out");
        await world.InstallAsync(execution.RequestedBy.InSlack().TeamId.ToString(), execution.Tenant);
        using var slack = new SmallSlack { Answers = _ => """{"ok":false,"error":"ratelimited"}""" };
        world.Clock.Now = execution.CreatedAt + TimeSpan.FromMinutes(31);
        for (var tries = 0; tries < BotClaim.MostTries; tries++, world.Clock.Advance(TimeSpan.FromMinutes(11)))
            await TellAsync(execution, slack);
        Assert.True((await FindAsync(execution)).IsUntellable);

        await world.Executions.FinishAsync(await FindAsync(execution), A.Success, "hash", SlackFixture.Cancel);
        await TellAsync(execution, slack);
        Assert.Null((await FindAsync(execution)).ToldAt);
        slack.Answers = _ => null;
        world.Clock.Advance(TellRequester.Lease);
        Assert.Empty(await TellAsync(execution, slack));
        Assert.Contains("* succeeded", (string?)Assert.Single(slack.To("chat.postMessage"))["text"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_Slack_asked_for_is_kept_however_slow_it_was()
    {
        var (execution, _) = await EndAsync("succeeded");
        await world.InstallAsync(execution.RequestedBy.InSlack().TeamId.ToString(), execution.Tenant);
        world.Clock.Now = execution.CreatedAt + TimeSpan.FromMinutes(40);
        var time = new FakeTimeProvider();
        using var slack = new SmallSlack { RetryAfter = TimeSpan.FromSeconds(300) };
        slack.Answers = call =>
        {
            time.Advance(SlackWebApi.Timeout - TimeSpan.FromMilliseconds(100));        // as slow as it may be, twice
            return call.Place == "chat.postMessage" ? """{"ok":false,"error":"ratelimited"}""" : null;
        };
        Assert.Equal([MessageOf(execution)], await TellAsync(execution, slack, timers: time));

        slack.Answers = _ => null;
        world.Clock.Advance(TimeSpan.FromSeconds(299));
        Assert.Equal([MessageOf(execution)], await TellAsync(execution, slack));
        Assert.Empty(slack.To("chat.postMessage"));
        world.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(await TellAsync(execution, slack));
        Assert.Single(slack.To("chat.postMessage"));
    }

    [Theory]
    [InlineData(1.2, 2, 1)]     // after the address took its time: the bot's two calls may not both end
    [InlineData(0.4, 1, 1)]
    public async Task No_post_begins_that_could_be_cut_in_the_middle(double seconds, int deliveries, int tries)
    {
        var (execution, _) = await EndAsync("succeeded");
        await world.InstallAsync(execution.RequestedBy.InSlack().TeamId.ToString(), execution.Tenant);
        var (time, isSlow) = (new FakeTimeProvider(), true);
        using var slack = new SmallSlack { Hook = HttpStatusCode.NotFound };
        slack.Answers = call =>
        {
            if (call.Place.StartsWith('/') && isSlow)
                time.Advance(TimeSpan.FromSeconds(seconds));
            return null;
        };
        for (var delivery = 1; delivery < deliveries; delivery++, world.Clock.Advance(Redelivery))
        {
            Assert.Equal([MessageOf(execution)], await TellAsync(execution, slack, timers: time));
            Assert.Empty(slack.To("conversations.open"));
        }
        isSlow = deliveries == 1;
        Assert.Empty(await TellAsync(execution, slack, timers: time));
        Assert.Equal(tries, slack.To("chat.postMessage").Count());
    }

    [Fact]
    public async Task Text_alone_waits_for_the_next_delivery_where_there_is_no_time_for_it()
    {
        var (execution, _) = await EndAsync("succeeded");
        await world.InstallAsync(execution.RequestedBy.InSlack().TeamId.ToString(), execution.Tenant);
        world.Clock.Now = execution.CreatedAt + TimeSpan.FromMinutes(40);
        var (time, step) = (new FakeTimeProvider(), TimeSpan.FromSeconds(4));
        using var slack = new SmallSlack();
        slack.Answers = call =>
        {
            time.Advance(step);
            return call.Json.ContainsKey("blocks") ? """{"ok":false,"error":"invalid_blocks"}""" : null;
        };
        Assert.Equal([MessageOf(execution)], await TellAsync(execution, slack, timers: time));
        Assert.Empty(slack.To("chat.postMessage"));

        step = TimeSpan.FromSeconds(1);
        world.Clock.Advance(Redelivery);
        Assert.Empty(await TellAsync(execution, slack, timers: time));
        Assert.Single(slack.To("chat.postMessage"));
    }

    [Fact]
    public async Task Progress_is_one_message_that_changes_once_a_minute_and_ends_with_the_execution()
    {
        var execution = await RunningAsync(new Progress.Percent(10));
        using var slack = new SmallSlack();
        Assert.Empty(await TellAsync(execution, slack));
        Assert.Contains("is running: 10 %", (string?)Assert.Single(slack.To("chat.postMessage"))["text"], StringComparison.Ordinal);

        await NoteAsync(execution, new Progress.Words("page <3> of 9"));
        world.Clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal([MessageOf(execution)], await TellAsync(execution, slack));
        Assert.Empty(slack.To("chat.update"));
        world.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(await TellAsync(execution, slack));
        var changed = Assert.Single(slack.To("chat.update"));
        Assert.Equal(("D1", "1700000000.000100"), ((string?)changed["channel"], (string?)changed["ts"]));
        Assert.Contains("page &lt;3&gt; of 9", (string?)changed["text"], StringComparison.Ordinal);

        await world.Executions.FinishAsync(await FindAsync(execution), A.Success, "hash", SlackFixture.Cancel);
        Assert.Empty(await TellAsync(execution, slack));
        Assert.Contains("* succeeded", (string?)slack.To("chat.update").Last()["text"], StringComparison.Ordinal);
        Assert.Single(slack.To("chat.postMessage"));
        Assert.Single(slack.Calls, call => call.Place.StartsWith("/commands/", StringComparison.Ordinal));
        Assert.Empty(await TellAsync(execution, slack));
        Assert.Equal(2, slack.To("chat.update").Count());
    }

    [Fact]
    public async Task Where_there_is_no_bot_progress_is_shown_nowhere_and_costs_no_post()
    {
        var execution = await RunningAsync(new Progress.Percent(10), isInstalled: false);
        using var slack = new SmallSlack();
        Assert.Empty(await TellAsync(execution, slack));
        Assert.Empty(slack.Calls);
    }

    [Theory]
    [InlineData("message_not_found", 0, true)]          // its user deleted it: it is not written again
    [InlineData("ratelimited", 300, false)]             // Slack asked for five minutes
    public async Task Progress_that_Slack_does_not_take_waits_or_is_given_up(string word, int pause, bool isGivenUp)
    {
        var execution = await RunningAsync(new Progress.Percent(10));
        using var slack = new SmallSlack();
        await TellAsync(execution, slack);
        await NoteAsync(execution, new Progress.Percent(20));
        world.Clock.Advance(Progress.Apart);
        slack.RetryAfter = pause > 0 ? TimeSpan.FromSeconds(pause) : null;
        slack.Answers = _ => new JsonObject { ["ok"] = false, ["error"] = word }.ToJsonString();
        Assert.Equal(isGivenUp, !(await TellAsync(execution, slack)).Any());

        slack.Answers = _ => null;
        world.Clock.Advance(TimeSpan.FromSeconds(pause > 0 ? pause - 1 : 120));
        Assert.Equal([MessageOf(execution)], await TellAsync(execution, slack));
        Assert.Empty(slack.To("chat.update"));
        world.Clock.Advance(TimeSpan.FromSeconds(1));
        await TellAsync(execution, slack);
        Assert.Equal(isGivenUp ? 0 : 1, slack.To("chat.update").Count());
    }

    [Fact]
    public async Task Who_was_not_reached_within_thirty_minutes_is_given_up()
    {
        var (execution, slack) = await EndAsync("succeeded");
        slack.Status = 503;
        await TellAsync(execution, slack);
        world.Clock.Now = execution.CreatedAt + TimeSpan.FromMinutes(30);
        var before = world.LogText.Length;

        Assert.Empty(await TellAsync(execution, slack));

        Assert.Single(slack.Posts);
        Assert.NotNull((await FindAsync(execution)).ToldAt);
        Assert.Equal(1, WrittenMetrics.Sum(world.LogText[before..], GivenUp));
    }

    [Fact]
    public async Task An_address_that_no_key_opens_any_more_is_given_up()
    {
        var (execution, slack) = await EndAsync("succeeded");
        var secrets = new KeptSecrets();
        secrets.Put("v9", SlackFixture.SecretText(SlackFixture.SigningSecret, replyKey: 9), world.Clock.Now);
        var before = world.LogText.Length;

        Assert.Empty(await TellAsync(execution, slack, world.Secret(secrets)));

        Assert.Empty(slack.Posts);
        Assert.NotNull((await FindAsync(execution)).ToldAt);
        Assert.Equal(1, WrittenMetrics.Sum(world.LogText[before..], GivenUp));
    }

    [Fact]
    public async Task Where_Slack_gave_no_usable_address_nothing_leaves()
    {
        var (execution, slack) = await EndAsync("succeeded", responseUrl: "https://hooks.slack.com@evil.test/");
        Assert.Empty(await TellAsync(execution, slack));
        Assert.Empty(slack.Posts);
        Assert.NotNull((await FindAsync(execution)).ToldAt);
    }

    [Fact]
    public async Task Ten_deliveries_at_once_are_one_post()
    {
        var (execution, slack) = await EndAsync("succeeded");
        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => TellAsync(execution, slack)));
        Assert.Single(slack.Posts);
        Assert.Empty(await TellAsync(execution, slack));       // those that came too early find it told
    }

    [Fact]
    public async Task A_crash_after_the_post_tells_twice_rather_than_never()
    {
        var (execution, slack) = await EndAsync("succeeded");
        slack.Before = () => throw new InvalidOperationException("the process dies");
        Assert.Equal([MessageOf(execution)], await TellAsync(execution, slack));
        slack.Before = null;
        Assert.Equal([MessageOf(execution)], await TellAsync(execution, slack));       // the claim of the dead one holds, and the message with it
        world.Clock.Advance(TellRequester.Lease);
        Assert.Empty(await TellAsync(execution, slack));
        Assert.NotNull((await FindAsync(execution)).ToldAt);
    }

    [Fact]
    public async Task A_rotated_key_still_opens_what_was_sealed_before()
    {
        var now = world.Clock.Now;
        var (execution, slack) = await EndAsync("succeeded");
        var secrets = new KeptSecrets();
        secrets.Put("v1", SlackFixture.SecretText(SlackFixture.SigningSecret), now);
        secrets.Put("v2", SlackFixture.SecretText("new", replyKey: 9), now);
        await TellAsync(execution, slack, world.Secret(secrets));
        Assert.Single(slack.Posts);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{}")]
    [InlineData("""{"schema":"notification.v2","execution_id":"exec_00112233445566778899aabbccddeeff","tenant_id":"tenant-1"}""")]
    [InlineData("""{"schema":"notification.v1","execution_id":"exec_1","tenant_id":"tenant-1"}""")]
    [InlineData("""{"schema":"notification.v1","execution_id":"exec_00112233445566778899aabbccddeeff","tenant_id":"tenant-01"}""")]
    [InlineData("""{"schema":"notification.v1","execution_id":null,"tenant_id":"tenant-1"}""")]
    public async Task A_message_that_is_none_holds_back_no_other(string body)
    {
        var (execution, slack) = await EndAsync("succeeded");
        var batch = Batch(("poison", body), (MessageOf(execution), BodyOf(execution)));
        var answer = await world.NewNotifications(slack).TellAsync(batch, SlackFixture.Context);
        Assert.Equal(["poison"], answer.BatchItemFailures.Select(failure => failure.ItemIdentifier));
        Assert.Single(slack.Posts);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"key1":"value1","key2":"value2"}""")]
    [InlineData("""{"source":"serverless-plugin-warmup"}""")]
    [InlineData("""{"Records":null}""")]
    [InlineData("""{"Records":[]}""")]
    [InlineData("""{"Records":[{"eventSource":"aws:s3","s3":{"bucket":{"name":"b"}}}]}""")]
    [InlineData("null")]
    public async Task An_event_that_no_queue_sent_is_nothing_to_do(string json)
    {
        var before = world.LogText.Length;
        var batch = new SourceGeneratorLambdaJsonSerializer<LambdaJson>().Deserialize<SQSEvent>(new MemoryStream(Encoding.UTF8.GetBytes(json)));
        Assert.Empty((await world.NewNotifications(new FakeSlack()).TellAsync(batch, SlackFixture.Context)).BatchItemFailures);
        Assert.Contains("foreign_event", Assert.Single(world.LogText[before..].Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_that_names_another_tenant_tells_nobody()
    {
        var (execution, slack) = await EndAsync("succeeded");
        var other = await world.NewWorkspaceAsync();
        var body = JsonSerializer.Serialize(new(Notification.SchemaV1, execution.Id.ToString(), other.Tenant.ToString()), DomainJson.Default.Notification);
        Assert.Empty((await world.NewNotifications(slack).TellAsync(Batch(("m", body)), SlackFixture.Context)).BatchItemFailures);
        Assert.Empty(slack.Posts);
        Assert.Null((await FindAsync(execution)).ToldAt);
    }

    [Fact]
    public async Task What_has_not_ended_is_not_told()
    {
        var (execution, slack) = await EndAsync("queued");
        Assert.Empty(await TellAsync(execution, slack));
        Assert.Empty(slack.Posts);
        Assert.Null((await FindAsync(execution)).ToldAt);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(307)]
    public async Task A_redirect_is_not_followed_over_real_connections(int status)
    {
        var followed = 0;
        await using var elsewhere = new LoopbackServer((http, _) => { followed++; http.Response.Close(); return Task.CompletedTask; });
        await using var hook = new LoopbackServer((http, _) =>
        {
            (http.Response.StatusCode, http.Response.RedirectLocation) = (status, $"http://{elsewhere.Endpoint}/");
            http.Response.Close();
            return Task.CompletedTask;
        });
        Assert.IsType<Posted.TryLater>(await PostForRealAsync(hook.Endpoint));
        Assert.Equal(0, followed);
    }

    [Fact]
    public async Task A_flood_of_an_answer_and_a_proxy_in_the_environment_do_not_matter()
    {
        Environment.SetEnvironmentVariable("HTTP_PROXY", "http://127.0.0.1:9");
        try
        {
            await using var hook = new LoopbackServer(async (http, cancel) =>
            {
                http.Response.SendChunked = true;
                try { while (true) await http.Response.OutputStream.WriteAsync(new byte[64 * 1024], cancel); }
                finally { http.Response.Abort(); }
            });
            Assert.IsType<Posted.Taken>(await PostForRealAsync(hook.Endpoint));
        }
        finally { Environment.SetEnvironmentVariable("HTTP_PROXY", null); }
    }

    [Fact]
    public async Task Slack_that_never_answers_costs_five_seconds_and_one_that_is_not_there_none()
    {
        await using var silent = new LoopbackServer((_, cancel) => Task.Delay(Timeout.Infinite, cancel));
        var began = TimeProvider.System.GetTimestamp();
        Assert.IsType<Posted.TryLater>(await PostForRealAsync(silent.Endpoint));
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.FromSeconds(4.5), TimeSpan.FromSeconds(8));
        Assert.IsType<Posted.TryLater>(await PostForRealAsync($"127.0.0.1:{LoopbackServer.FreePort()}"));
    }

    /// <summary>With the handler that production has, dialling a loopback server in plain HTTP where the address says hooks.slack.com.</summary>
    private static async Task<Posted> PostForRealAsync(string endpoint)
    {
        ReplyUrl.TryParse("https://hooks.slack.com/commands/1", out var url);
        using var hook = new SlackHook(new ToPlainHttp(endpoint) { InnerHandler = SlackConnections.HandlerFor(ConnectRoutes.None) });
        return await hook.PostAsync(url!, TellRequester.MessageOf(A.Execution(ExecutionState.TimedOut)), SlackFixture.Cancel);
    }

    /// <summary>Runs a command and ends its execution as those after the Slack handler would.</summary>
    private async Task<(Execution, FakeSlack)> EndAsync(string state, bool isPublic = false, string? responseUrl = null, Outcome? outcome = null)
    {
        world.Clock.Now = SlackFixture.Start + TimeSpan.FromMinutes(Interlocked.Increment(ref _minutes) * 60);
        var workspace = await world.NewWorkspaceAsync();
        var form = workspace.Form("run report");
        form["response_url"] = responseUrl ?? form["response_url"];
        Assert.True((await workspace.SendAsync(form)).IsAccepted);

        var id = workspace.ExecutionOf(form);
        var now = world.Clock.Now;
        var execution = A.Execution(ExecutionState.Queued, id, workspace.Tenant) with
        {
            CreatedAt = now,
            DeadlineAt = now + TimeSpan.FromHours(1),
            IsPublic = isPublic,
            RequestedBy = Requesters.OfSlack(workspace.TeamId, "U1", "C1"),
        };
        if (state == "denied")
        {
            await world.Executions.CreateDeniedAsync(execution with { State = ExecutionState.Denied, FinishedAt = now }, SlackFixture.Cancel);
        }
        else
        {
            await world.Executions.CreateAsync(
                execution, new(id, workspace.Tenant, WebhookPath.Of(execution.Workflow), [1], "t", now + TimeSpan.FromMinutes(10)), TenantLimits.Default,
            SlackFixture.Cancel);
            _ = state switch
            {
                "succeeded" => await world.Executions.FinishAsync(execution, outcome ?? A.Success, "hash", SlackFixture.Cancel),
                "failed" => await world.Executions.FinishAsync(execution, outcome ?? A.Failure, "hash", SlackFixture.Cancel),
                "cancelled" => await world.Executions.CancelAsync(execution, "U2", world.Tables.Auditor, SlackFixture.Cancel),
                "timed_out" => await world.Executions.TimeOutAsync(execution, SlackFixture.Cancel),
                _ => null,
            };
        }
        return (await FindAsync(execution), new FakeSlack());
    }

    /// <summary>An execution whose engine says how far it is.</summary>
    private async Task<Execution> RunningAsync(Progress progress, bool isInstalled = true)
    {
        var (execution, _) = await EndAsync("queued");
        if (isInstalled)
            await world.InstallAsync(execution.RequestedBy.InSlack().TeamId.ToString(), execution.Tenant);
        await world.Executions.ClaimAsync(execution.Id, execution.Tenant, "dispatcher", TimeSpan.FromMinutes(1), SlackFixture.Cancel);
        await world.Executions.StartAsync(await FindAsync(execution), A.Success with { Status = OutcomeStatus.Running }, SlackFixture.Cancel, progress);
        return await FindAsync(execution);
    }

    private async Task NoteAsync(Execution execution, Progress progress) =>
        Assert.True(await world.Executions.NoteProgressAsync(await FindAsync(execution), progress, tellAt: null, SlackFixture.Cancel));

    private static int _minutes;

    private async Task<IEnumerable<string>> TellAsync(
        Execution execution, HttpMessageHandler slack, RotatingSecret<SlackSecret>? secret = null, TimeProvider? timers = null) =>
        (await world.NewNotifications(slack, secret, timers: timers).TellAsync(
            Batch((MessageOf(execution), BodyOf(execution))), new Amazon.Lambda.TestUtilities.TestLambdaContext { RemainingTime = TimeSpan.FromSeconds(15) }))
            .BatchItemFailures.Select(failure => failure.ItemIdentifier);

    /// <summary>How a message says that an execution ended so.</summary>
    private static string WordOf(ExecutionState state) => state switch
    {
        ExecutionState.Succeeded => "* succeeded",
        ExecutionState.Failed => "* failed",
        ExecutionState.Cancelled => "* was cancelled",
        ExecutionState.TimedOut => "* timed out",
        ExecutionState.Denied => "* was not started",
        _ => throw new ArgumentOutOfRangeException(nameof(state)),
    };

    private static string MessageOf(Execution execution) => $"message of {execution.Id}";

    private static string BodyOf(Execution execution) =>
        JsonSerializer.Serialize(new(Notification.SchemaV1, execution.Id.ToString(), execution.Tenant.ToString()), DomainJson.Default.Notification);

    private static SQSEvent Batch(params (string Id, string Body)[] messages) =>
        new() { Records = [.. messages.Select(message => new SQSEvent.SQSMessage { MessageId = message.Id, Body = message.Body })] };

    private async Task<Execution> FindAsync(Execution execution) => (await world.Executions.FindAsync(execution.Id, SlackFixture.Cancel))!;

    /// <summary>Slack's hook: keeps what is posted, and answers as told.</summary>
    private sealed class FakeSlack : HttpMessageHandler
    {
        private readonly List<(string Method, string Url, string ContentType, string Body)> _posts = [];

        public IReadOnlyList<(string Method, string Url, string ContentType, string Body)> Posts { get { lock (_posts) return [.. _posts]; } }
        public int Status { get; set; } = 200;
        public string? RetryAfter { get; set; }

        /// <summary>What Slack answers to a body, where the status alone does not say it.</summary>
        public Func<string, (int Status, string Answer)>? Answers { get; set; }
        public Func<Task>? Before { get; set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var body = await request.Content!.ReadAsStringAsync(cancellationToken);
            lock (_posts)
                _posts.Add((request.Method.Method, request.RequestUri!.AbsoluteUri, request.Content.Headers.ContentType!.ToString(), body));
            if (Before is not null)
                await Before();
            Assert.Null(SlackLimits.Fault(JsonNode.Parse(body)!.AsObject()));
            var (status, answer) = Answers?.Invoke(body) ?? (Status, Status == 200 ? "ok" : "");
            var response = new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent(answer) };
            if (RetryAfter is not null)
                response.Headers.TryAddWithoutValidation("Retry-After", RetryAfter);
            return response;
        }
    }
}
