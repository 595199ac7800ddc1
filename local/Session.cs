using ControlPlane.Local.DataPlane;
using ControlPlane.Local.Demo;
using ControlPlane.Local.Hub;
using ControlPlane.Local.Output;
using ControlPlane.Local.Preparation;
using Spectre.Console;

namespace ControlPlane.Local;

/// <summary>Whether a session plays the flows.</summary>
internal enum Play { Nothing, AndServe, AndExit }

/// <summary>One run of the local control plane, from the first word on the screen to the last process ended.</summary>
internal static class Session
{
    public static async Task<int> RunAsync(RunOptions options, Play play, CancellationToken cancel)
    {
        var clock = TimeProvider.System;
        if (Console.IsOutputRedirected) AnsiConsole.Profile.Width = 240;    // a file has no edge to wrap at
        var screen = new Screen(AnsiConsole.Console);
        var started = clock.GetTimestamp();
        try
        {
            await Tools.EnsureAsync(screen.Say);
            await using var local = await LocalControlPlane.StartAsync(options, screen.Say, clock, cancel);
            screen.Ready(local, clock.GetElapsedTime(started));
            local.Logs.Printed += line => { if (line.IsTrouble && line.Function != DemoMachine.Name) screen.Show(line); };

            if (play != Play.Nothing && !await PlayAsync(local, screen, clock, cancel))
                return 1;
            if (play == Play.AndExit)
                return 0;

            local.Slack.Caught += screen.Show;
            screen.Invite(local, options);
            await Task.Delay(Timeout.InfiniteTimeSpan, clock, cancel);
            return 0;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested) { return play == Play.AndExit ? 1 : 0; }
        catch (Exception e) when (e is MissingTool or InvalidOperationException or IOException or TimeoutException)
        {
            screen.Failed(e.Message);
            return 1;
        }
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
