using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using ControlPlane.Executions;
using ControlPlane.Http;
using ControlPlane.SlackHandler.Commands;
using ControlPlane.Tenants;
using ControlPlane.Text;
using static ControlPlane.SlackHandler.WebApi.SlackWebApi;

namespace ControlPlane.SlackHandler.Interactions;

/// <summary>What a user did with a button or a modal, as Slack sent it.</summary>
/// <remarks>https://docs.slack.dev/reference/interaction-payloads</remarks>
internal abstract record Interaction
{
    private Interaction() { }

    /// <summary>A button was pressed: in a message, or in the App Home.</summary>
    /// <param name="Command">The command that the button stands for, of the user who pressed it, in the channel where that was.</param>
    /// <param name="Verb">The button's action; whatever Slack sent.</param>
    /// <param name="Subject">What it is about; whatever Slack sent.</param>
    public sealed record Pressed(SlackCommand Command, string Verb, string Subject) : Interaction;

    /// <summary>A modal was submitted.</summary>
    /// <param name="ViewId">The same however often it is submitted.</param>
    /// <param name="Metadata">What was given to the modal when it was opened.</param>
    /// <param name="Values">What its fields hold, by block: the element that was there.</param>
    public sealed record Submitted(
        TeamId WorkspaceId, TeamId TeamId, UserId UserId, string ViewId, string CallbackId, string Metadata, IReadOnlyDictionary<string, JsonElement> Values)
        : Interaction
    {
        public override string ToString() => $"Submitted {ViewId}";
    }

    /// <summary>Something that asks for nothing here.</summary>
    public sealed record Other : Interaction;

    private const int LongestValue = 2000;      // of a button, by Slack's own limit

    /// <returns>False for what Slack does not send: no payload, or more than one, no JSON of one reading, a member of another shape.</returns>
    public static bool TryParse(FormBody form, [NotNullWhen(true)] out Interaction? interaction)
    {
        interaction = null;
        if (!form.TryGet("payload", out var text) || !StrictJson.TryParseObject(System.Text.Encoding.UTF8.GetBytes(text), out var payload))
            return false;
        interaction = TextIn(payload, "type") switch
        {
            "block_actions" => Press(payload),
            "view_submission" => Submission(payload),
            null => null,
            _ => new Other(),
        };
        return interaction is not null;
    }

    private static Interaction? Press(JsonElement payload)
    {
        if (Who(payload) is not { } who || !payload.TryGetProperty("actions", out var actions) || actions.ValueKind != JsonValueKind.Array
            || actions.GetArrayLength() != 1 || TextIn(payload, "trigger_id") is not { } trigger || !SlackCommand.IsTrigger(trigger))
            return null;
        // A press is known by the button: what was pressed twice is the same, whatever trigger Slack made for it.
        var action = actions[0];
        if (TextIn(action, "action_id") is not { Length: > 0 and <= 255 } verb || TextIn(action, "value") is not { Length: <= LongestValue } value)
            return TextIn(action, "action_id") is null ? null : new Other();     // a link, or an element that holds its own value
        var place = TextIn(payload, "container", "message_ts") ?? TextIn(payload, "view", "id");
        var channel = SlackCommand.HomeOf(who.User);
        if (place is not { Length: > 0 and <= 64 }
            || (TextIn(payload, "channel", "id") ?? TextIn(payload, "container", "channel_id")) is { } given && !ChannelId.TryParse(given, out channel))
            return null;

        var parts = value.Split(' ');
        var name = parts is [_, var word] && SlackCommand.IsName(word) ? word : SlackCommand.UsualName;
        var execution = ExecutionId.Of(who.Team.ToString(), $"{verb}|{channel}|{place}|{who.User}|{parts[0]}");
        return new Pressed(
            new(who.Workspace, who.Team, who.User, channel, name, Text: "", execution, TextIn(payload, "response_url") ?? "", trigger) { IsPressed = true },
            verb, parts[0]);
    }

    private static Interaction? Submission(JsonElement payload)
    {
        if (Who(payload) is not { } who || TextIn(payload, "view", "id") is not { Length: > 0 and <= 64 } id
            || TextIn(payload, "view", "callback_id") is not { } callback || TextIn(payload, "view", "private_metadata") is not { Length: <= 3000 } metadata
            || !payload.GetProperty("view").TryGetProperty("state", out var state) || state.ValueKind != JsonValueKind.Object
            || !state.TryGetProperty("values", out var blocks) || blocks.ValueKind != JsonValueKind.Object)
            return null;
        var values = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var block in blocks.EnumerateObject())
        {
            if (block.Value.ValueKind != JsonValueKind.Object
                || block.Value.EnumerateObject().ToList() is not [{ Value.ValueKind: JsonValueKind.Object } element])
                return null;
            values[block.Name] = element.Value;
        }
        return new Submitted(who.Workspace, who.Team, who.User, id, callback, metadata, values);
    }

    // Where the app is installed for an organisation, "team" may be null: the user's own workspace is the one.
    private static (TeamId Workspace, TeamId Team, UserId User)? Who(JsonElement payload)
    {
        var isOrganisation = payload.TryGetProperty("is_enterprise_install", out var flag) && flag.ValueKind == JsonValueKind.True;
        var team = TextIn(payload, "team", "id") ?? TextIn(payload, "user", "team_id");
        var workspace = isOrganisation ? TextIn(payload, "enterprise", "id") : team;
        return UserId.TryParse(TextIn(payload, "user", "id"), out var userId) && TeamId.TryParse(team, out var teamId)
            && TeamId.TryParse(workspace, out var workspaceId)
            ? (workspaceId, teamId, userId)
            : null;
    }
}
