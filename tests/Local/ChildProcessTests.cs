using System.Diagnostics;
using ControlPlane.Local.Processes;

namespace ControlPlane.Tests.Local;

public sealed class ChildProcessTests
{
    [Fact]
    public async Task A_program_hands_over_its_lines_and_its_exit_code()
    {
        var lines = new List<string>();
        await using var child = ChildProcess.Start("sh", ["-c", "echo \"$NAME\"; exit 3"], lines.Add, new Dictionary<string, string?> { ["NAME"] = "value" });
        Assert.Equal(3, await child.Ended);
        Assert.Equal(["value"], lines);
    }

    [Fact]
    public async Task A_program_that_does_not_listen_is_ended_all_the_same()
    {
        var ready = new TaskCompletionSource();
        await using var child = ChildProcess.Start("sh", ["-c", "trap '' TERM; echo ready; while true; do sleep 0.1; done"], _ => ready.TrySetResult());
        await ready.Task;
        await child.StopAsync(TimeSpan.FromMilliseconds(300));
        Assert.Equal(128 + 9, await child.Ended);
    }

    [Theory]
    [InlineData("INT"), InlineData("HUP")]
    public async Task What_reaches_the_whole_terminal_does_not_end_a_program(string signal)
    {
        await using var child = ChildProcess.Start("sh", ["-c", $"kill -{signal} $$; echo alive"], _ => { });
        Assert.Equal(0, await child.Ended);
    }

    [Fact]
    public async Task A_program_that_ended_and_was_let_go_can_be_asked_to_end_again()
    {
        var child = ChildProcess.Start("true", [], _ => { });
        Assert.Equal(0, await child.Ended);
        await child.DisposeAsync();
        await child.StopAsync(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_program_ends_when_the_other_end_of_its_leash_is_gone()
    {
        // What the system does with our end of the pipe when we are killed: it closes, without a word.
        using var program = Process.Start(new ProcessStartInfo("sh", ["-c", ChildProcess.Leash, "sh", "sleep", "60"]) { RedirectStandardInput = true })!;
        program.StandardInput.Close();
        await program.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.Equal(128 + 15, program.ExitCode);
    }
}
