using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace ControlPlane.Tests.Support;

/// <summary>Pictures of a terminal in <c>docs/images</c>, and whether they still show what is printed.</summary>
public static partial class TerminalPicture
{
    public const int Columns = 80;

    private const double CharacterWidth = 7.8, LineHeight = 17;
    private const int Margin = 12;

    /// <summary>Draws the picture anew where UPDATE_GOLDEN is 1. Its words, in their order, have to be among those that were printed: words, for ids and times
    /// are others each day.</summary>
    /// <param name="output">With the terminal's escape sequences.</param>
    public static void Shows(string name, string command, string output)
    {
        var file = Path.Combine(RepositoryRoot.Find(), "docs", "images", $"{name}.svg");
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
            File.WriteAllText(file, Draw(command, output));
        Assert.True(File.Exists(file), $"{file} is missing: UPDATE_GOLDEN=1 draws it.");

        var printed = new Queue<string>(Words($"{command}\n{Rendition().Replace(Other().Replace(output, ""), "")}"));
        foreach (var word in Words(WebUtility.HtmlDecode(Element().Replace(File.ReadAllText(file), " "))))
        {
            while (printed.TryPeek(out var next) && next != word)
                printed.Dequeue();
            Assert.True(printed.TryDequeue(out _), $"{file} shows “{word}”, which is not printed there any more: UPDATE_GOLDEN=1 draws it anew. Printed was:\n{output}");
        }
    }

    public static string Draw(string command, string output)
    {
        var printed = Other().Replace(output.ReplaceLineEndings("\n"), "").TrimEnd().Split('\n').Where(line => !line.StartsWith("building", StringComparison.Ordinal));
        var rows = Rows([$"\e[1m$ {command.Replace("\n", "\n$ ", StringComparison.Ordinal)}\e[0m", .. printed]);
        var svg = new StringBuilder();
        var (width, height) = (Number(Columns * CharacterWidth + 2 * Margin), Number(rows.Count * LineHeight + 2 * Margin));
        svg.AppendLine(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" font-family=\"ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace\" font-size=\"13\">");
        svg.AppendLine(CultureInfo.InvariantCulture, $"<rect width=\"{width}\" height=\"{height}\" rx=\"6\" fill=\"#1e1e1e\"/>");
        foreach (var (row, pieces) in rows.Index())
            foreach (var (column, text, style) in pieces)
                foreach (Match word in Word().Matches(text))
                    svg.AppendLine(CultureInfo.InvariantCulture, $"<text x=\"{Number(Margin + (column + word.Index) * CharacterWidth)}\" y=\"{Number(Margin + (row + 0.75) * LineHeight)}\" textLength=\"{Number(word.Length * CharacterWidth)}\"{style}>{WebUtility.HtmlEncode(word.Value)}</text>");
        return svg.Append("</svg>\n").ToString();
    }

    /// <summary>What stands in each row of the terminal, piece by piece: a line that is too long goes on in the next row.</summary>
    private static List<List<(int Column, string Text, Style Style)>> Rows(IEnumerable<string> lines)
    {
        var (rows, style) = (new List<List<(int, string, Style)>>(), new Style());
        foreach (var line in lines)
        {
            rows.Add([]);
            var column = 0;
            foreach (var (index, part) in Rendition().Split(line.TrimEnd()).Index())
            {
                if (index % 2 == 1)     // what stood between the texts
                    style = style.After(part);
                for (var left = index % 2 == 1 ? "" : part; left.Length > 0;)
                {
                    if (column == Columns)
                    {
                        rows.Add([]);
                        column = 0;
                    }
                    var fits = left[..Math.Min(left.Length, Columns - column)];
                    rows[^1].Add((column, fits, style));
                    (column, left) = (column + fits.Length, left[fits.Length..]);
                }
            }
        }
        return rows;
    }

    /// <summary>Select Graphic Rendition, as far as it is used: bold and the eight colours, and those by number.</summary>
    private sealed record Style(string Colour = "#d4d4d4", bool IsBold = false)
    {
        private static readonly string[] Colours = ["#666666", "#f14c4c", "#23d18b", "#e5e510", "#3b8eea", "#d670d6", "#29b8db", "#e5e5e5"];

        public Style After(string parameters)
        {
            var after = this;
            var codes = new Queue<int>(parameters.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse).DefaultIfEmpty(0));
            while (codes.TryDequeue(out var code))
                after = code switch
                {
                    0 => new(),
                    1 => after with { IsBold = true },
                    2 => after with { Colour = "#8a8a8a" },
                    22 => after with { IsBold = false },
                    >= 30 and <= 37 => after with { Colour = Colours[code - 30] },
                    >= 90 and <= 97 => after with { Colour = Colours[code - 90] },
                    38 when codes.TryDequeue(out var kind) && kind == 5 && codes.TryDequeue(out var number) =>
                        after with { Colour = number switch { 8 => "#8a8a8a", < 16 => Colours[number % 8], _ => Colours[7] } },
                    39 => after with { Colour = new Style().Colour },
                    _ => after,
                };
            return after;
        }

        public override string ToString() => $" fill=\"{Colour}\"{(IsBold ? " font-weight=\"bold\"" : "")}";
    }

    private static string Number(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);

    // A word is of letters alone, so no id, no time and no path is one; short ones may be parts of ids.
    private static IEnumerable<string> Words(string text) =>
        text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            .Select(word => word.Trim('.', ',', ':', '(', ')', '“', '”', '*')).Where(word => word.Length > 3 && word.All(char.IsAsciiLetter));

    [GeneratedRegex(@"\e\[([\d;]*)m")]
    private static partial Regex Rendition();

    [GeneratedRegex(@"\e\[[?\d;]*[A-Za-ln-z]|\e[=>]|\r")]
    private static partial Regex Other();

    [GeneratedRegex(@"\S+( \S+)*")]
    private static partial Regex Word();

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Element();
}
