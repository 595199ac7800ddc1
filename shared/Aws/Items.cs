using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Text;

namespace ControlPlane.Aws;

/// <summary>Attribute values both ways. What an item is called and made of is said beside the store that keeps it.</summary>
internal static class Items
{
    public static Item Key(string pk, string sk) => new() { ["pk"] = Text(pk), ["sk"] = Text(sk) };

    public static AttributeValue Text(string value) => new() { S = value };

    public static AttributeValue Number(long value) => new() { N = value.ToString(CultureInfo.InvariantCulture) };

    public static AttributeValue Flag(bool value) => new() { BOOL = value };

    public static AttributeValue Bytes(ReadOnlySpan<byte> value) => new() { B = new MemoryStream(value.ToArray(), writable: false) };

    public static AttributeValue Time(DateTimeOffset value) => Text(Rfc3339.Format(value));

    /// <summary>Unix seconds, rounded up: what TTL and the sweeper's index compare.</summary>
    public static AttributeValue Second(DateTimeOffset value) => Number((value.ToUnixTimeMilliseconds() + 999) / 1000);

    public static AttributeValue Json<T>(T value, JsonTypeInfo<T> type) => Text(JsonSerializer.Serialize(value, type));

    extension(Item item)
    {
        public string RequiredText(string name) => item.OptionalText(name) ?? throw Missing(name);

        public string? OptionalText(string name) => item.TryGetValue(name, out var value) ? value.S ?? throw Mistyped(name, "a text") : null;

        public bool IsText(string name) => item.TryGetValue(name, out var value) && value.S is not null;

        public long RequiredNumber(string name) => item.OptionalNumber(name) ?? throw Missing(name);

        /// <remarks>Parsed as an integer: numbers in tables are exact up to 38 digits, a double would not be.</remarks>
        public long? OptionalNumber(string name)
        {
            if (!item.TryGetValue(name, out var value))
                return null;
            return long.TryParse(value.N, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                ? number
                : throw Mistyped(name, "a whole number");
        }

        public bool HasFlag(string name) => item.TryGetValue(name, out var value) && (value.BOOL ?? throw Mistyped(name, "true or false"));

        public byte[] RequiredBytes(string name) =>
            item.TryGetValue(name, out var value) ? value.B?.ToArray() ?? throw Mistyped(name, "bytes") : throw Missing(name);

        public DateTimeOffset RequiredTime(string name) => item.OptionalTime(name) ?? throw Missing(name);

        public DateTimeOffset? OptionalTime(string name) =>
            item.OptionalText(name) is not { } text ? null : Rfc3339.TryParse(text, out var time) ? time : throw Mistyped(name, "a time");

        /// <returns>An empty list when there is none.</returns>
        public IReadOnlyList<string> Texts(string name) =>
            item.TryGetValue(name, out var value)
                ? [.. (value.L ?? throw Mistyped(name, "a list")).Select(one => one.S ?? throw Mistyped(name, "a list of texts"))]
                : [];

        public T? OptionalJson<T>(string name, JsonTypeInfo<T> type) where T : class
        {
            try
            {
                return item.OptionalText(name) is { } text ? JsonSerializer.Deserialize(text, type) : null;
            }
            catch (JsonException)
            {
                throw Mistyped(name, "JSON of its kind");
            }
        }

        /// <summary>Whether the item's TTL has passed. DynamoDB removes such items only days later.</summary>
        public bool IsExpiredAt(DateTimeOffset now) => item.OptionalNumber("expires_at") is { } end && now.ToUnixTimeSeconds() >= end;
    }

    // Never read as if it were not there: a default in its place would be believed.
    private static InvalidDataException Mistyped(string name, string expected) => new($"An item's attribute '{name}' is not {expected}.");

    private static InvalidDataException Missing(string name) => new($"An item lacks its attribute '{name}'.");
}
