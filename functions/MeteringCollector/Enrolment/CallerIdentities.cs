using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Xml;
using ControlPlane.Metering;
using ControlPlane.Tenants;

namespace ControlPlane.MeteringCollector.Enrolment;

/// <summary>Who signed, as AWS says it.</summary>
/// <param name="Arn"><c>arn:aws:sts::222222222222:assumed-role/engine/i-0abc1234def567890</c></param>
internal sealed record CallerIdentity(string Account, string Arn)
{
    /// <summary>Whether it is this instance, under the tenant's role for engine hosts: EC2 names an instance's sessions by the instance's id.</summary>
    public bool Is(AwsIdentity expected, InstanceId instance) =>
        Account == expected.Account && Arn == $"arn:aws:sts::{expected.Account}:assumed-role/{expected.EngineRole}/{instance}";
}

/// <summary>Asks AWS STS who signed a request.</summary>
/// <param name="http">Follows no redirect, and gives up within <see cref="Patience"/>.</param>
internal sealed class CallerIdentities(HttpClient http)
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private const int LongestAnswer = 16 * 1024;

    public static HttpClient NewClient(HttpMessageHandler? handler = null) => new(handler ?? new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = TimeSpan.FromSeconds(2),
    })
    {
        Timeout = Patience,
        MaxResponseContentBufferSize = LongestAnswer,
    };

    /// <returns>Null when AWS does not confirm the signature.</returns>
    /// <exception cref="HttpRequestException">AWS has trouble of its own; so has the network when the call is given up.</exception>
    public async Task<CallerIdentity?> AskAsync(SignedCallerIdentity signed, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"https://{signed.Host}/")
        {
            Content = new ByteArrayContent(Encoding.ASCII.GetBytes(SignedCallerIdentity.Body)),
        };
        foreach (var (name, value) in signed.Headers)
            if (name == "content-type")
                request.Content.Headers.ContentType = MediaTypeHeaderValue.TryParse(value, out var type) ? type : null;
            else
                request.Headers.TryAddWithoutValidation(name, value);

        using var answer = await http.SendAsync(request, cancel);
        if ((int)answer.StatusCode >= 500 || answer.StatusCode == HttpStatusCode.TooManyRequests)
            throw new HttpRequestException($"STS answers {(int)answer.StatusCode}.", inner: null, answer.StatusCode);
        return answer.StatusCode == HttpStatusCode.OK ? Read(await answer.Content.ReadAsStringAsync(cancel)) : null;
    }

    // https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    private static CallerIdentity? Read(string text)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            using var xml = XmlReader.Create(new StringReader(text), new() { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            while (xml.Read())
                while (xml is { NodeType: XmlNodeType.Element, LocalName: "Account" or "Arn" })
                    found[xml.LocalName] = xml.ReadElementContentAsString();
        }
        catch (XmlException)
        {
            return null;
        }
        return found.TryGetValue("Account", out var account) && found.TryGetValue("Arn", out var arn) ? new(account, arn) : null;
    }
}
