using System.Globalization;
using System.Text.Json;
using ControlPlane.Text;

namespace ControlPlane.Tenants;

/// <summary>What a workflow's parameter takes. What was typed as <c>key=value</c> comes as text and is read; what came as JSON must be of the type.</summary>
public static class ParameterValue
{
    /// <summary>A value with the declared type.</summary>
    /// <returns>Null when the parameter does not take it.</returns>
    public static JsonElement? Read(WorkflowParameter parameter, JsonElement value) => parameter.Type switch
    {
        ParameterType.String when Text(value) is { } text && text.Length <= (parameter.MaxLength ?? int.MaxValue) => value,
        ParameterType.Enum when Text(value) is { } text && parameter.Values?.Contains(text) == true => value,
        ParameterType.Integer when Integer(value) is { } number && IsWithin(number, parameter) =>
            JsonElement.Parse(number.ToString(CultureInfo.InvariantCulture)),
        ParameterType.Number when Number(value) is { } number && IsWithin(number, parameter) =>
            JsonElement.Parse(number.ToString("R", CultureInfo.InvariantCulture)),
        ParameterType.Boolean when Boolean(value) is { } flag => JsonElement.Parse(flag ? "true" : "false"),
        _ => null,
    };

    /// <summary>A text, as it was typed, with the declared type.</summary>
    /// <returns>Null when the parameter does not take it.</returns>
    public static JsonElement? Read(WorkflowParameter parameter, string text) => Read(parameter, JsonText.Of(text));

    /// <summary>A bound of an integer or a number: what the parameter would take without bounds.</summary>
    public static double? ReadBound(ParameterType type, string text) => type switch
    {
        ParameterType.Integer => Integer(text),
        ParameterType.Number => Number(text),
        _ => null,
    };

    private static bool IsWithin(double number, WorkflowParameter parameter) =>
        number >= (parameter.Minimum ?? double.MinValue) && number <= (parameter.Maximum ?? double.MaxValue);

    internal static string? Text(JsonElement value)
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
        if (value.ValueKind != JsonValueKind.Number)
            return Integer(Text(value));
        return value.TryGetInt64(out var number) && JsonInteger.Holds(number) ? number : null;
    }

    private static long? Integer(string? text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && JsonInteger.Holds(number) ? number : null;

    private static double? Number(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Number)
            return Number(Text(value));
        return value.TryGetDouble(out var number) && double.IsFinite(number) ? number : null;
    }

    private static double? Number(string? text)
    {
        const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return double.TryParse(text, Style, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null;
    }

    private static bool? Boolean(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => Text(value) switch
        {
            { } text when IsOneOf(text, "yes", "true") => true,
            { } text when IsOneOf(text, "no", "false") => false,
            _ => null,
        },
    };

    private static bool IsOneOf(string text, string one, string other) =>
        text.Equals(one, StringComparison.OrdinalIgnoreCase) || text.Equals(other, StringComparison.OrdinalIgnoreCase);
}
