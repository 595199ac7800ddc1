using System.CommandLine;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Output;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Operator.Commands;

/// <summary>A tenant's limits as options. What is not named stays as it is.</summary>
internal sealed class LimitOptions
{
    private const string NoLimit = "none";
    private const int MostInstances = 10_000;

    public Option<long?> MonthlyQuota { get; } = TypedArguments.Limit("--monthly-quota", "Executions a calendar month (UTC); 0 refuses all.", most: JsonInteger.Highest);

    public Option<long?> Concurrency { get; } = TypedArguments.Limit("--concurrency", "Executions under way at once; 0 refuses all.", most: 100_000);

    /// <summary>Zero for <c>none</c>.</summary>
    public Option<TimeSpan?> MonthlyGpu { get; } = TypedArguments.Optional(
        "--monthly-gpu", $"100h|{NoLimit}", "Metered GPU time a month above which new executions are refused.",
        (string text, out TimeSpan time) => (time = default) is var _ && (text == NoLimit || (Duration.TryParse(text, out time) && time > TimeSpan.Zero)),
        text => $"{text} is no GPU time: say hours and minutes, like 100h or 1h30m, or {NoLimit}.");

    public Option<long?> Instances { get; } = TypedArguments.Optional(
        "--instances-max", "N", "Machines with a sidecar that count at once.",
        (string text, out long count) => long.TryParse(
            text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out count) && count is >= 1 and <= MostInstances,
        text => $"{text} is not a whole number from 1 to {MostInstances}.");

    public Option<string> WhenSilent { get; } = TypedArguments.OneOf(
        "--when-silent", "What becomes of new executions while no sidecar of the tenant is heard of: tried with a warning, or denied.",
        [DisplayText.Warn, DisplayText.Deny]);

    public Command On(Command command)
    {
        foreach (var option in (Option[])[MonthlyQuota, Concurrency, MonthlyGpu, Instances, WhenSilent])
            command.Add(option);
        return command;
    }

    public LimitChange Of(ParseResult given)
    {
        var gpu = given.GetValue(MonthlyGpu);
        return new(
            given.GetValue(MonthlyQuota), (int?)given.GetValue(Concurrency), gpu > TimeSpan.Zero
                ? (long)gpu.Value.TotalMilliseconds
                : null, LiftsGpuLimit: gpu == TimeSpan.Zero, Instances: (int?)given.GetValue(Instances),
            DeniesWhenSilent: given.GetValue(WhenSilent) is { } word ? word == DisplayText.Deny : null);
    }
}
