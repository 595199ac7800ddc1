using ControlPlane.Configuration;
using ControlPlane.Secrets;

namespace ControlPlane.SlackHandler.Installation;

/// <summary>Where a browser is sent to be asked, and where Slack sends it back.</summary>
/// <param name="hub">The hub's public base URL.</param>
/// <param name="slack">Slack's; another only where the hub runs on one machine, and then on that machine.</param>
internal sealed class SlackPlaces(Uri hub, string? slack)
{
    private readonly Uri _slack = slack is null ? new("https://slack.com")
        : Uri.TryCreate(slack, UriKind.Absolute, out var local) && local.IsLoopback ? local
        : throw new SettingException("SLACK_URL", "is not an address of this machine");

    /// <summary>Among the app's redirect URLs: docs/slack-app.md.</summary>
    public string Return { get; } = new Uri(hub, "/slack/oauth_redirect").AbsoluteUri;

    public Uri Consent(string clientId, IEnumerable<string> scopes, OneTimeCode state)
    {
        (string Name, string Value)[] query =
            [("client_id", clientId), ("scope", string.Join(',', scopes)), ("state", state.Text), ("redirect_uri", Return)];
        return new(_slack, $"/oauth/v2/authorize?{string.Join('&', query.Select(one => $"{one.Name}={Uri.EscapeDataString(one.Value)}"))}");
    }
}
