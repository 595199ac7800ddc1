using System.Globalization;
using System.Text.Json;
using ControlPlane.Tenants;

namespace ControlPlane.Orchestrator;

/// <summary>One input, read as its parameter's type. What was typed as <c>key=value</c> comes as text and is read; what came as JSON must be of the type.</summary>
internal static class ParameterValue
{
    /// <summary>2^53 − 1: above it, engines that keep numbers as doubles would change an integer.</summary>
    private const long HighestInteger = 9_007_199_254_740_991;

    /// <summary>Writes name and value with the declared type, if the value is one.</summary>
    public static bool TryWrite(Utf8JsonWriter json, WorkflowParameter parameter, JsonElement value)
    {
        switch (parameter.Type)
        {
            case ParameterType.String when Text(value) is { } text && text.Length <= (parameter.MaxLength ?? int.MaxValue):
                json.WriteString(parameter.Name, text);
                return true;
            case ParameterType.Enum when Text(value) is { } text && parameter.Values?.Contains(text) == true:
                json.WriteString(parameter.Name, text);
                return true;
            case ParameterType.Integer when Integer(value) is { } number && IsWithin(number, parameter):
                json.WriteNumber(parameter.Name, number);
                return true;
            case ParameterType.Number when Number(value) is { } number && IsWithin(number, parameter):
                json.WriteNumber(parameter.Name, number);
                return true;
            case ParameterType.Boolean when Boolean(value) is { } flag:
                json.WriteBoolean(parameter.Name, flag);
                return true;
            default:
                return false;
        }
    }

    /// <summary>What a value must be, to stand after "must be".</summary>
    public static string Expected(WorkflowParameter parameter) => parameter.Type switch
    {
        ParameterType.String when parameter.MaxLength is { } longest => $"a text of at most {longest.ToString(CultureInfo.InvariantCulture)} characters",
        ParameterType.String => "a text",
        ParameterType.Integer => "a whole number" + Range(parameter),
        ParameterType.Number => "a number" + Range(parameter),
        ParameterType.Boolean => "true or false",
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

    private static bool IsWithin(double number, WorkflowParameter parameter) =>
        number >= (parameter.Minimum ?? double.MinValue) && number <= (parameter.Maximum ?? double.MaxValue);

    private static string? Text(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;                                    // an escaped lone surrogate
        }
    }

    private static long? Integer(JsonElement value)
    {
        var isInteger = value.ValueKind == JsonValueKind.Number
            ? value.TryGetInt64(out var number)
            : long.TryParse(Text(value), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);
        return isInteger && number is >= -HighestInteger and <= HighestInteger ? number : null;
    }

    private static double? Number(JsonElement value)
    {
        const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        var isNumber = value.ValueKind == JsonValueKind.Number
            ? value.TryGetDouble(out var number)
            : double.TryParse(Text(value), Style, CultureInfo.InvariantCulture, out number);
        return isNumber && double.IsFinite(number) ? number : null;
    }

    private static bool? Boolean(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => Text(value) switch
        {
            { } text when text.Equals("true", StringComparison.OrdinalIgnoreCase) => true,
            { } text when text.Equals("false", StringComparison.OrdinalIgnoreCase) => false,
            _ => null,
        },
    };
}
