using System.Net;
using System.Net.Http.Headers;

namespace ControlPlane.Sidecar;

/// <summary>Posts to the control plane; to its second region while the first does not answer.</summary>
internal sealed class HeartbeatEndpoint : IDisposable
{
    /// <summary>After how many failures in a row the other URL is tried.</summary>
    public const int FailsOverAfter = 3;

    /// <summary>How long the second URL is used before the first is tried again.</summary>
    public static readonly TimeSpan StaysAway = TimeSpan.FromMinutes(10);

    private readonly IReadOnlyList<Uri> _urls;
    private readonly TimeProvider _clock;
    private readonly HttpClient _http;
    private int _current, _failures;
    private DateTimeOffset _leftFirstAt;

    /// <param name="source">The local address to call from; null lets the system choose.</param>
    public HeartbeatEndpoint(IReadOnlyList<Uri> urls, IPAddress? source, TimeProvider clock)
    {
        (_urls, _clock) = ([.. urls.Select(url => url.Of("metering/heartbeat"))], clock);
        _http = ControlPlaneHttp.Client(source);
    }

    public async Task<HeartbeatAnswer> PostAsync(byte[] body, IEnumerable<(string Name, string Value)> headers, CancellationToken cancel)
    {
        if (_current > 0 && _clock.GetUtcNow() - _leftFirstAt >= StaysAway)
            (_current, _failures) = (0, 0);

        using var request = new HttpRequestMessage(HttpMethod.Post, _urls[_current])
        {
            Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
        };
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        try
        {
            using var response = await _http.SendAsync(request, cancel);
            var answer = HeartbeatAnswer.From((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync(cancel), RetryAfterOf(response));
            Note(isWell: (int)response.StatusCode < 500);
            return answer;
        }
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            Note(isWell: false);
            return HeartbeatAnswer.None;
        }
    }

    public void Dispose() => _http.Dispose();

    private void Note(bool isWell)
    {
        _failures = isWell ? 0 : _failures + 1;
        if (_failures < FailsOverAfter || _urls.Count == 1)
            return;
        (_current, _failures) = (1 - _current, 0);
        if (_current > 0)
            _leftFirstAt = _clock.GetUtcNow();
    }

    private TimeSpan? RetryAfterOf(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - _clock.GetUtcNow(),
        _ => null,
    };
}
