using System.Buffers.Text;
using System.Text.Json;
using ControlPlane.Tokens;

namespace ControlPlane.Tests.Tokens;

/// <summary>What a token of ours cannot say, signed with a key of ours: each bound from both sides.</summary>
public sealed class ClaimsTests
{
    private static readonly string Short = TokenForge.ValidPayload[..TokenForge.ValidPayload.IndexOf("\"iat\"", StringComparison.Ordinal)];

    [Theory]
    [InlineData("\"iat\":${now},\"nbf\":${now},\"exp\":${now+60}", null)]
    [InlineData("\"iat\":${now},\"exp\":${now+60}", null)]                                      // from when on need not be said
    [InlineData("\"iat\":${now},\"nbf\":${now+60},\"exp\":${now+60}", TokenFault.NotYetValid)]
    [InlineData("\"iat\":${now},\"nbf\":${now+30},\"exp\":${now+60}", null)]
    [InlineData("\"iat\":${now},\"nbf\":${now+31},\"exp\":${now+60}", TokenFault.NotYetValid)]
    [InlineData("\"iat\":${now},\"nbf\":${now+30},\"exp\":${now+30}", null)]                    // valid for a moment
    [InlineData("\"iat\":${now},\"nbf\":${now+30},\"exp\":${now+29}", TokenFault.BadClaims)]
    [InlineData("\"iat\":${now},\"nbf\":${now},\"exp\":${now}", TokenFault.BadClaims)]          // ends as it begins
    [InlineData("\"iat\":${now},\"nbf\":${now},\"exp\":${now+1}", null)]
    [InlineData("\"iat\":${now+1},\"nbf\":${now},\"exp\":${now}", TokenFault.BadClaims)]
    [InlineData("\"iat\":0,\"nbf\":${now},\"exp\":${now+60}", TokenFault.BadClaims)]            // longer than any of ours lives
    [InlineData("\"iat\":${now},\"nbf\":${now},\"exp\":${now+172800}", null)]
    [InlineData("\"iat\":${now},\"nbf\":${now},\"exp\":${now+172801}", TokenFault.BadClaims)]
    [InlineData("\"iat\":-1,\"nbf\":0,\"exp\":0", TokenFault.BadClaims)]
    [InlineData("\"iat\":${now},\"nbf\":-1,\"exp\":${now+60}", TokenFault.BadClaims)]
    [InlineData("\"iat\":${now},\"nbf\":null,\"exp\":${now+60}", TokenFault.BadClaims)]
    [InlineData("\"iat\":${now},\"nbf\":\"0\",\"exp\":${now+60}", TokenFault.BadClaims)]
    [InlineData("\"iat\":-9223372036854775808,\"nbf\":${now},\"exp\":${now+60}", TokenFault.BadClaims)]
    [InlineData("\"iat\":${now},\"nbf\":${now},\"exp\":-9223372036854775808", TokenFault.BadClaims)]
    [InlineData("\"iat\":${now},\"nbf\":${now},\"exp\":253402300799", TokenFault.BadClaims)]    // the last second there is, and one after it
    [InlineData("\"iat\":${now},\"nbf\":${now},\"exp\":253402300800", TokenFault.BadClaims)]
    [InlineData("\"iat\":253402300799,\"nbf\":${now},\"exp\":253402300799", TokenFault.NotYetValid)]
    [InlineData("\"iat\":253402300800,\"nbf\":${now},\"exp\":253402300799", TokenFault.BadClaims)]
    [InlineData("\"iat\":0,\"nbf\":0,\"exp\":0", TokenFault.Expired)]
    [InlineData("\"iat\":${now}.5,\"nbf\":${now},\"exp\":${now+60}", TokenFault.BadClaims)]
    [InlineData("\"iat\":\"${now}\",\"nbf\":${now},\"exp\":${now+60}", TokenFault.BadClaims)]
    [InlineData("\"nbf\":${now},\"exp\":${now+60}", TokenFault.BadClaims)]
    [InlineData("\"iat\":${now},\"nbf\":${now}", TokenFault.BadClaims)]
    public async Task Times_are_whole_seconds_in_their_order(string times, TokenFault? fault) => await AssertAsync(Short + times + "${more}}", fault);

    [Theory]
    [InlineData("\"iss\":\"${iss}\",", TokenFault.BadClaims), InlineData("\"aud\":\"${aud}\",", TokenFault.BadClaims)]
    [InlineData("\"sub\":\"${sub}\",", TokenFault.BadClaims), InlineData("\"jti\":\"${jti}\",", TokenFault.BadClaims), InlineData("${more}", TokenFault.BadClaims)]
    public async Task Each_claim_has_to_be_there(string claim, TokenFault? fault) =>
        await AssertAsync(TokenForge.ValidPayload.Replace(claim, "", StringComparison.Ordinal), fault);

    [Theory]
    [InlineData("\"${jti}\"", "\"a\"", null), InlineData("\"${jti}\"", "\"\"", TokenFault.BadClaims), InlineData("\"${jti}\"", "\"a b\"", TokenFault.BadClaims)]
    [InlineData("\"${jti}\"", "7", TokenFault.BadClaims), InlineData("\"${sub}\"", "\"exec_1\"", TokenFault.BadClaims), InlineData("\"${sub}\"", "7", TokenFault.BadClaims)]
    [InlineData("\"tenant-1\"", "\"tenant-0\"", TokenFault.BadClaims), InlineData("\"tenant-1\"", "1", TokenFault.BadClaims)]
    [InlineData("\"${iss}\"", "7", TokenFault.BadClaims), InlineData("\"${aud}\"", "[\"${aud}\"]", TokenFault.BadClaims)]
    [InlineData("\"${iss}\"", "\"${iss}/\"", TokenFault.Untrusted), InlineData("\"${aud}\"", "\"${aud}/\"", TokenFault.Untrusted)]
    public async Task Each_claim_is_what_it_should_be(string claim, string other, TokenFault? fault) => await AssertAsync(
        TokenForge.ValidPayload.Replace("${more}", ",\"tenant_id\":\"tenant-1\"", StringComparison.Ordinal).Replace(claim, other, StringComparison.Ordinal), fault);

    [Theory]
    [InlineData(64, null), InlineData(65, TokenFault.BadClaims)]
    public async Task A_tokens_id_has_sixty_four_characters_at_most(int length, TokenFault? fault) =>
        await AssertAsync(TokenForge.ValidPayload.Replace("${jti}", new('a', length), StringComparison.Ordinal), fault);

    [Theory]
    [InlineData(TokenForge.ValidHeader, null)]
    [InlineData("[]", TokenFault.Malformed), InlineData("\"ES256\"", TokenFault.Malformed), InlineData("5", TokenFault.Malformed), InlineData("{", TokenFault.Malformed)]
    [InlineData("""{"alg":"ES256","typ":"${typ}"}""", TokenFault.Malformed), InlineData("""{"alg":"ES256","kid":"${kid}"}""", TokenFault.Malformed)]
    [InlineData("""{"typ":"${typ}","kid":"${kid}"}""", TokenFault.Malformed), InlineData("""{"alg":"ES256","typ":"${typ}","kid":"${kid}","x":1}""", TokenFault.Malformed)]
    [InlineData("""{"alg":"ES256","typ":5,"kid":"${kid}"}""", TokenFault.Malformed), InlineData("""{"alg":"ES256","typ":"${typ}","kid":5}""", TokenFault.Malformed)]
    [InlineData("""{"alg":"ES384","typ":"${typ}","kid":"${kid}"}""", TokenFault.Malformed), InlineData("""{"alg":"ES256","typ":"${typ}","kid":"short"}""", TokenFault.Malformed)]
    [InlineData("""{"alg":"ES256","typ":"dispatch+jwt","kid":"${kid}"}""", TokenFault.WrongType)]
    public async Task A_header_is_an_object_of_three_members(string header, TokenFault? fault)
    {
        using var forge = await TokenForge.CreateAsync();
        await AssertAsync(forge, forge.Build(header, TokenForge.ValidPayload), fault);
    }

    [Theory]
    [InlineData(8192, null), InlineData(8194, TokenFault.Malformed)]         // no text in base64url makes it 8193
    public async Task A_token_has_so_many_characters_at_most(int length, TokenFault? fault)
    {
        using var forge = await TokenForge.CreateAsync();
        var token = "";
        for (var more = 5_700; token.Length < length; more++)
            token = forge.Build(TokenForge.ValidHeader, TokenForge.ValidPayload.Insert(1, $"\"x\":\"{new string('A', more)}\","));
        Assert.Equal(length, token.Length);
        await AssertAsync(forge, token, fault);
    }

    [Theory]
    [InlineData("", true), InlineData("QQ", true), InlineData("QUI", true), InlineData("QUJD", true), InlineData("-_8", true)]
    [InlineData("Q", false), InlineData("QR", false), InlineData("QUJ", false), InlineData("QQ==", false), InlineData("+/8", false), InlineData("Q Q", false)]
    public void Base64url_has_one_spelling(string text, bool isOne) =>
        Assert.Equal(isOne ? text : null, CompactToken.Decode(text) is { } bytes ? Base64Url.EncodeToString(bytes) : null);

    private const string X = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", Y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";      // RFC 7515 A.3

    [Theory]
    [InlineData("", true), InlineData(",\"use\":\"sig\",\"alg\":\"ES256\",\"key_ops\":[\"verify\"]", true), InlineData(",\"key_ops\":[1,\"sign\",\"verify\"]", true)]
    [InlineData(",\"use\":\"enc\"", false), InlineData(",\"use\":5", false), InlineData(",\"alg\":\"ES384\"", false), InlineData(",\"alg\":null", false)]
    [InlineData(",\"key_ops\":[\"sign\"]", false), InlineData(",\"key_ops\":[]", false), InlineData(",\"key_ops\":\"verify\"", false)]
    [InlineData(",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"", false)]               // who shows the private half has lost it
    public void A_key_that_says_it_is_for_something_else_is_none(string more, bool isTaken) =>
        AssertKey(isTaken, $$"""{"kty":"EC","crv":"P-256","x":"{{X}}","y":"{{Y}}"{{more}}}""");

    [Theory]
    [InlineData("EC", "P-256", X, Y, true), InlineData("RSA", "P-256", X, Y, false), InlineData("EC", "P-384", X, Y, false), InlineData("EC", "P-256", X, X, false)]
    [InlineData("EC", "P-256", "AA", Y, false), InlineData("EC", "P-256", X, "AA", false), InlineData("EC", "P-256", X + "=", Y, false), InlineData("EC", "P-256", X, "", false)]
    public void A_key_is_a_point_of_P_256(string type, string curve, string x, string y, bool isTaken) =>
        AssertKey(isTaken, $$"""{"kty":"{{type}}","crv":"{{curve}}","x":"{{x}}","y":"{{y}}"}""");

    [Theory]
    [InlineData("""{"crv":"P-256","x":"X","y":"Y"}"""), InlineData("""{"kty":"EC","crv":"P-256","y":"Y"}"""), InlineData("""{"kty":"EC","crv":"P-256","x":"X"}""")]
    [InlineData("""{"kty":5,"crv":"P-256","x":"X","y":"Y"}"""), InlineData("""{"kty":"EC","crv":"P-256","x":5,"y":"Y"}""")]
    public void Every_member_of_it_has_to_be_there(string jwk) =>
        AssertKey(false, jwk.Replace("\"X\"", $"\"{X}\"", StringComparison.Ordinal).Replace("\"Y\"", $"\"{Y}\"", StringComparison.Ordinal));

    private static void AssertKey(bool isTaken, string jwk)
    {
        Assert.Equal(isTaken, PublicKey.TryImport(JsonElement.Parse(jwk), out var key));
        Assert.Equal(isTaken, key is not null);
        if (key is null)
            return;
        Assert.Equal(
            $$"""{"keys":[{"kty":"EC","crv":"P-256","x":"{{X}}","y":"{{Y}}","kid":"{{key.Id}}","use":"sig","alg":"ES256"}]}""", JwkSet.Write([key]));
        Assert.Equal($"{key.Id}", $"{key}");
    }

    private static async Task AssertAsync(string payload, TokenFault? fault)
    {
        using var forge = await TokenForge.CreateAsync();
        await AssertAsync(forge, forge.Build(TokenForge.ValidHeader, payload), fault);
    }

    private static async Task AssertAsync(TokenForge forge, string token, TokenFault? fault)
    {
        var check = await forge.Verifier.VerifyAsync(token, TestContext.Current.CancellationToken);
        if (fault is { } expected)
            Assert.Equal(new TokenCheck.Rejected(expected), check);
        else
            Assert.IsType<TokenCheck.Verified>(check);
    }
}
