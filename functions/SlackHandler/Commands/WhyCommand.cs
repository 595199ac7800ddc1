using ControlPlane.Executions;
using ControlPlane.SlackHandler.Messages;

namespace ControlPlane.SlackHandler.Commands;

/// <summary><c>why</c>: what was decided about an execution and what came of it, step by step.</summary>
internal sealed class WhyCommand(ExecutionLookup lookup)
{
    private const int LongestInputs = 1200;
    private const int MostSteps = 10;

    public async Task<SlackMessage> AnswerAsync(Caller caller, IReadOnlyList<Word> words, CancellationToken cancel)
    {
        if (words is not [{ Key: null, Value: var typed }])
            return Refusals.Usage(caller.Command.Name, "why exec_…");
        return await lookup.FindAsync(caller, typed, cancel) switch
        {
            Lookup.Found { Execution: var execution } => Answer(execution),
            Lookup.OnItsWay => StatusCommand.OnItsWay,
            Lookup.Ambiguous => Refusals.Ambiguous(typed),
            _ => Refusals.NoSuchExecution(typed),
        };
    }

    private static SlackMessage Answer(Execution execution) => SlackMessage.Private(
        ExecutionText.Headline(execution),
        Block.Section(Plan(execution)),
        Block.Section(Policy(execution)),
        Block.Section(Dispatch(execution)),
        Block.Section(SlackText.Of($"*Outcome*\n{Outcome(execution)}")),
        Block.SmallPrint(ExecutionText.SmallPrint(execution)));

    private static SlackText Plan(Execution execution) => SlackText.Of(
        $"*Plan*\n{SlackText.Code(execution.Workflow.ToString())} for {SlackText.User(execution.RequestedBy.UserId)}, in {execution.Month.ToString()}, deadline {SlackText.Time(execution.DeadlineAt)}\nInputs {SlackText.Code(execution.Inputs.GetRawText(), LongestInputs)}");

    private static SlackText Policy(Execution execution)
    {
        if (execution.Decision is not { } decision)
            return SlackText.Of($"*Policy*\nnot on record");
        var verdicts = decision.Verdicts.Take(MostSteps)
            .Select(verdict => SlackText.Of($"\n{Sign(verdict.Verdict)} {verdict.Rule}: {SlackText.Cut(verdict.InPlainWords, 150)}"));
        var decided = decision.Allowed ? SlackText.Of($"allowed") : SlackText.Of($"denied, {SlackText.Code(decision.Code)}");
        return SlackText.Of($"*Policy*: {decided}{SlackText.Join("", verdicts)}");
    }

    private static string Sign(string verdict) =>
        verdict switch { "allow" => ":white_check_mark:", "warn" => ":warning:", "deny" => ":no_entry:", _ => ":grey_question:" };

    private static SlackText Dispatch(Execution execution)
    {
        if (execution.Attempts.Count == 0)
            return SlackText.Of($"*Dispatch*\nno attempt was made");
        var skipped = Math.Max(0, execution.Attempts.Count - MostSteps);
        var attempts = execution.Attempts.Skip(skipped).Select(attempt => SlackText.Of(
            $"\n{attempt.Number}. {SlackText.Time(attempt.At)} {SlackText.Code(attempt.Result)}{(attempt.Status is { } status ? $" HTTP {status}" : "")}, {attempt.Milliseconds} ms"));
        return SlackText.Of($"*Dispatch*: {execution.Attempts.Count} {(execution.Attempts.Count == 1 ? "attempt" : "attempts")}{(skipped > 0 ? ", the last of them:" : "")}{SlackText.Join("", attempts)}");
    }

    private static SlackText Outcome(Execution execution)
    {
        if (!execution.State.IsTerminal)
            return SlackText.Of($"none yet");
        var detail = ExecutionText.Detail(execution) ?? SlackText.Of($"{execution.State.Name}");
        return execution.Outcome?.EngineExecutionId is { } engine ? SlackText.Of($"{detail}\nThe engine calls it {SlackText.Code(engine)}.") : detail;
    }
}
