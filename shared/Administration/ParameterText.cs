using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Administration;

/// <summary>A workflow's parameter as typed: <c>city:string:required:maxlen=100</c>.</summary>
/// <remarks>
/// Name and type, then any of <c>required</c>, <c>default=…</c>, <c>min=…</c> and <c>max=…</c> (numbers), <c>maxlen=…</c> (strings), <c>values=a|b|c</c>
/// (enums),
/// and <c>description=…</c>, which takes the rest. A colon inside another value is written <c>\:</c>.
/// </remarks>
public static partial class ParameterText
{
    public const string Grammar = "name:type[:required][:default=…][:min=…][:max=…][:maxlen=…][:values=a|b][:description=…]";

    /// <returns>The parameter, or in plain words what is wrong with the text and how it would be right.</returns>
    public static (WorkflowParameter? Parameter, string? Fault) Parse(string text)
    {
        var parts = Split(text);
        if (parts.Count < 2)
            return (null, $"a parameter is {Grammar}, like city:string:required");
        if (!NameShape().IsMatch(parts[0]))
            return (null, $"a name is 1 to 64 of A-Z, a-z, 0-9, _ and -, and begins with a letter; {Quote(parts[0])} is not");
        if (TypeOf(parts[1]) is not { } type)
            return (null, $"{Quote(parts[1])} is no type: string, integer, number, boolean or enum");

        var parameter = new WorkflowParameter(parts[0], type);
        string? byDefault = null;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var part in parts.Skip(2))
        {
            var (key, value) = part.IndexOf('=', StringComparison.Ordinal) is var at and >= 0 ? (part[..at], part[(at + 1)..]) : (part, null);
            if (!seen.Add(key))
                return (null, $"{Quote(key)} is said twice");
            switch (key, value)
            {
                case ("required", null): parameter = parameter with { Required = true }; break;
                case ("default", { } given): byDefault = given; break;
                case ("description", { Length: > 0 and <= 200 } given): parameter = parameter with { Description = Plain.Text(given) }; break;
                case ("min", { } given) when ParameterValue.ReadBound(type, given) is { } least: parameter = parameter with { Minimum = least }; break;
                case ("max", { } given) when ParameterValue.ReadBound(type, given) is { } most: parameter = parameter with { Maximum = most }; break;
                case ("maxlen", { } given) when type == ParameterType.String && Length(given) is { } longest:
                    parameter =
                    parameter with { MaxLength = longest }; break;
                case ("values", { } given) when type == ParameterType.Enum && Values(given) is { } values:
                    parameter =
                    parameter with { Values = values }; break;
                default: return (null, FaultOf(key, value, type));
            }
        }
        return Complete(parameter, byDefault);
    }

    // Short enough for one line, and without what would act on a terminal.
    private static string Quote(string text) => $"'{Plain.Text(text.Length <= 64 ? text : text[..64] + "…")}'";

    /// <summary>The same text again, as <see cref="Parse"/> takes it.</summary>
    public static string Format(WorkflowParameter parameter)
    {
        var parts = new List<string> { parameter.Name, parameter.Type.ToString().ToLowerInvariant() };
        if (parameter.Required) parts.Add("required");
        if (parameter.Default is { } value) parts.Add($"default={Escape(value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText())}");
        if (parameter.Minimum is { } least) parts.Add(string.Create(CultureInfo.InvariantCulture, $"min={least}"));
        if (parameter.Maximum is { } most) parts.Add(string.Create(CultureInfo.InvariantCulture, $"max={most}"));
        if (parameter.MaxLength is { } longest) parts.Add(string.Create(CultureInfo.InvariantCulture, $"maxlen={longest}"));
        if (parameter.Values is { } values) parts.Add($"values={Escape(string.Join('|', values))}");
        if (parameter.Description is { } description) parts.Add($"description={description}");
        return string.Join(':', parts);
    }

    private static (WorkflowParameter? Parameter, string? Fault) Complete(WorkflowParameter parameter, string? byDefault)
    {
        if (parameter is { Type: ParameterType.Enum, Values: null })
            return (null, "an enum needs its values, like values=small|large");
        if (parameter is { Minimum: { } least, Maximum: { } most } && least > most)
            return (null, "min is above max");
        if (byDefault is null)
            return (parameter, null);
        if (parameter.Required)
            return (null, "a parameter with a default is never missing: leave out required, or default");
        return ParameterValue.Read(parameter, byDefault) is { } value
            ? (parameter with { Default = value }, null)
            : (null, $"the default {Quote(byDefault)} is not what the parameter itself would take");
    }

    private static string FaultOf(string key, string? value, ParameterType type) => key switch
    {
        "required" => "required stands alone",
        "default" or "description" or "min" or "max" or "maxlen" or "values" when value is null => $"{key} needs a value, like {key}=…",
        "description" => "a description has 1 to 200 characters",
        "min" or "max" when IsNumeric(type) => $"{key} {Quote(value!)} is not {(type == ParameterType.Integer ? "a whole number" : "a number")}",
        "min" or "max" => $"{key} is for integers and numbers; for a string's length say maxlen=…",
        "maxlen" when type == ParameterType.String => $"maxlen {Quote(value!)} is not a whole number from 1 to 65536",
        "maxlen" => "maxlen is for strings",
        "values" when type == ParameterType.Enum => "values are one or more different words, like values=small|large",
        "values" => "values are for an enum",
        _ => $"{Quote(key)} is not known; a parameter is {Grammar}",
    };

    private static ParameterType? TypeOf(string text) => text switch
    {
        "string" => ParameterType.String,
        "integer" => ParameterType.Integer,
        "number" => ParameterType.Number,
        "boolean" => ParameterType.Boolean,
        "enum" => ParameterType.Enum,
        _ => null,
    };

    private static bool IsNumeric(ParameterType type) => type is ParameterType.Integer or ParameterType.Number;

    private static int? Length(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var length) && length is >= 1 and <= 65536 ? length : null;

    private static string[]? Values(string text) =>
        text.Split('|') is var values && values.All(value => value.Length > 0) && values.Distinct().Count() == values.Length ? values : null;

    private static List<string> Split(string text)
    {
        var parts = new List<string>();
        var rest = text;
        while (Colon().Match(rest) is { Success: true, Index: var at } && !(parts.Count >= 2 && rest.StartsWith("description=", StringComparison.Ordinal)))
        {
            parts.Add(Unescape(rest[..at]));
            rest = rest[(at + 1)..];
        }
        parts.Add(parts.Count >= 2 && rest.StartsWith("description=", StringComparison.Ordinal) ? rest : Unescape(rest));
        return parts;
    }

    private static string Escape(string value) => value.Replace(":", "\\:", StringComparison.Ordinal);

    private static string Unescape(string value) => value.Replace("\\:", ":", StringComparison.Ordinal);

    [GeneratedRegex(@"(?<!\\):")]
    private static partial Regex Colon();

    [GeneratedRegex(@"\A[A-Za-z][A-Za-z0-9_-]{0,63}\z")]
    private static partial Regex NameShape();
}
