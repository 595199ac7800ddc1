using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace ControlPlane.Local.Panel;

/// <summary>Signs who somebody is as a load balancer does.</summary>
/// <remarks>The three parts are padded with <c>=</c>, and the signature covers that:
/// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html#user-claims-encoding</remarks>
internal sealed class BalancerSigner(TimeProvider clock) : IDisposable
{
    public const string Arn = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/local/0000000000000000";
    public const string Client = "local-panel";
    public const string Issuer = "https://sign-in.local";

    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(2);

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public string KeyId { get; } = Guid.NewGuid().ToString();

    public string PublicKey => _key.ExportSubjectPublicKeyInfoPem();

    /// <summary>The value of <c>x-amzn-oidc-data</c>.</summary>
    public string Sign(Person person)
    {
        var header = new JsonObject
        {
            ["typ"] = "JWT",
            ["kid"] = KeyId,
            ["alg"] = "ES256",
            ["iss"] = Issuer,
            ["client"] = Client,
            ["signer"] = Arn,
            ["exp"] = (clock.GetUtcNow() + Lifetime).ToUnixTimeSeconds(),
        };
        var claims = new JsonObject
        {
            ["sub"] = person.Subject,
            ["email"] = person.Mail,
            ["groups"] = new JsonArray([.. person.Groups.Select(group => JsonValue.Create(group))]),
        };
        var signed = $"{Part(Encoding.UTF8.GetBytes(header.ToJsonString()))}.{Part(Encoding.UTF8.GetBytes(claims.ToJsonString()))}";
        return $"{signed}.{Part(_key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }

    public void Dispose() => _key.Dispose();

    private static string Part(byte[] bytes) => Convert.ToBase64String(bytes).Replace('+', '-').Replace('/', '_');
}
