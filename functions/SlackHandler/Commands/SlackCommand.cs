using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using ControlPlane.Executions;
using ControlPlane.Slack;

namespace ControlPlane.SlackHandler.Commands;

/// <summary>A slash command as Slack sent it: who typed what, where, and where late answers go.</summary>
/// <param name="WorkspaceId">What the tenant is looked up by: the workspace, or the organisation when the app is installed for a whole Enterprise Grid.</param>
/// <param name="Name">The command's own name, such as <c>/wf</c>: the app's choice.</param>
/// <param name="Text">What follows the name, with Slack's escapes undone.</param>
/// <param name="ResponseUrl">As sent, not judged yet.</param>
internal sealed partial record SlackCommand(
    string WorkspaceId, string TeamId, string UserId, string ChannelId, string Name, string Text, ExecutionId Execution, string ResponseUrl)
{
    /// <summary>In UTF-16 units. Slack's own composer stops long before.</summary>
    public const int LongestText = 8000;

    private static readonly string[] KnownFields =
        ["team_id", "enterprise_id", "is_enterprise_install", "channel_id", "user_id", "command", "text", "response_url", "trigger_id"];

    public Requester Requester => new("slack", TeamId, UserId, ChannelId);

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
        if (!SlackIds.IsOne(team) || !SlackIds.IsOne(user) || !SlackIds.IsOne(channel)
            || !CommandShape().IsMatch(name) || !TriggerShape().IsMatch(trigger) || (isGrid && !SlackIds.IsOne(enterprise)))
            return false;

        command = new(isGrid ? enterprise! : team, team, user, channel, name, Unescape(text ?? ""), ExecutionId.Of(team, trigger), responseUrl);
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
