namespace ControlPlane.Quotas;

/// <summary>A tenant's executions in one month.</summary>
/// <param name="Charged">Used and reserved together: what the monthly quota limits.</param>
/// <param name="Used">Executions whose outcome is in.</param>
/// <param name="Metered">What the engines reported with their outcomes.</param>
public sealed record MonthUsage(long Charged, long Used, ExecutionUsage Metered)
{
    public static readonly MonthUsage None = new(0, 0, ExecutionUsage.None);

    public long Reserved => Charged - Used;
}

/// <summary>What an engine reports of one run.</summary>
public sealed record ExecutionUsage(long CpuMs, long GpuMs, long InputTokens, long OutputTokens)
{
    public static readonly ExecutionUsage None = new(0, 0, 0, 0);

    public static ExecutionUsage operator +(ExecutionUsage one, ExecutionUsage other) =>
        new(one.CpuMs + other.CpuMs, one.GpuMs + other.GpuMs, one.InputTokens + other.InputTokens, one.OutputTokens + other.OutputTokens);
}
