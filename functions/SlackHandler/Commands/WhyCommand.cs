using ControlPlane.Executions;
using ControlPlane.SlackHandler.Messages;

namespace ControlPlane.SlackHandler.Commands;

/// <summary><c>why</c>: what happened to an execution, what its asker can do about it, and then every step.</summary>
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
            Lookup.Found { Execution: var execution } => Answer(execution, caller.Command.Name),
            Lookup.OnItsWay => StatusCommand.OnItsWay,
            Lookup.Ambiguous => Refusals.Ambiguous(typed),
            _ => Refusals.NoSuchExecution(typed),
        };
    }

    private static SlackMessage Answer(Execution execution, string command)
    {
        List<Block> blocks = [];
        if (WhatHappened(execution) is { } happened)
            blocks.Add(Block.Section(happened));
        blocks.Add(Block.Section(SlackText.Of($"*What to do*\n{ExecutionText.Advice(execution, command)}")));
        blocks.Add(Block.Section(Policy(execution)));
        if (ExecutionText.ApprovedBy(execution) is { } by)
            blocks.Add(Block.Section(SlackText.Of($"*Approval*\n{by}")));
        blocks.Add(Block.Section(Dispatch(execution)));
        blocks.Add(Block.Section(Plan(execution)));
        blocks.Add(Block.SmallPrint(ExecutionText.SmallPrint(execution)));
        blocks.Add(ExecutionButtons.Of(execution, Verbs.Why, command));
        return SlackMessage.Private(ExecutionText.Headline(execution), blocks);
    }

    private static SlackText? WhatHappened(Execution execution)
    {
        var detail = ExecutionText.Detail(execution);
        if (execution.Outcome?.EngineExecutionId is not { } engine)
            return detail;
        var named = SlackText.Of($"The engine calls it {SlackText.Code(engine)}.");
        return detail is { } said ? SlackText.Join("\n", [said, named]) : named;
    }

    private static SlackText Plan(Execution execution) => SlackText.Of(
        $"*Plan*\n{SlackText.Code(execution.Workflow.ToString())} for {ExecutionText.Requester(execution)}, in {execution.Month.ToString()}, deadline {SlackText.Time(execution.DeadlineAt)}\nInputs {SlackText.Code(execution.Inputs.GetRawText(), LongestInputs)}");

    private static SlackText Policy(Execution execution)
    {
        if (execution.Decision is not { } decision)
            return SlackText.Of($"*Policy*\nnot on record");
        var verdicts = decision.Verdicts.Take(MostSteps)
            .Select(verdict => SlackText.Of($"\n{Sign(verdict.Verdict)} {verdict.Rule}, {Word(verdict.Verdict)}: {SlackText.Cut(verdict.InPlainWords, 150)}"));
        var decided = decision.Allowed ? SlackText.Of($"allowed") : SlackText.Of($"denied, {SlackText.Code(decision.Code)}");
        return SlackText.Of($"*Policy*: {decided}{SlackText.Join("", verdicts)}");
    }

    private static string Sign(Judgement verdict) => verdict switch
    {
        Judgement.Allow => ":white_check_mark:",
        Judgement.Warn => ":warning:",
        Judgement.Deny => ":no_entry:",
        Judgement.NotAsked => ":grey_question:",
    };

    // The sign alone says nothing to whoever does not see it.
    private static string Word(Judgement verdict) => verdict switch
    {
        Judgement.Allow => "passed",
        Judgement.Warn => "passed with a warning",
        Judgement.Deny => "refused",
        Judgement.NotAsked => "not asked",
    };

    private static SlackText Dispatch(Execution execution)
    {
        if (execution.Attempts.Count == 0)
            return SlackText.Of($"*Dispatch*\nno attempt was made");
        var skipped = Math.Max(0, execution.Attempts.Count - MostSteps);
        var attempts = execution.Attempts.Skip(skipped).Select(attempt => SlackText.Of(
            $"\n{attempt.Number}. {SlackText.Time(attempt.At)} {SlackText.Code(attempt.Result.Code)}{(attempt.Status is { } status ? $" HTTP {status}" : "")}, {attempt.Milliseconds} ms"));
        return SlackText.Of($"*Dispatch*: {execution.Attempts.Count} {(execution.Attempts.Count == 1 ? "attempt" : "attempts")}{(skipped > 0 ? ", the last of them:" : "")}{SlackText.Join("", attempts)}");
    }
}
