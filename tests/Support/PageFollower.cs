using System.Text;
using System.Text.RegularExpressions;

namespace ControlPlane.Tests.Support;

/// <summary>A command that was only looked at: where it stands, and its words as the shell hands them over, the program first.</summary>
public sealed record RehearsedCommand(string Page, int Line, IReadOnlyList<string> Words)
{
    public override string ToString() => $"{Page}:{Line}: {string.Join(' ', Words)}";
}

/// <summary>What came of following pages.</summary>
/// <param name="Rehearsed">Commands that were only looked at.</param>
/// <param name="Pictured">What blocks with a picture printed, colours and all.</param>
public sealed record FollowedPages(IReadOnlyList<RehearsedCommand> Rehearsed, IReadOnlyList<(CommandBlock Block, string Output)> Pictured);

/// <summary>A reader who types the commands of pages, one block after the other, in the checkout's folder.</summary>
/// <remarks>In a network of its own, where there is this machine and nothing else: its ports are free, and nothing gets out. What follows a block in the same
/// terminal has its variables. A block that needs what is not there is rehearsed: the shell runs it, but each program that it calls only notes what it was
/// given.</remarks>
public static partial class PageFollower
{
    private const string End = "followed";
    private const string WaitsForATerminal = "120", WaitsForWords = "90";

    /// <summary>Programs that are noted and not called, beside those that are called by their path.</summary>
    private static readonly string[] Outside = ["aws", "cp", "dotnet", "n8n", "npm", "cloudflared", "metering-sidecar", "systemctl", "journalctl", "sudo", "docker", "git", "curl"];

    /// <summary>Skips where no network of one's own is to be had.</summary>
    public static void RequireNetwork()
    {
        using var tried = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo("unshare", ["-n", "ip", "link", "set", "lo", "up"]) { RedirectStandardError = true });
        tried?.WaitForExit();
        Assert.SkipUnless(tried?.ExitCode == 0, "a network namespace takes root, unshare and ip");
    }

    /// <summary>Follows pages to their end, one after the other on the same machine, or fails with the block that went wrong and what was printed. A program
    /// that runs on from a page before is not started again.</summary>
    /// <param name="has">What the machine has of what blocks need; a block that needs something else is rehearsed.</param>
    /// <param name="ready">What a program that runs on prints when the reader may go on, where the page does not say.</param>
    public static async Task<FollowedPages> FollowAsync(
        IReadOnlyList<string> pages, IReadOnlyCollection<string> has, string state, CancellationToken cancel, string ready = "Try it")
    {
        Assert.All(pages, page => Assert.NotEmpty(CommandPage.Read(page)));
        return await FollowAsync([.. pages.SelectMany(CommandPage.Read)], has, state, ready, cancel);
    }

    /// <summary>Rehearses blocks, whatever they need.</summary>
    public static async Task<IReadOnlyList<RehearsedCommand>> RehearseAsync(IReadOnlyList<CommandBlock> blocks, CancellationToken cancel) =>
        (await FollowAsync([.. blocks.Select(block => block with { Marks = [.. block.Marks, "rehearsal"] })], [], state: "", ready: "", cancel)).Rehearsed;

    private static async Task<FollowedPages> FollowAsync(
        IReadOnlyList<CommandBlock> blocks, IReadOnlyCollection<string> has, string state, string ready, CancellationToken cancel)
    {
        RequireNetwork();
        var folder = Directory.CreateTempSubdirectory("page-").FullName;
        try
        {
            var script = Path.Combine(folder, "script");
            await File.WriteAllTextAsync(script, ScriptOf(blocks, has, folder, ready), cancel);
            var environment = new Dictionary<string, string> { ["CONTROL_PLANE_STATE"] = state, ["TMPDIR"] = folder, ["TERM"] = "xterm-256color" };
            await using var reader = StartedProgram.Start(
                // Ctrl-C and a closed terminal end what runs in it, also where these tests run in the background or under nohup.
                ["env", "--default-signal=HUP,INT", "unshare", "-n", "bash", script], environment, cancel, RepositoryRoot.Find(), TimeSpan.FromMinutes(8));
            var code = await reader.EndAsync();
            var pages = string.Join(", ", blocks.Select(block => block.Page).Distinct());
            Assert.True(code == 0 && reader.Output.EndsWith(End, StringComparison.Ordinal), $"{pages} was not followed to its end: {reader.Output}");
            await reader.UntilAsync(() => reader.LeftBehind().Count == 0);
            return new(
                Noted(Path.Combine(folder, "noted"), blocks),
                [.. blocks.Index().Where(one => one.Item.Picture is not null && !one.Item.Needs.Except(has).Any())
                    .Select(one => (one.Item, File.ReadAllText(Path.Combine(folder, $"{one.Index}.said.picture")).Replace(state, ".state", StringComparison.Ordinal)))]);
        }
        finally { Directory.Delete(folder, recursive: true); }
    }

    private static string ScriptOf(IReadOnlyList<CommandBlock> blocks, IReadOnlyCollection<string> has, string folder, string ready)
    {
        var noted = Path.Combine(folder, "noted");
        File.WriteAllText(noted, "");
        var script = new StringBuilder($$"""
            set -u
            ip link set lo up
            terminals=()
            leave() { for one in "${terminals[@]}"; do kill -INT "$one" 2>/dev/null; done; wait; }
            trap leave EXIT
            wrong() { echo "line $1 of the page went wrong:"; cat "$2"; exit 1; }
            # Whether a file holds the lines of another, in that order, each perhaps within a longer one.
            holds() { local at=1 line found; while IFS= read -r line; do found=$(tail -n "+$at" "$1" | grep -n -m1 -F -- "$line" | cut -d: -f1); [ -n "$found" ] || return 1; at=$((at + found)); done < "$2"; }
            until_holds() { local tries=0; until holds "$1" "$2"; do [ $((tries += 1)) -lt $(($3 * 5)) ] || return 1; sleep 0.2; done; }
            note() { printf '%s\0' "$block" "$#" "$@" >> {{noted}}; echo noted; }

            """);
        var running = new HashSet<string>();
        foreach (var (number, block) in blocks.Index())
        {
            var (text, said, shows) = (Path.Combine(folder, $"{number}.sh"), Path.Combine(folder, $"{number}.said"), Path.Combine(folder, $"{number}.shows"));
            var where = $"'{block.Line} of {block.Page}'";
            File.WriteAllText(text, block.Text + "\n");
            File.WriteAllLines(shows, block is { RunsOn: true, Shows: [] } ? [ready] : block.Shows);
            script.AppendLine($"bash -n {text} || wrong {where} {text}");
            if (block.Needs.Except(has).Any())
            {
                var programs = CalledByPath().Matches(block.Text).Select(match => match.Groups["program"].Value).Distinct().Concat(Outside);
                File.WriteAllText($"{text}.noted", $"block={number}\n{string.Join('\n', programs.Select(one => $"{one}() {{ note {one} \"$@\"; }}"))}\ncd {folder}\n");
                // What a block defines is there for those that follow it, like the variables of one that is typed.
                script.AppendLine(
                    $"( . {text}.noted; set -ea; [ ! -e {folder}/kept ] || . {folder}/kept; . {text}; {{ export -p | grep '^declare -x [a-z]' || :; declare -f output || :; }} > {folder}/kept ) > {said} 2>&1; [ $? = 0 ] || wrong {where} {said}");
                continue;
            }

            if (block.RunsOn && !running.Add(block.Text))
                continue;
            var typed = block.Picture is null ? $"bash {text}" : $"script -qefc 'stty cols {TerminalPicture.Columns} rows 60; bash -e {text}' /dev/null";
            script.AppendLine(block switch
            {
                // Ctrl-C is ignored by what a shell starts in the background, unless it is a job of its own.
                { RunsOn: true } => $"set -m; {typed} > {said} 2>&1 < /dev/null & terminals+=(-$!); set +m; until_holds {said} {shows} {WaitsForATerminal} || wrong {where} {said}; [ -z '{block.Picture}' ] || {{ sleep 1; cp {said} {said}.picture; }}",
                { IsRepeated: true } => $"tries=0; until {{ set -e; . {text}; set +e; }} > {said} 2>&1; holds {said} {shows}; do [ $((tries += 1)) -lt {WaitsForWords} ] || wrong {where} {said}; sleep 1; done",
                { Picture: not null } => $"{typed} > {said} < /dev/null; [ $? = 0 ] || wrong {where} {said}; holds {said} {shows} || wrong {where} {said}; cp {said} {said}.picture",
                _ => $"bash_failed=1; trap '[ $bash_failed = 0 ] || {{ echo \"line {block.Line} of {block.Page} went wrong:\"; cat {said}; }}; leave' EXIT; set -e; . {text} > {said} 2>&1; set +e; bash_failed=0; trap leave EXIT; holds {said} {shows} || wrong {where} {said}",
            });
        }

        script.AppendLine($"leave; trap - EXIT; printf '{End}'");
        return script.ToString();
    }

    /// <summary>A block's number, how many words there are, the words; each ends in a zero.</summary>
    private static List<RehearsedCommand> Noted(string file, IReadOnlyList<CommandBlock> blocks)
    {
        var (fields, found) = (new Queue<string>(File.ReadAllText(file).Split('\0')[..^1]), new List<RehearsedCommand>());
        while (fields.Count > 0)
        {
            var block = blocks[int.Parse(fields.Dequeue(), System.Globalization.CultureInfo.InvariantCulture)];
            var count = int.Parse(fields.Dequeue(), System.Globalization.CultureInfo.InvariantCulture);
            found.Add(new(block.Page, block.Line, [.. Enumerable.Range(0, count).Select(_ => fields.Dequeue())]));
        }
        return found;
    }

    [GeneratedRegex(@"(?:^|[;&|(])[ ]*(?:\w+=\S*[ ]+)*(?<program>[\w.-]*/[\w./-]+)(?=[ \n;)]|$)", RegexOptions.Multiline)]
    private static partial Regex CalledByPath();
}
