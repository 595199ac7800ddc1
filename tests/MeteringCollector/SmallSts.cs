using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace ControlPlane.Tests.MeteringCollector;

/// <summary>AWS STS as far as <c>GetCallerIdentity</c> goes: it knows some credentials, and verifies Signature Version 4 over the request as it came.</summary>
/// <remarks>It stands below the client, so what it is asked is what would have left: each host is noted, and none but its own is answered.</remarks>
internal sealed class SmallSts(Func<DateTimeOffset> now) : HttpMessageHandler
{
    private readonly Dictionary<string, (string Secret, string? Token, string Account, string Arn)> _known = new(StringComparer.Ordinal);

    /// <summary>Host and port of everything that was asked, answered or not.</summary>
    public List<string> Asked { get; } = [];

    /// <summary>What it answers in place of a verdict.</summary>
    public HttpStatusCode? Trouble { get; set; }

    public AwsCredentials Issue(string account, string role, string session)
    {
        var credentials = new AwsCredentials($"ASIA{Convert.ToHexString(RandomNumberGenerator.GetBytes(8))}", Convert.ToBase64String(RandomNumberGenerator.GetBytes(30)),
            Convert.ToBase64String(RandomNumberGenerator.GetBytes(600)));
        _known[credentials.AccessKeyId] = (credentials.Secret, credentials.Token, account, $"arn:aws:sts::{account}:assumed-role/{role}/{session}");
        return credentials;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Asked.Add(request.RequestUri!.Authority);
        Assert.Equal("https", request.RequestUri.Scheme);
        if (Trouble is { } trouble)
            return new(trouble);
        var headers = request.Headers.Concat(request.Content!.Headers)
            .ToDictionary(header => header.Key.ToLowerInvariant(), header => string.Join(',', header.Value), StringComparer.Ordinal);
        headers["host"] = request.RequestUri.Authority;
        var body = await request.Content.ReadAsByteArrayAsync(cancellationToken);
        return Identity(request.Method.Method, request.RequestUri.PathAndQuery, headers, body) is { } who
            ? Answer(HttpStatusCode.OK, $"""
                <GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
                  <GetCallerIdentityResult><Arn>{who.Arn}</Arn><UserId>AROAEXAMPLE:{who.Arn.Split('/')[^1]}</UserId><Account>{who.Account}</Account></GetCallerIdentityResult>
                  <ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata>
                </GetCallerIdentityResponse>
                """)
            : Answer(HttpStatusCode.Forbidden, """
                <ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code></Error></ErrorResponse>
                """);
    }

    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, read from the end.
    private (string Account, string Arn)? Identity(string method, string path, Dictionary<string, string> headers, byte[] body)
    {
        if (!headers.TryGetValue("authorization", out var authorization) || !headers.TryGetValue("x-amz-date", out var date))
            return null;
        var parts = authorization["AWS4-HMAC-SHA256 ".Length..].Split(", ").Select(part => part.Split('=', 2)).ToDictionary(part => part[0], part => part[1]);
        var (credential, signed) = (parts["Credential"].Split('/', 2), parts["SignedHeaders"].Split(';'));
        if (!_known.TryGetValue(credential[0], out var known) || headers.GetValueOrDefault("x-amz-security-token") != known.Token)
            return null;
        var at = DateTimeOffset.ParseExact(date, "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        if ((now() - at).Duration() > TimeSpan.FromMinutes(15) || credential[1].Split('/')[0] != date[..8])
            return null;
        if (!signed.All(headers.ContainsKey) || !signed.Contains("host") || signed.SequenceEqual(signed.Order(StringComparer.Ordinal)) is false)
            return null;

        var canonical = string.Join('\n', [method, path, "", .. signed.Select(name => $"{name}:{headers[name].Trim()}"), "", string.Join(';', signed),
            Convert.ToHexStringLower(SHA256.HashData(body))]);
        var text = $"AWS4-HMAC-SHA256\n{date}\n{credential[1]}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(canonical)))}";
        var key = credential[1].Split('/')
            .Aggregate(Encoding.ASCII.GetBytes("AWS4" + known.Secret), (key, part) => HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(part)));
        return Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(text))) == parts["Signature"] ? (known.Account, known.Arn) : null;
    }

    private static HttpResponseMessage Answer(HttpStatusCode status, string xml) => new(status) { Content = new StringContent(xml, Encoding.UTF8, "text/xml") };
}

/// <summary>Credentials of a session, and requests signed with them, each part as a test wants it.</summary>
internal sealed record AwsCredentials(string AccessKeyId, string Secret, string Token)
{
    public const string Body = "Action=GetCallerIdentity&Version=2011-06-15";

    /// <summary>The request as its HTTP text.</summary>
    public string SignedRequest(DateTimeOffset at, string challenge, string region = "us-east-1", string? host = null, string body = Body, bool signsChallenge = true)
    {
        var date = at.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var headers = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["content-type"] = "application/x-www-form-urlencoded; charset=utf-8",
            ["host"] = host ?? $"sts.{region}.amazonaws.com",
            ["x-amz-date"] = date,
            ["x-amz-security-token"] = Token,
        };
        if (signsChallenge)
            headers["x-cp-challenge"] = challenge;
        var (signed, scope) = (string.Join(';', headers.Keys), $"{date[..8]}/{region}/sts/aws4_request");
        var canonical = $"POST\n/\n\n{string.Concat(headers.Select(header => $"{header.Key}:{header.Value}\n"))}\n{signed}\n{Hash(body)}";
        var key = scope.Split('/').Aggregate(Encoding.ASCII.GetBytes("AWS4" + Secret), (key, part) => HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(part)));
        var signature = Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes($"AWS4-HMAC-SHA256\n{date}\n{scope}\n{Hash(canonical)}")));
        headers["x-cp-challenge"] = challenge;
        headers["authorization"] = $"AWS4-HMAC-SHA256 Credential={AccessKeyId}/{scope}, SignedHeaders={signed}, Signature={signature}";
        headers["content-length"] = $"{body.Length}";
        return $"POST / HTTP/1.1\r\n{string.Concat(headers.Select(header => $"{header.Key}: {header.Value}\r\n"))}\r\n{body}";
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text)));
}
