using System.Text.Json.Nodes;
using ControlPlane.Local.DataPlane;
using ControlPlane.Local.SmallSlack;

namespace ControlPlane.Local.Demo;

/// <summary>A slash command as Slack sends it.</summary>
internal sealed record SlashCommand(byte[] Body, string TriggerId, string ResponsePath);

/// <summary>Slack, with one user who types commands.</summary>
/// <param name="patience">For one answer; 10 s unless said otherwise, for a gateway gives up before that.</param>
/// <remarks>https://docs.slack.dev/authentication/verifying-requests-from-slack</remarks>
internal sealed class SlackUser(Uri publicApi, TimeProvider clock, TimeSpan? patience = null) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = patience ?? TimeSpan.FromSeconds(10) };

    public SlashCommand Type(string text)
    {
        var trigger = $"{clock.GetUtcNow().ToUnixTimeMilliseconds()}.{Random.Shared.Next(1_000_000)}.demo";
        var path = $"/commands/{DemoData.Workspace}/{Random.Shared.NextInt64(1_000_000_000, 9_999_999_999)}/{Guid.NewGuid():N}";
        (string, string)[] form =
        [
            ("team_id", DemoData.Workspace), ("team_domain", "demo"), ("channel_id", DemoData.Channel), ("channel_name", "general"),
            ("user_id", DemoData.User), ("user_name", "demo"), ("command", "/wf"), ("text", text), ("api_app_id", "A0001"),
            ("response_url", $"https://hooks.slack.com{path}"), ("trigger_id", trigger),
        ];
        return new(SlackRequest.Form(form.Select(field => KeyValuePair.Create(field.Item1, field.Item2))), trigger, path);
    }

    /// <param name="secret">Another than Slack's own makes a forgery.</param>
    public async Task<(int Status, JsonObject? Answer)> PostAsync(SlashCommand command, string secret, CancellationToken cancel)
    {
        using var request = SlackRequest.Signed(new(publicApi, "/slack/commands"), command.Body, SlackRequest.FormType, secret, clock.GetUtcNow());
        using var response = await _http.SendAsync(request, cancel);
        var text = await response.Content.ReadAsStringAsync(cancel);
        return ((int)response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text) as JsonObject);
    }

    public void Dispose() => _http.Dispose();
}
