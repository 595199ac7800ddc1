using ControlPlane.Text;
using Spectre.Console;

namespace ControlPlane.Operator.Output;

/// <summary>What a person reads. Values are plain text: nothing in them is taken for markup or reaches the terminal as a control.</summary>
/// <remarks>Ids and states never fold, and a line is as wide as the terminal at most: what has no room is left out by its column's rank, and said.</remarks>
internal sealed class Page
{
    private const int Endless = 10_000;
    private static readonly Style Bold = new(decoration: Decoration.Bold);

    private readonly IAnsiConsole _console;
    private readonly int _width;

    private Page(IAnsiConsole console, int width) => (_console, _width) = (console, width);

    /// <param name="width">Columns; a reader that is no terminal gets lines as long as they are.</param>
    /// <param name="isDecorated">Headings are bold.</param>
    public static Page On(TextWriter writer, bool isTerminal, int width, bool isDecorated = false)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = isDecorated ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = isDecorated ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
        });
        console.Profile.Width = isTerminal ? width : Endless;
        return new(console, console.Profile.Width);
    }

    /// <summary>What a text becomes before it is shown: hints name the control plane that was asked.</summary>
    public Func<string, string> Wording { private get; init; } = text => text;

    public Page With(Func<string, string> wording) => new(_console, _width) { Wording = wording };

    public void Line(string text) => _console.WriteLine(Worded(text));

    /// <summary>A text of several lines, made by us.</summary>
    public void Lines(string text)
    {
        foreach (var line in text.Split('\n'))
            Line(line);
    }

    public void Table(IReadOnlyList<Column> columns, IEnumerable<IReadOnlyList<string?>> rows)
    {
        var cells = rows.Select(row => row.Select(cell => Worded(cell is { Length: > 0 } ? cell : "-")).ToArray()).ToList();
        if (cells.Count == 0)
        {
            Line("none");
            return;
        }
        var widths = columns.Select((column, at) => cells.Max(row => row[at].GetCellWidth()) is var widest ? Math.Max(widest, column.Name.Length) : 0).ToList();
        if (Column.Fitting(columns, widths, _width) is not { } kept)
        {
            foreach (var row in cells)
            {
                Facts(columns.Zip(row, (column, cell) => (column.Name, (string?)cell)));
                Line("");
            }
            return;
        }

        var table = new Table().NoBorder();
        foreach (var at in kept)
        {
            var isLast = at == kept[^1];
            table.AddColumn(new TableColumn(new Spectre.Console.Text(columns[at].Name, Bold))
            {
                NoWrap = columns[at].Kind != ColumnKind.Prose,
                Alignment = columns[at].Kind == ColumnKind.Number ? Justify.Right : Justify.Left,
                Padding = new(0, 0, isLast ? 0 : 2, 0),
            });
        }
        foreach (var row in cells)
            table.AddRow(kept.Select(at => new Spectre.Console.Text(row[at])));
        _console.Write(table);
        if (kept.Count < columns.Count)
            Line($"(without {string.Join(", ", columns.Where((_, at) => !kept.Contains(at)).Select(column => column.Name))}: a wider terminal or --output json shows it)");
    }

    /// <summary>One thing, a line for each of its facts; those that are null are left out.</summary>
    public void Facts(params IEnumerable<(string Name, string? Value)> facts)
    {
        var shown = facts.Where(fact => fact.Value is not null).ToList();
        var indent = shown.Select(fact => fact.Name.Length).DefaultIfEmpty().Max() + 2;
        foreach (var (name, value) in shown)
        {
            _console.Write(new Spectre.Console.Text(name.PadRight(indent), Bold));
            _console.WriteLine(string.Join('\n' + new string(' ', indent), Folded(Worded(value!), Math.Max(_width - indent, 1))));
        }
    }

    /// <summary>Between words only: a word that has no room on a line goes over its edge, whole.</summary>
    private static IEnumerable<string> Folded(string text, int width)
    {
        var line = "";
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.GetCellWidth() + 1 + word.GetCellWidth() > width)
            {
                yield return line;
                line = word;
            }
            else
            {
                line = line.Length == 0 ? word : $"{line} {word}";
            }
        }
        yield return line;
    }

    private string Worded(string text) => Plain.Text(Wording(text));
}
