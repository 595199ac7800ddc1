using System.Diagnostics;
using ControlPlane.Local;
using ControlPlane.Operator;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Flows;

/// <summary>Every command of every page. Pages that speak of one machine are followed word by word; what is for AWS, or takes minutes, is held to the programs
/// that it calls.</summary>
public sealed class PageTests : IDisposable
{
    /// <summary>What a block may need, so that it is rehearsed where that is not there: an AWS account, minutes (another step of <c>.ci/run</c> has them), the
    /// internet, n8n, a tunnel, a data plane's machine with systemd.</summary>
    private static readonly string[] Needs = ["aws", "minutes", "network", "n8n", "tunnel", "systemd"];

    private static readonly string[][] Followed =
    [
        ["docs/tour.md", "README.md"],
        ["docs/trials/second-tenant.md", "docs/operations.md"],
        ["docs/slack-app.md"],
        ["docs/trials/real-slack.md"],
        ["docs/trials/real-n8n.md"],
    ];

    private readonly string _state = Directory.CreateTempSubdirectory("page-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Pages => [.. Followed.Select(pages => string.Join(' ', pages))];

    public void Dispose() => Directory.Delete(_state, recursive: true);

    [Theory, MemberData(nameof(Pages))]
    [Trait("Length", "long")]
    public async Task Pages_are_followed(string pages)
    {
        var followed = await PageFollower.FollowAsync(pages.Split(' '), OnThePath("n8n"), _state, Cancel);
        Assert.Empty(Faults(followed.Rehearsed));
        Assert.All(followed.Pictured, one => TerminalPicture.Shows(one.Block.Picture!, one.Block.Text, one.Output));
    }

    [Fact]
    public void Every_block_of_commands_is_typed_by_a_test_or_says_why_not()
    {
        var pages = CommandPage.All();
        var blocks = pages.SelectMany(CommandPage.Read).ToList();
        Assert.Empty(pages.SelectMany(page => CommandPage.Unseen(page, Text(page)).Select(line => $"{page}:{line} holds commands and is not fenced as sh")));
        Assert.Empty(blocks.Select(FaultOf).OfType<string>());
    }

    [Fact]
    public async Task What_is_not_typed_here_is_known_to_the_programs_that_it_calls()
    {
        var blocks = CommandPage.All().Where(page => !IsFollowed(page)).SelectMany(CommandPage.Read).ToList();
        var commands = await PageFollower.RehearseAsync(blocks, Cancel);
        Assert.True(commands.Count(one => one.Words[0] == "aws") > 10, "the AWS CLI's commands were not found");
        Assert.Empty(Faults(commands));
        Assert.Empty(await AwsFaultsAsync(commands));
    }

    /// <summary>A mention is a command without its values: what is there has to be known.</summary>
    [Fact]
    public async Task What_is_mentioned_in_a_sentence_exists()
    {
        var mentioned =
            (from page in CommandPage.All()
             from mention in CommandPage.Mentioned(Text(page))
             select new RehearsedCommand(page, mention.Line, mention.Command.Split(' ', StringSplitOptions.RemoveEmptyEntries))).ToList();
        Assert.True(mentioned.Count > 100, $"only {mentioned.Count} commands were found");
        Assert.Empty(mentioned.Select(MentionFault).OfType<string>());
        Assert.Empty(await AwsFaultsAsync([.. mentioned.Where(one => one.Words[0] == "aws")], isMention: true));
    }

    [Theory]
    [InlineData("./ctl tenant lst"), InlineData("./ctl tenant show"), InlineData("./ctl health --quiet"), InlineData("./run --fast"), InlineData("./test nowhere")]
    [InlineData("infra/nowhere us-east-1"), InlineData("dotnet run --project nowhere"), InlineData("dotnet publish nowhere -c Release"), InlineData("dotnet lambda deploy --s3-bucket x")]
    [InlineData("n8n import:nothing --input=x"), InlineData("n8n import:workflow --file=x")]
    public void A_command_that_no_program_knows_is_noticed(string command) =>
        Assert.Single(Faults([new("page.md", 1, command.Split(' '))]));

    [Theory]
    [InlineData("aws s4 ls", "s4"), InlineData("aws ssm get-parameters-by-pth --path /", "get-parameters-by-pth"), InlineData("aws ssm get-parameter", "--name")]
    [InlineData("aws cloudformation deploy --stack-name x --template-file y --bucket z", "--bucket")]
    public async Task A_command_that_the_AWS_CLI_does_not_know_is_noticed(string command, string fault) =>
        Assert.Contains(fault, Assert.Single(await AwsFaultsAsync([new("page.md", 1, command.Split(' '))])), StringComparison.Ordinal);

    [Theory]
    [InlineData("```sh\nfalse\n```\n", "line 1 of "), InlineData("```sh\necho one\n```\n\n```text\ntwo\n```\n", "line 1 of ")]
    [InlineData("```sh tunnel\nif then\n```\n", "syntax error"), InlineData("```sh aws\nnot_a_program\n```\n", "not_a_program"), InlineData("```sh\nexit 0\n```\n", "was not followed to its end")]
    [InlineData("```sh\necho well\n```\n\n```sh\nif curl -s --max-time 2 http://192.0.2.1/; then false; fi\n```\n", null)]
    public async Task A_page_whose_commands_do_something_else_is_noticed_and_nothing_gets_out(string page, string? fault)
    {
        var file = Path.Combine(_state, "page.md");
        await File.WriteAllTextAsync(file, page, Cancel);
        var followed = await Record.ExceptionAsync(() => PageFollower.FollowAsync([file], [], _state, Cancel));
        if (fault is null)
            Assert.Null(followed);
        else
            Assert.Contains(fault, followed?.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text\n\n    ./ctl tenant list\n"), InlineData("1. text\n\n       aws s3 ls\n"), InlineData("```\n./run\n```\n"), InlineData("```bash\ncurl -s http://127.0.0.1/\n```\n")]
    public void Commands_that_are_not_fenced_as_sh_are_noticed(string page) => Assert.Single(CommandPage.Unseen("page.md", page));

    private static string? FaultOf(CommandBlock block) => block switch
    {
        _ when block.Needs.Except(Needs).Any() => $"{block.Page}:{block.Line} needs something unknown",
        _ when block.Picture is { } name && !Text(block.Page).Contains($"](images/{name}.svg)", StringComparison.Ordinal) => $"{block.Page}:{block.Line} does not show its picture",
        _ when !IsFollowed(block.Page) && !block.Needs.Any() => $"{block.Page}:{block.Line} is typed by no test",
        _ => null,
    };

    private static bool IsFollowed(string page) => Followed.Any(pages => pages.Contains(page));

    private static string Text(string page) => File.ReadAllText(Path.Combine(RepositoryRoot.Find(), page));

    private static List<string> Faults(IReadOnlyList<RehearsedCommand> commands)
    {
        var published = commands.Where(one => one.Words is ["dotnet", "publish", ..]).Select(one => one.Words.SkipWhile(word => word != "-o").ElementAtOrDefault(1)).ToList();
        return [.. commands.Where(one => !published.Exists(folder => folder is not null && one.Words[0].StartsWith($"{folder}/", StringComparison.Ordinal)))
            .Select(Fault).OfType<string>()];
    }

    private static string? Fault(RehearsedCommand command)
    {
        var words = command.Words;
        var error = words[0] switch
        {
            "./ctl" => ParseCtl([.. words.Skip(1)]),
            "./run" => RunCommandLine.Root().Parse([.. words.Skip(1)]).Errors.Select(one => one.Message).FirstOrDefault(),
            "./test" => words.Count == 1 || words[1].StartsWith('-') ? null : IsThere($"tests/{words[1]}") ? null : "no such layer",
            "dotnet" => DotnetFault([.. words]),
            "n8n" => N8nFault(words),
            var script when script.Contains('/', StringComparison.Ordinal) => IsThere(script) ? null : "no such file",
            _ => null,
        };
        return error is null ? null : $"{command}: {error}";
    }

    private static string? ParseCtl(string[] words)
    {
        var parsed = Ctl().Parse(words);
        return parsed.Errors.Select(one => one.Message).FirstOrDefault() ?? (parsed.Action is null ? "not a whole command" : null);
    }

    private static System.CommandLine.Command Ctl() =>
        new CtlCommandLine(
            new Runner(TextWriter.Null, TextWriter.Null, () => Page.On(TextWriter.Null, isTerminal: false, 0), () => { }, TimeProvider.System)).Root;

    private static string? DotnetFault(string[] words) => words switch
    {
        [_, "run", ..] => words.SkipWhile(word => word != "--project").ElementAtOrDefault(1) is { } project && IsThere(project) ? null : "no such project",
        [_, "publish", ..] => words.Skip(2).Any(word => !word.StartsWith('-') && IsThere(word)) ? null : "no such project",
        [_, "lambda", "deploy-serverless", .. var options] => options.Where((_, index) => index % 2 == 0)
            .FirstOrDefault(option => option is not ("--stack-name" or "--s3-bucket" or "--region" or "--template-parameters" or "--use-container-for-build")),
        [_, "tool", "install" or "update", "-g", "Amazon.Lambda.Tools"] => null,
        _ => "not one of the commands that are used here",
    };

    // n8n 1.123: its commands with the options that are used here.
    private static string? N8nFault(IReadOnlyList<string> words) => words switch
    {
        [_, "start"] => null,
        [_, "import:credentials" or "import:workflow", var input] when input.StartsWith("--input=", StringComparison.Ordinal) => null,
        [_, "update:workflow", var id, "--active=true"] when id.StartsWith("--id=", StringComparison.Ordinal) => null,
        _ => "not one of the commands that are used here",
    };

    /// <summary>Words up to the first value or placeholder name a command; options have to be its own.</summary>
    private static string? MentionFault(RehearsedCommand command)
    {
        var words = command.Words;
        if (words[0] == "./ctl")
        {
            var (at, depth) = (Ctl(), 1);
            var known = at.Options.SelectMany(option => option.Aliases.Append(option.Name)).ToHashSet();
            for (var i = 1; i < words.Count; i++)
            {
                var alternatives = words[i].Split('|');
                if (at.Subcommands.Count > 0 && !words[i].StartsWith('-') && depth++ > 0)
                {
                    if (words[i] is "…" || words[i - 1] is "--stack" or "--region" or "--state")
                        continue;
                    if (alternatives.FirstOrDefault(word => at.Subcommands.All(one => one.Name != word)) is { } stranger)
                        return $"{command}: there is no {stranger}";
                    at = at.Subcommands.First(one => one.Name == alternatives[0]);
                    known.UnionWith(at.Options.SelectMany(option => option.Aliases.Append(option.Name)));
                }
                else if (words[i].StartsWith("--", StringComparison.Ordinal) && !known.Contains(words[i]))
                    return $"{command}: there is no {words[i]}";
            }
            return null;
        }

        return words[0] is "./run" or "./test" || words[0].Contains('/', StringComparison.Ordinal)
            ? IsThere(words[0].TrimEnd('/')) || words[0].Contains('*', StringComparison.Ordinal) ? null : $"{command}: no such file"
            : null;
    }

    /// <summary>What the AWS CLI's own tables of services, operations and options do not know.</summary>
    private static async Task<IReadOnlyList<string>> AwsFaultsAsync(IReadOnlyList<RehearsedCommand> commands, bool isMention = false)
    {
        var calls = commands.Where(one => one.Words[0] == "aws").ToList();
        var start = new ProcessStartInfo("python3", [Path.Combine(RepositoryRoot.Find(), "tests", "Flows", "aws-commands.py"), isMention ? "mention" : "whole"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var python = Process.Start(start)!;
        foreach (var call in calls)
            await python.StandardInput.WriteLineAsync(string.Join('\u001f', call.Words.Skip(1)));
        python.StandardInput.Close();
        var (said, complained) = (python.StandardOutput.ReadToEndAsync(Cancel), python.StandardError.ReadToEndAsync(Cancel));
        await python.WaitForExitAsync(Cancel);
        Assert.SkipWhen(python.ExitCode == 3, "the AWS CLI is not installed for python3");
        Assert.True(python.ExitCode == 0, await complained);
        return [.. (await said).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t'))
            .Select(found => $"{calls[int.Parse(found[0], System.Globalization.CultureInfo.InvariantCulture)]}: {found[1]}")];
    }

    private static bool IsThere(string path) => Path.Exists(Path.Combine(RepositoryRoot.Find(), path)) || IsALayer(path);

    private static bool IsALayer(string path) => path.StartsWith("tests/", StringComparison.Ordinal)
        && Directory.GetDirectories(Path.Combine(RepositoryRoot.Find(), "tests"))
            .Any(folder => Path.GetFileName(folder).Equals(path["tests/".Length..], StringComparison.OrdinalIgnoreCase));

    /// <summary>Where a program of the pages is: on the path, or in the folder where they install it.</summary>
    private static string[] OnThePath(string program) =>
        [.. Environment.GetEnvironmentVariable("PATH")!.Split(':').Append(Path.Combine(RepositoryRoot.Find(), ".cache", program, "node_modules", ".bin"))
            .Where(folder => File.Exists(Path.Combine(folder, program))).Select(_ => program).Distinct()];
}
