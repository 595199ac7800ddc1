using System.Buffers;
using System.Text;
using System.Text.Json;

namespace ControlPlane.Tokens;

/// <summary>Public keys as a JSON Web Key Set (RFC 7517 §5).</summary>
public static class JwkSet
{
    /// <summary>How long a set may be cached. With the age of a secret in memory it stays within <see cref="RootSecret.PublishFirst"/>.</summary>
    public static readonly TimeSpan MaximumAge = TimeSpan.FromMinutes(5);

    public static string Write(IEnumerable<PublicKey> keys)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("keys");
            foreach (var key in keys)
                key.WriteTo(json);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
