using System.Text.Json;
using System.Text.Json.Serialization;

namespace ControlPlane.Text;

/// <summary>Text as a JSON value.</summary>
public static partial class JsonText
{
    public static JsonElement Of(string text) => JsonSerializer.SerializeToElement(text, Context.Default.String);

    [JsonSerializable(typeof(string))]
    private sealed partial class Context : JsonSerializerContext;
}
