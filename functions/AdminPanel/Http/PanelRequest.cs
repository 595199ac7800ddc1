using System.Text;
using ControlPlane.AdminPanel.Identity;
using ControlPlane.Executions;
using ControlPlane.Http;

namespace ControlPlane.AdminPanel.Http;

/// <summary>A request of somebody who was let in.</summary>
/// <param name="Parts">Of the path, decoded: <c>/tenants/tenant-7</c> is two.</param>
/// <param name="Query">What stands behind the question mark.</param>
/// <param name="Form">What was posted; empty for what only looks.</param>
internal sealed record PanelRequest(
    Visitor Visitor, FormToken Token, string RequestId, IReadOnlyList<string> Parts, FormBody Query, FormBody Form, DateTimeOffset Now)
{
    /// <summary>Who it is, as executions name those who order them.</summary>
    public OperatorId Operator => OperatorId.Parse(Visitor.Actor.ToString());

    /// <summary>A field of the query; null where it is missing, blank or there twice.</summary>
    public string? Asked(string name) => Query.TryGet(name, out var value) && !string.IsNullOrWhiteSpace(value) ? value.Trim() : null;

    /// <summary>A field of the form; null where it is missing, blank or there twice.</summary>
    public string? Given(string name) => Form.TryGet(name, out var value) && !string.IsNullOrWhiteSpace(value) ? value.Trim() : null;

    /// <returns>Null for a path that cannot be one of ours.</returns>
    public static IReadOnlyList<string>? PartsOf(string path)
    {
        if (path is not ['/', ..] || path.Length > 512)
            return null;
        var parts = path[1..].Split('/').Select(Uri.UnescapeDataString).ToList();
        return parts is [""] ? [] : parts.Any(part => part.Length == 0 || part.EnumerateRunes().Any(Rune.IsControl)) ? null : parts;
    }
}
