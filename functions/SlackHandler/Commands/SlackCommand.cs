using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using ControlPlane.Executions;
using ControlPlane.Http;
using ControlPlane.Tenants;

namespace ControlPlane.SlackHandler.Commands;

/// <summary>A command as Slack sent it, typed or made by a button: who asks, where, and where late answers go.</summary>
/// <param name="WorkspaceId">What the tenant is looked up by: the workspace, or the organisation when the app is installed for a whole Enterprise Grid.</param>
/// <param name="Name">The command's own name, such as <c>/wf</c>: the app's choice.</param>
/// <param name="Text">What follows the name, with Slack's escapes undone.</param>
/// <param name="Execution">The one that this request starts, if it starts one: derived from it, so that a repeat is the same.</param>
/// <param name="ResponseUrl">As sent, not judged yet; empty where Slack gave none.</param>
/// <param name="TriggerId">What opens a modal for its user, within three seconds.</param>
internal sealed partial record SlackCommand(
    TeamId WorkspaceId, TeamId TeamId, UserId UserId, ChannelId ChannelId, string Name, string Text, ExecutionId Execution, string ResponseUrl,
    string TriggerId)
{
    /// <summary>What the command is called where a button does not say: the manifest's name for it.</summary>
    public const string UsualName = "/wf";

    /// <summary>Whether it came by a button or a modal, not typed. Then its answer goes by the response_url too.</summary>
    public bool IsPressed { get; init; }

    /// <summary>In UTF-16 units. Slack's own composer stops long before.</summary>
    public const int LongestText = 8000;

    private static readonly string[] KnownFields =
        ["team_id", "enterprise_id", "is_enterprise_install", "channel_id", "user_id", "command", "text", "response_url", "trigger_id"];

    public Requester Requester => From;

    /// <summary>Who asks, in which workspace, and of which organisation where the app is installed for all of one.</summary>
    public Requester.Slack From => new(TeamId, UserId, ChannelId) { OrganisationId = WorkspaceId == TeamId ? null : WorkspaceId };

    /// <summary>Somebody looks at the App Home, which is no channel: the user stands in its place.</summary>
    public static SlackCommand OfHome(TeamId workspaceId, TeamId teamId, UserId userId) =>
        new(workspaceId, teamId, userId, HomeOf(userId), UsualName, Text: "", ExecutionId.Of(teamId.ToString(), $"home|{userId}"), ResponseUrl: "", TriggerId: "");

    /// <summary>What stands for a channel in a user's App Home.</summary>
    public static ChannelId HomeOf(UserId userId) => ChannelId.Parse(userId.ToString());

    public static bool IsName(string? text) => text is not null && CommandShape().IsMatch(text);

    public static bool IsTrigger(string? text) => text is not null && TriggerShape().IsMatch(text);

    // response_url is a bearer secret, and records print their members.
    public override string ToString() => $"SlackCommand of {Execution}";

    /// <returns>False when a field is missing, doubled or not what Slack writes in it.</returns>
    public static bool TryParse(FormBody form, [NotNullWhen(true)] out SlackCommand? command)
    {
        command = null;
        if (Array.Exists(KnownFields, name => form.Count(name) > 1))
            return false;
        if (!form.TryGet("team_id", out var team) || !form.TryGet("channel_id", out var channel) || !form.TryGet("user_id", out var user)
            || !form.TryGet("command", out var name)
            || !form.TryGet("trigger_id", out var trigger) || !form.TryGet("response_url", out var responseUrl))
            return false;

        form.TryGet("text", out var text);
        var isGrid = form.TryGet("is_enterprise_install", out var grid) && grid == "true";
        form.TryGet("enterprise_id", out var enterprise);
        if (!TeamId.TryParse(team, out var teamId) || !UserId.TryParse(user, out var userId) || !ChannelId.TryParse(channel, out var channelId)
            || !TeamId.TryParse(isGrid ? enterprise : team, out var workspaceId) || !IsName(name) || !IsTrigger(trigger))
            return false;

        command = new(workspaceId, teamId, userId, channelId, name, Unescape(text ?? ""), ExecutionId.Of(team, trigger), responseUrl, trigger);
        return true;
    }

    // Slack writes these three and no others: https://docs.slack.dev/messaging/formatting-message-text#escaping
    private static string Unescape(string text) =>
        text.Replace("&lt;", "<", StringComparison.Ordinal).Replace("&gt;", ">", StringComparison.Ordinal).Replace("&amp;", "&", StringComparison.Ordinal);

    [GeneratedRegex(@"\A/[^\s<>&`]{1,64}\z")]
    private static partial Regex CommandShape();

    [GeneratedRegex(@"\A[!-~]{1,256}\z")]
    private static partial Regex TriggerShape();
}
