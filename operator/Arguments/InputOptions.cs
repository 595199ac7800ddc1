using System.Buffers;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;

namespace ControlPlane.Operator.Arguments;

/// <summary>A workflow's inputs, as <c>--param name=value</c>.</summary>
internal static class InputOptions
{
    public static Option<KeyValuePair<string, string>[]> Inputs() => new("--param")
    {
        Description = "An input. May be repeated.",
        HelpName = "name=value",
        CustomParser = Read,
    };

    private static KeyValuePair<string, string>[] Read(ArgumentResult given)
    {
        var inputs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var text in given.Tokens.Select(token => token.Value))
        {
            if (text.IndexOf('=', StringComparison.Ordinal) is not (> 0 and var at))
                given.AddError($"--param {TypedArguments.Quote(text)}: an input is name=value, like city=Paris.");
            else if (!inputs.TryAdd(text[..at], text[(at + 1)..]))
                given.AddError($"--param {TypedArguments.Quote(text[..at])} is given twice.");
        }
        return [.. inputs];
    }

    public static JsonElement JsonOf(IReadOnlyList<KeyValuePair<string, string>> inputs)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var (name, value) in inputs)
                json.WriteString(name, value);
            json.WriteEndObject();
        }
        var reader = new Utf8JsonReader(buffer.WrittenSpan);
        return JsonElement.ParseValue(ref reader);
    }
}
