using System.Buffers;
using System.Text.Json;

namespace ControlPlane.SlackHandler.Commands;

/// <summary>What follows <c>run</c>: the workflow, its inputs, and whether the channel may see the answer.</summary>
/// <param name="Inputs">A JSON object. Values of <c>key=value</c> are strings, a JSON object's values are its own; the catalogue's types are applied
/// later.</param>
internal sealed record RunArguments(string Workflow, JsonElement Inputs, bool IsPublic)
{
    public bool HasInputs => Inputs.EnumerateObject().Any();

    // Not StrictJson: what somebody typed is passed on as it is, numbers and names alike; the catalogue judges it.
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    /// <returns>The arguments, or what is wrong with them, in plain words. The words may quote the user's: escape them.</returns>
    public static (RunArguments? Arguments, string? Fault) Parse(IReadOnlyList<Word> words)
    {
        string? workflow = null;
        var isPublic = false;
        var inputs = new Dictionary<string, JsonElement?>(StringComparer.Ordinal);
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);

        foreach (var word in words)
        {
            if (word.IsObject)
            {
                if (ParseObject(word.Value) is not { } json)
                    return Fault("That JSON can't be read. It should look like '{\"name\": \"value\"}'.");
                foreach (var member in json.EnumerateObject())
                    if (!inputs.TryAdd(member.Name, member.Value))
                        return Fault($"{member.Name} is given twice.");
            }
            else if (word.Key is { } key)
            {
                if (key.Length == 0)
                    return Fault($"There is no name before ={word.Value}.");
                if (!inputs.TryAdd(key, null))
                    return Fault($"{key} is given twice.");
                texts[key] = word.Value;
            }
            else if (CommandText.Flag(word.Value) is { } flag)
            {
                if (flag != "public")
                    return Fault($"There is no option --{flag}. The only one is --public.");
                isPublic = true;
            }
            else if (workflow is null)
            {
                workflow = word.Value;
            }
            else
            {
                return Fault($"I don't know what to do with {word.Value}. Inputs are written name=value.");
            }
        }

        return workflow is null ? Fault("Which workflow?") : (new(workflow, ToObject(inputs, texts), isPublic), null);
    }

    private static (RunArguments?, string?) Fault(string inPlainWords) => (null, inPlainWords);

    // First as typed: what is JSON is taken at its word. Some keyboards turn only one of two quotes: that is tried last.
    private static JsonElement? ParseObject(string text) =>
        TryParse(text) ?? TryParse(CommandText.WithPlainQuotes(text, trustsPlain: true)) ?? TryParse(CommandText.WithPlainQuotes(text, trustsPlain: false));

    private static JsonElement? TryParse(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, Strict);
            return document.RootElement.ValueKind == JsonValueKind.Object && IsReadable(document.RootElement) ? document.RootElement.Clone() : null;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    // The parser takes escaped lone surrogates and notices only when the text is read, with an InvalidOperationException.
    private static bool IsReadable(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => json.EnumerateObject().All(member => member.Name is not null && IsReadable(member.Value)),
        JsonValueKind.Array => json.EnumerateArray().All(IsReadable),
        JsonValueKind.String => json.GetString() is not null,
        _ => true,
    };

    private static JsonElement ToObject(Dictionary<string, JsonElement?> inputs, Dictionary<string, string> texts)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var (name, value) in inputs)
            {
                json.WritePropertyName(name);
                if (value is { } element)
                    element.WriteTo(json);
                else
                    json.WriteStringValue(texts[name]);
            }
            json.WriteEndObject();
        }
        var reader = new Utf8JsonReader(buffer.WrittenSpan);
        return JsonElement.ParseValue(ref reader);
    }
}
