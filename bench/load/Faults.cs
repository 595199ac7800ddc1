using System.Diagnostics;
using ControlPlane.Local.Hub;

namespace ControlPlane.Load;

/// <summary>What goes wrong meanwhile: a function is killed every 10 s, each engine's line is cut for 20 s of every minute, and Slack takes nothing for 3 s of
/// every 15.</summary>
internal sealed class Faults(LocalControlPlane local, Estate estate, TimeProvider clock)
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    public int Kills { get; private set; }

    public async Task MakeAsync(TimeSpan length, CancellationToken cancel)
    {
        var functions = local.Functions.Values.ToList();
        for (var second = 1; second < length.TotalSeconds; second++)
        {
            await Task.Delay(Tick, clock, cancel);
            if (second % 10 == 0)
                Kill(functions[Random.Shared.Next(functions.Count)].ProcessId);
            local.Slack.BusyFor = second % 15 >= 12 ? 1 : null;
            for (var number = 0; number < estate.Tenants.Count; number++)
            {
                if ((second + number) % 60 < 20)
                    estate.Tenants[number].Line.Cut();
                else
                    estate.Tenants[number].Line.Mend();
            }
        }

        local.Slack.BusyFor = null;
        foreach (var tenant in estate.Tenants)
            tenant.Line.Mend();
    }

    private void Kill(int? id)
    {
        try
        {
            using var process = Process.GetProcessById(id ?? 0);
            process.Kill();
            Kills++;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException) { }    // it had ended by itself
    }
}
