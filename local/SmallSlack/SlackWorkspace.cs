using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ControlPlane.Local.SmallSlack;

/// <summary>A workspace, or an organisation that the app is installed for as a whole.</summary>
/// <param name="Id">Begins with T, of an organisation with E.</param>
/// <param name="Members">Its users; null where everybody is one.</param>
/// <param name="Channels">Those that the app is a member of; null where it was invited to every one that somebody names.</param>
internal sealed partial record SlackWorkspace(
    string Id, string Name, IReadOnlyCollection<string>? Members = null, IReadOnlyCollection<string>? Channels = null)
{
    public bool IsOrganisation => Id.StartsWith('E');

    public string BotUser => $"UBOT{Id}";

    /// <summary>Whether an administrator removed the app: then its token counts no longer.</summary>
    public bool IsRemoved { get; set; }

    public bool Has(string user) => Members?.Contains(user) ?? (user.StartsWith('U') && user.Length <= 11);

    /// <summary>Whether the app may write in a channel.</summary>
    public bool IsOpenTo(string channel) => Channels?.Contains(channel) ?? ChannelShape().IsMatch(channel);

    // Public ones, and private ones of old.
    [GeneratedRegex(@"\A[CG][A-Z0-9]{1,31}\z")]
    private static partial Regex ChannelShape();
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
    public string SeenBy => (IsOfBot, OnlyFor) switch
    {
        (_, null) => $"to everybody in {Place}",
        (true, var user) => $"a direct message to {user}",
        (false, var user) => $"only visible to {user}",
    };
}

/// <summary>A modal or an App Home as it was last shown to a user.</summary>
internal sealed record SlackView(string Id, SlackWorkspace Workspace, string User, JsonObject Json);
