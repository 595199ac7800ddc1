using System.Buffers;
using System.Net;
using ControlPlane.Http;

namespace ControlPlane.SlackHandler.WebApi;

/// <summary>What calls to Slack have in common, be they to its Web API or to an address that it gave.</summary>
internal static class SlackConnections
{
    private static readonly TimeSpan LeastPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(10);

    private static readonly SearchValues<char> WordCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_");

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

    /// <summary>How long Slack asks to be left alone, within bounds; null when it does not say.</summary>
    /// <remarks>Unusable values read as none: .NET gives null for -1, 1.5, 99999999999 and words.</remarks>
    public static TimeSpan? PauseOf(HttpResponseMessage response) =>
        response.Headers.RetryAfter?.Delta is { } pause ? TimeSpan.FromTicks(Math.Clamp(pause.Ticks, LeastPause.Ticks, LongestPause.Ticks)) : null;

    /// <summary>Whether a text is one of Slack's words for what is wrong, such as <c>invalid_blocks</c>. It goes into the log: nothing else does.</summary>
    public static bool IsWord(string text) => text.Length is > 0 and <= 64 && !text.AsSpan().ContainsAnyExcept(WordCharacters);
}
