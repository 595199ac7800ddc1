using System.Text;
using System.Text.Json;
using ControlPlane.Tests.Support;
using ControlPlane.Text;
using ControlPlane.Tokens;
using CsCheck;

namespace ControlPlane.Tests.Tokens;

/// <summary>Tokens, signatures and keys that others published, and the project's own list of hostile tokens.</summary>
public class PublishedVectorsTests
{
    // Where the list leaves the choice: a token without nbf is taken, every other liberty is refused.
    private static readonly string[] Taken = ["T001", "T047"];

    [Fact]
    public async Task Every_hostile_outcome_token_comes_out_as_listed()
    {
        using var vectors = Vectors.Read("callback_token_cases.json");
        using var forge = await TokenForge.CreateAsync();
        var wrong = new List<string>();
        var count = 0;
        foreach (var one in vectors.RootElement.GetProperty("cases").EnumerateArray())
        {
            count++;
            var id = one.GetProperty("id").GetString()!;
            var token = forge.Build(
                one.GetProperty("header").GetString()!, one.GetProperty("payload").GetString()!, one.GetProperty("sign").GetString()!,
                one.TryGetProperty("text", out var text) ? text.GetString() : null);

            var isTaken = await forge.Verifier.VerifyAsync(token, Cancel) is TokenCheck.Verified;

            var expected = one.GetProperty("expect").GetString();
            if (isTaken != Taken.Contains(id) || expected == (isTaken ? "reject" : "accept"))
                wrong.Add($"{id} {one.GetProperty("name")}: {(isTaken ? "taken" : "refused")}");
        }
        Assert.Empty(wrong);
        Assert.Equal(112, count);
    }

    [Fact]
    public void Every_ES256_signature_of_Wycheproof_comes_out_as_listed()
    {
        using var vectors = Vectors.Read("wycheproof_ecdsa_secp256r1_sha256_p1363.json");
        var (wrong, count) = (new List<string>(), 0);
        foreach (var group in vectors.RootElement.GetProperty("testGroups").EnumerateArray())
        {
            using var key = Import(Jwk(group.GetProperty("publicKey").GetProperty("uncompressed").GetString()!));
            foreach (var test in group.GetProperty("tests").EnumerateArray())
            {
                count++;
                var (message, signature) = (Hex(test, "msg"), Hex(test, "sig"));
                if (message.Length == 0)
                    continue;                               // a token's signed bytes hold at least a dot; the library takes no empty ones
                var isValid = signature.Length > 0 && Es256.Verifies(key, message, signature);
                if (isValid != (test.GetProperty("result").GetString() == "valid"))
                    wrong.Add($"{test.GetProperty("tcId")} {test.GetProperty("comment")}");
            }
        }
        Assert.Empty(wrong);
        Assert.Equal(262, count);
    }

    [Fact]
    public void Every_P256_token_of_Wycheproof_comes_out_as_listed()
    {
        using var vectors = Vectors.Read("wycheproof_json_web_signature.json");
        var (wrong, count) = (new List<string>(), 0);
        foreach (var group in vectors.RootElement.GetProperty("testGroups").EnumerateArray())
        {
            if (!group.TryGetProperty("public", out var jwk) || !jwk.TryGetProperty("crv", out var curve) || !curve.ValueEquals("P-256"))
                continue;
            foreach (var test in group.GetProperty("tests").EnumerateArray())
            {
                count++;
                var isValid = PublicKey.TryImport(jwk, out var key)
                    && IsSignedBy(key, jwk.GetProperty("kid").GetString()!, test.GetProperty("jws").GetString()!);
                key?.Dispose();
                if (isValid != (test.GetProperty("result").GetString() == "valid"))
                    wrong.Add($"{test.GetProperty("tcId")} {test.GetProperty("comment")}");
            }
        }
        Assert.Empty(wrong);
        Assert.Equal(41, count);
    }

    [Fact]
    public async Task No_token_of_another_kind_of_key_is_an_outcome_token()
    {
        using var vectors = Vectors.Read("wycheproof_json_web_signature.json");
        using var forge = await TokenForge.CreateAsync();
        foreach (var test in vectors.RootElement.GetProperty("testGroups").EnumerateArray().SelectMany(group => group.GetProperty("tests").EnumerateArray()))
            Assert.IsType<TokenCheck.Rejected>(await forge.Verifier.VerifyAsync(test.GetProperty("jws").GetString()!, Cancel));
    }

    [Fact]
    public async Task The_tokens_of_the_RFCs_come_out_as_listed()
    {
        using var vectors = Vectors.Read("rfc_jose.json");
        using var forge = await TokenForge.CreateAsync();
        foreach (var one in vectors.RootElement.GetProperty("cases").EnumerateArray())
        {
            var jws = one.GetProperty("jws").GetString()!;
            Assert.StartsWith("reject", one.GetProperty("as_callback_token").GetString(), StringComparison.Ordinal);
            Assert.IsType<TokenCheck.Rejected>(await forge.Verifier.VerifyAsync(jws, Cancel));

            var isOurs = one.GetProperty("alg").ValueEquals("ES256");
            Assert.Equal(isOurs, one.GetProperty("jwk").ValueKind == JsonValueKind.Object && PublicKey.TryImport(one.GetProperty("jwk"), out _));
            if (!isOurs)
                continue;
            using var key = Import(one.GetProperty("jwk"));
            var parts = jws.Split('.');
            Assert.True(Es256.Verifies(key, Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), CompactToken.Decode(parts[2])!));
        }
    }

    [Fact]
    public async Task However_a_valid_token_is_damaged_it_is_refused_without_an_exception()
    {
        using var forge = await TokenForge.CreateAsync();
        var valid = forge.Build(TokenForge.ValidHeader, TokenForge.ValidPayload);
        var place = Gen.Int[0, valid.Length - 1];

        Gen.OneOf(
            Gen.Select(place, Gen.Char, (at, other) => valid[..at] + other + valid[(at + 1)..]),                // one character made another
            place.Select(at => valid[..at]),                                                                    // cut
            place.Select(at => valid.Remove(at, 1)),                                                            // one lost
            Gen.Select(place, Gen.Char, (at, other) => valid.Insert(at, other.ToString())),                     // one more
            Gen.Select(place, place, (from, to) => from < to ? valid.Insert(to, valid[from..to]) : valid + valid[to..from]))
            .Where(token => token != valid)
            .Sample(token => Check(forge, token) is TokenCheck.Rejected, iter: 20_000, threads: 1);

        static TokenCheck Check(TokenForge forge, string token)
        {
            var check = forge.Verifier.VerifyAsync(token, CancellationToken.None).AsTask();
            Assert.True(check.IsCompletedSuccessfully);     // everything it needs is in memory
            return check.GetAwaiter().GetResult();
        }
    }

    [Theory]
    [InlineData("""{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}""", true)]
    [InlineData("""{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","use":"sig","alg":"ES256","key_ops":["verify"]}""", true)]
    [InlineData("""{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","use":"enc"}""", false)]
    [InlineData("""{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","use":5}""",
        false)]
    [InlineData("""{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","key_ops":["sign"]}""", false)]
    [InlineData("""{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","alg":"ES384"}""", false)]
    // unused bits
    [InlineData("""{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1"}""", false)]
    // not on the curve
    [InlineData("""{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}""", false)]
    [InlineData("""{"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}""", false)]
    [InlineData("""{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}""", false)]
    [InlineData("""{"kty":"EC","crv":"P-384","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}""", false)]
    [InlineData("""{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}""", false)]
    [InlineData("""{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}""", false)]
    public void A_key_that_is_not_for_verifying_ES256_is_refused_when_it_is_read(string jwk, bool isKey)
    {
        using var document = JsonDocument.Parse(jwk);
        Assert.Equal(isKey, PublicKey.TryImport(document.RootElement, out var key));
        key?.Dispose();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Signature and shape as the verifier holds them; the published tokens have no type and other key ids, so those two are compared here.</summary>
    private static bool IsSignedBy(PublicKey key, string keyId, string jws)
    {
        if (jws.Split('.') is not [{ Length: > 0 } head, { Length: > 0 } body, { Length: 86 } tail] || CompactToken.Decode(tail) is not { } signature)
            return false;
        return CompactToken.Decode(head) is { } bytes
            && StrictJson.TryParseObject(bytes, out var header)
            && header.GetPropertyCount() == 2
            && StrictJson.TextOf(header, "alg") == TokenKinds.Algorithm
            && StrictJson.TextOf(header, "kid") == keyId
            && Es256.Verifies(key, Encoding.ASCII.GetBytes($"{head}.{body}"), signature);
    }

    private static PublicKey Import(JsonElement jwk) =>
        PublicKey.TryImport(jwk, out var key) ? key : throw new InvalidDataException("The vector's key was refused.");

    private static JsonElement Jwk(string uncompressed)
    {
        var point = Convert.FromHexString(uncompressed);
        var (x, y) = (System.Buffers.Text.Base64Url.EncodeToString(point.AsSpan(1, 32)), System.Buffers.Text.Base64Url.EncodeToString(point.AsSpan(33)));
        using var document = JsonDocument.Parse($$"""{"kty":"EC","crv":"P-256","x":"{{x}}","y":"{{y}}"}""");
        return document.RootElement.Clone();
    }

    private static byte[] Hex(JsonElement test, string name) => Convert.FromHexString(test.GetProperty(name).GetString()!);
}
