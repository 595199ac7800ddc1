using System.Globalization;
using System.Text.Json;
using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.SlackHandler.Messages;

/// <summary>An execution in plain words. Everything said is read from the stored execution, so what is said agrees with what is so.</summary>
internal static class ExecutionText
{
    private const int LongestSummary = 1500;
    private const int LongestInputs = 150;

    /// <summary>One line: which workflow, and how it stands or ended.</summary>
    public static SlackText Headline(Execution execution) => execution.State switch
    {
        ExecutionState.AwaitingApproval => SlackText.Of($":raised_hand: *{execution.Workflow.ToString()}* waits for approval."),
        ExecutionState.Queued => SlackText.Of($":hourglass_flowing_sand: *{execution.Workflow.ToString()}* waits to be handed to the engine."),
        ExecutionState.Dispatching => SlackText.Of($":outbox_tray: *{execution.Workflow.ToString()}* is being handed to the engine."),
        ExecutionState.Dispatched => SlackText.Of($":inbox_tray: *{execution.Workflow.ToString()}* is with the engine; it has not reported yet."),
        ExecutionState.DispatchUnknown => SlackText.Of(
            $":grey_question: *{execution.Workflow.ToString()}* may be with the engine: its answer was lost. Its report or the deadline will tell."),
        ExecutionState.Running when execution.Progress is Progress.Percent { Value: var percent } =>
            SlackText.Of($":gear: *{execution.Workflow.ToString()}* is running: {percent} %."),
        ExecutionState.Running => SlackText.Of($":gear: *{execution.Workflow.ToString()}* is running."),
        ExecutionState.Succeeded => SlackText.Of($":white_check_mark: *{execution.Workflow.ToString()}* succeeded{Took(execution)}{Late(execution)}."),
        ExecutionState.Failed => SlackText.Of($":x: *{execution.Workflow.ToString()}* failed{Took(execution)}{Late(execution)}."),
        ExecutionState.Cancelled => execution.CancelledBy is { } by
            ? SlackText.Of($":no_entry_sign: *{execution.Workflow.ToString()}* was cancelled by {(UserId.TryParse(by, out var user) ? SlackText.User(user) : SlackText.Of($"an operator"))}.")
            : SlackText.Of($":no_entry_sign: *{execution.Workflow.ToString()}* was cancelled by the engine{Late(execution)}."),
        ExecutionState.TimedOut => SlackText.Of($":alarm_clock: *{execution.Workflow.ToString()}* timed out: the engine did not report before its deadline."),
        ExecutionState.Denied => SlackText.Of($":no_entry: *{execution.Workflow.ToString()}* was not started."),
        _ => throw new ArgumentOutOfRangeException(nameof(execution)),
    };

    /// <summary>Why it ended so, or what it produced; null when there is nothing to add.</summary>
    public static SlackText? Detail(Execution execution) => execution switch
    {
        { State: ExecutionState.Denied, Decision: { } decision } => SlackText.Visible(decision.InPlainWords, LongestSummary),
        { State: ExecutionState.Failed, Outcome.Error: { } error } => Lines(
            SlackText.Visible(error.Message, LongestSummary), Invisible.IsBlank(error.Code) ? null : SlackText.Code(error.Code)),
        { State: ExecutionState.Failed, FailureCode: { } failure } => Failure(failure, execution),
        { State: ExecutionState.Running, Progress: Progress.Words { Text: var words } } => SlackText.Visible(words, LongestSummary),
        { Outcome.Result: { } result } => Lines(SlackText.Visible(result.Summary, LongestSummary), SlackText.Link(result.Url)),
        _ => null,
    };

    /// <summary>Whose word it waits for or had; null where nobody had to approve it.</summary>
    public static SlackText? ApprovedBy(Execution execution)
    {
        if (execution.Approval is not { } rule)
            return null;
        List<SlackText> lines = [];
        if (execution.State == ExecutionState.AwaitingApproval)
            lines.Add(SlackText.Of($"{rule.Approvals} of {string.Join(" or ", rule.Groups)} may say yes until {SlackText.Time(execution.DeadlineAt)}, in {SlackText.Channel(rule.ChannelId)}."));
        lines.AddRange(execution.Approvals.Select(one => SlackText.Of($":white_check_mark: {SlackText.User(one.UserId)} approved it, {SlackText.Time(one.At)}")));
        if (execution.DeniedBy is { } no)
            lines.Add(SlackText.Of($":no_entry: {SlackText.User(no.UserId)} denied it, {SlackText.Time(no.At)}"));
        return lines.Count == 0 ? null : SlackText.Join("\n", lines);
    }

    /// <summary>The small print for whoever looks at it: its whole id, to copy, its state as <c>list</c> has it, and how long it took.</summary>
    public static SlackText SmallPrint(Execution execution)
    {
        var facts = new List<SlackText> { SlackText.Code(execution.Id.ToString()), SlackText.Of($"{execution.State.Name}") };
        if (Duration(execution) is { } took)
            facts.Add(SlackText.Of($"took {took}"));
        if (execution.Outcome?.Usage is { } usage)
            facts.AddRange(Usage(usage));
        return SlackText.Join(" · ", facts);
    }

    /// <summary>The small print of a result: who asked for it and with what, what it used, and the digits by which it is found.</summary>
    public static SlackText ResultSmallPrint(Execution execution)
    {
        var facts = new List<SlackText> { AskedFor(execution) };
        if (execution.Outcome?.Usage is { } usage)
            facts.AddRange(Usage(usage));
        facts.Add(SlackText.Code(execution.Id.Short));
        return SlackText.Join(" · ", facts);
    }

    /// <summary>Who asked for it, and with what.</summary>
    public static SlackText AskedFor(Execution execution)
    {
        var by = SlackText.Of($"asked for by {Requester(execution)}");
        return Inputs(execution.Inputs) is { } inputs ? SlackText.Of($"{by} with {inputs}") : by;
    }

    /// <summary>Who asked for it. An operator is nobody of the workspace, and stays without a name.</summary>
    public static SlackText Requester(Execution execution)
    {
        var by = execution.RequestedBy.Asker is { } asker ? SlackText.User(asker.UserId) : SlackText.Of($"an operator");
        return execution.RequestedBy is Executions.Requester.Schedule schedule ? SlackText.Of($"{by}'s schedule {SlackText.Code(schedule.ScheduleId.Short)}") : by;
    }

    /// <summary>Inputs as one would type them, in short: <c>city=Paris days=3</c>; null when there are none.</summary>
    public static SlackText? Inputs(JsonElement inputs) =>
        inputs.ValueKind == JsonValueKind.Object && inputs.EnumerateObject().Any()
            ? SlackText.Code(string.Join(' ', inputs.EnumerateObject().Select(member => $"{member.Name}={Written(member.Value)}")), LongestInputs)
            : null;

    private static string Written(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String when value.GetString() is { Length: > 0 } text && !text.Any(char.IsWhiteSpace) => text,
        JsonValueKind.String => $"'{value.GetString()}'",
        _ => value.GetRawText(),
    };

    /// <summary>What the engine metered, without the zeros.</summary>
    public static IEnumerable<SlackText> Usage(ExecutionUsage usage)
    {
        if (usage.CpuMs > 0)
            yield return SlackText.Of($"CPU {Text(usage.CpuMs)}");
        if (usage.GpuMs > 0)
            yield return SlackText.Of($"GPU {Text(usage.GpuMs)}");
        if (usage.InputTokens + usage.OutputTokens > 0)
            yield return SlackText.Of($"tokens {usage.InputTokens} in, {usage.OutputTokens} out");
    }

    /// <summary>A length of time, as one says it: <c>850 ms</c>, <c>12 s</c>, <c>3 min 20 s</c>, <c>2 h 5 min</c>.</summary>
    /// <remarks>Sums of what engines metered can be longer than a <see cref="TimeSpan"/>.</remarks>
    public static string Text(long milliseconds) => milliseconds switch
    {
        < 1 => "0 s",
        < 1000 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds} ms"),
        < 60_000 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000.0:0.#} s"),
        < 3_600_000 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 60_000} min {milliseconds / 1000 % 60} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 3_600_000} h {milliseconds / 60_000 % 60} min"),
    };

    private static string? Duration(Execution execution)
    {
        var start = execution.Outcome?.StartedAt ?? execution.StartedAt;
        var end = execution.Outcome?.FinishedAt ?? execution.FinishedAt;
        return start is { } from && end is { } to && to >= from ? Text((long)(to - from).TotalMilliseconds) : null;
    }

    private static string Took(Execution execution) => Duration(execution) is { } took ? $" in {took}" : "";

    private static string Late(Execution execution) =>
        !execution.IsLate ? ""
        : execution.Attempts.Any(attempt => attempt.Result is AttemptResult.Failed { Failure: DispatchFailure.Rejected }) ? ", after the engine had answered the request with a refusal"
        : ", after it had been given up as timed out";

    /// <summary>What whoever asked for it can do now.</summary>
    public static SlackText Advice(Execution execution, string command)
    {
        var again = SlackText.Code($"{command} again {execution.Id.Short}");
        return execution switch
        {
            { State: ExecutionState.Succeeded } => SlackText.Of($"Nothing. {again} runs it again."),
            { State: ExecutionState.Cancelled } => SlackText.Of($"Nothing, if that was meant. {again} runs it again."),
            { State: ExecutionState.Denied } => SlackText.Of(
                $"Mend what is said above, or ask whoever looks after the workflow. {again} asks once more."),
            { State: ExecutionState.TimedOut } => SlackText.Of(
                $"Look in the engine whether it ran: it may have. A report within a day is still taken. Else {again} runs it again."),
            { State: ExecutionState.Failed, Outcome: not null } => SlackText.Of(
                $"Mend what the engine reports, in the inputs or in the workflow. {again} runs it again as it was."),
            { State: ExecutionState.Failed, FailureCode: { } failure } => SlackText.Of($"{Advice(failure)} {again} runs it again."),
            { State: ExecutionState.AwaitingApproval } => SlackText.Of(
                $"Wait for those who approve it: you are told how they decide. {SlackText.Code($"{command} cancel {execution.Id.Short}")} takes it back."),
            { State: ExecutionState.Queued or ExecutionState.Dispatching } => SlackText.Of(
                $"Wait: the engine gets it in a moment, or you are told why not. {SlackText.Code($"{command} cancel {execution.Id.Short}")} stops it."),
            { State: ExecutionState.DispatchUnknown } => SlackText.Of(
                $"Wait for its report or its deadline. Do not start it again before: it may be running."),
            _ => SlackText.Of($"Wait for its report. {SlackText.Code($"{command} cancel {execution.Id.Short}")} ends it, and ignores what it still reports."),
        };
    }

    private static string Advice(DispatchFailure failure) => failure switch
    {
        DispatchFailure.Unreachable or DispatchFailure.Expired => "See that the engine is up: usage shows when its machine was last heard from.",
        DispatchFailure.Rejected => "Look at what the workflow answers its webhook with.",
        DispatchFailure.WorkflowNotActive => "Switch the workflow on in the engine, or mend its path in the catalogue.",
        DispatchFailure.TenantNotActive => "Ask your administrator about the account.",
        DispatchFailure.Unauthorized or DispatchFailure.AddressRefused or DispatchFailure.Unreadable => "Nothing on your side: the operators have to mend it.",
    };

    // A workflow can choose such an answer after it ran, so nobody can say that nothing did.
    private static SlackText Rejection(Execution execution)
    {
        var status = execution.Attempts.LastOrDefault(attempt => attempt.Result is AttemptResult.Failed { Failure: DispatchFailure.Rejected })?.Status;
        return status is { } answered
            ? SlackText.Of($"The engine answered the request with HTTP {answered}. If it reports a result within a day, you are told.")
            : SlackText.Of($"The engine answered the request with a refusal. If it reports a result within a day, you are told.");
    }

    private static SlackText Failure(DispatchFailure failure, Execution execution) => failure switch
    {
        DispatchFailure.Unreachable => SlackText.Of($"The engine could not be reached. Nothing ran."),
        DispatchFailure.Expired => SlackText.Of($"It waited too long to be handed to the engine. Nothing ran."),
        DispatchFailure.Unauthorized => SlackText.Of($"The engine refused our credentials. Nothing ran, and the operators know."),
        DispatchFailure.Rejected => Rejection(execution),
        DispatchFailure.WorkflowNotActive => SlackText.Of($"The engine does not know this workflow, or it is not active there. Nothing ran."),
        DispatchFailure.AddressRefused => SlackText.Of($"The engine's address is not one of this tenant's. Nothing ran, and the operators know."),
        DispatchFailure.TenantNotActive => SlackText.Of($"This tenant was suspended meanwhile. Nothing ran."),
        DispatchFailure.Unreadable => SlackText.Of($"The order to the engine could not be read. Nothing ran, and the operators know."),
    };

    private static SlackText? Lines(SlackText? first, SlackText? second) => (first, second) switch
    {
        ({ } a, { } b) => SlackText.Join("\n", [a, b]),
        _ => first ?? second,
    };
}
