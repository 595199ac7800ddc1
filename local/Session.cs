using ControlPlane.Local.DataPlane;
using ControlPlane.Local.Demo;
using ControlPlane.Local.Hub;
using ControlPlane.Local.Output;
using ControlPlane.Local.Preparation;
using ControlPlane.Local.Processes;
using Spectre.Console;

namespace ControlPlane.Local;

/// <summary>Whether a session plays the flows.</summary>
internal enum Play { Nothing, AndServe, AndExit }

/// <summary>One run of the local control plane, from the first word on the screen to the last process ended.</summary>
internal static class Session
{
    private const int Done = 0, NotDone = 1;

    /// <summary>As a shell has it of a program that Ctrl-C ended.</summary>
    private const int Stopped = 130;

    /// <returns>What <see cref="RunCommandLine.RunAsync"/> says.</returns>
    public static async Task<int> RunAsync(RunOptions options, Play play, CancellationToken cancel)
    {
        var clock = TimeProvider.System;
        if (Console.IsOutputRedirected) AnsiConsole.Profile.Width = 240;    // a file has no edge to wrap at
        var screen = new Screen(AnsiConsole.Console);
        var started = clock.GetTimestamp();
        var isServing = false;
        try
        {
            Func<string, Task<bool>>? askAsync =
                Console.IsInputRedirected || Console.IsOutputRedirected ? null : question => AnsiConsole.ConfirmAsync(question, defaultValue: false, cancel);
            await Tools.EnsureAsync(options.Install, askAsync, screen.Say, cancel);
            await using var local = await LocalControlPlane.StartAsync(options, screen.Say, clock, cancel);
            screen.Ready(local, clock.GetElapsedTime(started));
            local.Logs.Printed += line => { if (line.IsTrouble && !TenantMachine.IsLogOfOne(line.Function)) screen.Show(line); };

            if (play != Play.Nothing && !await PlayAsync(local, screen, clock, cancel))
                return NotDone;
            if (play == Play.AndExit)
                return Done;

            isServing = true;
            local.Slack.State.Shown += screen.Show;
            local.DataPlanes.Joined += screen.Joined;
            screen.Invite(local, options);
            await Task.Delay(Timeout.InfiniteTimeSpan, clock, cancel);
            return Done;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested) { return isServing ? Done : Stopped; }
        catch (CannotStart e)
        {
            screen.Failed(e.Message);
            return NotDone;
        }
        catch (Exception e)
        {
            screen.Failed($"{e.GetType().Name}: {e.Message.Split('\n')[0]} {Note(e, options.State)}");
            return NotDone;
        }
    }

    /// <summary>Files what nobody foresaw: the reader gets a line, whoever mends it the rest.</summary>
    private static string Note(Exception fault, string state)
    {
        var file = Path.Combine(state, "fault.txt");
        try
        {
            StateFolder.Write(file, $"{fault}\n");
            return $"That is a fault of ours; {file} has the rest of it.";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return "That is a fault of ours."; }
    }

    private static async Task<bool> PlayAsync(LocalControlPlane local, Screen screen, TimeProvider clock, CancellationToken cancel)
    {
        try
        {
            await new CommandFlow(local, screen, clock).PlayAsync(cancel);
            await new HeartbeatFlow(local, screen, clock).PlayAsync(cancel);
            return true;
        }
        catch (StepNotSeen e)
        {
            screen.Failed(e.Message);
            return false;
        }
    }
}
