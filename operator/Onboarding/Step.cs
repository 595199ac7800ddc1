using ControlPlane.Executions;
using ControlPlane.Operator.Deployments;
using ControlPlane.Tenants;

namespace ControlPlane.Operator.Onboarding;

/// <summary>A step of a series. Done twice it does no harm: it was perhaps interrupted before that was written down.</summary>
/// <param name="InWords">What it sees to.</param>
/// <param name="RunAsync">Returns what came of it, in one line.</param>
/// <param name="LosesData">There is no way back from it.</param>
internal sealed record Step(string Name, string InWords, Func<StepRun, CancellationToken, Task<string>> RunAsync, bool LosesData = false);

/// <summary>A step cannot be done now. The message is for the operator, mend included.</summary>
internal sealed class StepException(string message) : Exception(message);

/// <summary>Where a series ended.</summary>
/// <param name="StoppedAt">The step that was not done; null when all are.</param>
internal sealed record SeriesEnd(StepSeries Series, string? StoppedAt, string? Why);

/// <summary>A series while an operator works on it: each step that is done is written down at once.</summary>
internal sealed class StepRun(ControlPlaneClient hub, StepSeries series, OperatorId by, Action<string> say)
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(1);

    public ControlPlaneClient Hub => hub;

    public TenantId Tenant => series.Tenant;

    public StepSeries Series => series;

    /// <summary>What was asked for or found; null where it was not.</summary>
    public string? Value(string name) => series.Values.GetValueOrDefault(name);

    public void Say(string text) => say(text);

    /// <summary>Writes down what was found, for the steps behind and for whoever goes on.</summary>
    public Task KeepAsync(string name, string value, CancellationToken cancel) =>
        SaveAsync(series with { Values = new Dictionary<string, string>(series.Values) { [name] = value } }, cancel);

    /// <param name="mayLoseData">Whether it goes past the steps from which there is no way back.</param>
    public async Task<SeriesEnd> RunAsync(IReadOnlyList<Step> steps, bool mayLoseData, CancellationToken cancel)
    {
        try
        {
            await SaveAsync(series, cancel);
        }
        catch (StepException e)
        {
            return new(series, steps[0].Name, e.Message);
        }
        foreach (var (at, step) in steps.Index().Where(one => !series.IsDone(one.Item.Name)))
        {
            if (step.LosesData && !mayLoseData)
                return new(series, step.Name, $"From here data is lost ({step.InWords}). When that is meant: --yes-delete-data.");
            say($"{at + 1}/{steps.Count} {step.Name}: {step.InWords}");
            try
            {
                var result = await step.RunAsync(this, cancel);
                await SaveAsync(series with { Done = [.. series.Done, new(step.Name, hub.Clock.GetUtcNow(), by.ToString(), result)] }, cancel);
            }
            catch (StepException e)
            {
                return new(series, step.Name, e.Message);
            }
        }
        return new(series, null, null);
    }

    /// <summary>Looks every second until it is there.</summary>
    /// <param name="lookAsync">What it says when it is there; null until then.</param>
    /// <param name="why">What to do when it does not come.</param>
    public async Task<string> UntilAsync(TimeSpan patience, Func<Task<string?>> lookAsync, string why, CancellationToken cancel)
    {
        for (var began = hub.Clock.GetTimestamp(); ; await Task.Delay(BetweenLooks, hub.Clock, cancel))
        {
            if (await lookAsync() is { } there)
                return there;
            if (hub.Clock.GetElapsedTime(began) >= patience)
                throw new StepException(why);
        }
    }

    private async Task SaveAsync(StepSeries wanted, CancellationToken cancel) =>
        series = await hub.StepSeries.TrySaveAsync(wanted, cancel)
            ?? throw new StepException($"Another operator is at work on {Tenant}: ./ctl tenant {series.Name} {Tenant} --status shows how far.");
}
