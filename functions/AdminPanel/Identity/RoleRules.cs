using System.Text.Json;
using ControlPlane.Configuration;

namespace ControlPlane.AdminPanel.Identity;

/// <summary>What a claim of the identity provider makes of somebody: <c>groups:ops=operator,groups:all=viewer</c>.</summary>
internal sealed class RoleRules
{
    private readonly IReadOnlyList<(string Claim, string Value, Role Role)> _rules;

    private RoleRules(IReadOnlyList<(string, string, Role)> rules) => _rules = rules;

    /// <exception cref="SettingException">The text is not of that form, or names nobody.</exception>
    public static RoleRules Parse(string text)
    {
        var rules = new List<(string, string, Role)>();
        foreach (var rule in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var (colon, equals) = (rule.IndexOf(':', StringComparison.Ordinal), rule.LastIndexOf('='));
            if (colon <= 0 || equals <= colon + 1 || RoleOf(rule[(equals + 1)..]) is not { } role)
                throw new SettingException("OIDC_ROLES", "is not a list of claim:value=viewer and claim:value=operator");
            rules.Add((rule[..colon], rule[(colon + 1)..equals], role));
        }
        return new(rules);
    }

    /// <returns>The highest that applies; null where none does.</returns>
    public Role? Of(JsonElement claims)
    {
        Role? highest = null;
        foreach (var (claim, value, role) in _rules)
            if (Has(claims, claim, value) && (highest is null || role > highest))
                highest = role;
        return highest;
    }

    // A claim of several values is an array at most providers.
    private static bool Has(JsonElement claims, string claim, string value) => claims.TryGetProperty(claim, out var there) && there.ValueKind switch
    {
        JsonValueKind.String => there.GetString() == value,
        JsonValueKind.Array => there.EnumerateArray().Any(one => one.ValueKind == JsonValueKind.String && one.GetString() == value),
        _ => false,
    };

    private static Role? RoleOf(string text) => text switch { "viewer" => Role.Viewer, "operator" => Role.Operator, _ => null };
}
