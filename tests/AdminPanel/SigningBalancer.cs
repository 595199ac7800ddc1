using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.AdminPanel;

/// <summary>Signs <c>x-amzn-oidc-data</c> as a load balancer does, and serves its keys as the region does.</summary>
internal sealed class SigningBalancer : IAsyncDisposable
{
    public const string
        Arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/admin/1234567890abcdef",
        Client = "panel-client", Issuer = "https://login.example.com/", KeyId = "11111111-2222-3333-4444-555555555555";

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly LoopbackServer _server;
    private readonly ConcurrentQueue<string> _asked = new();

    public SigningBalancer()
    {
        Keys[KeyId] = _key.ExportSubjectPublicKeyInfoPem();
        _server = new(async (http, cancel) =>
        {
            var path = http.Request.Url!.AbsolutePath;
            _asked.Enqueue(path);
            var pem = Status == 200 ? Keys.GetValueOrDefault(path[1..]) : "trouble";
            http.Response.StatusCode = Status != 200 ? Status : pem is null ? 404 : 200;
            await http.Response.OutputStream.WriteAsync(Encoding.ASCII.GetBytes(pem ?? ""), cancel);
            http.Response.Close();
        });
    }

    /// <summary>By their ids, as PEM.</summary>
    public ConcurrentDictionary<string, string> Keys { get; } = new();

    /// <summary>What everything is answered with; 200 for what is there.</summary>
    public int Status { get; set; } = 200;

    public Uri KeysUrl => new($"http://{_server.Endpoint}");

    /// <summary>The paths that were asked for.</summary>
    public IReadOnlyList<string> Asked => [.. _asked];

    public JsonObject Header(DateTimeOffset expires) => new()
    {
        ["typ"] = "JWT",
        ["kid"] = KeyId,
        ["alg"] = "ES256",
        ["iss"] = Issuer,
        ["client"] = Client,
        ["signer"] = Arn,
        ["exp"] = expires.ToUnixTimeSeconds(),
    };

    /// <summary>Makes the token of somebody, valid for two minutes from then.</summary>
    public Func<DateTimeOffset, string> Of(string subject, string? mail, params string[] groups)
    {
        var claims = new JsonObject { ["sub"] = subject, ["groups"] = new JsonArray([.. groups.Select(group => JsonValue.Create(group))]) };
        if (mail is not null)
            claims["email"] = mail;
        return now => Sign(Header(now + TimeSpan.FromMinutes(2)), claims);
    }

    public string Sign(JsonObject header, JsonObject claims) => Sign(header.ToJsonString(), claims.ToJsonString(), _key);

    public string Sign(JsonObject header, JsonObject claims, ECDsa key) => Sign(header.ToJsonString(), claims.ToJsonString(), key);

    /// <remarks>Three parts of base64url, each padded, and the padding is signed with the rest.</remarks>
    public static string Sign(string header, string claims, ECDsa key)
    {
        var signed = $"{Part(Encoding.UTF8.GetBytes(header))}.{Part(Encoding.UTF8.GetBytes(claims))}";
        return $"{signed}.{Part(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }

    public ECDsa Key => _key;

    public static string Part(byte[] bytes) => Convert.ToBase64String(bytes).Replace('+', '-').Replace('/', '_');

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _key.Dispose();
    }
}
