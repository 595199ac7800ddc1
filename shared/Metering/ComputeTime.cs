namespace ControlPlane.Metering;

/// <summary>CPU and GPU time in milliseconds: core-milliseconds and device-milliseconds.</summary>
public readonly record struct ComputeTime(long CpuMs, long GpuMs)
{
    /// <summary>2^53 − 1: the greatest integer that every JSON reader keeps exactly, and so the greatest sum we keep.</summary>
    public const long Highest = 9_007_199_254_740_991;

    public static readonly ComputeTime Zero;

    public static ComputeTime operator +(ComputeTime one, ComputeTime other) => checked(new(one.CpuMs + other.CpuMs, one.GpuMs + other.GpuMs));

    public static ComputeTime operator -(ComputeTime one, ComputeTime other) => checked(new(one.CpuMs - other.CpuMs, one.GpuMs - other.GpuMs));

    /// <summary>Whether neither part is below the other's.</summary>
    public bool IsAtLeast(ComputeTime other) => CpuMs >= other.CpuMs && GpuMs >= other.GpuMs;
}
