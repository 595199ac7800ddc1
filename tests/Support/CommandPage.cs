using System.Text.RegularExpressions;

namespace ControlPlane.Tests.Support;

/// <summary>A block of commands on a page, and what the page says that they print.</summary>
/// <param name="Marks">What stands behind <c>sh</c> where the block begins: <c>terminal</c> runs on beside what follows, <c>again</c> is repeated until it shows
/// what the page says, <c>picture=name</c> is typed into a terminal of 80 columns and pictured in <c>docs/images/name.svg</c>, any other word names what the
/// block needs.</param>
/// <param name="Line">Of the page, from 1.</param>
/// <param name="Shows">Lines that the output holds, in order; empty where the page says nothing.</param>
public sealed record CommandBlock(string Page, string Text, IReadOnlyList<string> Marks, int Line, IReadOnlyList<string> Shows)
{
    public bool RunsOn => Marks.Contains("terminal");

    public bool IsRepeated => Marks.Contains("again");

    /// <summary>The name of its picture; null without one.</summary>
    public string? Picture => Marks.FirstOrDefault(mark => mark.StartsWith("picture=", StringComparison.Ordinal))?["picture=".Length..];

    public IEnumerable<string> Needs => Marks.Except(["terminal", "again", $"picture={Picture}"]);
}

/// <summary>A piece of a page that is code.</summary>
/// <param name="Language">The word behind the fence; empty without one, null for an indented piece.</param>
internal sealed record CodePiece(string? Language, IReadOnlyList<string> Marks, int Line, string Text)
{
    public bool IsCommands => Language == "sh";
}

/// <summary>The commands of a Markdown page, in order: its blocks fenced as <c>sh</c>, each with the block fenced as <c>text</c> that follows it.</summary>
public static partial class CommandPage
{
    private const string Rehearsed = "infra/README.md";

    /// <summary>Every page of the repository, from its root.</summary>
    public static IReadOnlyList<string> All()
    {
        var root = RepositoryRoot.Find();
        return [.. Directory.EnumerateFiles(root, "*.md", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(root, file).Replace('\\', '/')).Where(file => !Ignored().IsMatch(file)).Order(StringComparer.Ordinal)];
    }

    /// <param name="path">From the repository's root.</param>
    public static IReadOnlyList<CommandBlock> Read(string path) => Parse(path, File.ReadAllText(Path.Combine(RepositoryRoot.Find(), path)));

    public static IReadOnlyList<CommandBlock> Parse(string path, string page)
    {
        var blocks = new List<CommandBlock>();
        foreach (var piece in Pieces(page))
            if (piece.IsCommands || (path == Rehearsed && piece.Language is null))
                blocks.Add(new(path, piece.Text, piece.IsCommands ? piece.Marks : ["aws"], piece.Line, []));
            else if (piece.Language == "text" && blocks.Count > 0)
                blocks[^1] = blocks[^1] with { Shows = piece.Text.Split('\n') };
        return blocks;
    }

    /// <summary>The lines where commands stand in a block that is not fenced as <c>sh</c>, so that nobody would type them.</summary>
    /// <remarks><c>infra/rehearse</c> reads the indented blocks of its own page.</remarks>
    public static IReadOnlyList<int> Unseen(string path, string page) =>
        [.. Pieces(page).Where(piece => !piece.IsCommands && piece.Language is null or "" or "text" or "bash" or "shell" or "console")
            .Where(piece => HasCommands(piece) && !(path == Rehearsed && piece.Language is null)).Select(piece => piece.Line)];

    /// <summary>The commands within sentences, with the line of each.</summary>
    public static IEnumerable<(string Command, int Line)> Mentioned(string page)
    {
        var code = Pieces(page).SelectMany(piece => Enumerable.Range(piece.Line, piece.Text.Count(letter => letter == '\n') + 2)).ToHashSet();
        return from line in page.Split('\n').Index()
               where !code.Contains(line.Index + 1)
               from Match span in Span().Matches(line.Item)
               where Command().IsMatch(span.Groups[1].Value)
               select (span.Groups[1].Value, line.Index + 1);
    }

    private static bool HasCommands(CodePiece piece) => piece.Text.Split('\n').Any(line => Command().IsMatch(line));

    private static IEnumerable<CodePiece> Pieces(string page)
    {
        var lines = page.Split('\n');
        for (var at = 0; at < lines.Length; at++)
        {
            var (began, text) = (at, new List<string>());
            if (Fence().Match(lines[at]) is { Success: true } fence)
            {
                var indent = fence.Groups["indent"].Length;
                while (++at < lines.Length && lines[at].Trim() != "```")
                    text.Add(Outdented(lines[at], indent));
                var (language, marks) = fence.Groups["info"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries) switch
                {
                    [] => ("", Array.Empty<string>()),
                    [var first, .. var rest] => (first, rest),
                };
                yield return new(language, marks, began + 1, string.Join('\n', text));
            }
            else if (IsIndented(lines[at]) && (at == 0 || lines[at - 1].Trim().Length == 0))
            {
                var indent = lines[at].Length - lines[at].TrimStart(' ').Length;
                while (at < lines.Length && (IsIndented(lines[at]) || lines[at].Trim().Length == 0))
                    text.Add(Outdented(lines[at++], indent));
                at--;
                yield return new(null, [], began + 1, string.Join('\n', text).TrimEnd('\n'));
            }
        }
    }

    private static bool IsIndented(string line) => line.StartsWith("    ", StringComparison.Ordinal) && line.Trim().Length > 0;

    private static string Outdented(string line, int indent) => line[Math.Min(indent, line.Length - line.TrimStart(' ').Length)..];

    [GeneratedRegex("^(?<indent> *)```(?<info>[^`]*)$", RegexOptions.ExplicitCapture)]
    private static partial Regex Fence();

    /// <summary>Words with which a command of these pages begins.</summary>
    [GeneratedRegex(@"^\s*(\$ )?(\./(run|ctl|test)\b|\.ci/\w|infra/[a-z-]+( |$)|data-plane/\S+( |$)|aws [a-z]|dotnet |git |curl (-|http)|npm |npx |pip |openssl |n8n (\w+:|start)|metering-sidecar|sudo |apt|systemctl |journalctl |source <?|cloudflared |export )")]
    private static partial Regex Command();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Span();

    [GeneratedRegex(@"(^|/)(bin|obj|node_modules|\.cache|\.state|\.git|StrykerOutput|TestResults)/")]
    private static partial Regex Ignored();
}
