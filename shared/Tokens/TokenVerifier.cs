using System.Text.Json;
using System.Text.RegularExpressions;
using ControlPlane.Executions;
using ControlPlane.Tenants;
using ControlPlane.Text;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace ControlPlane.Tokens;

/// <summary>What the verifier says of an outcome token.</summary>
public abstract record TokenCheck
{
    private TokenCheck() { }

    /// <param name="TokenId">The token's <c>jti</c>. Replay is known by it, never by the token's text: signatures have more than one spelling.</param>
    public sealed record Verified(TenantId Tenant, ExecutionId Execution, string TokenId) : TokenCheck;

    /// <param name="Fault">For the log. The caller hears 401 and no more.</param>
    public sealed record Rejected(TokenFault Fault) : TokenCheck;
}

public enum TokenFault
{
    /// <summary>Not a token in the one form that is taken.</summary>
    Malformed,

    /// <summary>A token for another purpose.</summary>
    WrongType,

    /// <summary>A claim is missing, of the wrong type, or outside what a token of ours can say.</summary>
    BadClaims,
    Expired,
    NotYetValid,

    /// <summary>No key of the tenant has this id.</summary>
    UnknownKey,

    /// <summary>The signature, the issuer or the audience is not right.</summary>
    Untrusted,
}

/// <summary>Verifies the token with which a data plane calls back.</summary>
/// <remarks>The unverified <c>tenant_id</c> only says whose keys to try; since every tenant has its own, a token signed with them is that tenant's.</remarks>
/// <param name="issuer">The control plane's URL, compared character for character.</param>
public sealed partial class TokenVerifier(TenantKeys keys, Uri issuer, TimeProvider clock)
{
    private static readonly JsonWebTokenHandler Handler = new() { MaximumTokenSizeInBytes = CompactToken.LongestText, MapInboundClaims = false };

    /// <param name="token">The text behind <c>Bearer</c>.</param>
    /// <returns>A verdict, whatever the text; it throws only when there is no root secret to derive keys from.</returns>
    public async ValueTask<TokenCheck> VerifyAsync(string token, CancellationToken cancel)
    {
        if (!CompactToken.TryRead(token, out var parts))
            return new TokenCheck.Rejected(TokenFault.Malformed);
        if (parts.Type != TokenKinds.OutcomeType)
            return new TokenCheck.Rejected(TokenFault.WrongType);
        if (OutcomeClaims.Read(parts.Payload) is not { } claims)
            return new TokenCheck.Rejected(TokenFault.BadClaims);
        if (claims.FaultAt(clock.GetUtcNow()) is { } fault)
            return new TokenCheck.Rejected(fault);
        if (await keys.FindAsync(claims.Tenant, parts.KeyId, cancel) is not { } key)
            return new TokenCheck.Rejected(TokenFault.UnknownKey);

        var result = await Handler.ValidateTokenAsync(token, ParametersFor(key));
        return result.IsValid
            ? new TokenCheck.Verified(claims.Tenant, claims.Execution, claims.TokenId)
            : new TokenCheck.Rejected(TokenFault.Untrusted);
    }

    private TokenValidationParameters ParametersFor(PublicKey key) => new()
    {
        RequireSignedTokens = true,
        RequireExpirationTime = true,
        RequireAudience = true,
        ValidateIssuer = true,
        ValidIssuer = issuer.OriginalString,
        ValidateAudience = true,
        ValidAudience = TokenKinds.OutcomeAudience,
        IgnoreTrailingSlashWhenValidatingAudience = false,
        ValidateLifetime = true,
        ClockSkew = TokenLives.Skew,
        LifetimeValidator = (_, expires, _, _) => expires is not null,      // judged before, by the injected clock: the library reads the system's
        ValidateIssuerSigningKey = true,
        IssuerSigningKey = key.ForVerifying,
        TryAllIssuerSigningKeys = false,
        ValidAlgorithms = [TokenKinds.Algorithm],
        ValidTypes = [TokenKinds.OutcomeType],
        IncludeTokenOnFailedValidation = false,
        SaveSigninToken = false,
    };

    private sealed partial record OutcomeClaims(TenantId Tenant, ExecutionId Execution, string TokenId, long IssuedAt, long? NotBefore, long Expires)
    {
        private const long LastSecond = 253_402_300_799;                    // 9999-12-31T23:59:59Z

        /// <returns>Null when a claim is missing, of the wrong JSON type, or no such id.</returns>
        public static OutcomeClaims? Read(byte[] payload)
        {
            if (!StrictJson.TryParseObject(payload, out var json) || StrictJson.TextOf(json, "iss") is null || StrictJson.TextOf(json, "aud") is null)
                return null;
            if (!TenantId.TryParse(StrictJson.TextOf(json, "tenant_id"), out var tenant)
                || !ExecutionId.TryParse(StrictJson.TextOf(json, "sub"), out var execution))
                return null;
            if (StrictJson.TextOf(json, "jti") is not { } tokenId || !TokenIdShape().IsMatch(tokenId))
                return null;
            if (Second(json, "iat") is not { } issuedAt || Second(json, "exp") is not { } expires)
                return null;
            var hasNotBefore = json.TryGetProperty("nbf", out _);
            var notBefore = Second(json, "nbf");
            return hasNotBefore && notBefore is null ? null : new(tenant, execution, tokenId, issuedAt, notBefore, expires);
        }

        public TokenFault? FaultAt(DateTimeOffset time)
        {
            var now = time.ToUnixTimeSeconds();
            var skew = (long)TokenLives.Skew.TotalSeconds;
            if (now > Expires + skew)
                return TokenFault.Expired;
            if (IssuedAt > now + skew || NotBefore > now + skew)
                return TokenFault.NotYetValid;
            return Expires <= IssuedAt || Expires < NotBefore || Expires - IssuedAt > (long)TokenLives.LongestOutcome.TotalSeconds
                ? TokenFault.BadClaims
                : null;
        }

        // Whole seconds in plain digits: TryGetInt64 takes neither fractions nor exponents.
        private static long? Second(JsonElement json, string name) =>
            json.TryGetProperty(name, out var member)
                && member.ValueKind == JsonValueKind.Number && member.TryGetInt64(out var second) && second is >= 0 and <= LastSecond
                ? second
                : null;

        [GeneratedRegex(@"\A[A-Za-z0-9_-]{1,64}\z")]
        private static partial Regex TokenIdShape();
    }
}
