using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ControlPlane.Local.Loopback;
using ControlPlane.Local.Preparation;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Local.SmallSlack;

/// <summary>Slack on this machine: what the app calls, under Slack's own names and TLS, and for browsers a page with the conversation, in plain HTTP.</summary>
/// <remarks>It takes what Slack takes and refuses what Slack refuses, in Slack's words. What is shown is kept in a file too, one JSON object a line.</remarks>
internal sealed class SlackServer : IAsyncDisposable
{
    public static readonly IReadOnlyList<string> Hosts = ["slack.com", SlackReplies.Host];

    /// <summary>How long Slack waits for the hub's answer.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private const int LongestBody = 1024 * 1024;

    private readonly SlackApi _api;
    private readonly SlackOAuth _oauth;
    private readonly SlackReplies _replies;
    private readonly string? _file;
    private readonly Lock _oneLine = new();
    private LoopbackServer? _tls;
    private LoopbackServer? _plain;

    private SlackServer(SlackState state, string? file, TimeSpan patience)
    {
        (State, _file) = (state, file);
        (_api, _oauth, _replies) = (new(state), new(state), new(state));
        People = new(state, _replies, patience);
        state.Shown += Keep;
    }

    public SlackState State { get; }

    public SlackPeople People { get; }

    /// <summary>The seconds that whoever calls is asked to wait; null takes calls.</summary>
    public int? BusyFor { get; set; }

    /// <summary>Where it speaks TLS under Slack's names.</summary>
    public int Port => _tls!.Port;

    /// <summary>For browsers.</summary>
    public Uri Endpoint => _plain!.Endpoint;

    /// <param name="certificate">For <see cref="Hosts"/>; null speaks plain HTTP alone.</param>
    /// <param name="file">Keeps what is shown; null keeps nothing.</param>
    public static async Task<SlackServer> StartAsync(SlackState state, X509Certificate2? certificate = null, string? file = null, TimeSpan? patience = null)
    {
        var server = new SlackServer(state, file, patience ?? Patience);
        server._plain = await LoopbackServer.StartAsync(server.AnswerAsync);
        if (certificate is not null)
            server._tls = await LoopbackServer.StartAsync(server.AnswerAsync, certificate: certificate);
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        if (_tls is not null)
            await _tls.DisposeAsync();
        await _plain!.DisposeAsync();
        People.Dispose();
    }

    private async Task AnswerAsync(HttpContext http)
    {
        var path = http.Request.Path.Value ?? "/";
        var isPost = http.Request.Method == "POST";
        if (http.Request.ContentLength > LongestBody)
            await WriteAsync(http, 413, "text/plain", "");
        else if (isPost && BusyFor is { } seconds && (path.StartsWith("/api/", StringComparison.Ordinal) || path.StartsWith("/commands/", StringComparison.Ordinal)))
        {
            http.Response.Headers.RetryAfter = $"{seconds}";
            await WriteAsync(http, 429, "text/plain", "rate_limited");
        }
        else if (isPost && path.StartsWith("/api/", StringComparison.Ordinal))
            await CallAsync(http, path["/api/".Length..]);
        else if (isPost && (path.StartsWith("/commands/", StringComparison.Ordinal) || path.StartsWith("/actions/", StringComparison.Ordinal)))
            await ReplyAsync(http, path);
        else if (path == "/oauth/v2/authorize")
            await ConsentAsync(http, isPost);
        else if (_tls is null || http.Connection.LocalPort != _tls.Port)
            await new SlackPageServer(this).AnswerAsync(http, path, isPost);
        else
            await WriteAsync(http, 404, "text/plain", "no_such_page");
    }

    private async Task CallAsync(HttpContext http, string method)
    {
        var body = await BodyAsync(http);
        var authorization = http.Request.Headers.Authorization.ToString() is { Length: > 0 } header ? header : null;
        var (answer, pause) = method == "oauth.v2.access"
            ? (_oauth.Exchange(authorization, Fields(Encoding.UTF8.GetString(body))), null)
            : _api.Call(method, authorization, http.Request.ContentType, body);
        if (pause is not null)
            http.Response.Headers.RetryAfter = pause.ToString();
        await WriteAsync(http, pause is null ? 200 : 429, "application/json; charset=utf-8", answer.ToJsonString());
    }

    private async Task ReplyAsync(HttpContext http, string path)
    {
        JsonObject? message = null;
        try { message = JsonNode.Parse(await BodyAsync(http)) as JsonObject; }
        catch (JsonException) { }
        var (status, word) = _replies.Post(path, message);
        await WriteAsync(http, status, "text/plain", word);
    }

    private async Task ConsentAsync(HttpContext http, bool isPost)
    {
        var given = Fields(
            isPost ? Encoding.UTF8.GetString(await BodyAsync(http)) : http.Request.QueryString.Value is { Length: > 1 } query ? query[1..] : "");
        if (_oauth.FaultOf(given) is { } fault)
            await WriteAsync(http, 400, "text/plain", fault);
        else if (!isPost)
            await WriteAsync(http, 200, "text/html; charset=utf-8", _oauth.Page(given));
        else
            http.Response.Redirect(_oauth.Decide(given, given.GetValueOrDefault("answer") == "allow" ? given["team"] : null, "UADMIN"));
    }

    internal static Task WriteAsync(HttpContext http, int status, string type, string text)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = type;
        return http.Response.WriteAsync(text);
    }

    internal static async Task<byte[]> BodyAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        return body.ToArray();
    }

    internal static Dictionary<string, string> Fields(string form)
    {
        static string Decode(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in form.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=', 2)))
            fields[Decode(pair[0])] = pair.Length > 1 ? Decode(pair[1]) : "";
        return fields;
    }

    private void Keep(ShownMessage message)
    {
        if (_file is null)
            return;
        lock (_oneLine)
        {
            using var file = new StreamWriter(StateFolder.Open(_file, FileMode.Append));
            file.Write(new JsonObject { ["at"] = message.At.ToString("O"), ["message"] = message.Json.DeepClone() }.ToJsonString() + "\n");
        }
    }
}
