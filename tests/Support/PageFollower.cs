using System.Text;

namespace ControlPlane.Tests.Support;

/// <summary>A reader who types the commands of a page, one block after the other, in the checkout's folder.</summary>
/// <remarks>In a network of its own, where there is this machine and nothing else: its ports are free, and nothing gets out. What follows a block in the same
/// terminal has its variables.</remarks>
public static class PageFollower
{
    private const string End = "followed";
    private const string WaitsForATerminal = "120", WaitsForWords = "90";

    /// <summary>Skips where no network of one's own is to be had.</summary>
    public static void RequireNetwork()
    {
        using var tried = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo("unshare", ["-n", "ip", "link", "set", "lo", "up"]) { RedirectStandardError = true });
        tried?.WaitForExit();
        Assert.SkipUnless(tried?.ExitCode == 0, "a network namespace takes root, unshare and ip");
    }

    /// <summary>Follows the page to its end, or fails with the block that went wrong and what was printed.</summary>
    /// <param name="has">What the machine has of what blocks need; a block that needs something else is parsed only.</param>
    /// <param name="ready">What a program that runs on prints when the reader may go on, where the page does not say.</param>
    public static async Task FollowAsync(string page, IReadOnlyCollection<string> has, string state, CancellationToken cancel, string ready = "Try it")
    {
        RequireNetwork();
        var blocks = CommandPage.Read(page);
        Assert.NotEmpty(blocks);
        var folder = Directory.CreateTempSubdirectory("page-").FullName;
        try
        {
            var script = Path.Combine(folder, "script");
            await File.WriteAllTextAsync(script, ScriptOf(blocks, has, folder, ready), cancel);
            await using var reader = StartedProgram.Start(
                ["unshare", "-n", "bash", script], new Dictionary<string, string> { ["CONTROL_PLANE_STATE"] = state }, cancel, RepositoryRoot.Find(), TimeSpan.FromMinutes(8));
            var code = await reader.EndAsync();
            Assert.True(code == 0 && reader.Output.EndsWith(End, StringComparison.Ordinal), $"{page} was not followed to its end: {reader.Output}");
            await reader.UntilAsync(() => reader.LeftBehind().Count == 0);
        }
        finally { Directory.Delete(folder, recursive: true); }
    }

    private static string ScriptOf(IReadOnlyList<CommandBlock> blocks, IReadOnlyCollection<string> has, string folder, string ready)
    {
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

            """);
        foreach (var (number, block) in blocks.Index())
        {
            var (text, said, shows) = (Path.Combine(folder, $"{number}.sh"), Path.Combine(folder, $"{number}.said"), Path.Combine(folder, $"{number}.shows"));
            File.WriteAllText(text, block.Text + "\n");
            File.WriteAllLines(shows, block is { RunsOn: true, Shows: [] } ? [ready] : block.Shows);
            script.AppendLine($"bash -n {text} || wrong {block.Line} {text}");
            if (block.Needs.Except(has).Any())
                continue;
            script.AppendLine(block switch
            {
                // Ctrl-C is ignored by what a shell starts in the background, unless it is a job of its own.
                { RunsOn: true } => $"set -m; bash {text} > {said} 2>&1 < /dev/null & terminals+=(-$!); set +m; until_holds {said} {shows} {WaitsForATerminal} || wrong {block.Line} {said}",
                { IsRepeated: true } => $"tries=0; until {{ set -e; . {text}; set +e; }} > {said} 2>&1; holds {said} {shows}; do [ $((tries += 1)) -lt {WaitsForWords} ] || wrong {block.Line} {said}; sleep 1; done",
                _ => $"bash_failed=1; trap '[ $bash_failed = 0 ] || {{ echo \"line {block.Line} of the page went wrong:\"; cat {said}; }}; leave' EXIT; set -e; . {text} > {said} 2>&1; set +e; bash_failed=0; trap leave EXIT; holds {said} {shows} || wrong {block.Line} {said}",
            });
        }

        script.AppendLine($"leave; trap - EXIT; printf '{End}'");
        return script.ToString();
    }
}
