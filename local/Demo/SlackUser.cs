using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using ControlPlane.Local.DataPlane;

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
        var body = string.Join('&', form.Select(field => $"{field.Item1}={Uri.EscapeDataString(field.Item2).Replace("%20", "+")}"));
        return new(Encoding.ASCII.GetBytes(body), trigger, path);
    }

    /// <param name="secret">Another than Slack's own makes a forgery.</param>
    public async Task<(int Status, JsonObject? Answer)> PostAsync(SlashCommand command, string secret, CancellationToken cancel)
    {
        var second = clock.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(publicApi, "/slack/commands"))
        {
            Content = new ByteArrayContent(command.Body) { Headers = { ContentType = new MediaTypeHeaderValue("application/x-www-form-urlencoded") } },
            Headers =
                { { "x-slack-request-timestamp", second }, { "x-slack-signature", Signature(secret, second, command.Body) },
                    { "user-agent", "Slackbot 1.0 (+https://api.slack.com/robots)" } },
        };
        using var response = await _http.SendAsync(request, cancel);
        var text = await response.Content.ReadAsStringAsync(cancel);
        return ((int)response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text) as JsonObject);
    }

    public void Dispose() => _http.Dispose();

    public static string Signature(string secret, string second, byte[] body) =>
        "v0=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.ASCII.GetBytes(secret), (byte[])[.. Encoding.ASCII.GetBytes($"v0:{second}:"), .. body]));
}
