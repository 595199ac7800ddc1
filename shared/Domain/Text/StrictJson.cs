using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace ControlPlane.Text;

/// <summary>JSON from outside, of which there is one reading only.</summary>
/// <remarks>Refused, beyond what the grammar forbids: two members of one name in an object, with and without case, wherever they are; nesting above 16;
/// integers that a double would not keep (<see cref="JsonInteger"/>); text that is not valid Unicode. Members that nobody asked for are ignored.</remarks>
public static class StrictJson
{
    public const int MaxDepth = 16;

    /// <returns>False for anything that is not this type's JSON; never an exception.</returns>
    public static bool TryParse<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type, [NotNullWhen(true)] out T? value) where T : class
    {
        value = null;
        try
        {
            if (HasOneReading(json))
                value = JsonSerializer.Deserialize(json, type);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Invalid UTF-8 and lone surrogates are noticed only when the text is read, as an InvalidOperationException.
        }
        return value is not null;
    }

    /// <summary>For what is read member by member.</summary>
    /// <returns>False for anything that is not a JSON object with one reading; never an exception.</returns>
    public static bool TryParseObject(ReadOnlySpan<byte> json, out JsonElement value)
    {
        value = default;
        try
        {
            if (HasOneReading(json))
                value = JsonElement.Parse(json, new JsonDocumentOptions { MaxDepth = MaxDepth });
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // As above.
        }
        return value.ValueKind == JsonValueKind.Object;
    }

    /// <inheritdoc cref="TryParseObject(ReadOnlySpan{byte}, out JsonElement)"/>
    public static bool TryParseObject(string json, out JsonElement value) => TryParseObject(Encoding.UTF8.GetBytes(json), out value);

    /// <returns>Null when the object has no such member, or it is no string.</returns>
    public static string? TextOf(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String
            ? member.GetString()
            : null;

    private static bool HasOneReading(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        var names = new Stack<HashSet<string>>();
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    names.Push(new(StringComparer.OrdinalIgnoreCase));
                    break;
                case JsonTokenType.EndObject:
                    names.Pop();
                    break;
                case JsonTokenType.PropertyName when !names.Peek().Add(reader.GetString()!):
                    return false;
                case JsonTokenType.String:
                    _ = reader.GetString();
                    break;
                case JsonTokenType.Number when IsInteger(reader.ValueSpan) && !(reader.TryGetInt64(out var number) && JsonInteger.Holds(number)):
                    return false;
            }
        }
        return true;
    }

    private static bool IsInteger(ReadOnlySpan<byte> number) => !number.ContainsAny((byte)'.', (byte)'e', (byte)'E');
}
