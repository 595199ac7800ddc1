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
        public string RequiredText(string name) => item.TryGetValue(name, out var value) && value.S is { } text ? text : throw Missing(name);

        public string? OptionalText(string name) => item.TryGetValue(name, out var value) ? value.S : null;

        public long RequiredNumber(string name) => item.OptionalNumber(name) ?? throw Missing(name);

        /// <remarks>Parsed as an integer: numbers in tables are exact up to 38 digits, a double would not be.</remarks>
        public long? OptionalNumber(string name) => item.TryGetValue(name, out var value) && value.N is { } digits ? long.Parse(digits, CultureInfo.InvariantCulture) : null;

        public bool HasFlag(string name) => item.TryGetValue(name, out var value) && value.BOOL == true;

        public byte[] RequiredBytes(string name) => item.TryGetValue(name, out var value) && value.B is { } bytes ? bytes.ToArray() : throw Missing(name);

        public DateTimeOffset RequiredTime(string name) => Rfc3339.Parse(item.RequiredText(name));

        public DateTimeOffset? OptionalTime(string name) => item.OptionalText(name) is { } text ? Rfc3339.Parse(text) : null;

        public T? OptionalJson<T>(string name, JsonTypeInfo<T> type) where T : class =>
            item.OptionalText(name) is { } text ? JsonSerializer.Deserialize(text, type) : null;

        /// <summary>Whether the item's TTL has passed. DynamoDB removes such items only days later.</summary>
        public bool IsExpiredAt(DateTimeOffset now) => item.OptionalNumber("expires_at") is { } end && now.ToUnixTimeSeconds() >= end;
    }

    private static InvalidDataException Missing(string name) => new($"An item lacks its attribute '{name}'.");
}
