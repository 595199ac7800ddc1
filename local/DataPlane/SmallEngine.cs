using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ControlPlane.Local.Loopback;
using ControlPlane.Local.Peering;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Local.DataPlane;

/// <summary>Where an engine stands with an execution it was given.</summary>
internal sealed record EngineEvent(string ExecutionId, string What, DateTimeOffset At);

/// <summary>A tenant's workflow engine in miniature: takes a dispatch, answers at once, "runs", and reports its outcome.</summary>
internal sealed class SmallEngine : IAsyncDisposable
{
    private static readonly TimeSpan Running = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);
    private const int Tries = 10;

    private readonly string _tenant;
    private readonly Uri _privateApi;
    private readonly TimeProvider _clock;
    private readonly HttpClient _http;
    private readonly ConcurrentDictionary<string, byte> _seen = new();
    private readonly CancellationTokenSource _stop = new();
    private LoopbackServer? _server;

    private SmallEngine(string tenant, IPAddress address, Uri privateApi, TimeProvider clock) =>
        (_tenant, _privateApi, _clock, _http) = (tenant, privateApi, clock, PeeredClient.From(address));

    public event Action<EngineEvent>? Happened;

    public int Port => _server!.Port;

    /// <param name="address">Where the engine is in the peered network: its calls come from there.</param>
    public static async Task<SmallEngine> StartAsync(string tenant, IPAddress address, Uri privateApi, TimeProvider clock)
    {
        var engine = new SmallEngine(tenant, address, privateApi, clock);
        engine._server = await LoopbackServer.StartAsync(engine.AnswerAsync);
        return engine;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _server!.DisposeAsync();
        _http.Dispose();
        _stop.Dispose();
    }

    private async Task AnswerAsync(HttpContext http)
    {
        if (http.Request.Method != "POST" || http.Request.Path.Value?.Split('/') is not ["", "webhook", { Length: > 0 }])
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        using var copy = new MemoryStream();
        await http.Request.Body.CopyToAsync(copy, http.RequestAborted);
        var body = copy.ToArray();
        if (await FaultAsync(http.Request.Headers.Authorization.ToString(), body) is { } fault)
        {
            http.Response.StatusCode = StatusCodes.Status401Unauthorized;
            await http.Response.WriteAsync(fault);
            return;
        }

        var order = (JsonObject)JsonNode.Parse(body)!;
        var execution = (string)order["execution_id"]!;
        if (!_seen.TryAdd(execution, 0))
        {
            http.Response.StatusCode = StatusCodes.Status409Conflict;
            return;
        }

        Say(execution, "verified");
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync("""{"message":"Workflow was started"}""");
        _ = RunAsync(execution, order);
    }

    private async Task<string?> FaultAsync(string authorization, byte[] body)
    {
        try
        {
            if (!AuthenticationHeaderValue.TryParse(authorization, out var header) || header is not { Scheme: "Bearer", Parameter: { } token })
                return "no token";
            using var keys = JsonDocument.Parse(await _http.GetByteArrayAsync(new Uri(_privateApi, $"/tenants/{_tenant}/jwks.json"), _stop.Token));
            return DispatchToken.Fault(token, body, _tenant, keys.RootElement, _clock.GetUtcNow());
        }
        catch (Exception e) when (e is JsonException or FormatException or KeyNotFoundException or InvalidOperationException) { return "malformed"; }
    }

    private async Task RunAsync(string execution, JsonObject order)
    {
        try
        {
            var started = _clock.GetUtcNow();
            await ReportAsync(order, new() { ["status"] = "running", ["started_at"] = Time(started) });
            await Task.Delay(Running, _clock, _stop.Token);
            var city = (string?)order["inputs"]?["city"];
            Say(execution, "ran");
            await ReportAsync(order, new()
            {
                ["status"] = "succeeded",
                ["started_at"] = Time(started),
                ["finished_at"] = Time(_clock.GetUtcNow()),
                ["usage"] = new JsonObject { ["cpu_ms"] = 1200, ["gpu_ms"] = 0, ["input_tokens"] = 0, ["output_tokens"] = 0 },
                ["result"] = new JsonObject { ["summary"] = city is null ? "The schedule is made." : $"The schedule for {city} is made." },
            });
            Say(execution, "reported");
        }
        catch (OperationCanceledException) { }    // the engine stops
        catch (HttpRequestException e) { Say(execution, $"gave up: {e.Message}"); }
    }

    /// <summary>Posts an outcome until it is taken: 5xx and a broken line are tried again, a refusal is final.</summary>
    private async Task ReportAsync(JsonObject order, JsonObject outcome)
    {
        outcome["schema"] = "outcome.v1";
        outcome["execution_id"] = (string)order["execution_id"]!;
        outcome["engine_execution_id"] = $"{_seen.Count}";
        for (var attempt = 1; ; attempt++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, (string)order["callback"]!["url"]!)
            {
                Content = new StringContent(outcome.ToJsonString(), Encoding.UTF8, new MediaTypeHeaderValue("application/json")),
                Headers = { Authorization = new("Bearer", (string)order["callback"]!["token"]!) },
            };
            try
            {
                using var response = await _http.SendAsync(request, _stop.Token);
                if ((int)response.StatusCode < 500 && response.StatusCode != HttpStatusCode.TooManyRequests)
                {
                    response.EnsureSuccessStatusCode();
                    return;
                }
            }
            catch (HttpRequestException e) when (e.StatusCode is null && attempt < Tries) { }    // the line broke
            if (attempt == Tries)
                throw new HttpRequestException($"{Tries} tries came to nothing.");
            var pause = TimeSpan.FromMilliseconds(200 << attempt);
            await Task.Delay(pause < LongestPause ? pause : LongestPause, _clock, _stop.Token);
        }
    }

    private void Say(string execution, string what) => Happened?.Invoke(new(execution, what, _clock.GetUtcNow()));

    private static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'");
}
