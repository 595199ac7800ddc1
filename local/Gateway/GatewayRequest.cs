using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ControlPlane.Local.Gateway;

/// <summary>What a client sent, before it is put into an event.</summary>
/// <param name="RawPath">Still escaped.</param>
/// <param name="RawQuery">Still escaped, without the question mark.</param>
/// <param name="Headers">In the order of arrival, a repeated name once for each value.</param>
internal sealed record GatewayRequest(
    string Method, string RawPath, string RawQuery, string Protocol, IReadOnlyList<KeyValuePair<string, string>> Headers, byte[] Body, string SourceIp,
    string RequestId,
    DateTimeOffset At)
{
    public string? Header(string name) => Headers.FirstOrDefault(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    /// <summary>Whether AWS hands the body over as it is. Everything else becomes base64: forms among it.</summary>
    public bool IsText
    {
        get
        {
            var type = (Header("content-type") ?? "").Split(';')[0].Trim().ToLowerInvariant();
            return type.StartsWith("text/", StringComparison.Ordinal) || type is "application/json" or "application/javascript" or "application/xml";
        }
    }

    /// <summary>Decoded pairs, in order.</summary>
    public IEnumerable<KeyValuePair<string, string>> Query => RawQuery
        .Split('&', StringSplitOptions.RemoveEmptyEntries)
        .Select(pair => pair.Split('=', 2))
        .Select(pair => KeyValuePair.Create(Decode(pair[0]), pair.Length > 1 ? Decode(pair[1]) : ""));

    public static async Task<GatewayRequest> ReadAsync(HttpContext http, string sourceIp, DateTimeOffset at)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        var target = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?', 2);
        return new(
            http.Request.Method, target[0], target.Length > 1 ? target[1] : "", http.Request.Protocol,
            [.. http.Request.Headers.SelectMany(header => header.Value.Select(value => KeyValuePair.Create(header.Key, value ?? "")))],
            body.ToArray(), sourceIp, Guid.NewGuid().ToString(), at);
    }

    private static string Decode(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));
}
