using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Amazon.Lambda.ApplicationLoadBalancerEvents;
using Amazon.Lambda.Serialization.SystemTextJson;
using ControlPlane.AdminPanel;
using ControlPlane.Aws;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.AdminPanel;

/// <summary>Who is let in: whom the load balancer vouches for in the one way that it does, and nobody else.</summary>
public sealed class IdentityTests(LocalCloud cloud)
{
    private static readonly JsonObject Claims = new() { ["sub"] = "jane", ["groups"] = new JsonArray("ops") };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("""{"sub":"jane","groups":["all","ops"]}""", "operator"), InlineData("""{"sub":"jane","groups":["all"]}""", "viewer")]
    [InlineData("""{"sub":"jane","groups":"ops"}""", "operator"), InlineData("""{"sub":"jane","email":"boss@example.com","groups":["all"]}""", "operator")]
    public async Task Whom_the_load_balancer_vouches_for_is_let_in_with_the_highest_of_their_roles(string claims, string role)
    {
        await using var panel = await PanelFixture.StartEmptyAsync(cloud);
        var token = SigningBalancer.Sign(panel.Balancer.Header(panel.Now.AddMinutes(2)).ToJsonString(), claims, panel.Balancer.Key);
        Assert.Equal(3, token.Split('.').Length);
        Assert.EndsWith("==", token, StringComparison.Ordinal);

        var answer = await AskAsync(panel, token);

        Assert.Equal(200, answer.Status);
        Assert.Contains($"· {role}</span>", answer.Text, StringComparison.Ordinal);
        Assert.Contains("panel_answered", Assert.Single(panel.Log), StringComparison.Ordinal);
    }

    public static TheoryData<string, int, string> Refused => new()
    {
        { "no header", 401, "header-missing" },
        { "header twice", 401, "header-repeated" },
        { "header twice in two cases", 401, "header-repeated" },
        { "over-long", 401, "header-long" },
        { "empty", 401, "malformed" },
        { "a word", 401, "malformed" },
        { "two parts", 401, "malformed" },
        { "four parts", 401, "malformed" },
        { "unpadded", 401, "malformed" },
        { "doubly padded", 401, "malformed" },
        { "a blank before", 401, "malformed" },
        { "a blank behind", 401, "malformed" },
        { "a line feed within", 401, "malformed" },
        { "standard alphabet", 401, "malformed" },
        { "alg none", 401, "malformed" },
        { "alg none with a signature", 401, "algorithm" },
        { "alg HS256 by the public key", 401, "malformed" },
        { "alg ES384", 401, "malformed" },
        { "alg ES384 named", 401, "algorithm" },
        { "alg in other case", 401, "algorithm" },
        { "a header of two readings", 401, "algorithm" },
        { "a header of half a character", 401, "algorithm" },
        { "foreign signer", 401, "signer" },
        { "no signer", 401, "signer" },
        { "other client", 401, "client" },
        { "other issuer", 401, "client" },
        { "expired this second", 401, "expired" },
        { "expired long ago", 401, "expired" },
        { "no expiry", 401, "expired" },
        { "expiry as text", 401, "expired" },
        { "no kid", 401, "key-id" },
        { "kid with a slash", 401, "key-id" },
        { "kid of dots", 401, "key-id" },
        { "kid with a percent sign", 401, "key-id" },
        { "kid with a line feed behind", 401, "key-id" },
        { "kid of 65 characters", 401, "key-id" },
        { "kid unknown", 401, "key-unknown" },
        { "forged signature", 401, "signature" },
        { "claims changed", 401, "signature" },
        { "signed by another key", 401, "signature" },
        { "signature in DER", 401, "malformed" },
        { "no claims", 401, "claims" },
        { "claims without sub", 401, "claims" },
        { "empty sub", 401, "claims" },
        { "sub as number", 401, "claims" },
        { "sub of 256 characters", 401, "claims" },
        { "no role", 403, "jane" },
        { "role in other case", 403, "jane" },
        { "groups as an object", 403, "jane" },
    };

    [Theory, MemberData(nameof(Refused))]
    public async Task Everybody_else_is_refused_with_one_line_in_the_log_and_no_look_into_any_table(string what, int status, string why)
    {
        await using var panel = await PanelFixture.StartAsync(cloud);
        var (before, calls) = (await panel.ContentAsync(), panel.Seam.Calls.Count);
        var headers = Forge(panel, what);

        var answer = await panel.SendAsync(Browser.Balanced("GET", "/tenants/tenant-7", headers, null));

        Assert.Equal(status, answer.Status);
        Assert.DoesNotContain("tenant-7", answer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("<nav", answer.Text, StringComparison.Ordinal);
        PageTests.IsGuarded(answer);
        var line = Assert.Single(panel.Log);
        Assert.Contains(status == 403 ? "panel_without_role" : "panel_not_let_in", line, StringComparison.Ordinal);
        Assert.Contains($"\"{why}\"", line, StringComparison.Ordinal);
        // A person without a role is no attack: the alarm is for whom the load balancer does not vouch for.
        Assert.Equal(status == 401, panel.LogText.Contains("PanelRefusals", StringComparison.Ordinal));
        Assert.Equal(calls, panel.Seam.Calls.Count);
        Assert.Equal(before, await panel.ContentAsync());
    }

    [Fact]
    public async Task One_second_before_its_end_a_token_is_good()
    {
        await using var panel = await PanelFixture.StartEmptyAsync(cloud);

        Assert.Equal(200, (await AskAsync(panel, panel.Balancer.Sign(panel.Balancer.Header(panel.Now.AddSeconds(1)), Copy(Claims)))).Status);
    }

    [Theory]
    [InlineData(500), InlineData(302), InlineData(0)]
    public async Task While_the_keys_cannot_be_had_everybody_is_told_to_try_again_and_the_next_request_does(int status)
    {
        await using var panel = await PanelFixture.StartEmptyAsync(cloud);
        if (status == 0)
            panel.Balancer.Keys[SigningBalancer.KeyId] = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----";
        else
            panel.Balancer.Status = status;

        var down = await panel.Operator().GetAsync("/tenants");

        Assert.Equal(503, down.Status);
        PageTests.IsGuarded(down);
        Assert.Empty(panel.Seam.Calls);
        Assert.Contains("panel_failed", Assert.Single(panel.Log), StringComparison.Ordinal);
        panel.Balancer.Keys[SigningBalancer.KeyId] = panel.Balancer.Key.ExportSubjectPublicKeyInfoPem();
        panel.Balancer.Status = 200;
        Assert.Equal(200, (await panel.Operator().GetAsync("/tenants")).Status);
    }

    [Fact]
    public async Task A_key_is_fetched_once_and_an_unknown_one_once_in_half_a_minute()
    {
        await using var panel = await PanelFixture.StartEmptyAsync(cloud);
        for (var i = 0; i < 5; i++)
            Assert.Equal(200, (await panel.Operator($"jane-{i}").GetAsync("/tenants")).Status);
        Assert.Equal([$"/{SigningBalancer.KeyId}"], panel.Balancer.Asked);

        var unknown = panel.Balancer.Header(panel.Now.AddMinutes(2));
        unknown["kid"] = "next-week";
        var token = panel.Balancer.Sign(unknown, Copy(Claims));
        Assert.Equal((401, 401), ((await AskAsync(panel, token)).Status, (await AskAsync(panel, token)).Status));
        Assert.Equal("/next-week", Assert.Single(panel.Balancer.Asked.Skip(1)));

        panel.Balancer.Keys["next-week"] = panel.Balancer.Key.ExportSubjectPublicKeyInfoPem();
        panel.Clock.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(200, (await AskAsync(panel, token)).Status);
    }

    [Theory]
    [InlineData("{}"), InlineData("null"), InlineData("[]"), InlineData("\"a bare string\""), InlineData("7"), InlineData("not JSON")]
    [InlineData("""{"version":"2.0","routeKey":"GET /","rawPath":"/tenants","headers":{"x-amzn-oidc-data":"a"},"requestContext":{"http":{"method":"GET","path":"/tenants"}}}""")]
    [InlineData("""{"httpMethod":"GET","path":"/tenants","multiValueHeaders":{"x-amzn-oidc-data":["a"]},"requestContext":{"resourcePath":"/tenants"}}""")]
    [InlineData("""{"requestContext":{"elb":{"targetGroupArn":"arn"}},"httpMethod":"GET","path":"/tenants","headers":{"x-amzn-oidc-data":"a"}}""")]
    [InlineData("""{"requestContext":{"elb":{"targetGroupArn":"arn"}},"httpMethod":"GET","path":"/tenants","multiValueHeaders":{"accept":null}}""")]
    [InlineData("""{"requestContext":{"elb":{"targetGroupArn":"arn"}},"httpMethod":"POST","path":"/tenants","multiValueHeaders":{},"body":"%","isBase64Encoded":true}""")]
    public async Task Whoever_invokes_the_function_directly_is_refused_with_one_line_in_the_log(string json)
    {
        await using var panel = await PanelFixture.StartEmptyAsync(cloud);
        var @event = new EventSerializer(new SourceGeneratorLambdaJsonSerializer<AdminPanelJson>())
            .Deserialize<ApplicationLoadBalancerRequest>(new MemoryStream(Encoding.UTF8.GetBytes(json)));

        var answer = await panel.SendAsync(@event);

        Assert.Contains(answer.Status, (int[])[400, 401]);
        PageTests.IsGuarded(answer);
        Assert.Single(panel.Log);
        Assert.Empty(panel.Seam.Calls);
    }

    private static Task<Answer> AskAsync(PanelFixture panel, string token) =>
        panel.SendAsync(Browser.Balanced("GET", "/tenants", new() { ["x-amzn-oidc-data"] = [token] }, null));

    private static Dictionary<string, IList<string>> Forge(PanelFixture panel, string what)
    {
        var (balancer, header, claims) = (panel.Balancer, panel.Balancer.Header(panel.Now.AddMinutes(2)), Copy(Claims));
        var good = balancer.Sign(header, claims);
        return what switch
        {
            "no header" => new(),
            "header twice" => new() { ["x-amzn-oidc-data"] = [good, good] },
            "header twice in two cases" => new() { ["x-amzn-oidc-data"] = [good], ["X-Amzn-Oidc-Data"] = [good] },
            _ => new() { ["x-amzn-oidc-data"] = [Token()] },
        };

        string Token() => what switch
        {
            "over-long" => balancer.Sign(header, With(claims, "more", new string('x', 16 * 1024))),
            "empty" => "",
            "a word" => "jane",
            "two parts" => good[..good.LastIndexOf('.')],
            "four parts" => $"{good}.{good.Split('.')[2]}",
            "unpadded" => good.Replace("=", "", StringComparison.Ordinal),
            "doubly padded" => $"{good}==",
            "a blank before" => $" {good}",
            "a blank behind" => $"{good} ",
            "a line feed within" => good.Insert(8, "\n"),
            "standard alphabet" => Standard(),
            "alg none" => $"{SigningBalancer.Part(Encoding.UTF8.GetBytes(With(header, "alg", "none").ToJsonString()))}.{good.Split('.')[1]}.",
            "alg none with a signature" => balancer.Sign(With(header, "alg", "none"), claims),
            "alg HS256 by the public key" => Hmac(),
            "alg ES384" => ByP384(),
            "alg ES384 named" => balancer.Sign(With(header, "alg", "ES384"), claims),
            "alg in other case" => balancer.Sign(With(header, "alg", "es256"), claims),
            "a header of two readings" => SigningBalancer.Sign(header.ToJsonString().Insert(1, "\"alg\":\"none\","), claims.ToJsonString(), balancer.Key),
            "a header of half a character" => SigningBalancer.Sign(header.ToJsonString().Insert(1, "\"x\":\"\\ud800\","), claims.ToJsonString(), balancer.Key),
            "foreign signer" => balancer.Sign(With(header, "signer", SigningBalancer.Arn.Replace("123456789012", "999999999999", StringComparison.Ordinal)), claims),
            "no signer" => balancer.Sign(With(header, "signer", null), claims),
            "other client" => balancer.Sign(With(header, "client", "another"), claims),
            "other issuer" => balancer.Sign(With(header, "iss", "https://login.example.com"), claims),
            "expired this second" => balancer.Sign(balancer.Header(panel.Now), claims),
            "expired long ago" => balancer.Sign(balancer.Header(panel.Now.AddDays(-1)), claims),
            "no expiry" => balancer.Sign(With(header, "exp", null), claims),
            "expiry as text" => balancer.Sign(With(header, "exp", "9999999999"), claims),
            "no kid" => balancer.Sign(With(header, "kid", null), claims),
            "kid with a slash" => balancer.Sign(With(header, "kid", $"a/{SigningBalancer.KeyId}"), claims),
            "kid of dots" => balancer.Sign(With(header, "kid", ".."), claims),
            "kid with a percent sign" => balancer.Sign(With(header, "kid", "%31"), claims),
            "kid with a line feed behind" => balancer.Sign(With(header, "kid", $"{SigningBalancer.KeyId}\n"), claims),
            "kid of 65 characters" => balancer.Sign(With(header, "kid", new string('1', 65)), claims),
            "kid unknown" => balancer.Sign(With(header, "kid", new string('1', 64)), claims),
            "forged signature" => $"{good[..good.LastIndexOf('.')]}.{SigningBalancer.Part(new byte[64])}",
            "claims changed" => $"{good.Split('.')[0]}.{SigningBalancer.Part(Encoding.UTF8.GetBytes(With(claims, "sub", "joan").ToJsonString()))}.{good.Split('.')[2]}",
            "signed by another key" => ByAnotherKey(),
            "signature in DER" => InDer(),
            "no claims" => SigningBalancer.Sign(header.ToJsonString(), "[]", balancer.Key),
            "claims without sub" => balancer.Sign(header, With(claims, "sub", null)),
            "empty sub" => balancer.Sign(header, With(claims, "sub", "")),
            "sub as number" => SigningBalancer.Sign(header.ToJsonString(), """{"sub":7,"groups":["ops"]}""", balancer.Key),
            "sub of 256 characters" => balancer.Sign(header, With(claims, "sub", new string('j', 256))),
            "no role" => balancer.Sign(header, With(claims, "groups", "guests")),
            "role in other case" => balancer.Sign(header, With(claims, "groups", "OPS")),
            "groups as an object" => SigningBalancer.Sign(header.ToJsonString(), """{"sub":"jane","groups":{"ops":true}}""", balancer.Key),
            _ => throw new ArgumentException(what, nameof(what)),
        };

        // A signature has so many characters that one of them is nearly always of those two.
        string Standard()
        {
            for (; ; )
                if (balancer.Sign(header, claims) is var token && token.Split('.')[2].AsSpan().ContainsAny('-', '_'))
                    return token.Replace('-', '+').Replace('_', '/');
        }

        string Hmac()
        {
            var signed = $"{SigningBalancer.Part(Encoding.UTF8.GetBytes(With(header, "alg", "HS256").ToJsonString()))}.{good.Split('.')[1]}";
            var secret = Encoding.ASCII.GetBytes(balancer.Keys[SigningBalancer.KeyId]);
            return $"{signed}.{SigningBalancer.Part(HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(signed)))}";
        }

        string ByP384()
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
            return balancer.Sign(With(header, "alg", "ES384"), claims, key);
        }

        string ByAnotherKey()
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            return balancer.Sign(header, claims, key);
        }

        string InDer()
        {
            var signed = good[..good.LastIndexOf('.')];
            var signature = balancer.Key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
            return $"{signed}.{SigningBalancer.Part(signature)}";
        }
    }

    /// <summary>A copy with one member made something else, or taken away.</summary>
    private static JsonObject With(JsonObject json, string member, string? value)
    {
        var other = Copy(json);
        other.Remove(member);
        if (value is not null)
            other[member] = value;
        return other;
    }

    private static JsonObject Copy(JsonObject json) => json.DeepClone().AsObject();
}
