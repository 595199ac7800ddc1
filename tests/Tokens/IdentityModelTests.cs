using System.Security.Cryptography;
using System.Text;
using ControlPlane.Tokens;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace ControlPlane.Tests.Tokens;

/// <summary>What IdentityModel lets through when it is given issuer, audience and key alone, and the verifier does not. An upgrade that changes one shows
/// here.</summary>
public class IdentityModelTests
{
    /// <summary>What, header, payload, how signed, how altered.</summary>
    public static TheoryData<string, string, string, string, string?> Accepted => new()
    {
        { "ES384 with a P-256 key", """{"alg":"ES384","typ":"${typ}","kid":"${kid}"}""", TokenForge.ValidPayload, "es256key-sha384", null },
        { "the XML name of ES256", """{"alg":"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256","typ":"${typ}","kid":"${kid}"}""", TokenForge.ValidPayload,
            "es256", null },
        { "ten times the longest token", TokenForge.ValidHeader, TokenForge.ValidPayload.Insert(1, $"\"x\":\"{new string('A', 80_000)}\","), "es256", null },
        { "expired four minutes ago", TokenForge.ValidHeader, With("\"exp\":${now-240}", "\"iat\":${now-300},\"nbf\":${now-300}"), "es256", null },
        { "valid in four minutes", TokenForge.ValidHeader, With("\"exp\":${now+600}", "\"iat\":${now},\"nbf\":${now+240}"), "es256", null },
        { "another kid", """{"alg":"ES256","typ":"${typ}","kid":"nobody"}""", TokenForge.ValidPayload, "es256", null },
        { "no kid", """{"alg":"ES256","typ":"${typ}"}""", TokenForge.ValidPayload, "es256", null },
        { "another type", """{"alg":"ES256","typ":"at+jwt","kid":"${kid}"}""", TokenForge.ValidPayload, "es256", null },
        { "a slash behind the audience", TokenForge.ValidHeader, TokenForge.ValidPayload.Replace("${aud}", "${aud}/", StringComparison.Ordinal), "es256",
            null },
        { "crit", """{"alg":"ES256","typ":"${typ}","kid":"${kid}","crit":["nope"]}""", TokenForge.ValidPayload, "es256", null },
        { "b64", """{"alg":"ES256","typ":"${typ}","kid":"${kid}","crit":["b64"],"b64":false}""", TokenForge.ValidPayload, "es256", null },
        { "zip", """{"alg":"ES256","typ":"${typ}","kid":"${kid}","zip":"DEF"}""", TokenForge.ValidPayload, "es256", null },
        { "alg twice", """{"alg":"none","alg":"ES256","typ":"${typ}","kid":"${kid}"}""", TokenForge.ValidPayload, "es256", null },
        { "exp twice", TokenForge.ValidHeader, With("\"exp\":${now-3600},\"exp\":${now+60}", "\"iat\":${now},\"nbf\":${now}"), "es256", null },
        { "padding behind the signature", TokenForge.ValidHeader, TokenForge.ValidPayload, "es256", "pad2" },
        { "a lifetime of years", TokenForge.ValidHeader, With("\"exp\":${now+315360000}", "\"iat\":${now},\"nbf\":${now}"), "es256", null },
        { "issued in an hour", TokenForge.ValidHeader, With("\"exp\":${now+60}", "\"iat\":${now+3600},\"nbf\":${now}"), "es256", null },
        { "an audience among others", TokenForge.ValidHeader, TokenForge.ValidPayload.Replace("\"${aud}\"", "[\"${aud}\",\"other\"]", StringComparison.Ordinal),
            "es256", null },
    };

    [Theory, MemberData(nameof(Accepted))]
    public async Task The_library_alone_accepts_it_and_the_verifier_does_not(string name, string header, string payload, string sign, string? text)
    {
        using var forge = await TokenForge.CreateAsync();
        var token = forge.Build(header, payload, sign, text);

        Assert.True((await ByDefaultAsync(forge, token)).IsValid, name);
        Assert.IsType<TokenCheck.Rejected>(await forge.Verifier.VerifyAsync(token, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task With_one_list_of_keys_any_tenant_signs_as_any_other()
    {
        using var forge = await TokenForge.CreateAsync();
        var token = forge.Build("""{"alg":"ES256","typ":"${typ}","kid":"${other_kid}"}""", TokenForge.ValidPayload, "es256-other-tenant");

        var shared = await new JsonWebTokenHandler().ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidIssuer = TokenForge.Issuer.OriginalString,
            ValidAudience = TokenKinds.OutcomeAudience,
            IssuerSigningKeys = [forge.OurKey.ForVerifying, forge.TheirKey.ForVerifying],
        });

        Assert.True(shared.IsValid);
        Assert.Equal(new TokenCheck.Rejected(TokenFault.UnknownKey), await forge.Verifier.VerifyAsync(token, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_valid_token_is_accepted_by_both()
    {
        using var forge = await TokenForge.CreateAsync();
        var token = forge.Build(TokenForge.ValidHeader, TokenForge.ValidPayload);

        Assert.True((await ByDefaultAsync(forge, token)).IsValid);
        Assert.IsType<TokenCheck.Verified>(await forge.Verifier.VerifyAsync(token, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Keys_that_are_loaded_anew_and_disposed_leave_valid_tokens_valid()
    {
        using var forge = await TokenForge.CreateAsync();
        var token = forge.Build(TokenForge.ValidHeader, TokenForge.ValidPayload);
        var parts = token.Split('.');
        var (signed, signature) = (Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), CompactToken.Decode(parts[2])!);

        for (var i = 0; i < 3; i++)
        {
            using var key = RootSecret.Parse("""{"root":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}""").KeyOf(TokenForge.Tenant1, "v1");
            Assert.True(Es256.Verifies(key.Public, signed, signature));
            Assert.NotEmpty(forge.Minter.ForOutcome(key, TokenForge.Tenant1, TokenForge.Execution, forge.Clock.GetUtcNow()).Text);
        }
    }

    [Fact]
    public void A_key_object_of_the_librarys_own_is_remembered_beyond_its_disposal()
    {
        var parameters = ECDsa.Create(ECCurve.NamedCurves.nistP256).ExportParameters(true);
        Assert.NotEmpty(Sign(parameters));

        Assert.ThrowsAny<Exception>(() => Sign(parameters));

        static string Sign(ECParameters parameters)
        {
            using var key = ECDsa.Create(parameters);
            return new JsonWebTokenHandler()
                .CreateToken(new SecurityTokenDescriptor { Issuer = "x", SigningCredentials = new(new ECDsaSecurityKey(key) { KeyId = "k" }, "ES256") });
        }
    }

    [Fact]
    public void A_token_made_without_an_end_lives_for_an_hour()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var handler = new JsonWebTokenHandler();

        var token = handler.ReadJsonWebToken(
            handler.CreateToken(new SecurityTokenDescriptor { Issuer = "x", SigningCredentials = new(new ECDsaSecurityKey(key), "ES256") }));

        Assert.Equal(TimeSpan.FromMinutes(60), token.ValidTo - token.IssuedAt);
    }

    private static Task<TokenValidationResult> ByDefaultAsync(TokenForge forge, string token) =>
        new JsonWebTokenHandler().ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidIssuer = TokenForge.Issuer.OriginalString,
            ValidAudience = TokenKinds.OutcomeAudience,
            IssuerSigningKey = forge.OurKey.ForVerifying,
        });

    private static string With(string exp, string issued) =>
        "{\"iss\":\"${iss}\",\"aud\":\"${aud}\",\"sub\":\"${sub}\",\"jti\":\"${jti}\"," + issued + "," + exp + "${more}}";
}
