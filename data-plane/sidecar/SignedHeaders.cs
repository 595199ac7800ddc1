using System.Globalization;
using System.Text;

namespace ControlPlane.Sidecar;

/// <summary>What makes a request of this machine one that only it can have made.</summary>
/// <remarks>Standard Webhooks 1.0, <c>v1a</c>: https://github.com/standard-webhooks/standard-webhooks</remarks>
internal static class SignedHeaders
{
    /// <param name="id">Of the request, the same at each attempt.</param>
    /// <param name="now">The time of this attempt.</param>
    public static IEnumerable<(string Name, string Value)> Of(string id, DateTimeOffset now, byte[] body, IReadOnlyList<SigningKey> keys)
    {
        var timestamp = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        byte[] signed = [.. Encoding.ASCII.GetBytes($"{id}.{timestamp}."), .. body];
        yield return ("webhook-id", id);
        yield return ("webhook-timestamp", timestamp);
        yield return ("webhook-signature", string.Join(' ', keys.Select(key => "v1a," + Convert.ToBase64String(key.Sign(signed)))));
        yield return ("x-dp-key-id", string.Join(',', keys.Select(key => key.KeyId)));
    }
}
