using System.Security.Cryptography;
using System.Text;
using ControlPlane.Tokens;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace ControlPlane.Tests.Shared.Tokens;

/// <summary>What IdentityModel lets through when it is given issuer, audience and key alone, and the verifier does not. An upgrade that changes one shows here.</summary>
public class IdentityModelTests
{
    public static TheoryData<string, string, string, string?> Accepted => new()
    {
        { "expired four minutes ago", TokenForge.ValidHeader, With("\"exp\":${now-240}", "\"iat\":${now-300},\"nbf\":${now-300}"), null },
        { "valid in four minutes", TokenForge.ValidHeader, With("\"exp\":${now+600}", "\"iat\":${now},\"nbf\":${now+240}"), null },
        { "another kid", """{"alg":"ES256","typ":"${typ}","kid":"nobody"}""", TokenForge.ValidPayload, null },
        { "no kid", """{"alg":"ES256","typ":"${typ}"}""", TokenForge.ValidPayload, null },
        { "another type", """{"alg":"ES256","typ":"at+jwt","kid":"${kid}"}""", TokenForge.ValidPayload, null },
        { "a slash behind the audience", TokenForge.ValidHeader, TokenForge.ValidPayload.Replace("${aud}", "${aud}/", StringComparison.Ordinal), null },
        { "crit", """{"alg":"ES256","typ":"${typ}","kid":"${kid}","crit":["nope"]}""", TokenForge.ValidPayload, null },
        { "b64", """{"alg":"ES256","typ":"${typ}","kid":"${kid}","crit":["b64"],"b64":false}""", TokenForge.ValidPayload, null },
        { "zip", """{"alg":"ES256","typ":"${typ}","kid":"${kid}","zip":"DEF"}""", TokenForge.ValidPayload, null },
        { "alg twice", """{"alg":"none","alg":"ES256","typ":"${typ}","kid":"${kid}"}""", TokenForge.ValidPayload, null },
        { "exp twice", TokenForge.ValidHeader, With("\"exp\":${now-3600},\"exp\":${now+60}", "\"iat\":${now},\"nbf\":${now}"), null },
        { "padding behind the signature", TokenForge.ValidHeader, TokenForge.ValidPayload, "pad2" },
        { "a lifetime of years", TokenForge.ValidHeader, With("\"exp\":${now+315360000}", "\"iat\":${now},\"nbf\":${now}"), null },
        { "issued in an hour", TokenForge.ValidHeader, With("\"exp\":${now+60}", "\"iat\":${now+3600},\"nbf\":${now}"), null },
        { "an audience among others", TokenForge.ValidHeader, TokenForge.ValidPayload.Replace("\"${aud}\"", "[\"${aud}\",\"other\"]", StringComparison.Ordinal), null },
    };

    [Theory, MemberData(nameof(Accepted))]
    public async Task The_library_alone_accepts_it_and_the_verifier_does_not(string name, string header, string payload, string? text)
    {
        using var forge = await TokenForge.CreateAsync();
        var token = forge.Build(header, payload, text: text);

        Assert.True((await ByDefaultAsync(forge, token)).IsValid, name);
        Assert.IsType<TokenCheck.Rejected>(await forge.Verifier.VerifyAsync(token, TestContext.Current.CancellationToken));
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
            return new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor { Issuer = "x", SigningCredentials = new(new ECDsaSecurityKey(key) { KeyId = "k" }, "ES256") });
        }
    }

    [Fact]
    public void A_token_made_without_an_end_lives_for_an_hour()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var handler = new JsonWebTokenHandler();

        var token = handler.ReadJsonWebToken(handler.CreateToken(new SecurityTokenDescriptor { Issuer = "x", SigningCredentials = new(new ECDsaSecurityKey(key), "ES256") }));

        Assert.Equal(TimeSpan.FromMinutes(60), token.ValidTo - token.IssuedAt);
    }

    private static Task<TokenValidationResult> ByDefaultAsync(TokenForge forge, string token) => new JsonWebTokenHandler().ValidateTokenAsync(token, new TokenValidationParameters
    {
        ValidIssuer = TokenForge.Issuer.OriginalString,
        ValidAudience = TokenKinds.OutcomeAudience,
        IssuerSigningKey = forge.OurKey.ForVerifying,
    });

    private static string With(string exp, string issued) =>
        "{\"iss\":\"${iss}\",\"aud\":\"${aud}\",\"sub\":\"${sub}\",\"jti\":\"${jti}\"," + issued + "," + exp + "${more}}";
}
