namespace ControlPlane.Local.Processes;

/// <summary>How fast this machine is today, from what was seen of it, so that a slow one is waited for longer.</summary>
internal sealed class Pace
{
    private const double Slowest = 40;

    private double _factor = 1;

    /// <summary>How many times as long as on an idle machine things take; at least 1.</summary>
    public double Factor => Volatile.Read(ref _factor);

    /// <summary>Notes how long something took that takes <paramref name="usually"/> on an idle machine of two cores.</summary>
    public void Saw(TimeSpan took, TimeSpan usually)
    {
        var seen = Math.Min(took / usually, Slowest);
        if (seen > Factor)
            Volatile.Write(ref _factor, seen);
    }

    /// <param name="usual">Ample on an idle machine.</param>
    public TimeSpan Of(TimeSpan usual) => usual * Factor;
}
