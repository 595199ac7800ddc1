using System.Text.Json.Nodes;

namespace ControlPlane.Local.SmallSlack;

/// <summary>The addresses for late answers: https://docs.slack.dev/interactivity/handling-user-interaction#message_responses</summary>
/// <remarks>One that was not given out here, as in a command that somebody signed by hand, counts from its first use.</remarks>
internal sealed class SlackReplies(SlackState state)
{
    public const string Host = "hooks.slack.com";

    public const int MostUses = 5;

    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(30);

    private readonly Dictionary<string, Address> _addresses = [];

    private sealed record Address(SlackWorkspace Workspace, string User, string Channel, DateTimeOffset At)
    {
        public int Uses { get; set; }
    }

    /// <param name="kind"><c>commands</c> or <c>actions</c>.</param>
    public string New(string kind, SlackWorkspace workspace, string user, string channel)
    {
        var path = $"/{kind}/{workspace.Id}/{Random.Shared.NextInt64(1_000_000_000, 9_999_999_999)}/{Guid.NewGuid():N}";
        lock (_addresses)
            _addresses[path] = new(workspace, user, channel, state.Clock.GetUtcNow());
        return $"https://{Host}{path}";
    }

    /// <returns>The status, and Slack's word.</returns>
    public (int Status, string Word) Post(string path, JsonObject? message)
    {
        Address address;
        lock (_addresses)
        {
            if (!_addresses.TryGetValue(path, out address!))
            {
                var workspace = state.Of(path.Split('/') is [_, _, ['T' or 'E', ..] team, ..] ? team : "T");
                _addresses[path] = address = new(workspace, "you", "the channel", state.Clock.GetUtcNow());
            }
            if (state.Clock.GetUtcNow() - address.At >= Lifetime)
                return (404, "expired_url");
            if (address.Uses >= MostUses)
                return (404, "used_url");
            address.Uses++;
        }
        if (message is null)
            return (400, "invalid_payload");
        if (SlackLimits.Fault(message) is { } fault)
            return (400, fault[..fault.IndexOf(':', StringComparison.Ordinal)]);
        state.Show(address.Workspace, address.Channel, (string?)message["response_type"] == "in_channel" ? null : address.User, path, message);
        return (200, "ok");
    }
}
