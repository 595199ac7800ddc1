using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using ControlPlane.Http;
using ControlPlane.Slack;
using ControlPlane.SlackHandler.Messages;
using ControlPlane.SlackHandler.WebApi;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.SlackHandler.WebApi;

/// <summary>What the client sends to Slack's Web API, and what it makes of the answers, on a socket.</summary>
public sealed class SlackWebApiTests
{
    private static readonly UserId User = UserId.Parse("U1");

    private static readonly BotToken Token = BotToken.TryParse("xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcBrzbqgy", out var token)
        ? token
        : throw new InvalidOperationException();

    private static readonly SlackMessage Hello = SlackMessage.Private(SlackText.Of($"Hello & welcome.")).Public();

    [Fact]
    public async Task A_message_goes_to_its_channel_and_thread_with_the_bots_token()
    {
        var (answer, call) = await CallAsync(
            """{"ok":true,"channel":"C123","ts":"1503435956.000247","message":{"text":"…"}}""", api => api.PostMessageAsync(Token, "C123", "1503435900.1", Hello, Cancel));

        Assert.Equal(new PostedMessage("C123", "1503435956.000247"), Assert.IsType<ApiAnswer<PostedMessage>.Done>(answer).Value);
        Assert.Equal(("POST", "/api/chat.postMessage", $"Bearer {Token.Value}"), (call.Method, call.Path, call.Authorization));
        Assert.Equal("application/json; charset=utf-8", call.ContentType);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(
            """
            {"channel":"C123","thread_ts":"1503435900.1","unfurl_links":false,"unfurl_media":false,"text":"Hello & welcome.",
             "blocks":[{"type":"section","text":{"type":"mrkdwn","text":"Hello & welcome.","verbatim":true}}]}
            """), JsonNode.Parse(call.Body)), call.Body);
    }

    [Fact]
    public async Task Views_and_conversations_and_changes_are_called_as_published()
    {
        var (_, open) = await CallAsync("""{"ok":true,"view":{"id":"V1"}}""", api => api.OpenViewAsync(Token, "12.34.ab", """{"type":"modal"}"""u8.ToArray(), Cancel));
        Assert.Equal(("/api/views.open", """{"trigger_id":"12.34.ab","view":{"type":"modal"}}"""), (open.Path, open.Body));
        var (_, publish) = await CallAsync("""{"ok":true,"view":{"id":"V2"}}""", api => api.PublishViewAsync(Token, User, """{"type":"home"}"""u8.ToArray(), Cancel));
        Assert.Equal(("/api/views.publish", """{"user_id":"U1","view":{"type":"home"}}"""), (publish.Path, publish.Body));
        var (channel, conversation) = await CallAsync("""{"ok":true,"channel":{"id":"D024BE91L"}}""", api => api.OpenConversationAsync(Token, User, Cancel));
        Assert.Equal(("/api/conversations.open", """{"users":"U1"}"""), (conversation.Path, conversation.Body));
        Assert.Equal("D024BE91L", Assert.IsType<ApiAnswer<string>.Done>(channel).Value);
        var (_, update) = await CallAsync("""{"ok":true,"channel":"C1","ts":"1.2"}""", api => api.UpdateAsync(Token, new("C1", "1.2"), Hello, Cancel));
        Assert.Equal("/api/chat.update", update.Path);
        Assert.StartsWith("""{"channel":"C1","ts":"1.2","text":""", update.Body, StringComparison.Ordinal);
    }

    // The answer that Slack publishes: https://docs.slack.dev/reference/methods/oauth.v2.access
    private const string Published =
        """
        {"ok":true,"access_token":"xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcBrzbqgy","token_type":"bot","scope":"commands,incoming-webhook",
         "bot_user_id":"U0KRQLJ9H","app_id":"A0KRD7HC3","team":{"name":"Slack Pickleball Team","id":"T9TK3CUKW"},
         "enterprise":{"name":"slack-pickleball","id":"E12345678"},
         "authed_user":{"id":"U1234","scope":"chat:write","access_token":"xoxp-1234","token_type":"user"}}
        """;

    [Fact]
    public async Task A_code_is_exchanged_with_the_apps_credentials()
    {
        var (answer, call) = await CallAsync(
            Published, api => api.ExchangeAsync(new("12.34", "hush"), "4724469134.4644010092.847", "https://api.example.com/slack/oauth_redirect", Cancel));

        var grant = Assert.IsType<ApiAnswer<Grant>.Done>(answer).Value;
        Assert.Equal(
            ("T9TK3CUKW", "Slack Pickleball Team", Token.Value, "U0KRQLJ9H", "U1234"),
            ($"{grant.WorkspaceId}", grant.WorkspaceName, grant.Token.Value, $"{grant.BotUser}", $"{grant.InstalledBy}"));
        Assert.Equal(["commands", "incoming-webhook"], grant.Scopes);
        Assert.Equal(
            ("/api/oauth.v2.access", "application/x-www-form-urlencoded", "Basic " + Convert.ToBase64String("12.34:hush"u8)),
            (call.Path, call.ContentType, call.Authorization));
        Assert.Equal("code=4724469134.4644010092.847&redirect_uri=https%3A%2F%2Fapi.example.com%2Fslack%2Foauth_redirect", call.Body);
    }

    [Fact]
    public async Task An_organisations_grant_is_the_organisations()
    {
        var organisation = Published.Replace("\"ok\":true", "\"ok\":true,\"is_enterprise_install\":true", StringComparison.Ordinal)
            .Replace("""{"name":"Slack Pickleball Team","id":"T9TK3CUKW"}""", "null", StringComparison.Ordinal);
        var (answer, _) = await CallAsync(organisation, api => api.ExchangeAsync(new("1", "2"), "c", "https://a", Cancel));
        Assert.Equal("E12345678", Assert.IsType<ApiAnswer<Grant>.Done>(answer).Value.WorkspaceId.ToString());
    }

    [Theory]
    [InlineData("xoxp-1234")]
    [InlineData("")]
    [InlineData("xoxb-\\n")]
    public async Task What_is_no_bot_token_is_no_grant(string token)
    {
        var (answer, _) = await CallAsync(
            Published.Replace(Token.Value, token, StringComparison.Ordinal), api => api.ExchangeAsync(new("1", "2"), "c", "https://a", Cancel));
        Assert.Equal("incomplete_answer", Assert.IsType<ApiAnswer<Grant>.Refused>(answer).Why);
    }

    [Theory]
    [InlineData("invalid_auth", true, false)]
    [InlineData("token_revoked", true, false)]
    [InlineData("account_inactive", true, false)]
    [InlineData("channel_not_found", false, false)]
    [InlineData("invalid_blocks", false, true)]
    [InlineData("msg_too_long", false, true)]
    public async Task A_no_of_Slacks_says_what_it_is_about(string error, bool isOfTheToken, bool isOfTheForm)
    {
        var (answer, _) = await CallAsync($$"""{"ok":false,"error":"{{error}}"}""", api => api.PostMessageAsync(Token, "C1", null, Hello, Cancel));
        var refused = Assert.IsType<ApiAnswer<PostedMessage>.Refused>(answer);
        Assert.Equal((error, isOfTheToken, isOfTheForm), (refused.Why, refused.IsOfTheToken, refused.IsOfTheForm));
    }

    [Fact]
    public async Task What_Slack_says_is_quoted_only_where_it_is_a_word_of_Slacks()
    {
        var (answer, _) = await CallAsync("""{"ok":false,"error":"No, xoxb-1 is no token"}""", api => api.OpenConversationAsync(Token, User, Cancel));
        Assert.Equal("not_ok", Assert.IsType<ApiAnswer<string>.Refused>(answer).Why);
    }

    [Theory]
    [InlineData(429, "", "30", 30)]
    [InlineData(429, "", "0", 1)]
    [InlineData(429, "", "100000", 600)]
    [InlineData(429, "", "soon", null)]
    [InlineData(503, "", null, null)]
    [InlineData(302, "", null, null)]
    [InlineData(200, "<html>", null, null)]
    [InlineData(200, """{"ok":false,"error":"ratelimited"}""", "7", 7)]
    [InlineData(200, """{"ok":false,"error":"internal_error"}""", null, null)]
    public async Task What_passes_is_tried_later_and_Slacks_pause_is_kept_within_bounds(int status, string body, string? retryAfter, int? seconds)
    {
        var (answer, _) = await CallAsync(body, api => api.OpenConversationAsync(Token, User, Cancel), status, retryAfter);
        Assert.Equal(seconds, Assert.IsType<ApiAnswer<string>.TryLater>(answer).Pause?.TotalSeconds);
    }

    [Fact]
    public async Task An_answer_without_end_is_none()
    {
        await using var slack = new LoopbackServer(async (http, cancel) =>
        {
            http.Response.SendChunked = true;
            try { while (true) await http.Response.OutputStream.WriteAsync(new byte[64 * 1024], cancel); }
            finally { http.Response.Abort(); }
        });
        Assert.IsType<ApiAnswer<string>.TryLater>(await ApiAt(slack).OpenConversationAsync(Token, User, Cancel));
    }

    [Fact]
    public async Task Slack_that_never_answers_costs_five_seconds()
    {
        await using var slack = new LoopbackServer((_, cancel) => Task.Delay(Timeout.Infinite, cancel));
        var began = TimeProvider.System.GetTimestamp();
        Assert.IsType<ApiAnswer<string>.TryLater>(await ApiAt(slack).OpenConversationAsync(Token, User, Cancel));
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.FromSeconds(4.5), TimeSpan.FromSeconds(8));
    }

    [Fact]
    public async Task Calls_go_to_Slack_in_TLS_and_nowhere_else()
    {
        var asked = new List<Uri>();
        using var api = new SlackWebApi(new Noted(asked));
        await api.OpenConversationAsync(Token, User, Cancel);
        Assert.Equal(new Uri("https://slack.com/api/conversations.open"), Assert.Single(asked));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static SlackWebApi ApiAt(LoopbackServer server) =>
        new(new ToPlainHttp(server.Endpoint) { InnerHandler = SlackConnections.HandlerFor(ConnectRoutes.None) });

    private static async Task<(T Answer, Call Call)> CallAsync<T>(
        string answer, Func<SlackWebApi, Task<T>> call, int status = 200, string? retryAfter = null)
    {
        Call? made = null;
        await using var slack = new LoopbackServer(async (http, cancel) =>
        {
            using var reader = new StreamReader(http.Request.InputStream);
            made = new(
                http.Request.HttpMethod, http.Request.Url!.AbsolutePath, http.Request.Headers["Authorization"]!, http.Request.ContentType!,
                await reader.ReadToEndAsync(cancel));
            http.Response.StatusCode = status;
            if (retryAfter is not null)
                http.Response.Headers["Retry-After"] = retryAfter;
            if (status == 302)
                http.Response.RedirectLocation = "http://127.0.0.1:9/";
            await http.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(answer), cancel);
            http.Response.Close();
        });
        using var api = ApiAt(slack);
        return (await call(api), made!);
    }

    private sealed record Call(string Method, string Path, string Authorization, string ContentType, string Body);

    private sealed class Noted(List<Uri> asked) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            asked.Add(request.RequestUri!);
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.ServiceUnavailable));
        }
    }
}
