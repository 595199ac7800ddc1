using ControlPlane.Text;
using Spectre.Console;

namespace ControlPlane.Operator.Output;

/// <summary>What a person reads. Values are plain text: nothing in them is taken for markup or reaches the terminal as a control.</summary>
internal sealed class Page(IAnsiConsole console)
{
    /// <param name="width">Columns; a reader that is no terminal gets lines as long as they are.</param>
    public static Page On(TextWriter writer, bool isTerminal, int width)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = isTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
        });
        console.Profile.Width = isTerminal ? width : 10_000;
        return new(console);
    }

    public void Line(string text) => console.WriteLine(Plain.Text(text));

    /// <summary>A text of several lines, made by us.</summary>
    public void Lines(string text)
    {
        foreach (var line in text.Split('\n'))
            Line(line);
    }

    public void Table(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string?>> rows)
    {
        var table = new Table().NoBorder();
        foreach (var column in columns)
            table.AddColumn(
                new TableColumn(new Spectre.Console.Text(column, new Style(decoration: Decoration.Bold))) { NoWrap = true, Padding = new(0, 0, 2, 0) });
        foreach (var row in rows)
            table.AddRow(row.Select(cell => new Spectre.Console.Text(Plain.Text(cell is { Length: > 0 } ? cell : "-"))));
        if (table.Rows.Count == 0)
            Line("none");
        else
            console.Write(table);
    }

    /// <summary>One thing, a line for each of its facts; those that are null are left out.</summary>
    public void Facts(params IEnumerable<(string Name, string? Value)> facts)
    {
        var grid = new Grid().AddColumn(new GridColumn { NoWrap = true, Padding = new(0, 0, 2, 0) }).AddColumn(new GridColumn { Padding = new(0, 0, 0, 0) });
        foreach (var (name, value) in facts)
            if (value is not null)
                grid.AddRow(new Spectre.Console.Text(name, new Style(decoration: Decoration.Bold)), new Spectre.Console.Text(Plain.Text(value)));
        console.Write(grid);
    }
}
