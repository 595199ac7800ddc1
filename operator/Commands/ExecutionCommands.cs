using System.CommandLine;
using ControlPlane.Administration;
using ControlPlane.Executions;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Operator.Commands;

/// <summary><c>execution …</c>: what became of a request. Inputs and results are the tenant's own and are not shown.</summary>
internal static class ExecutionCommands
{
    public static Command Build(Runner runner) =>
        new("execution", "Executions: the latest, one, why it is as it is; starting, awaiting and cancelling one.")
        {
            List(runner), Show(runner), Why(runner), StartExecution.Start(runner), StartExecution.Again(runner), WaitForExecution.Build(runner),
            CancelExecution.Build(runner),
        };

    private static Command List(Runner runner)
    {
        var id = TypedArguments.Tenant();
        var count = TypedArguments.Count("--count", "How many.", standard: 20, most: 500);
        var state = TypedArguments.OneOf("--status", "Those in this state only.", [.. ExecutionStates.All.Select(one => one.Name)]);
        var since = TypedArguments.Optional(
            "--since", "1h", "Those made no longer ago only.", (string text, out TimeSpan time) => Duration.TryParse(text, out time) && time > TimeSpan.Zero,
            text => $"{text} is not a time like 90m or 24h.");
        var user = TypedArguments.Text("--user", "U…", "Those that this Slack user (U… or T…/U…) or operator asked for only.", most: 1024);
        var workflow = TypedArguments.Optional<WorkflowName>(
            "--workflow", "NAME", "Those of this workflow only.", WorkflowName.TryParse, text => $"{text} is no workflow's name.");
        return runner.Watches(new("list", "A tenant's latest executions, newest first.") { id, count, state, since, user, workflow }, async (hub, given, cancel) =>
        {
            var tenant = given.GetRequiredValue(id);
            if (await hub.Tenants.FindAsync(tenant, cancel) is null)
                return Refusals.NotRegistered(tenant);
            var (most, inState, by, of) = (given.GetValue(count), given.GetValue(state), given.GetValue(user), given.GetValue(workflow));
            var from = given.GetValue(since) is { } age ? hub.Clock.GetUtcNow() - age : (DateTimeOffset?)null;
            var filter = new ExecutionFilter(inState is null ? null : ExecutionStates.Parse(inState), of, by, from);
            var lines = new List<ExecutionLineView>();
            ExecutionCursor? after = null;
            do
            {
                var page = await new LatestExecutions(hub.Executions).FindAsync([tenant], filter, after, most - lines.Count, cancel);
                lines.AddRange(page.Executions.Select(ViewMapper.LineOf));
                after = page.Next;
            }
            while (after is not null && lines.Count < most);
            return Answer.Show(new ExecutionsView(tenant.ToString(), lines), CtlJson.Default.ExecutionsView, page => page.Table(
                ["EXECUTION", new("WORKFLOW", 1), "STATE", new("FAILURE", 3), new("CREATED", 2), new("ENDED", 5), new("ASKED BY", 4)],
                lines.Select(one => (string?[])
                [
                    one.ExecutionId, one.Workflow, one.State, one.FailureCode, DisplayText.Time(one.CreatedAt), DisplayText.Time(one.FinishedAt),
                    one.RequestedBy.InShort,
                ])));
        });
    }

    private static Command Show(Runner runner)
    {
        var id = TypedArguments.Execution();
        return runner.Watches(new("show", "One execution: its state, its times, who asked.") { id }, async (hub, given, cancel) =>
        {
            if (await hub.Executions.FindAsync(given.GetRequiredValue(id), cancel) is not { } execution)
                return NoSuch(given.GetRequiredValue(id));
            return Shown(execution) with { IsFinal = execution.State.IsTerminal && execution.ToldAt is not null };
        });
    }

    private static Command Why(Runner runner)
    {
        var id = TypedArguments.Execution();
        return runner.Runs(new("why", "Why it is as it is: the policy's decision, the attempts to dispatch it, how it ended.") { id },
            async (hub, given, cancel) =>
        {
            if (await hub.Executions.FindAsync(given.GetRequiredValue(id), cancel) is not { } execution)
                return NoSuch(given.GetRequiredValue(id));

            var shown = new WhyView(
                ViewMapper.Of(execution), execution.Decision, [.. execution.Approvals.Select(ViewMapper.Of)],
                execution.DeniedBy is { } no ? ViewMapper.Of(no) : null, [.. execution.Attempts.Select(ViewMapper.Of)],
                Reasons.Of(execution, hub.Clock.GetUtcNow()));
            return Answer.Show(shown, CtlJson.Default.WhyView, page =>
            {
                page.Line(shown.InPlainWords);
                page.Facts(
                [
                    .. Facts(shown.Execution), .. shown.Approvals.Select(one => ("approved by", (string?)$"{one.User}, {one.At}")),
                    ("denied by", shown.DeniedBy is { } no ? $"{no.User}, {no.At}" : null),
                ]);
                if (shown.Decision is { } decision)
                    page.Table(
                        ["RULE", "VERDICT", new("CODE", 1), Column.Prose("IN WORDS")],
                        decision.Verdicts.Select(one => (string?[])[one.Rule, DisplayText.Of(one.Verdict), one.Code, one.InPlainWords]));
                if (shown.Attempts.Count > 0)
                    page.Table([Column.Number("ATTEMPT"), new("AT", 1), Column.Number("TOOK"), "RESULT", Column.Number("HTTP")], shown.Attempts.Select(one => (string?[])
                        [DisplayText.Of(one.Number), DisplayText.Time(one.At), $"{DisplayText.Of(one.Milliseconds)} ms", one.Result, one.Status is { } status ? DisplayText.Of(status) : null]));
                foreach (var answered in shown.Attempts.Where(one => one.Answer is not null))
                    page.Line($"{(answered.Status is null ? "Attempt" : "The engine answered attempt")} {DisplayText.Of(answered.Number)}: {answered.Answer}");
            });
        });
    }

    public static Answer.Shown Shown(Execution execution)
    {
        var shown = ViewMapper.Of(execution);
        return Answer.Show(shown, CtlJson.Default.ExecutionView, page => page.Facts(Facts(shown)));
    }

    public static Answer.NotDone NoSuch(ExecutionId id) =>
        new($"There is no execution {id}: it was never made, or is older than 90 days. ./ctl execution list shows a tenant's latest.");

    private static IEnumerable<(string, string?)> Facts(ExecutionView execution) =>
    [
        ("execution", execution.ExecutionId),
        ("trace", execution.TraceId),
        ("tenant", execution.Tenant),
        ("workflow", execution.Workflow),
        ("state", execution.State + (execution.Late ? " (late)" : "")),
        ("asked by", execution.RequestedBy.InWords),
        ("inputs", DisplayText.List(execution.Inputs)),
        ("charged to", execution.Month),
        ("created", execution.CreatedAt),
        ("deadline", execution.DeadlineAt),
        ("dispatched", execution.DispatchedAt),
        ("started", execution.StartedAt),
        ("finished", execution.FinishedAt),
        ("told", execution.RequestedBy.IsToldInSlack ? execution.ToldAt : null),
        ("attempts", DisplayText.Of(execution.Attempts)),
        ("failure", execution.FailureCode),
        ("cancelled by", execution.CancelledBy),
        ("engine's id", execution.Outcome?.EngineExecutionId),
        ("engine's error", execution.Outcome?.ErrorCode),
    ];
}
