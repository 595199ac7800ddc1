using System.Text.RegularExpressions;

namespace ControlPlane.Slack;

/// <summary>Ids as Slack writes them: of workspaces, organisations, users, bots and channels.</summary>
public static partial class SlackIds
{
    public static bool IsOne(string? text) => text is not null && Shape().IsMatch(text);

    [GeneratedRegex(@"\A[A-Z0-9]{1,32}\z")]
    private static partial Regex Shape();
}
