using System.Text.Json;
using System.Text.Json.Serialization;

namespace Amazon.Lambda.Serialization.SystemTextJson.Converters;

/// <summary>Reads ISO 8601 text, or a number of seconds since the Unix epoch, or of milliseconds when seconds would lie beyond the year 5000.</summary>
public class DateTimeConverter : JsonConverter<DateTime>
{
    private const long SecondsUntilYear5000 = 157_753_180_800;

    public override DateTime Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String && reader.TryGetDateTime(out var date))
            return date;
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var whole))
            return whole > SecondsUntilYear5000 ? DateTime.UnixEpoch.AddMilliseconds(whole) : DateTime.UnixEpoch.AddSeconds(whole);
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out var seconds))
            return DateTime.UnixEpoch.AddSeconds(seconds);
        throw new JsonSerializerException($"Unknown data type for DateTime: {reader.TokenType}");
    }

    public override void Write(Utf8JsonWriter writer, DateTime value, JsonSerializerOptions options) => writer.WriteStringValue(value);
}
