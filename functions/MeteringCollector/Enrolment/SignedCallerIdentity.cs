using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using ControlPlane.MeteringCollector.Heartbeats;
using ControlPlane.Text;

namespace ControlPlane.MeteringCollector.Enrolment;

/// <summary>A request to AWS STS, <c>GetCallerIdentity</c>, that a machine signed with its own credentials and has us send: AWS answers who it is.</summary>
/// <remarks>
/// The header has it as base64 of the HTTP/1.1 request. It is taken in one form only, and none of its bytes decide where it goes but the region.
/// The challenge, which is signed with it, binds it to one key, tenant and instance, so that it is of no use to whoever sees it.
/// Signature Version 4: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
/// </remarks>
internal sealed partial class SignedCallerIdentity
{
    public const string Body = "Action=GetCallerIdentity&Version=2011-06-15";

    public const string ChallengeHeader = "x-cp-challenge";

    /// <summary>Of the header, in characters of base64. A session token takes most of it.</summary>
    public const int Longest = 8 * 1024;

    // What AWS needs to check the signature. Whatever else a client adds could mean something to somebody on the way.
    private static readonly string[] Known =
        ["host", "content-type", "content-length", "accept", "user-agent", "x-amz-date", "x-amz-security-token", ChallengeHeader, "authorization"];

    private static readonly string[] MustBeSigned = ["host", "x-amz-date", ChallengeHeader];

    private readonly Dictionary<string, string> _headers;

    private SignedCallerIdentity(Dictionary<string, string> headers, string region, DateTimeOffset signedAt) =>
        (_headers, Host, SignedAt) = (headers, $"sts.{region}.amazonaws.com", signedAt);

    /// <summary>Of AWS's regional STS, and of nobody else.</summary>
    public string Host { get; }

    public DateTimeOffset SignedAt { get; }

    /// <summary>The headers as they were signed, the host's aside.</summary>
    public IEnumerable<KeyValuePair<string, string>> Headers => _headers.Where(header => header.Key is not ("host" or "content-length"));

    /// <returns>False for what is not exactly such a request.</returns>
    public static bool TryRead(string text, [NotNullWhen(true)] out SignedCallerIdentity? identity)
    {
        identity = null;
        if (text.Length > Longest || StrictBase64.Decode(text) is not { } bytes || !bytes.All(IsPrintable))
            return false;
        var request = Encoding.ASCII.GetString(bytes);
        if (request.Split("\r\n\r\n", 2) is not [var head, Body] || head.Split("\r\n") is not ["POST / HTTP/1.1", .. var lines])
            return false;
        if (ReadHeaders(lines) is not { } headers || Scope().Match(headers["authorization"]) is not { Success: true } scope)
            return false;

        var region = scope.Groups["region"].Value;
        if (headers["host"] != $"sts.{region}.amazonaws.com" || MustBeSigned.Except(scope.Groups["signed"].Value.Split(';')).Any())
            return false;
        if (!DateTimeOffset.TryParseExact(
            headers["x-amz-date"], "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var signedAt))
            return false;
        identity = new(headers, region, signedAt);
        return true;
    }

    public bool IsFreshAt(DateTimeOffset now) => (now - SignedAt).Duration() <= HeartbeatSignature.Tolerance;

    /// <summary>Whether it was made for this key, tenant and instance.</summary>
    public bool Answers(Applicant applicant) => _headers[ChallengeHeader] == ChallengeOf(applicant);

    private static bool IsPrintable(byte one) => one is (>= (byte)' ' and <= (byte)'~') or (byte)'\r' or (byte)'\n';

    private static string ChallengeOf(Applicant applicant) =>
        Base64Url.EncodeToString(SHA256.HashData([.. applicant.PublicKey, .. Encoding.ASCII.GetBytes($"{applicant.Tenant}{applicant.Instance}")]));

    private static Dictionary<string, string>? ReadHeaders(string[] lines)
    {
        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in lines)
        {
            if (line.Split(':', 2) is not [var name, var value])
                return null;
            name = name.ToLowerInvariant();
            if (!Known.Contains(name) || !headers.TryAdd(name, value.Trim()))
                return null;
        }
        return MustBeSigned.Append("authorization").All(headers.ContainsKey) ? headers : null;
    }

    [GeneratedRegex(
        @"\AAWS4-HMAC-SHA256 Credential=[A-Z0-9]{16,128}/[0-9]{8}/(?<region>[a-z]{2}(-[a-z]{2,10}){1,2}-[0-9])/sts/aws4_request, ?"
        + @"SignedHeaders=(?<signed>[a-z0-9-]+(;[a-z0-9-]+)*), ?Signature=[0-9a-f]{64}\z")]
    private static partial Regex Scope();
}
