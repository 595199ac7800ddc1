namespace ControlPlane.Tests.Cloud;

/// <summary>Breaks a scenario at every call it makes, in every way a call can break.</summary>
public static class CrashPoints
{
    /// <param name="run">Plays the scenario once through the seam, then what the world would do, and asserts what must hold. Gets the name of the break for its
    /// messages.</param>
    /// <param name="faults">All of them when left out.</param>
    /// <returns>How many breaks were played.</returns>
    public static async Task<int> ForEachAsync(Func<FaultSeam, string, Task> run, IReadOnlyList<Fault>? faults = null)
    {
        var played = 0;
        foreach (var fault in faults ?? FaultSeam.AllFaults)
        {
            for (var call = 1; ; call++)
            {
                var seam = FaultSeam.At(call, fault);
                await run(seam, $"{fault} at call {call}");
                if (seam.Calls.Count < call)
                    break;                                  // the scenario makes no such call: this run was undisturbed
                played++;
            }
        }
        return played;
    }
}
