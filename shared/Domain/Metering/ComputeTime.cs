using ControlPlane.Text;
namespace ControlPlane.Metering;

/// <summary>CPU and GPU time in milliseconds: core-milliseconds and device-milliseconds.</summary>
public readonly record struct ComputeTime(long CpuMs, long GpuMs)
{
    /// <summary>The greatest sum we keep.</summary>
    public const long Highest = JsonInteger.Highest;

    public static readonly ComputeTime Zero;

    public static ComputeTime operator +(ComputeTime one, ComputeTime other) => checked(new(one.CpuMs + other.CpuMs, one.GpuMs + other.GpuMs));

    public static ComputeTime operator -(ComputeTime one, ComputeTime other) => checked(new(one.CpuMs - other.CpuMs, one.GpuMs - other.GpuMs));

    /// <summary>Whether neither part is below the other's.</summary>
    public bool IsAtLeast(ComputeTime other) => CpuMs >= other.CpuMs && GpuMs >= other.GpuMs;
}

/// <summary>The processors of one machine.</summary>
public readonly record struct Machine(int Cpus, int Gpus)
{
    /// <summary>The most that they can use in a time; nothing when it is negative.</summary>
    public ComputeTime In(TimeSpan time)
    {
        var milliseconds = Math.Max(0, (long)time.TotalMilliseconds);
        return new(milliseconds * Cpus, milliseconds * Gpus);
    }
}
