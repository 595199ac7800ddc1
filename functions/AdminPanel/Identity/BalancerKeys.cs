using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using ControlPlane.Http;

namespace ControlPlane.AdminPanel.Identity;

/// <summary>The keys with which the region's load balancers sign, each fetched once and kept.</summary>
internal sealed class BalancerKeys(Uri at, ConnectRoutes routes, TimeProvider clock) : IDisposable
{
    private const int Most = 16, LongestKey = 4 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2), AskedAgainAfter = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, (ECDsa? Key, DateTimeOffset At)> _known = new();

    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        ConnectTimeout = Patience,
        ConnectCallback = routes.ConnectAsync,
        ActivityHeadersPropagator = null,
    })
    { Timeout = Patience, MaxResponseContentBufferSize = LongestKey };

    /// <param name="keyId">Of the shape that they have: it becomes part of an address.</param>
    /// <returns>Null where there is no such key.</returns>
    /// <exception cref="HttpRequestException">Nobody answered, or not in a way that says.</exception>
    public async Task<ECDsa?> FindAsync(string keyId, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        if (_known.TryGetValue(keyId, out var known) && (known.Key is not null || now - known.At < AskedAgainAfter))
            return known.Key;
        var key = await FetchAsync(keyId, cancel);
        if (_known.Count >= Most)
            _known.Clear();
        _known[keyId] = (key, now);
        return key;
    }

    public void Dispose() => _http.Dispose();

    private async Task<ECDsa?> FetchAsync(string keyId, CancellationToken cancel)
    {
        using var answer = await _http.GetAsync(new Uri(at, $"/{keyId}"), cancel);
        if (answer.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Forbidden)
            return null;
        answer.EnsureSuccessStatusCode();
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(await answer.Content.ReadAsStringAsync(cancel));
            return key.KeySize == 256 ? key : throw new HttpRequestException("That is no P-256 key.");
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            throw new HttpRequestException("That is no key.", e);
        }
    }
}
