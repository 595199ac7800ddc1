using System.Text.Json;
using System.Text.Json.Nodes;
using ControlPlane.Local.Loopback;
using ControlPlane.Local.Preparation;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Local.Peering;

/// <summary>What was posted to a <c>response_url</c>.</summary>
internal sealed record CaughtMessage(string Path, JsonObject Json, DateTimeOffset At)
{
    /// <summary>The words a user would read: Slack shows the blocks where there are any, and the text elsewhere.</summary>
    public string Text => Words(Json["blocks"]).ToList() is { Count: > 0 } words ? string.Join(" | ", words) : (string?)Json["text"] ?? "";

    private static IEnumerable<string> Words(JsonNode? node) => node switch
    {
        JsonArray items => items.SelectMany(Words),
        JsonObject { } block when block["text"] is JsonValue text => [(string)text!],
        JsonObject block => Words(block["text"]).Concat(Words(block["elements"])).Concat(Words(block["fields"])),
        _ => [],
    };
}

/// <summary>Stands where hooks.slack.com would be, shows what Slack users would see, and keeps it in a file, one JSON object a line.</summary>
/// <remarks>What breaks Slack's limits is refused as Slack refuses it.</remarks>
internal sealed class SlackCatcher : IAsyncDisposable
{
    private readonly string _file;
    private readonly TimeProvider _clock;
    private readonly SemaphoreSlim _oneLine = new(1);
    private LoopbackServer? _server;

    private SlackCatcher(string file, TimeProvider clock) => (_file, _clock) = (file, clock);

    public event Action<CaughtMessage>? Caught;

    public int Port => _server!.Port;

    public static async Task<SlackCatcher> StartAsync(LocalAuthority authority, string file, TimeProvider clock)
    {
        var catcher = new SlackCatcher(file, clock);
        catcher._server = await LoopbackServer.StartAsync(catcher.AnswerAsync, certificate: authority.Issue("hooks.slack.com"));
        return catcher;
    }

    public async ValueTask DisposeAsync()
    {
        await _server!.DisposeAsync();
        _oneLine.Dispose();
    }

    private async Task AnswerAsync(HttpContext http)
    {
        JsonObject? message = null;
        try { message = await JsonNode.ParseAsync(http.Request.Body, cancellationToken: http.RequestAborted) as JsonObject; }
        catch (JsonException) { }
        if (http.Request.Method != "POST" || message is null)
        {
            http.Response.StatusCode = StatusCodes.Status400BadRequest;
            await http.Response.WriteAsync("invalid_payload");
            return;
        }

        if (SlackLimits.Fault(message) is { } fault)
        {
            http.Response.StatusCode = StatusCodes.Status400BadRequest;
            await http.Response.WriteAsync(fault[..fault.IndexOf(':', StringComparison.Ordinal)]);
            return;
        }

        var caught = new CaughtMessage(http.Request.Path, message, _clock.GetUtcNow());
        await _oneLine.WaitAsync();
        try
        {
            await using var file = new StreamWriter(StateFolder.Open(_file, FileMode.Append));
            await file.WriteAsync(new JsonObject { ["at"] = caught.At.ToString("O"), ["message"] = message.DeepClone() }.ToJsonString() + "\n");
        }
        finally { _oneLine.Release(); }
        await http.Response.WriteAsync("ok");
        Caught?.Invoke(caught);
    }
}
