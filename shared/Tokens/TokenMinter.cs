using System.Buffers.Text;
using System.Security.Cryptography;
using ControlPlane.Executions;
using ControlPlane.Tenants;
using ControlPlane.Text;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace ControlPlane.Tokens;

/// <summary>A token that lives: whoever holds it can use it.</summary>
public sealed record MintedToken(string Text, DateTimeOffset ExpiresAt)
{
    // Records print their members; this one must not.
    public override string ToString() => $"MintedToken until {Rfc3339.Format(ExpiresAt)}";
}

/// <summary>Signs the two tokens of an execution: the one that the engine checks, and the one with which it calls back.</summary>
/// <param name="issuer">The control plane's URL, used character for character.</param>
public sealed class TokenMinter(Uri issuer, TimeProvider clock)
{
    private static readonly JsonWebTokenHandler Handler = new() { SetDefaultTimesOnTokenCreation = false };

    /// <param name="body">The dispatch body: the token is good for these bytes only, as far as the engine looks.</param>
    public MintedToken ForDispatch(TenantSigningKey key, TenantId tenant, ExecutionId execution, WorkflowName workflow, ReadOnlySpan<byte> body)
    {
        var now = Now();
        var audience = TokenKinds.DispatchAudience(tenant);
        return Sign(key, TokenKinds.DispatchType, audience, tenant, execution, now, now - TokenLives.DispatchBackdate, now + TokenLives.Dispatch, new()
        {
            ["workflow"] = workflow.ToString(),
            ["bsh"] = Base64Url.EncodeToString(SHA256.HashData(body)),
        });
    }

    public MintedToken ForOutcome(TenantSigningKey key, TenantId tenant, ExecutionId execution, DateTimeOffset deadline)
    {
        var now = Now();
        var wanted = deadline + TokenLives.OutcomeAfterDeadline;
        var longest = now + TokenLives.LongestOutcome;
        return Sign(key, TokenKinds.OutcomeType, TokenKinds.OutcomeAudience, tenant, execution, now, now, wanted < longest ? wanted : longest, []);
    }

    private MintedToken Sign(
        TenantSigningKey key, string type, string audience, TenantId tenant, ExecutionId execution, DateTimeOffset now, DateTimeOffset notBefore,
        DateTimeOffset expires,
        Dictionary<string, object> claims)
    {
        claims["sub"] = execution.ToString();
        claims["jti"] = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));
        claims["tenant_id"] = tenant.ToString();
        var text = Handler.CreateToken(new SecurityTokenDescriptor
        {
            TokenType = type,
            Issuer = issuer.OriginalString,
            Audience = audience,
            IssuedAt = now.UtcDateTime,
            NotBefore = notBefore.UtcDateTime,
            Expires = expires.UtcDateTime,
            Claims = claims,
            SigningCredentials = key.Credentials,
        });
        return new(text, DateTimeOffset.FromUnixTimeSeconds(expires.ToUnixTimeSeconds()));
    }

    // Claims are whole seconds: a token must not come out a fraction older than it says.
    private DateTimeOffset Now() => DateTimeOffset.FromUnixTimeSeconds(clock.GetUtcNow().ToUnixTimeSeconds());
}
