using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace ControlPlane.Local.SmallSlack;

/// <summary>What Slack knows of the app: its credentials, and where the hub is.</summary>
/// <param name="Home">The hub's public API. Commands, buttons and events go there, and browsers come back there.</param>
internal sealed record SlackApp(string ClientId, string ClientSecret, string SigningSecret, Uri Home)
{
    public static readonly IReadOnlyList<string> Scopes = ["commands", "chat:write", "im:write"];

    public string Return => new Uri(Home, "/slack/oauth_redirect").AbsoluteUri;

    public override string ToString() => $"SlackApp {ClientId}";

    /// <summary>The same bot token for the same workspace, as Slack gives it, also after this Slack has started anew.</summary>
    public string TokenOf(string team) => $"xoxb-{team}-{Convert.ToHexStringLower(
        HMACSHA256.HashData(Encoding.UTF8.GetBytes(ClientSecret), Encoding.UTF8.GetBytes($"{ClientId}|{team}")))[..32]}";

    /// <param name="secret">The hub's own Slack secret: here both sides have it from one place.</param>
    public static SlackApp Of(string secret, Uri home)
    {
        using var json = JsonDocument.Parse(secret);
        string Text(string name) => json.RootElement.TryGetProperty(name, out var value) ? value.GetString()! : "";
        return new(Text("client_id"), Text("client_secret"), Text("signing_secret"), home);
    }
}
