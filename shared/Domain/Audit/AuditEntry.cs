using ControlPlane.Tenants;

namespace ControlPlane.Audit;

/// <summary>What somebody changed.</summary>
/// <param name="Mail">As the identity provider gave it, where the actor is one of its subjects.</param>
/// <param name="Action">What was done to what kind of thing: <c>tenant.suspend</c>.</param>
/// <param name="Tenant">Null where the change is the hub's.</param>
/// <param name="Target">Which: a tenant, a key's id, an execution.</param>
/// <param name="Values">What is another now than before. Never a secret.</param>
/// <param name="RequestId">Of the request or the command that asked for it: its other changes and its log lines have the same.</param>
public sealed record AuditEntry(
    DateTimeOffset At, string Id, Actor Actor, string? Mail, string Action, TenantId? Tenant, string Target, IReadOnlyList<AuditedValue> Values,
    string RequestId)
{
    public static readonly TimeSpan Retention = TimeSpan.FromDays(400);

    public AuditPlace Place => new(At, Id);
}

/// <param name="Was">Null where there was none.</param>
/// <param name="Is">Null where there is none any more.</param>
public sealed record AuditedValue(string Name, string? Was, string? Is)
{
    /// <summary>Of a value's text, in UTF-16 units: the rest is cut off.</summary>
    public const int Longest = 2000;

    public static AuditedValue Of(string name, string? was, string? @is) => new(name, Cut(was), Cut(@is));

    private static string? Cut(string? text) => text is { Length: > Longest }
        ? string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[Longest - 2]) ? Longest - 2 : Longest - 1), "…")
        : text;
}
