using System.CommandLine;
using ControlPlane.Operator.Arguments;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Operator.Commands;

/// <summary>A tenant's limits as options. What is not named stays as it is.</summary>
internal sealed class LimitOptions
{
    private const string NoLimit = "none";

    public Option<long?> MonthlyQuota { get; } = Given.Limit("--monthly-quota", "Executions a calendar month (UTC); 0 refuses all.", most: JsonInteger.Highest);

    public Option<long?> Concurrency { get; } = Given.Limit("--concurrency", "Executions under way at once; 0 refuses all.", most: 100_000);

    /// <summary>Zero for <c>none</c>.</summary>
    public Option<TimeSpan?> MonthlyGpu { get; } = Given.Optional(
        "--monthly-gpu", $"100h|{NoLimit}", "Metered GPU time a month above which new executions are refused.",
        (string text, out TimeSpan time) => (time = default) is var _ && (text == NoLimit || (Duration.TryParse(text, out time) && time > TimeSpan.Zero)),
        text => $"{text} is no GPU time: say hours and minutes, like 100h or 1h30m, or {NoLimit}.");

    public LimitChange Of(ParseResult given)
    {
        var gpu = given.GetValue(MonthlyGpu);
        return new(given.GetValue(MonthlyQuota), (int?)given.GetValue(Concurrency), gpu > TimeSpan.Zero ? (long)gpu.Value.TotalMilliseconds : null, LiftsGpuLimit: gpu == TimeSpan.Zero);
    }
}
