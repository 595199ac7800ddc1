using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using ControlPlane.Aws;
using ControlPlane.Slack;
using ControlPlane.SlackHandler.Messages;
using ControlPlane.Tenants;

namespace ControlPlane.SlackHandler.WebApi;

/// <summary>Where a message of the bot's is: with both it can be changed, and answered in its thread.</summary>
/// <param name="Ts">Slack's id of a message within its channel: the second it was posted at, with six decimals.</param>
/// <param name="Misshapen">Slack's word for what was wrong with its blocks, where it stands there as text alone.</param>
internal sealed record PostedMessage(string Channel, string Ts, string? Misshapen = null);

/// <summary>What <c>oauth.v2.access</c> answers with, as far as it is needed.</summary>
/// <param name="WorkspaceId">The workspace, or the organisation where the app was installed for all of one.</param>
/// <param name="WorkspaceName">As its people call it; for showing only.</param>
internal sealed record Grant(TeamId WorkspaceId, string? WorkspaceName, BotToken Token, UserId BotUser, UserId InstalledBy, IReadOnlyList<string> Scopes)
{
    public override string ToString() => $"Grant of {WorkspaceId}";
}

/// <summary>Slack's Web API: https://docs.slack.dev/apis/web-api. Every call is bounded in time and size, goes to one host, and is made once.</summary>
internal sealed class SlackWebApi : IDisposable
{
    /// <summary>A whole call, from the connection to the last byte.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>What writing down what came of a call takes at most.</summary>
    public static readonly TimeSpan TimeToNote = TimeSpan.FromSeconds(1);

    // Slack repeats a message or a view in its answer: what is longer is no answer of Slack's.
    private const int LongestAnswer = 512 * 1024;

    private static readonly Uri Home = new("https://slack.com/api/");

    private readonly HttpClient _http;

    /// <param name="handler">As <see cref="SlackConnections.HandlerFor"/> makes it.</param>
    public SlackWebApi(HttpMessageHandler handler) =>
        _http = new(handler) { BaseAddress = Home, Timeout = System.Threading.Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = LongestAnswer };

    /// <param name="channel">A channel, or what <see cref="OpenConversationAsync"/> gave for a user.</param>
    /// <param name="thread">The message whose thread it belongs to; null for a message of its own.</param>
    public Task<ApiAnswer<PostedMessage>> PostMessageAsync(BotToken token, string channel, string? thread, SlackMessage message, CancellationToken cancel) =>
        CallAsync(token, "chat.postMessage", json =>
        {
            json.WriteString("channel", channel);
            if (thread is not null)
                json.WriteString("thread_ts", thread);
            json.WriteBoolean("unfurl_links", false);
            json.WriteBoolean("unfurl_media", false);
            Write(json, message);
        }, PostedIn, cancel);

    public Task<ApiAnswer<PostedMessage>> UpdateAsync(BotToken token, PostedMessage posted, SlackMessage message, CancellationToken cancel) =>
        CallAsync(token, "chat.update", json =>
        {
            json.WriteString("channel", posted.Channel);
            json.WriteString("ts", posted.Ts);
            Write(json, message);
        }, PostedIn, cancel);

    /// <summary>The channel of the bot's direct messages with a user.</summary>
    public Task<ApiAnswer<string>> OpenConversationAsync(BotToken token, UserId userId, CancellationToken cancel) =>
        CallAsync(token, "conversations.open", json => json.WriteString("users", userId.ToString()), answer => TextIn(answer, "channel", "id"), cancel);

    /// <summary>Writes to a user, in the bot's direct messages with them. A message whose form Slack minds goes once more as text alone: what it says matters
    /// more than how it looks.</summary>
    /// <param name="within">Nothing is posted that may not have a post's whole time within it; null where a post may be cut.</param>
    public async Task<ApiAnswer<PostedMessage>> WriteToUserAsync(
        BotToken token, UserId userId, SlackMessage message, CancellationToken cancel, Deadline? within = null)
    {
        var opened = await OpenConversationAsync(token, userId, cancel);
        return await opened.ThenAsync(channel => WriteAsync(token, channel, message, cancel, within));
    }

    /// <summary>Writes in a channel, in plain text where Slack minds how the message is made.</summary>
    /// <inheritdoc cref="WriteToUserAsync" path="/param"/>
    public async Task<ApiAnswer<PostedMessage>> WriteAsync(
        BotToken token, string channel, SlackMessage message, CancellationToken cancel, Deadline? within = null)
    {
        var posted = await PostAsync(message);
        return posted is ApiAnswer<PostedMessage>.Refused { IsOfTheForm: true, Why: var fault } && await PostAsync(message.InTextAlone()) is var again
            ? again is ApiAnswer<PostedMessage>.Done { Value: var plain } ? new ApiAnswer<PostedMessage>.Done(plain with { Misshapen = fault }) : again
            : posted;

        Task<ApiAnswer<PostedMessage>> PostAsync(SlackMessage what) => within?.HasTimeFor(Timeout + TimeToNote) == false
            ? Task.FromResult<ApiAnswer<PostedMessage>>(new ApiAnswer<PostedMessage>.TryLater("no time left", null))
            : PostMessageAsync(token, channel, thread: null, what, cancel);
    }

    /// <param name="triggerId">Of an interaction or command, no older than three seconds.</param>
    /// <param name="view">A modal's view, as UTF-8 JSON.</param>
    /// <returns>The view's id.</returns>
    public Task<ApiAnswer<string>> OpenViewAsync(BotToken token, string triggerId, ReadOnlyMemory<byte> view, CancellationToken cancel) =>
        CallAsync(token, "views.open", json =>
        {
            json.WriteString("trigger_id", triggerId);
            json.WritePropertyName("view");
            json.WriteRawValue(view.Span);
        }, answer => TextIn(answer, "view", "id"), cancel);

    /// <param name="view">The view of the user's App Home, as UTF-8 JSON.</param>
    /// <returns>The view's id.</returns>
    public Task<ApiAnswer<string>> PublishViewAsync(BotToken token, UserId userId, ReadOnlyMemory<byte> view, CancellationToken cancel) =>
        CallAsync(token, "views.publish", json =>
        {
            json.WriteString("user_id", userId.ToString());
            json.WritePropertyName("view");
            json.WriteRawValue(view.Span);
        }, answer => TextIn(answer, "view", "id"), cancel);

    /// <summary>Exchanges an installation's code for the workspace's token.</summary>
    /// <param name="redirectUri">The very one that the consent was asked with.</param>
    public Task<ApiAnswer<Grant>> ExchangeAsync(SlackClient client, string code, string redirectUri, CancellationToken cancel)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "oauth.v2.access")
        {
            Content = new FormUrlEncodedContent([new("code", code), new("redirect_uri", redirectUri)]),
            Headers = { Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{client.Id}:{client.Secret}"))) },
        };
        return SendAsync(request, GrantIn, cancel);
    }

    public void Dispose() => _http.Dispose();

    private Task<ApiAnswer<T>> CallAsync<T>(BotToken token, string method, Action<Utf8JsonWriter> write, Func<JsonElement, T?> read, CancellationToken cancel)
        where T : class
    {
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        var request = new HttpRequestMessage(HttpMethod.Post, method)
        {
            Content = new ByteArrayContent(body.ToArray())
            {
                Headers = { ContentType = new MediaTypeHeaderValue("application/json") { CharSet = "utf-8" } },
            },
            Headers = { Authorization = new("Bearer", token.Value) },
        };
        return SendAsync(request, read, cancel);
    }

    private async Task<ApiAnswer<T>> SendAsync<T>(HttpRequestMessage request, Func<JsonElement, T?> read, CancellationToken cancel) where T : class
    {
        using var _ = request;
        request.Headers.UserAgent.Add(new("control-plane-slack", "1"));
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        timeout.CancelAfter(Timeout);
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseContentRead, timeout.Token);
            return Judge(response, await response.Content.ReadAsByteArrayAsync(timeout.Token), read);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return new ApiAnswer<T>.TryLater(e is OperationCanceledException ? "no answer in time" : "no connection", null);
        }
    }

    private static ApiAnswer<T> Judge<T>(HttpResponseMessage response, byte[] body, Func<JsonElement, T?> read) where T : class
    {
        var status = ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture);
        if ((int)response.StatusCode is 429 or (>= 300 and < 400) or >= 500)
            return new ApiAnswer<T>.TryLater(status, SlackConnections.PauseOf(response));
        if (Parse(body) is not { } answer || !answer.TryGetProperty("ok", out var ok))
            return response.IsSuccessStatusCode ? new ApiAnswer<T>.TryLater("not an answer of Slack's", null) : new ApiAnswer<T>.Refused(status);
        if (ok.ValueKind == JsonValueKind.True)
            return read(answer) is { } value ? new ApiAnswer<T>.Done(value) : new ApiAnswer<T>.Refused("incomplete_answer");

        var word = TextIn(answer, "error") is { } error && SlackConnections.IsWord(error) ? error : "not_ok";
        return ApiWords.OfTheMoment.Contains(word) ? new ApiAnswer<T>.TryLater(word, SlackConnections.PauseOf(response)) : new ApiAnswer<T>.Refused(word);
    }

    // What a response_url is told besides its words (to whom, in whose place) is no part of a message of the bot's own.
    private static void Write(Utf8JsonWriter json, SlackMessage message)
    {
        if (message.Text is { } text)
            json.WriteString("text", text);
        if (message.Blocks is { } blocks)
        {
            json.WritePropertyName("blocks");
            JsonSerializer.Serialize(json, blocks, SlackJson.Default.IReadOnlyListBlock);
        }
    }

    private static PostedMessage? PostedIn(JsonElement answer) =>
        TextIn(answer, "channel") is { } channel && TextIn(answer, "ts") is { } ts ? new(channel, ts) : null;

    private static Grant? GrantIn(JsonElement answer)
    {
        var isOrganisation = answer.TryGetProperty("is_enterprise_install", out var flag) && flag.ValueKind == JsonValueKind.True;
        var whose = isOrganisation ? "enterprise" : "team";
        return TeamId.TryParse(TextIn(answer, whose, "id"), out var workspace)
            && UserId.TryParse(TextIn(answer, "bot_user_id"), out var bot)
            && UserId.TryParse(TextIn(answer, "authed_user", "id"), out var user)
            && BotToken.TryParse(TextIn(answer, "access_token"), out var token)
            ? new(workspace, TextIn(answer, whose, "name"), token, bot, user, TextIn(answer, "scope")?.Split(',') ?? [])
            : null;
    }

    private static JsonElement? Parse(byte[] body)
    {
        try
        {
            return JsonElement.Parse(body) is { ValueKind: JsonValueKind.Object } answer ? answer : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    internal static string? TextIn(JsonElement json, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
            if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty(name, out json))
                return null;
        return json.ValueKind == JsonValueKind.String ? json.GetString() : null;
    }
}
