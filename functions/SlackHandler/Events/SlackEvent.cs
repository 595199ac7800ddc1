using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using ControlPlane.Tenants;

namespace ControlPlane.SlackHandler.Events;

/// <summary>Something that happened in a workspace: https://docs.slack.dev/apis/events-api#events-JSON</summary>
/// <param name="WorkspaceId">The workspace, or the organisation when the app is installed for all of one.</param>
/// <param name="EndsBot">Of <c>tokens_revoked</c>: whether the bot's token is among those that ended.</param>
/// <param name="Event">The event's own members.</param>
internal sealed record SlackEvent(string Type, TeamId WorkspaceId, TeamId TeamId, DateTimeOffset At, bool EndsBot, JsonElement Event)
{
    public override string ToString() => $"SlackEvent {Type} of {WorkspaceId}";

    /// <returns>False when a member is missing or not what Slack writes in it.</returns>
    public static bool TryParse(JsonElement json, [NotNullWhen(true)] out SlackEvent? happened)
    {
        happened = null;
        if (!json.TryGetProperty("event", out var inner) || inner.ValueKind != JsonValueKind.Object || TextIn(inner, "type") is not { } type
            || !json.TryGetProperty("event_time", out var second) || second.ValueKind != JsonValueKind.Number || !second.TryGetInt64(out var at)
            || at is < 0 or > 253_402_300_799)
            return false;

        // For whom Slack says it: the installation's own ids, where they are given.
        var whose = json.TryGetProperty("authorizations", out var all) && all.ValueKind == JsonValueKind.Array && all.GetArrayLength() > 0
            && all[0].ValueKind == JsonValueKind.Object ? all[0] : json;
        var team = TextIn(json, "team_id") ?? TextIn(whose, "team_id");
        var isOrganisation = whose.TryGetProperty("is_enterprise_install", out var flag) && flag.ValueKind == JsonValueKind.True;
        var workspace = isOrganisation ? TextIn(whose, "enterprise_id") ?? TextIn(json, "enterprise_id") : team;
        if (!Tenants.TeamId.TryParse(workspace, out var workspaceId))
            return false;

        happened = new(
            type, workspaceId, Tenants.TeamId.TryParse(team, out var teamId) ? teamId : workspaceId,
            DateTimeOffset.FromUnixTimeSeconds(at), HasBot(inner), inner.Clone());
        return true;
    }

    private static bool HasBot(JsonElement inner) =>
        inner.TryGetProperty("tokens", out var tokens) && tokens.ValueKind == JsonValueKind.Object
        && tokens.TryGetProperty("bot", out var bots) && bots.ValueKind == JsonValueKind.Array && bots.GetArrayLength() > 0;

    private static string? TextIn(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
