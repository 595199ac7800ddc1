using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace ControlPlane.Sidecar;

/// <summary>What a signed identity is bound to, so that nobody else can use it.</summary>
internal static class AwsChallenge
{
    public static string Of(SigningKey key, string tenant, string instance) =>
        Base64Url.EncodeToString(SHA256.HashData([.. key.PublicKey, .. Encoding.ASCII.GetBytes(tenant + instance)]));
}

/// <summary>The credentials of this EC2 instance's role, from its metadata service.</summary>
/// <remarks>https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html, version 2 alone.</remarks>
internal sealed record InstanceCredentials(string AccessKeyId, string SecretAccessKey, string Token, string Region)
{
    private const string Body = "Action=GetCallerIdentity&Version=2011-06-15";

    /// <summary>As the AWS tools name it, for machines whose metadata service is elsewhere.</summary>
    private static Uri Endpoint => new(Environment.GetEnvironmentVariable("AWS_EC2_METADATA_SERVICE_ENDPOINT") ?? "http://169.254.169.254");

    /// <exception cref="HttpRequestException">There is no such service, or the instance has no role.</exception>
    public static async Task<InstanceCredentials> ReadAsync(CancellationToken stop)
    {
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(2) })
        {
            BaseAddress = Endpoint,
            Timeout = TimeSpan.FromSeconds(5),
            MaxResponseContentBufferSize = 64 * 1024,
        };
        using var session = new HttpRequestMessage(HttpMethod.Put, "/latest/api/token");
        session.Headers.TryAddWithoutValidation("X-aws-ec2-metadata-token-ttl-seconds", "60");
        using var answer = await http.SendAsync(session, stop);
        answer.EnsureSuccessStatusCode();
        http.DefaultRequestHeaders.TryAddWithoutValidation("X-aws-ec2-metadata-token", await answer.Content.ReadAsStringAsync(stop));

        const string roles = "/latest/meta-data/iam/security-credentials/";
        var role = (await http.GetStringAsync(roles, stop)).Split('\n')[0].Trim();
        var region = (await http.GetStringAsync("/latest/meta-data/placement/region", stop)).Trim();
        using var credentials = JsonDocument.Parse(await http.GetByteArrayAsync(roles + role, stop));
        string Of(string name) => credentials.RootElement.GetProperty(name).GetString()!;
        return new(Of("AccessKeyId"), Of("SecretAccessKey"), Of("Token"), region);
    }

    /// <summary>A request to STS that says who this machine is, as HTTP text for somebody else to send.</summary>
    /// <remarks>Signature Version 4: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html</remarks>
    public string SignCallerIdentity(DateTimeOffset now, string challenge)
    {
        var date = now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var scope = $"{date[..8]}/{Region}/sts/aws4_request";
        (string Name, string Value)[] headers =                     // in the order in which they are signed
        [
            ("content-type", "application/x-www-form-urlencoded"), ("host", $"sts.{Region}.amazonaws.com"), ("x-amz-date", date),
            ("x-amz-security-token", Token), ("x-cp-challenge", challenge),
        ];
        var names = string.Join(';', headers.Select(header => header.Name));
        var canonical = $"POST\n/\n\n{string.Concat(headers.Select(header => $"{header.Name}:{header.Value}\n"))}\n{names}\n{Hash(Body)}";
        var key = scope.Split('/').Aggregate(Encoding.ASCII.GetBytes("AWS4" + SecretAccessKey), Hmac);
        var signature = Convert.ToHexStringLower(Hmac(key, $"AWS4-HMAC-SHA256\n{date}\n{scope}\n{Hash(canonical)}"));
        return $"POST / HTTP/1.1\r\n{string.Concat(headers.Select(header => $"{header.Name}: {header.Value}\r\n"))}"
            + $"authorization: AWS4-HMAC-SHA256 Credential={AccessKeyId}/{scope}, SignedHeaders={names}, Signature={signature}\r\n\r\n{Body}";
    }

    public override string ToString() => AccessKeyId;

    private static byte[] Hmac(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(text));

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text)));
}
