using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using ControlPlane.Http;
using ControlPlane.SlackHandler.Messages;
using ControlPlane.SlackHandler.Replies;

namespace ControlPlane.SlackHandler.Notifications;

/// <summary>What Slack did with a late answer.</summary>
internal abstract record Posted
{
    private Posted() { }

    public sealed record Taken : Posted;

    /// <summary>The address is used up, expired or unknown: asking again cannot help.</summary>
    public sealed record Refused(int Status) : Posted;

    /// <summary>Slack is busy or in trouble, or did not answer.</summary>
    /// <param name="Pause">What Slack asked for, within bounds; null when it did not.</param>
    public sealed record TryLater(string Why, TimeSpan? Pause) : Posted;
}

/// <summary>Posts late answers to the addresses that Slack gave.</summary>
internal sealed class SlackHook : IDisposable
{
    /// <summary>A whole post, from the connection to the last byte.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LeastPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(10);

    private readonly HttpClient _http;

    public SlackHook(HttpMessageHandler handler) => _http = new(handler) { Timeout = System.Threading.Timeout.InfiniteTimeSpan };

    /// <summary>Dials what the address says and nothing else: no redirects, no proxy, no cookies, no decompression, and little patience.</summary>
    public static SocketsHttpHandler HandlerFor(ConnectRoutes routes) => new()
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = TimeSpan.FromSeconds(2),
        MaxResponseHeadersLength = 16,
        MaxResponseDrainSize = 16 * 1024,
        ResponseDrainTimeout = TimeSpan.FromMilliseconds(500),
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        ActivityHeadersPropagator = null,
        ConnectCallback = routes.ConnectAsync,
    };

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
            // The status says all: the body is not read.
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, timeout.Token);
            return Judge(response);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return new Posted.TryLater(e is OperationCanceledException ? "no answer in time" : "no connection", null);
        }
    }

    public void Dispose() => _http.Dispose();

    private static Posted Judge(HttpResponseMessage response) => (int)response.StatusCode switch
    {
        >= 200 and < 300 => new Posted.Taken(),
        429 or (>= 300 and < 400) or >= 500 => new Posted.TryLater(((int)response.StatusCode).ToString(CultureInfo.InvariantCulture), PauseOf(response)),
        var status => new Posted.Refused(status),
    };

    // Unusable values read as none: .NET gives null for -1, 1.5, 99999999999 and words.
    private static TimeSpan? PauseOf(HttpResponseMessage response) =>
        response.Headers.RetryAfter?.Delta is { } pause ? TimeSpan.FromTicks(Math.Clamp(pause.Ticks, LeastPause.Ticks, LongestPause.Ticks)) : null;
}
