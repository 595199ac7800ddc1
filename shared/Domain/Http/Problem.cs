using System.Buffers;
using System.Text;
using System.Text.Json;

namespace ControlPlane.Http;

/// <summary>Why a machine's request was refused: RFC 9457 problem details, with a code to act on.</summary>
/// <param name="Code">Last part of the problem's type: <c>signature-invalid</c>.</param>
/// <param name="Detail">Fixed text: never anything of the request, a stack or another tenant.</param>
/// <param name="Retryable">Whether the same request can succeed later.</param>
/// <param name="RetryAfter">How long to wait; sent with 429 and 503.</param>
/// <param name="Extensions">Further members, such as the counter expected.</param>
public sealed record Problem(
    int Status, string Code, string Title, string Detail, bool Retryable = false, TimeSpan? RetryAfter = null, IReadOnlyDictionary<string,
    JsonElement>? Extensions = null)
{
    public static readonly Problem Malformed = new(400, "malformed", "Malformed request", "The body is not the JSON that this endpoint takes.");
    public static readonly Problem TooLarge = new(413, "too-large", "Body too large", "The body is larger than this endpoint takes.");
    public static readonly Problem UnsupportedMediaType = new(415, "unsupported-media-type", "Unsupported media type", "Send application/json, unencoded.");

    /// <summary>Our own trouble: nothing was half done, and the same request can be sent again.</summary>
    public static readonly Problem Unavailable = new(
        503, "unavailable", "Temporarily unavailable", "The request was not carried out. Send it again.", Retryable: true, RetryAfter: TimeSpan.FromSeconds(5));

    public const string MediaType = "application/problem+json";

    /// <param name="baseUrl">The control plane's URL; the problem's type is an identifier below it, with no page behind.</param>
    public string ToJson(Uri baseUrl, string requestId)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("type", new Uri(baseUrl, $"/problems/{Code}").ToString());
            json.WriteString("title", Title);
            json.WriteNumber("status", Status);
            json.WriteString("detail", Detail);
            json.WriteString("instance", requestId);
            json.WriteString("code", Code);
            json.WriteBoolean("retryable", Retryable);
            foreach (var (name, value) in Extensions ?? new Dictionary<string, JsonElement>())
            {
                json.WritePropertyName(name);
                value.WriteTo(json);
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
