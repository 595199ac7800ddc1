using System.Text.Json.Nodes;

namespace ControlPlane.Local.SmallSlack;

/// <summary>A workspace, or an organisation that the app is installed for as a whole.</summary>
/// <param name="Id">Begins with T, of an organisation with E.</param>
/// <param name="Members">Its users; null where everybody is one.</param>
internal sealed record SlackWorkspace(string Id, string Name, IReadOnlyCollection<string>? Members = null)
{
    public bool IsOrganisation => Id.StartsWith('E');

    public string BotUser => $"UBOT{Id}";

    /// <summary>Whether an administrator removed the app: then its token counts no longer.</summary>
    public bool IsRemoved { get; set; }

    public bool Has(string user) => Members?.Contains(user) ?? (user.StartsWith('U') && user.Length <= 11);
}

/// <summary>A message as it stands in Slack.</summary>
/// <param name="Place">A channel's id, or of the bot's direct messages with one user.</param>
/// <param name="OnlyFor">Whoever alone sees it; null for everybody in its place.</param>
/// <param name="Ts">Slack's id of it within its place.</param>
internal sealed record ShownMessage(SlackWorkspace Workspace, string Place, string? OnlyFor, string Ts, JsonObject Json, DateTimeOffset At)
{
    /// <summary>The path of the address that it came by; the method's name of one of the bot's.</summary>
    public required string By { get; init; }

    /// <summary>How often it was changed.</summary>
    public int Changes { get; init; }

    public bool IsOfBot => By.StartsWith("chat.", StringComparison.Ordinal);

    /// <summary>The words that are seen.</summary>
    public string Text => SlackMarkup.TextOf(Json);

    /// <summary>Who sees it, in words.</summary>
    public string SeenBy => IsOfBot ? $"a direct message to {OnlyFor}" : OnlyFor is { } user ? $"only visible to {user}" : $"to everybody in {Place}";
}

/// <summary>A modal or an App Home as it was last shown to a user.</summary>
internal sealed record SlackView(string Id, SlackWorkspace Workspace, string User, JsonObject Json);
