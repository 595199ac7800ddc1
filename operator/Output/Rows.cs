using System.Globalization;
using System.Text;

namespace ControlPlane.Operator.Output;

/// <summary>Rows under names, for spreadsheets.</summary>
/// <param name="Values">Texts, whole numbers, or null.</param>
internal sealed record Rows(IReadOnlyList<string> Names, IReadOnlyList<IReadOnlyList<object?>> Values)
{
    /// <remarks>RFC 4180, with the line feeds of everything else here.</remarks>
    public string ToCsv()
    {
        var csv = new StringBuilder();
        foreach (var row in Values.Prepend(Names))
            csv.AppendJoin(',', row.Select(Field)).Append('\n');
        return csv.ToString();
    }

    private static string Field(object? value)
    {
        var text = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        return text.AsSpan().IndexOfAny("\",\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
