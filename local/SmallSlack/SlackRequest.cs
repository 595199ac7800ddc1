using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace ControlPlane.Local.SmallSlack;

/// <summary>Requests as Slack makes them: a body, signed with the app's secret.</summary>
/// <remarks>https://docs.slack.dev/authentication/verifying-requests-from-slack</remarks>
internal static class SlackRequest
{
    public const string FormType = "application/x-www-form-urlencoded";

    public static byte[] Form(IEnumerable<KeyValuePair<string, string>> fields) => Encoding.ASCII.GetBytes(
        string.Join('&', fields.Select(field => $"{field.Key}={Uri.EscapeDataString(field.Value).Replace("%20", "+", StringComparison.Ordinal)}")));

    public static HttpRequestMessage Signed(Uri to, byte[] body, string contentType, string secret, DateTimeOffset now)
    {
        var second = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return new(HttpMethod.Post, to)
        {
            Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue(contentType) } },
            Headers =
            {
                { "x-slack-request-timestamp", second },
                { "x-slack-signature", Signature(secret, second, body) },
                { "user-agent", "Slackbot 1.0 (+https://api.slack.com/robots)" },
            },
        };
    }

    public static string Signature(string secret, string second, byte[] body) =>
        "v0=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), (byte[])[.. Encoding.ASCII.GetBytes($"v0:{second}:"), .. body]));
}
