namespace ControlPlane.Local.Panel;

/// <summary>Somebody of the identity provider that <c>./run</c> plays.</summary>
internal sealed record Person(string Name, string Subject, string Mail, IReadOnlyList<string> Groups)
{
    /// <summary>What their groups make of them: <c>OIDC_ROLES</c>.</summary>
    public const string Roles = "groups:ops=operator,groups:all=viewer";

    public static readonly IReadOnlyList<Person> All =
    [
        new("operator", "local-operator", "operator@example.com", ["all", "ops"]),
        new("viewer", "local-viewer", "viewer@example.com", ["all"]),
        new("stranger", "local-stranger", "stranger@example.com", []),
    ];
}
