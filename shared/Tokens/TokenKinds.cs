using ControlPlane.Tenants;

namespace ControlPlane.Tokens;

/// <summary>What the two kinds of tokens are called and whom they are for. One type per purpose: neither passes for the other.</summary>
public static class TokenKinds
{
    public const string Algorithm = "ES256";

    public const string DispatchType = "dispatch+jwt";

    public const string OutcomeType = "outcome+jwt";

    public const string OutcomeAudience = "urn:cp:outcomes";

    public static string DispatchAudience(TenantId tenant) => $"urn:dp:{tenant}";
}
