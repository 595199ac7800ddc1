using System.Collections.Frozen;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using ControlPlane.SlackHandler.Messages;
using ControlPlane.SlackHandler.Replies;
using ControlPlane.SlackHandler.WebApi;
using ControlPlane.Text;

namespace ControlPlane.SlackHandler.Notifications;

/// <summary>What Slack did with a late answer.</summary>
internal abstract record Posted
{
    private Posted() { }

    public sealed record Taken : Posted;

    /// <summary>The address is used up, expired or unknown: asking again cannot help.</summary>
    /// <param name="Why">Slack's status, with its word for it where it said one.</param>
    public sealed record AddressGone(string Why) : Posted;

    /// <summary>Slack minds how the message is made, not where it goes: without its blocks it may pass.</summary>
    public sealed record Misshapen(string Why) : Posted;

    /// <summary>Slack is busy or in trouble, or did not answer.</summary>
    /// <param name="Pause">What Slack asked for, within bounds; null when it did not.</param>
    public sealed record TryLater(string Why, TimeSpan? Pause) : Posted;
}

/// <summary>Posts late answers to the addresses that Slack gave.</summary>
internal sealed class SlackHook : IDisposable
{
    /// <summary>A whole post, from the connection to the last byte.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    // Slack answers with a word or a small object; what is longer is no answer of Slack's.
    private const int LongestAnswer = 1024;

    // What Slack says of the address, the user or the channel: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
    private static readonly FrozenSet<string> NotOfTheForm = FrozenSet.Create(
        "used_url", "expired_url", "invalid_url", "no_service", "no_service_id", "no_team", "team_disabled", "invalid_token", "no_active_hooks",
        "user_not_found",
        "channel_not_found", "channel_is_archived", "action_prohibited", "posting_to_general_channel_denied");

    private readonly HttpClient _http;

    /// <param name="handler">As <see cref="SlackConnections.HandlerFor"/> makes it.</param>
    public SlackHook(HttpMessageHandler handler) => _http = new(handler) { Timeout = System.Threading.Timeout.InfiniteTimeSpan };

    public async Task<Posted> PostAsync(ReplyUrl url, SlackMessage message, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, url.Url)
        {
            Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(message, SlackJson.Default.SlackMessage))
            {
                Headers = { ContentType = new MediaTypeHeaderValue("application/json") { CharSet = "utf-8" } },
            },
        };
        request.Headers.UserAgent.Add(new("control-plane-notifications", "1"));
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        timeout.CancelAfter(Timeout);
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, timeout.Token);
            return Judge(response, await WordOfAsync(response, timeout.Token));
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return new Posted.TryLater(e is OperationCanceledException ? "no answer in time" : "no connection", null);
        }
    }

    public void Dispose() => _http.Dispose();

    private static Posted Judge(HttpResponseMessage response, string? word) => (int)response.StatusCode switch
    {
        >= 200 and < 300 when word is null => new Posted.Taken(),
        429 or (>= 300 and < 400) or >= 500 => new Posted.TryLater(
            ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture), SlackConnections.PauseOf(response)),
        var status and (400 or (>= 200 and < 300)) when word is not null && !NotOfTheForm.Contains(word) => new Posted.Misshapen($"{status} {word}"),
        var status => new Posted.AddressGone(word is null ? status.ToString(CultureInfo.InvariantCulture) : $"{status} {word}"),
    };

    /// <summary>Slack's own word for what is wrong: the body of a refusal, or the error of an answer that is 200 and says <c>"ok":false</c>. Null when there is
    /// none.</summary>
    private static async Task<string?> WordOfAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        if ((int)response.StatusCode is not ((>= 200 and < 300) or (>= 400 and < 500)))
            return null;
        try
        {
            var body = new byte[LongestAnswer];
            await using var stream = await response.Content.ReadAsStreamAsync(cancel);
            var answer = body.AsSpan(0, await stream.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancel));
            return WordOf(Encoding.UTF8.GetString(answer), response.IsSuccessStatusCode);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return null;        // the status has arrived, and says enough
        }
    }

    private static string? WordOf(string answer, bool isSuccess)
    {
        if (!answer.StartsWith('{'))
            return !isSuccess && SlackConnections.IsWord(answer.Trim()) ? answer.Trim() : null;
        if (!StrictJson.TryParseObject(answer, out var json) || !json.TryGetProperty("ok", out var ok) || ok.ValueKind != JsonValueKind.False)
            return null;
        return StrictJson.TextOf(json, "error") is { } error && SlackConnections.IsWord(error) ? error : "not_ok";
    }
}
