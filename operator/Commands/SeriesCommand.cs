using System.CommandLine;
using ControlPlane.Audit;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Onboarding;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Operator.Commands;

/// <summary>A command that is a series of named steps: shown, done, gone on with.</summary>
/// <param name="name">Of the series.</param>
/// <param name="kept">Options that are written down with the series, so that whoever goes on need not say them again.</param>
internal sealed class SeriesCommand(Runner runner, string name, string description, IReadOnlyList<Option> kept)
{
    private static readonly TimeSpan StandardWait = TimeSpan.FromMinutes(15);

    private readonly Argument<TenantId> _id = TypedArguments.Tenant();
    private readonly Option<bool> _plan = new("--plan") { Description = "Show the steps, and do none." };
    private readonly Option<bool> _status = new("--status") { Description = "Show how far it is." };
    private readonly Option<string?> _from = TypedArguments.Text("--from", "STEP", "Do this step and those behind it again.", most: 32);

    private readonly Option<TimeSpan> _wait = new("--wait")
    {
        Description = "How long to wait for what comes by itself, like 15m.",
        HelpName = "TIME",
        DefaultValueFactory = _ => StandardWait,
        CustomParser = given => TypedArguments.Read<TimeSpan>(given, Duration.TryParse, text => $"{text} is no time: 90s, 5m, 1h."),
    };

    /// <summary>What the steps are made of, beside what is kept.</summary>
    internal sealed record Asked(StepRun Run, ParseResult Given, TimeSpan Patience);

    /// <param name="steps">By what is kept.</param>
    /// <param name="mayLoseData">Null where no step does.</param>
    /// <param name="closing">What to say of it besides, once all is done.</param>
    /// <param name="instead">What is said in the place of doing anything, by an option; null where nothing is.</param>
    public Command Build(
        Func<Asked, IReadOnlyList<Step>> steps, Option<bool>? mayLoseData, Func<Asked, string?> closing,
        (Option<bool> Option, Func<Asked, CancellationToken, Task<Answer>> SayAsync)? instead,
        Func<StepSeries, IReadOnlyDictionary<string, string>, string?> inTheWay)
    {
        var command = new Command(name, description) { _id, _plan, _status, _from, _wait };
        foreach (var option in kept)
            command.Add(option);
        if (instead is { Option: var asksInstead })
            command.Add(asksInstead);
        if (mayLoseData is not null)
            command.Add(mayLoseData);
        return runner.Runs(command, async (hub, given, cancel) =>
        {
            var tenant = given.GetRequiredValue(_id);
            var there = await hub.StepSeries.FindAsync(tenant, cancel);
            var series = Begin(tenant, there, given);
            var by = await hub.CallerAsync(cancel);
            var run = new StepRun(hub, series, by, text => runner.Progress(given, text));
            var asked = new Asked(run, given, given.GetValue(_wait));
            var all = steps(asked);
            if (given.GetValue(_plan) || given.GetValue(_status))
                return Show(all, new(series, null, null), null);

            if (instead is { } other && given.GetValue(other.Option))
                return await SayAsync(() => other.SayAsync(asked, cancel));

            if (inTheWay(series, series.Values) is { } why)
                return new Answer.NotDone(why);
            if (given.GetValue(_from) is { } from)
            {
                if (all.All(step => step.Name != from))
                    return new Answer.NotDone($"{TypedArguments.Quote(from)} is none of its steps: {string.Join(", ", all.Select(step => step.Name))}.");
                run = new StepRun(
                    hub, series.Without([.. all.SkipWhile(step => step.Name != from).Select(step => step.Name)]), by, text => runner.Progress(given, text));
                asked = asked with { Run = run };
                all = steps(asked);
            }
            // Before the first step: what a step does outside of the tables has no other record.
            await (await hub.AuditorAsync(cancel)).NoteAsync(
                $"tenant.{name}", tenant, $"{tenant}",
                [AuditedValue.Of("steps_done", null, string.Join(", ", run.Series.Done.Select(one => one.Step)))], cancel);
            var end = await run.RunAsync(all, mayLoseData is not null && given.GetValue(mayLoseData), cancel);
            return Show(all, end, closing(asked));
        });
    }

    private static async Task<Answer> SayAsync(Func<Task<Answer>> sayAsync)
    {
        try
        {
            return await sayAsync();
        }
        catch (StepException e)
        {
            return new Answer.NotDone(e.Message);
        }
    }

    private StepSeries Begin(TenantId tenant, StepSeries? there, ParseResult given)
    {
        // The other series begins with what is known, and anew.
        var values = new Dictionary<string, string>(there?.Values ?? new Dictionary<string, string>());
        foreach (var option in kept)
            if (given.GetResult(option) is { Implicit: false } said)
                values[option.Name.TrimStart('-')] = said.Tokens.Count == 0 ? "yes" : said.Tokens[^1].Value;
        return new(tenant, name, values, there?.Name == name ? there.Done : [], there?.Version ?? 0);
    }

    private Answer.Shown Show(IReadOnlyList<Step> steps, SeriesEnd end, string? said)
    {
        var (series, tenant) = (end.Series, end.Series.Tenant);
        var shown = new SeriesView(
            name, tenant.ToString(), end.StoppedAt is not null ? "stopped" : steps.All(step => series.IsDone(step.Name)) ? "done" : "open",
            [.. steps.Select(step => Of(step, series, end))], end.StoppedAt, end.Why, said);
        return Answer.Show(shown, CtlJson.Default.SeriesView, page =>
        {
            page.Table(
                ["STEP", "STATE", Column.Prose("WHAT"), new("AT", 1)],
                shown.Steps.Select(one => (string?[])[one.Step, one.State, one.Result ?? one.InWords, DisplayText.Time(one.At)]));
            if (said is not null)
                page.Line(said);
            if (end.Why is not null)
                page.Lines($"Stopped at {end.StoppedAt}: {end.Why}\nThen: ./ctl tenant {name} {tenant} goes on there.");
        }) with
        { IsAlarming = end.StoppedAt is not null };
    }

    private static StepView Of(Step step, StepSeries series, SeriesEnd end)
    {
        var done = series.Done.LastOrDefault(one => one.Step == step.Name);
        return new(
            step.Name, step.InWords, done is not null ? "done" : end.StoppedAt == step.Name ? "stopped" : "open", step.LosesData,
            done is null ? null : Rfc3339.Format(done.At), done?.By, done?.Result);
    }
}
