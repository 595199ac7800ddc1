using System.Text.RegularExpressions;

namespace ControlPlane.Tests.Support;

/// <summary>A block of commands on a page, and what the page says that they print.</summary>
/// <param name="Marks">What stands behind <c>sh</c> where the block begins: <c>terminal</c> runs on beside what follows, <c>again</c> is repeated until it shows
/// what the page says, any other word names what the block needs.</param>
/// <param name="Line">Of the page, from 1.</param>
/// <param name="Shows">Lines that the output holds, in order; empty where the page says nothing.</param>
public sealed record CommandBlock(string Text, IReadOnlyList<string> Marks, int Line, IReadOnlyList<string> Shows)
{
    public bool RunsOn => Marks.Contains("terminal");

    public bool IsRepeated => Marks.Contains("again");

    public IEnumerable<string> Needs => Marks.Except(["terminal", "again"]);
}

/// <summary>The commands of a Markdown page, in order: its blocks fenced as <c>sh</c>, each with the block fenced as <c>text</c> that follows it.</summary>
public static partial class CommandPage
{
    /// <param name="path">From the repository's root.</param>
    public static IReadOnlyList<CommandBlock> Read(string path) => Parse(File.ReadAllText(Path.Combine(RepositoryRoot.Find(), path)));

    public static IReadOnlyList<CommandBlock> Parse(string page)
    {
        var blocks = new List<CommandBlock>();
        foreach (Match fence in Fence().Matches(page))
        {
            var indent = fence.Groups["indent"].Value;
            var text = string.Join('\n', fence.Groups["text"].Value.TrimEnd('\n').Split('\n')
                .Select(line => line.StartsWith(indent, StringComparison.Ordinal) ? line[indent.Length..] : line));
            var (language, marks) = fence.Groups["info"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries) switch
            {
                [] => ("", Array.Empty<string>()),
                [var first, .. var rest] => (first, rest),
            };
            if (language == "sh")
                blocks.Add(new(text, marks, page[..fence.Index].Count(letter => letter == '\n') + 1, []));
            else if (language == "text" && blocks.Count > 0)
                blocks[^1] = blocks[^1] with { Shows = text.Split('\n') };
        }
        return blocks;
    }

    [GeneratedRegex(@"^(?<indent> *)```(?<info>.*)\n(?<text>(?:.*\n)*?)\k<indent>```$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Fence();
}
