using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Local.Gateway;

/// <summary>A function's answer, as API Gateway passes it on.</summary>
internal static class GatewayAnswer
{
    /// <returns>False when this is no answer that API Gateway understands; nothing was written then.</returns>
    public static async Task<bool> WriteAsync(HttpContext http, byte[] payload)
    {
        try
        {
            using var answer = JsonDocument.Parse(payload);
            var json = answer.RootElement;
            if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty("statusCode", out var status) || !status.TryGetInt32(out var code))
                return false;

            var body = json.TryGetProperty("body", out var text) && text.ValueKind == JsonValueKind.String ? text.GetString()! : "";
            var isBase64 = json.TryGetProperty("isBase64Encoded", out var flag) && flag.ValueKind == JsonValueKind.True;
            var bytes = isBase64 ? text.GetBytesFromBase64() : Encoding.UTF8.GetBytes(body);

            http.Response.StatusCode = code;
            foreach (var (name, value) in Members(json, "headers"))
                http.Response.Headers[name] = value.ToString();
            foreach (var (name, values) in Members(json, "multiValueHeaders"))
                http.Response.Headers[name] = values.EnumerateArray().Select(value => value.ToString()).ToArray();
            if (json.TryGetProperty("cookies", out var cookies) && cookies.ValueKind == JsonValueKind.Array)
                http.Response.Headers.SetCookie = cookies.EnumerateArray().Select(cookie => cookie.ToString()).ToArray();
            if (bytes.Length > 0)
            {
                http.Response.ContentType ??= "application/json";
                await http.Response.Body.WriteAsync(bytes);
            }

            return true;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException) { return false; }
    }

    private static IEnumerable<(string Name, JsonElement Value)> Members(JsonElement of, string name) =>
        of.TryGetProperty(name, out var members) && members.ValueKind == JsonValueKind.Object
            ? members.EnumerateObject().Select(member => (member.Name, member.Value))
            : [];
}
