using System.Buffers;
using System.Globalization;
using System.Text.Json;
using ControlPlane.Text;

namespace ControlPlane.Tenants;

/// <summary>What is wrong with one of the inputs, in a sentence.</summary>
/// <param name="Name">As it was given, or as the workflow declares what is missing.</param>
public sealed record InputFault(string Name, string InPlainWords);

/// <summary>Holds what a user typed to what a workflow declares.</summary>
/// <remarks>Asked when a command comes, so that its user hears at once, and by policy, which decides.</remarks>
public static class WorkflowInputs
{
    // Enough to mend a command by; the rest shows at the next try.
    private const int MostFaults = 5;
    private const int LongestQuote = 64;

    /// <returns>The inputs in the order declared, defaults filled in; or what is wrong with them, a sentence each.</returns>
    public static (JsonElement Inputs, IReadOnlyList<InputFault> Faults) Check(JsonElement given, Workflow workflow)
    {
        var faults = new List<InputFault>();
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var parameter in workflow.Parameters)
            {
                var isGiven = given.TryGetProperty(parameter.Name, out var value) && !(parameter.Required && IsEmpty(value));
                if (!isGiven && parameter.Default is { } byDefault)
                    value = byDefault;
                if (!isGiven && parameter.Default is null)
                {
                    if (parameter.Required)
                        faults.Add(new(parameter.Name, $"{parameter.Name} is missing: it must be {Expected(parameter)}."));
                }
                else if (ParameterValue.Read(parameter, value) is { } read)
                {
                    json.WritePropertyName(parameter.Name);
                    read.WriteTo(json);
                }
                else
                {
                    faults.Add(new(parameter.Name, $"{parameter.Name} must be {Expected(parameter)}."));
                }
            }
            json.WriteEndObject();
        }
        faults.AddRange(Unknown(given, workflow));
        return faults.Count > 0 ? (default, [.. faults.Take(MostFaults)]) : (Parse(buffer.WrittenSpan), []);
    }

    // "city=" names the parameter and gives it nothing.
    private static bool IsEmpty(JsonElement value) =>
        value.ValueKind == JsonValueKind.Null || ParameterValue.Text(value) is { } text && Invisible.IsBlank(text);

    /// <summary>What a value must be, to stand after "must be".</summary>
    public static string Expected(WorkflowParameter parameter) => parameter.Type switch
    {
        ParameterType.String when parameter.MaxLength is { } longest => $"a text of at most {longest.ToString(CultureInfo.InvariantCulture)} characters",
        ParameterType.String => "a text",
        ParameterType.Integer => "a whole number" + Range(parameter),
        ParameterType.Number => "a number" + Range(parameter),
        ParameterType.Boolean => "yes or no",
        ParameterType.Enum => $"one of {string.Join(", ", parameter.Values ?? [])}",
        _ => throw new ArgumentOutOfRangeException(nameof(parameter)),
    };

    private static string Range(WorkflowParameter parameter) => (parameter.Minimum, parameter.Maximum) switch
    {
        ({ } least, { } most) => string.Create(CultureInfo.InvariantCulture, $" from {least} to {most}"),
        ({ } least, null) => string.Create(CultureInfo.InvariantCulture, $" of at least {least}"),
        (null, { } most) => string.Create(CultureInfo.InvariantCulture, $" of at most {most}"),
        _ => "",
    };

    private static IEnumerable<InputFault> Unknown(JsonElement given, Workflow workflow)
    {
        var names = workflow.Parameters.Select(parameter => parameter.Name).ToList();
        foreach (var member in given.EnumerateObject())
        {
            if (names.Contains(member.Name))
                continue;
            var quoted = member.Name.Length <= LongestQuote ? member.Name : member.Name[..LongestQuote] + "…";
            yield return new(member.Name, $"{workflow.Name} takes no {quoted}. " + (DidYouMean.Nearest(member.Name, names) is { } nearest
                ? $"Did you mean {nearest}?"
                : names.Count > 0 ? $"It takes {string.Join(", ", names)}." : "It takes no inputs."));
        }
    }

    private static JsonElement Parse(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        return JsonElement.ParseValue(ref reader);
    }
}
