using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using ControlPlane.Local.SmallSlack;
using Microsoft.Extensions.Time.Testing;

namespace ControlPlane.Tests.Local;

/// <summary>The small Slack over HTTP: what it gives out, and what it refuses in Slack's words.</summary>
public sealed class SmallSlackTests : IAsyncLifetime
{
    private const string Text = """{"text":"Good news"}""";

    private readonly FakeTimeProvider _clock = new(new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false });
    private SlackApp _app = null!;
    private SlackServer _slack = null!;
    private SlackWorkspace _team = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _app = new("111.222", "secret-of-the-app", "signing", new("http://127.0.0.1:8080"));
        _slack = await SlackServer.StartAsync(new(() => _app, _clock));
        _team = _slack.State.Add(new("T0001", "Pickles", ["U0001", "UADMIN"], ["C0001"]));
        _http.BaseAddress = _slack.Endpoint;
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _slack.DisposeAsync();
    }

    [Theory]
    [InlineData("conversations.open", """{"users":"U9"}""", "user_not_found")]
    [InlineData("conversations.open", "{}", "users_list_not_supplied")]
    [InlineData("chat.postMessage", """{"channel":"DU9","text":"x"}""", "channel_not_found")]
    [InlineData("chat.postMessage", """{"channel":"C0002","text":"x"}""", "channel_not_found")]
    [InlineData("chat.postMessage", """{"channel":"C0001","text":" "}""", "no_text")]
    [InlineData("chat.postMessage", """{"channel":"DU0001","text":" "}""", "no_text")]
    [InlineData("chat.postMessage", """{"channel":"DU0001","text":"x","blocks":[{"type":"section"}]}""", "invalid_blocks")]
    [InlineData("chat.update", """{"channel":"DU0001","ts":"1.2","text":"x"}""", "message_not_found")]
    [InlineData("views.open", """{"trigger_id":"1.2","view":{}}""", "invalid_trigger_id")]
    [InlineData("views.publish", """{"user_id":"U9","view":{"type":"home","blocks":[{"type":"divider"}]}}""", "user_not_found")]
    [InlineData("views.publish", """{"user_id":"U0001","view":{"type":"home","blocks":[]}}""", "invalid_arguments")]
    [InlineData("chat.delete", "{}", "unknown_method")]
    [InlineData("chat.postMessage", "[", "invalid_json")]
    public async Task What_Slack_refuses_is_refused_in_its_word(string method, string json, string word)
    {
        Assert.Equal(word, await FaultAsync(method, json));
        Assert.Empty(_slack.State.Messages);
    }

    [Fact]
    public async Task Only_a_token_that_it_gave_and_that_still_counts_is_taken()
    {
        Assert.Equal("not_authed", await FaultAsync("chat.postMessage", Text, token: ""));
        Assert.Equal("invalid_auth", await FaultAsync("chat.postMessage", Text, token: "xoxb-T0001-0123"));
        var another = _app.TokenOf("T0002").Replace("T0002", "T0001", StringComparison.Ordinal);
        Assert.Equal("invalid_auth", await FaultAsync("chat.postMessage", Text, token: another));
        _team.IsRemoved = true;
        Assert.Equal("token_revoked", await FaultAsync("chat.postMessage", Text));
    }

    [Theory]
    [InlineData(3000, null)]
    [InlineData(3001, "expired_trigger_id")]
    public async Task A_trigger_lives_for_three_seconds_and_opens_one_window(int milliseconds, string? word)
    {
        var view = JsonNode.Parse("""{"type":"modal","title":{"type":"plain_text","text":"x"},"blocks":[{"type":"divider"}]}""");
        var json = new JsonObject { ["trigger_id"] = _slack.State.NewTrigger(_team, "U0001"), ["view"] = view }.ToJsonString();
        _clock.Advance(TimeSpan.FromMilliseconds(milliseconds));
        Assert.Equal(word, await FaultAsync("views.open", json));
        if (word is null)
            Assert.Equal("exchanged_trigger_id", await FaultAsync("views.open", json));
        Assert.Equal(word is null ? 1 : 0, _slack.State.Views.Count);
    }

    [Fact]
    public async Task A_message_is_posted_and_changed_where_it_stands()
    {
        var posted = await CallAsync("chat.postMessage", """{"channel":"U0001","text":"10 %"}""");
        var changed = await CallAsync("chat.update", $$"""{"channel":"{{posted["channel"]}}","ts":"{{posted["ts"]}}","text":"20 %"}""");
        Assert.Equal((string?)posted["ts"], (string?)changed["ts"]);
        var message = Assert.Single(_slack.State.Messages);
        Assert.Equal(("20 %", 1, "a direct message to U0001"), (message.Text, message.Changes, message.SeenBy));
    }

    [Fact]
    public async Task What_the_app_says_in_a_channel_is_seen_and_pressed_by_everybody_who_looks()
    {
        var json = """{"channel":"C0001","text":"Yes?","blocks":[{"type":"section","text":{"type":"mrkdwn","text":"*Yes?* in <#C0001>"}},{"type":"actions","elements":[{"type":"button","action_id":"approve","value":"1","text":{"type":"plain_text","text":"Approve"}}]}]}""";
        var posted = await CallAsync("chat.postMessage", json);
        Assert.Equal("C0001", (string?)posted["channel"]);
        foreach (var user in (string[])["U0001", "UADMIN"])
        {
            var page = await _http.GetStringAsync($"/?user={user}", Cancel);
            Assert.Contains("to everybody in C0001", page, StringComparison.Ordinal);
            Assert.Contains("<b>Yes?</b> in <span class=who>#C0001</span>", page, StringComparison.Ordinal);
            Assert.Contains($"action=\"/press?team=T0001&amp;user={user}&amp;channel=C0001\"", page, StringComparison.Ordinal);
        }
        await CallAsync("chat.update", $$"""{"channel":"C0001","ts":"{{posted["ts"]}}","text":"It was *approved*"}""");
        Assert.Contains("It was <b>approved</b>", await _http.GetStringAsync("/", Cancel), StringComparison.Ordinal);
        Assert.Single(_slack.State.Messages);
    }

    [Theory]
    [InlineData("C0123456789", true)]
    [InlineData("G0123456789", true)]
    [InlineData("c0001", false)]
    [InlineData("#general", false)]
    [InlineData("DU0001", false)]
    public void A_workspace_that_names_no_channels_has_the_app_in_each(string channel, bool isOpen) =>
        Assert.Equal(isOpen, new SlackWorkspace("T0001", "Pickles").IsOpenTo(channel));

    [Fact]
    public async Task Too_many_calls_in_a_minute_are_asked_to_wait_for_the_next()
    {
        _clock.Advance(TimeSpan.FromSeconds(20));
        for (var call = 0; call < 60; call++)
            await CallAsync("chat.postMessage", """{"channel":"DU0001","text":"x"}""");
        using var refused = await PostAsync("chat.postMessage", """{"channel":"DU0001","text":"x"}""", _app.TokenOf("T0001"));
        Assert.Equal((HttpStatusCode.TooManyRequests, TimeSpan.FromSeconds(40)), (refused.StatusCode, refused.Headers.RetryAfter?.Delta));
        _clock.Advance(TimeSpan.FromSeconds(40));
        await CallAsync("chat.postMessage", """{"channel":"DU0001","text":"x"}""");
    }

    [Theory]
    [InlineData(5, 1799, 6, "used_url")]
    [InlineData(1, 1800, 2, "expired_url")]
    public async Task An_address_takes_five_posts_within_thirty_minutes(int taken, int seconds, int posts, string word)
    {
        for (var post = 1; post <= posts; post++)
        {
            using var answer = await _http.PostAsync("/commands/T0001/1/x", new StringContent(Text, Encoding.UTF8, "application/json"), Cancel);
            Assert.Equal(post <= taken ? "ok" : word, await answer.Content.ReadAsStringAsync(Cancel));
            if (post == 1)
                _clock.Advance(TimeSpan.FromSeconds(seconds));
        }
        Assert.Equal(taken, _slack.State.Messages.Count);
    }

    [Theory]
    [InlineData("client_id=other&scope=commands&redirect_uri=http%3A%2F%2F127.0.0.1%3A8080%2Fslack%2Foauth_redirect", "invalid_client_id")]
    [InlineData("client_id=111.222&scope=commands&redirect_uri=http%3A%2F%2Felsewhere.test%2F", "bad_redirect_uri")]
    [InlineData("client_id=111.222&scope=commands,admin&redirect_uri=http%3A%2F%2F127.0.0.1%3A8080%2Fslack%2Foauth_redirect", "invalid_scope")]
    public async Task A_browser_that_was_sent_wrongly_is_not_asked(string query, string word)
    {
        using var answer = await _http.GetAsync($"/oauth/v2/authorize?{query}", Cancel);
        Assert.Equal((HttpStatusCode.BadRequest, word), (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancel)));
    }

    [Fact]
    public async Task A_code_is_exchanged_once_soon_by_the_app_alone()
    {
        Assert.Equal("bad_client_secret", (string?)(await ExchangeAsync(await CodeAsync(), secret: "guessed"))["error"]);
        Assert.Equal("invalid_client_id", (string?)(await ExchangeAsync(await CodeAsync(), secret: null))["error"]);
        Assert.Equal("invalid_code", (string?)(await ExchangeAsync("1.2"))["error"]);
        Assert.Equal("bad_redirect_uri", (string?)(await ExchangeAsync(await CodeAsync(), to: "http://elsewhere.test/"))["error"]);
        var code = await CodeAsync();
        Assert.Equal(_app.TokenOf("T0001"), (string?)(await ExchangeAsync(code))["access_token"]);
        Assert.Equal("invalid_code", (string?)(await ExchangeAsync(code))["error"]);
        code = await CodeAsync();
        _clock.Advance(SlackOAuth.CodeLifetime + TimeSpan.FromSeconds(1));
        Assert.Equal("invalid_code", (string?)(await ExchangeAsync(code))["error"]);
    }

    [Fact]
    public async Task Its_page_shows_the_conversation_and_obeys_no_other_site()
    {
        await CallAsync("chat.postMessage", """{"channel":"DU0001","text":"*Hello* <there>"}""");
        Assert.Contains("<b>Hello</b>", await _http.GetStringAsync("/", Cancel), StringComparison.Ordinal);
        Assert.DoesNotContain("Hello", await _http.GetStringAsync("/?user=U0002", Cancel), StringComparison.Ordinal);

        using var foreign = new HttpRequestMessage(HttpMethod.Post, "/type")
        {
            Content = new StringContent("text=help"),
            Headers = { { "Sec-Fetch-Site", "cross-site" } },
        };
        using var refused = await _http.SendAsync(foreign, Cancel);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    private async Task<string> CodeAsync()
    {
        using var consent = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["client_id"] = _app.ClientId,
            ["scope"] = "commands",
            ["redirect_uri"] = _app.Return,
            ["state"] = "s",
            ["team"] = "T0001",
            ["answer"] = "allow",
        });
        using var answer = await _http.PostAsync("/oauth/v2/authorize", consent, Cancel);
        var query = SlackServer.Fields(answer.Headers.Location!.Query[1..]);
        Assert.Equal("s", query["state"]);
        return query["code"];
    }

    private async Task<JsonNode> ExchangeAsync(string code, string? secret = "secret-of-the-app", string? to = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/oauth.v2.access")
        {
            Content = new FormUrlEncodedContent(new Dictionary<string, string> { ["code"] = code, ["redirect_uri"] = to ?? _app.Return }),
        };
        if (secret is not null)
            request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{_app.ClientId}:{secret}")));
        using var answer = await _http.SendAsync(request, Cancel);
        return (await answer.Content.ReadFromJsonAsync<JsonNode>(Cancel))!;
    }

    private async Task<JsonNode> CallAsync(string method, string json)
    {
        using var answer = await PostAsync(method, json, _app.TokenOf("T0001"));
        var said = (await answer.Content.ReadFromJsonAsync<JsonNode>(Cancel))!;
        Assert.True((bool)said["ok"]!, said.ToJsonString());
        return said;
    }

    private async Task<string?> FaultAsync(string method, string json, string? token = null)
    {
        using var answer = await PostAsync(method, json, token ?? _app.TokenOf("T0001"));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return (string?)(await answer.Content.ReadFromJsonAsync<JsonNode>(Cancel))!["error"];
    }

    private Task<HttpResponseMessage> PostAsync(string method, string json, string token)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"/api/{method}")
        {
            Content = new StringContent(json) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
        };
        if (token.Length > 0)
            request.Headers.Authorization = new("Bearer", token);
        return _http.SendAsync(request, Cancel);
    }
}
