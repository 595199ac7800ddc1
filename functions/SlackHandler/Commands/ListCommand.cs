using System.Globalization;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.SlackHandler.Messages;

namespace ControlPlane.SlackHandler.Commands;

/// <summary><c>list</c>: the tenant's latest executions.</summary>
internal sealed class ListCommand(ExecutionStore executions)
{
    private const int Usual = 5;
    private const int Most = 20;

    public async Task<SlackMessage> AnswerAsync(Caller caller, IReadOnlyList<Word> words, CancellationToken cancel)
    {
        if (CountOf(words) is not { } count)
            return Refusals.Usage(caller.Command.Name, $"list [1–{Most}]");

        var latest = await executions.LatestAsync(caller.Tenant, count, cancel);
        if (latest.Count == 0)
            return SlackMessage.Private(SlackText.Of($"Nothing has been run yet. {SlackText.Code($"{caller.Command.Name} workflows")} shows what there is to run."));
        return SlackMessage.Private(
            SlackText.Of($"*The latest {latest.Count}*"),
            [.. latest.Select(one => Block.Section(Line(one))), Block.SmallPrint(SlackText.Of($"More about one: {SlackText.Code($"{caller.Command.Name} status exec_…")}"))]);
    }

    private static int? CountOf(IReadOnlyList<Word> words) => words switch
    {
        [] => Usual,
        [{ Key: null, Value: var typed }] when int.TryParse(typed, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is >= 1 and <= Most => count,
        _ => null,
    };

    private static SlackText Line(ExecutionSummary one) => SlackText.Of($"{Sign(one.State)} *{one.Workflow.ToString()}* {one.State.Name} · {SlackText.Time(one.CreatedAt)}\n{SlackText.Code(one.Id.ToString())}");

    private static string Sign(ExecutionState state) => state switch
    {
        ExecutionState.Succeeded => ":white_check_mark:",
        ExecutionState.Failed => ":x:",
        ExecutionState.Cancelled => ":no_entry_sign:",
        ExecutionState.TimedOut => ":alarm_clock:",
        ExecutionState.Denied => ":no_entry:",
        _ => ":gear:",
    };
}
