using System.Text.RegularExpressions;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Conventions;

/// <summary>What a reader may rely on about where things are.</summary>
public partial class TreeTests
{
    private static readonly string Root = RepositoryRoot.Find();

    [Theory]
    [InlineData("SlackHandler", "SlackJson.cs")]
    [InlineData("Orchestrator", "OrchestratorJson.cs")]
    [InlineData("DpDispatcher", "DispatcherJson.cs")]
    [InlineData("MeteringCollector", "MeteringJson.cs")]
    [InlineData("AdminPanel", "AdminPanelJson.cs")]
    public void Every_function_has_the_same_first_files(string function, string json)
    {
        var files = Directory.GetFiles(Path.Combine(Root, "functions", function)).Select(file => Path.GetFileName(file)!).ToList();

        Assert.Contains("Program.cs", files);
        Assert.Contains(json, files);
        Assert.Contains(
            Directory.GetFiles(Path.Combine(Root, "functions", function), "*Function.cs", SearchOption.AllDirectories),
            file => !Ignored().IsMatch(Relative(file)));
    }

    [Fact]
    public void No_folder_is_named_for_a_layer()
    {
        string[] layers = ["Services", "Helpers", "Utils", "Managers", "Common", "Interfaces", "Models"];
        var strays = Sources("functions").Concat(Sources("shared")).SelectMany(file => Relative(file).Split('/')[..^1]).Distinct().Intersect(layers);

        Assert.Empty(strays);
    }

    /// <summary>Its links are checked with all the others.</summary>
    [Theory]
    [InlineData("### A Slack command, file by file"), InlineData("### A heartbeat, file by file")]
    public void A_request_is_followed_with_at_most_thirty_files(string heading)
    {
        var section = File.ReadAllText(Path.Combine(Root, "docs", "architecture.md")).Split(heading)[1].Split("\n#")[0];

        Assert.InRange(MarkdownLink().Count(section), 15, 30);
    }

    [Fact]
    public void Every_decision_is_in_the_index()
    {
        var folder = Path.Combine(Root, "docs", "decisions");
        var index = MarkdownLink().Matches(File.ReadAllText(Path.Combine(folder, "README.md"))).Select(link => link.Groups[1].Value);

        Assert.Equal(Directory.GetFiles(folder, "0*.md").Select(Path.GetFileName).Order(), index.Order());
    }

    /// <summary>As .editorconfig says, and no compiler. What stands in quotes may reach further: a sentence is not cut for the sake of a margin.</summary>
    [Fact]
    public void No_line_of_code_is_longer_than_160()
    {
        var wide =
            from folder in new[] { "aws-compat", "bench", "data-plane", "functions", "local", "operator", "shared", "tests" }
            from file in Sources(folder)
            from line in CodeOf(File.ReadAllLines(file))
            where line.Text.Length > 160
            select $"{Relative(file)}:{line.Number}";

        Assert.Empty(wide);
    }

    /// <summary>The lines outside of raw strings, with what stands in quotes left out.</summary>
    private static IEnumerable<(int Number, string Text)> CodeOf(string[] lines)
    {
        var isText = false;
        for (var i = 0; i < lines.Length; i++)
        {
            var wasText = isText;
            isText ^= RawQuotes().Count(lines[i]) % 2 == 1;
            if (!wasText)
                yield return (i + 1, lines[i].Length <= 160 ? "" : Quoted().Replace(lines[i], "\"\""));
        }
    }

    [Fact]
    public void Every_link_in_the_docs_leads_somewhere()
    {
        var broken =
            from page in Directory.EnumerateFiles(Root, "*.md", SearchOption.AllDirectories)
            where !Ignored().IsMatch(Relative(page))
            from Match link in MarkdownLink().Matches(File.ReadAllText(page))
            let target = link.Groups[1].Value.Split('#')[0]
            where target.Length > 0 && !target.Contains(':', StringComparison.Ordinal)
            where !Path.Exists(Path.Combine(Path.GetDirectoryName(page)!, target))
            select $"{Relative(page)} → {target}";

        Assert.Empty(broken);
    }

    [Fact]
    public void Every_package_has_one_pinned_version()
    {
        var strays = Directory.EnumerateFiles(Root, "*.csproj", SearchOption.AllDirectories)
            .Where(file => !Ignored().IsMatch(Relative(file)))
            .Where(file => File.ReadAllText(file).Contains(" Version=\"", StringComparison.Ordinal))
            .Select(Relative);
        Assert.Empty(strays);

        var floating = File.ReadLines(Path.Combine(Root, "Directory.Packages.props"))
            .Where(line => line.Contains("<PackageVersion", StringComparison.Ordinal) && !ExactVersion().IsMatch(line));
        Assert.Empty(floating);
    }

    private static IEnumerable<string> Sources(string folder) =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories).Where(file => !Ignored().IsMatch(Relative(file)));

    private static string Relative(string file) => Path.GetRelativePath(Root, file).Replace('\\', '/');

    [GeneratedRegex(@"(^|/)(bin|obj|node_modules|\.cache|\.state|\.git)/")]
    private static partial Regex Ignored();

    [GeneratedRegex("\"\"\"+")]
    private static partial Regex RawQuotes();

    [GeneratedRegex("\"\"\"+.*?\"\"\"+|\"(?:[^\"\\\\]|\\\\.)*\"")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex MarkdownLink();

    [GeneratedRegex("""Version="\d+\.\d+\.\d+(\.\d+)?" """)]
    private static partial Regex ExactVersion();
}
