using System.Diagnostics;
using System.Text.Json;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Operator;

/// <summary>The tool in scripts, in pipes, in shells, and where somebody waits.</summary>
public sealed class ScriptingTests(LocalCloud cloud)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Health_exits_with_1_when_a_dead_letter_waits_or_a_data_plane_is_offline()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        Assert.Equal(0, (await ctl.SayAsync("health")).Exit);

        await ctl.Queues.Client.SendMessageAsync(ctl.Queues.Urls["DispatchDeadLetters"], "letter", Cancel);
        var said = await ctl.SayAsync("health");
        Assert.Equal((1, ""), (said.Exit, said.Error));
        Assert.Contains("DEAD LETTERS", said.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await ctl.SayAsync("health --exit-zero")).Exit);
        Assert.Equal(1, (await ctl.SayAsync("health --output json")).Exit);
    }

    [Theory]
    [InlineData(180, 0), InlineData(181, 1)]
    public async Task An_instance_is_offline_after_three_minutes(int seconds, int exit)
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        await ctl.BeatAsync();
        ctl.Clock.Advance(TimeSpan.FromSeconds(seconds));
        Assert.Equal(exit, (await ctl.SayAsync("health")).Exit);
    }

    [Fact]
    public async Task Errors_are_JSON_where_JSON_was_asked_for()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        foreach (var (line, exit) in new[] { ("tenant show tenant-9 --output json", 1), ("tenant show --output json", 2), ("tenant show tenant-0 --output json", 2) })
        {
            var said = await ctl.SayAsync(line);
            Assert.Equal((exit, ""), (said.Exit, said.Output));
            Assert.Contains("./ctl", JsonDocument.Parse(said.Error).RootElement.GetProperty("error").GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_hint_works_as_it_is_pasted()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        var said = await OperatorFixture.SayAsync(ctl.Clock, "tenant", "show", "tenant-9", "--state", ctl.Folder);
        var hint = said.Error[(said.Error.IndexOf("./ctl ", StringComparison.Ordinal) + "./ctl ".Length)..said.Error.IndexOf(" shows who is", StringComparison.Ordinal)];
        Assert.Equal(0, (await OperatorFixture.SayAsync(ctl.Clock, hint.Split(' '))).Exit);

        Assert.Contains("./ctl --stack my-stack --region us-west-2 tenant show --help", (await OperatorFixture.SayAsync(
            ctl.Clock, "tenant", "show", "--stack", "my-stack", "--region", "us-west-2")).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tenant show", "./ctl tenant show needs <tenant>")]
    [InlineData("workflow publish tenant-7", "./ctl workflow publish needs <workflow>")]
    [InlineData("group set tenant-7 ops", "./ctl group set needs --user")]
    [InlineData("tenant list --output xml", "--output 'xml' is not one of table, json")]
    [InlineData("secret rotate everything", "what 'everything' is not one of token-root, slack")]
    public async Task What_is_missing_or_wrong_is_named(string line, string words) =>
        (await OperatorFixture.SayAsync(TimeProvider.System, line.Split(' '))).Refuses(2, words);

    [Fact]
    public async Task Limits_without_options_are_shown()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        var said = await ctl.DoAsync("tenant limits tenant-7");
        Assert.Contains("monthly quota", said.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("as it was", said.Output, StringComparison.Ordinal);
        (await ctl.SayAsync("tenant limits tenant-9")).Refuses(1, "not registered");
    }

    [Fact]
    public async Task What_is_watched_is_shown_again_when_it_changes_until_it_is_stopped()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var watching = ctl.WatchAsync("execution list tenant-7", stop.Token, out var output);
        await UntilAsync(() => output().Contains("none", StringComparison.Ordinal));
        await ctl.QueueExecutionAsync();
        await UntilAsync(() =>
        {
            ctl.Clock.Advance(TimeSpan.FromSeconds(2));
            return output().Contains("QUEUED", StringComparison.Ordinal);
        });
        for (var i = 0; i < 5; i++)
            ctl.Clock.Advance(TimeSpan.FromSeconds(2));
        await stop.CancelAsync();

        var said = await watching;
        Assert.Equal((0, ""), (said.Exit, said.Error));
        Assert.Equal(2, said.Output.Split("(cleared)").Length - 1);
    }

    [Theory]
    [InlineData("./ctl ten", "tenant"), InlineData("./ctl tenant li", "limits"), InlineData("./ctl tenant list --output ", "json"), InlineData("./ctl health --ex", "--exit-zero")]
    public async Task What_may_come_next_is_suggested(string line, string word)
    {
        var said = await OperatorFixture.SayAsync(TimeProvider.System, $"[suggest:{line.Length}]", line);
        Assert.Contains(word, said.Output.Split('\n'));
    }

    [Theory]
    [InlineData("bash", """source <("$tool" completion bash); COMP_LINE="./ctl tenant sus"; COMP_POINT=${#COMP_LINE}; COMP_WORDS=("$tool" tenant sus); COMP_CWORD=2; _ctl; echo "${COMPREPLY[@]}" """, "suspend")]
    [InlineData("zsh", """compdef() { :; }; compadd() { shift; print -l -- "$@"; }; eval "$($tool completion zsh)"; words=($tool tenant sus); BUFFER="./ctl tenant sus"; CURSOR=${#BUFFER}; _ctl""", "suspend")]
    [InlineData("fish", """$tool completion fish | source; complete -C "ctl tenant sus" """, "suspend")]
    public async Task A_shell_completes_a_command(string shell, string script, string word)
    {
        var folder = Directory.CreateTempSubdirectory("ctl-").FullName;
        try
        {
            var tool = Path.Combine(folder, "ctl");
            await File.WriteAllTextAsync(tool, $"#!/bin/sh\nexec dotnet {Path.Combine(AppContext.BaseDirectory, "ControlPlane.Operator.dll")} \"$@\"\n", Cancel);
            await Process.Start("chmod", ["+x", tool]).WaitForExitAsync(Cancel);
            var start = new ProcessStartInfo(shell, ["-c", script]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
            start.Environment["tool"] = tool;
            start.Environment["PATH"] = $"{folder}:{Environment.GetEnvironmentVariable("PATH")}";
            Process process;
            try
            {
                process = Process.Start(start)!;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                Assert.Skip($"{shell} is not here.");
                return;
            }
            using (process)
            {
                var (output, error) = (process.StandardOutput.ReadToEndAsync(Cancel), process.StandardError.ReadToEndAsync(Cancel));
                await process.WaitForExitAsync(Cancel);
                Assert.True((await output).Contains(word, StringComparison.Ordinal), $"{await output}{await error}");
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("", true), InlineData("1", false)]
    public async Task Headings_are_bold_on_a_terminal_unless_NO_COLOR_is_set(string noColor, bool bold)
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        var command = $"dotnet {Path.Combine(AppContext.BaseDirectory, "ControlPlane.Operator.dll")} tenant list --state {ctl.Folder}";
        var start = new ProcessStartInfo("script", ["-qec", $"stty cols 80; {command}", "/dev/null"]) { RedirectStandardOutput = true, RedirectStandardInput = true };
        (start.Environment["NO_COLOR"], start.Environment["TERM"]) = (noColor, "xterm-256color");
        using var terminal = Process.Start(start)!;
        var shown = await terminal.StandardOutput.ReadToEndAsync(Cancel);
        Assert.Contains("tenant-7", shown, StringComparison.Ordinal);
        Assert.Equal(bold, shown.Contains("\u001b[1m", StringComparison.Ordinal));
    }

    private static async Task UntilAsync(Func<bool> isSo)
    {
        while (!isSo())
            await Task.Delay(20, Cancel);
    }
}
