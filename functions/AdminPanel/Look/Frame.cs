using ControlPlane.AdminPanel.Http;
using ControlPlane.AdminPanel.Identity;

namespace ControlPlane.AdminPanel.Look;

/// <summary>What is around a page.</summary>
/// <param name="Section">Which of the menu's; null where it is none of them.</param>
/// <param name="Token">For the forms; null where there are none.</param>
/// <param name="Said">What was just done, in plain words; null for nothing.</param>
public sealed record Frame(string Title, string? Section, Visitor? Visitor, string? Token, DateTimeOffset Now, string? Said = null)
{
    public static readonly IReadOnlyList<(string Name, string Path)> Menu =
    [
        ("Overview", "/"), ("Executions", "/executions"), ("Tenants", "/tenants"), ("Usage", "/usage"), ("Dead letters", "/dead-letters"), ("Audit", "/audit"),
    ];

    internal static Frame Of(string title, string section, PanelRequest request) =>
        new(title, section, request.Visitor, request.Token.Text, request.Now, Done.InWords(request.Asked("done")));

    public bool MayChange => Visitor is { MayChange: true };
}

/// <summary>What a page says was just done: an address carries the word, the page the sentence, so that no link can put words into our mouth.</summary>
internal static class Done
{
    private static readonly Dictionary<string, string> Words = new()
    {
        ["cancelled"] = "The execution is cancelled.",
        ["ordered"] = "It is ordered: policy decides in a moment.",
        ["limits"] = "The limits are changed.",
        ["suspended"] = "The tenant is suspended: nothing new is started.",
        ["resumed"] = "The tenant's executions are taken again.",
        ["removed"] = "The tenant is removed.",
        ["published"] = "The workflow is published.",
        ["disabled"] = "The workflow is disabled: what runs goes on.",
        ["revoked"] = "The key is revoked: heartbeats that it signs are refused within a minute.",
        ["withdrawn"] = "The invitation is withdrawn.",
        ["paused"] = "The schedule is paused.",
        ["continued"] = "The schedule goes on.",
        ["unscheduled"] = "The schedule is removed.",
        ["redriven"] = "The dead letters went back to their queue.",
        ["unchanged"] = "It was so before: nothing was changed.",
    };

    public static string? InWords(string? done) => done is not null && Words.TryGetValue(done, out var words) ? words : null;
}
