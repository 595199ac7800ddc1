using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using ControlPlane.Local.Loopback;
using ControlPlane.Local.Processes;
using ControlPlane.Local.Runtime;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Local.Gateway;

/// <summary>Something that went through an API, for whoever watches.</summary>
internal sealed record Passage(GatewayRequest Request, string Function, int Status, DateTimeOffset Out)
{
    public string Path => Request.RawPath;

    public DateTimeOffset In => Request.At;
}

/// <summary>API Gateway in front of the functions: the public HTTP API with CloudFront's share, or the private REST API.</summary>
internal sealed class HttpGateway : IAsyncDisposable
{
    private const string OriginHeader = "x-origin-verify";

    private readonly IReadOnlyList<Route> _routes;
    private readonly Func<string, byte[], Task<InvocationResult>> _invokeAsync;
    private readonly TimeProvider _clock;
    private readonly Func<string>? _originValue;
    private readonly Func<IPAddress, IPAddress> _sourceOf;
    private LoopbackServer? _server;
    private volatile bool _isOpen = true;

    private HttpGateway(
        IReadOnlyList<Route> routes, Func<string, byte[], Task<InvocationResult>> invokeAsync, TimeProvider clock, Func<string>? originValue,
        Func<IPAddress, IPAddress> sourceOf) =>
        (_routes, _invokeAsync, _clock, _originValue, _sourceOf) = (routes, invokeAsync, clock, originValue, sourceOf);

    public event Action<Passage>? Passed;

    public Uri Endpoint => _server!.Endpoint;

    /// <summary>Starts closed: until <see cref="Open"/> everything is answered 503, for whoever is answered believes that all of it runs.</summary>
    /// <param name="invokeAsync">Hands an event to the function of a logical id.</param>
    /// <param name="originValue">What CloudFront puts into the origin header; a client's own never gets through.</param>
    public static Task<HttpGateway> StartPublicAsync(
        IReadOnlyList<Route> routes, Func<string, byte[], Task<InvocationResult>> invokeAsync, int port, Func<string> originValue, TimeProvider clock) =>
        StartAsync(new(routes, invokeAsync, clock, originValue, source => source) { _isOpen = false }, port, "--port");

    /// <param name="sourceOf">The address of the peered network that a loopback caller stands for.</param>
    public static Task<HttpGateway> StartPrivateAsync(
        IReadOnlyList<Route> routes, Func<string, byte[], Task<InvocationResult>> invokeAsync, int port, Func<IPAddress, IPAddress> sourceOf,
        TimeProvider clock) =>
        StartAsync(new(routes, invokeAsync, clock, null, sourceOf), port, "--private-port");

    public void Open() => _isOpen = true;

    public ValueTask DisposeAsync() => _server!.DisposeAsync();

    private bool IsPublic => _originValue is not null;

    private static async Task<HttpGateway> StartAsync(HttpGateway gateway, int port, string option)
    {
        try
        {
            gateway._server = await LoopbackServer.StartAsync(gateway.AnswerAsync, port);
            return gateway;
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw new CannotStart($"Port {port} of 127.0.0.1 {(e is IOException ? "is taken" : "may not be used")}: name another with {option}, or {option} 0 for one that is free.");
        }
    }

    private async Task AnswerAsync(HttpContext http)
    {
        if (!_isOpen)
        {
            await RefuseAsync(http, (503, "Service Unavailable"));
            return;
        }

        var source = _sourceOf(http.Connection.RemoteIpAddress!.MapToIPv4());
        var request = await GatewayRequest.ReadAsync(http, source.ToString(), _clock.GetUtcNow());
        var (route, parameters) = Find(request);
        if (route is null)
        {
            await RefuseAsync(http, IsPublic ? (404, "Not Found") : (403, "Missing Authentication Token"));
            return;
        }

        request = request with { Headers = Forwarded(request) };
        var payload = (IsPublic ? PublicEvent.From(request, route, parameters) : PrivateEvent.From(request, route, parameters)).ToJsonString();
        http.Response.Headers[IsPublic ? "apigw-requestid" : "x-amzn-requestid"] = request.RequestId;
        var result = await _invokeAsync(route.Function, System.Text.Encoding.UTF8.GetBytes(payload));
        if (result is not InvocationResult.Answered answered || !await GatewayAnswer.WriteAsync(http, answered.Payload))
            await RefuseAsync(http, IsPublic ? (500, "Internal Server Error") : (502, "Internal server error"));
        Passed?.Invoke(new(request, route.Function, http.Response.StatusCode, _clock.GetUtcNow()));
    }

    private (Route?, IReadOnlyDictionary<string, string>) Find(GatewayRequest request)
    {
        // A path without parameters wins over one with.
        foreach (var route in _routes.OrderBy(route => route.Path.Contains('{')))
            if (route.Match(request.Method, request.RawPath) is { } parameters)
                return (route, parameters);
        return (null, new Dictionary<string, string>());
    }

    private List<KeyValuePair<string, string>> Forwarded(GatewayRequest request)
    {
        var headers = request.Headers.Where(header => !IsPublic || !header.Key.Equals(OriginHeader, StringComparison.OrdinalIgnoreCase)).ToList();
        var before = request.Header("x-forwarded-for");
        headers.RemoveAll(header => header.Key.StartsWith("x-forwarded-", StringComparison.OrdinalIgnoreCase));
        headers.Add(new("X-Forwarded-For", before is null ? request.SourceIp : $"{before}, {request.SourceIp}"));
        headers.Add(new("X-Forwarded-Port", "443"));
        headers.Add(new("X-Forwarded-Proto", "https"));
        if (_originValue is not null)
            headers.Add(new(OriginHeader, _originValue()));
        return headers;
    }

    private static async Task RefuseAsync(HttpContext http, (int Status, string Message) refusal)
    {
        http.Response.StatusCode = refusal.Status;
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(new JsonObject { ["message"] = refusal.Message }.ToJsonString());
    }
}
