using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ControlPlane.Text;

/// <summary>An id that is text of one shape: checked where it comes in, and a type from there on.</summary>
public interface ITextId<TSelf> where TSelf : struct, ITextId<TSelf>
{
    /// <summary>What it is, with its article: <c>a tenant id</c>.</summary>
    static abstract string Kind { get; }

    static abstract bool HasShape(string text);

    /// <param name="text">Of the shape.</param>
    static abstract TSelf Of(string text);
}

/// <summary>What all such ids do alike.</summary>
public static class TextId
{
    public static bool TryParse<T>([NotNullWhen(true)] string? text, out T id) where T : struct, ITextId<T>
    {
        var valid = text is not null && T.HasShape(text);
        id = valid ? T.Of(text!) : default;
        return valid;
    }

    /// <exception cref="FormatException"><paramref name="text"/> is no such id. The message does not quote it.</exception>
    public static T Parse<T>(string text) where T : struct, ITextId<T> => TryParse<T>(text, out var id) ? id : throw new FormatException($"That is not {T.Kind}.");

    /// <exception cref="InvalidOperationException">There is none: the id is its type's default, which names nothing.</exception>
    public static string Text<T>(string? value) where T : struct, ITextId<T> =>
        value ?? throw new InvalidOperationException($"default({typeof(T).Name}) is not {T.Kind}.");
}

/// <summary>Such an id as a JSON string.</summary>
public sealed class TextIdConverter<T> : JsonConverter<T> where T : struct, ITextId<T>
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && TextId.TryParse<T>(reader.GetString(), out var id) ? id : throw new JsonException($"That is not {T.Kind}.");

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
