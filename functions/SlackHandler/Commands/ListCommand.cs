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

    // Far enough to find some among those that others ran where this user may not look, and not all of a year.
    private const int LookedThrough = 100;

    public async Task<SlackMessage> AnswerAsync(Caller caller, IReadOnlyList<Word> words, CancellationToken cancel)
    {
        if (CountOf(words) is not { } count)
            return Refusals.Usage(caller.Command.Name, $"list [1–{Most}]");

        var latest = await LatestAsync(caller, count, cancel);
        if (latest.Count == 0)
            return SlackMessage.Private(SlackText.Of($"Nothing has been run yet that you may see here. {SlackText.Code($"{caller.Command.Name} workflows")} shows what there is to run."));
        return SlackMessage.Private(
            latest.Count == 1 ? SlackText.Of($"*The latest execution*") : SlackText.Of($"*The latest {latest.Count} executions*"),
            [.. latest.Select(one => Block.Section(Line(one))),
                Block.SmallPrint(SlackText.Of($"More about one: {SlackText.Code($"{caller.Command.Name} status {latest[0].Id.Short}")}"))]);
    }

    // The index does not say who asked: where the workflow does not settle it, the execution itself is read.
    public async Task<IReadOnlyList<ExecutionSummary>> LatestAsync(Caller caller, int count, CancellationToken cancel)
    {
        var latest = await executions.LatestAsync(caller.Tenant, LookedThrough, cancel);
        var shown = new List<ExecutionSummary>();
        foreach (var some in latest.Chunk(Most))
        {
            var visible = await Task.WhenAll(some.Select(async one =>
                caller.MaySeeAll(one.Workflow)
                    || (await executions.FindRecentAsync(one.Id, cancel) is { } execution && caller.MaySee(execution))));
            shown.AddRange(some.Zip(visible).Where(one => one.Second).Select(one => one.First));
            if (shown.Count >= count)
                break;
        }
        return [.. shown.Take(count)];
    }

    private static int? CountOf(IReadOnlyList<Word> words) => words switch
    {
        [] => Usual,
        [{ Key: null, Value: var typed }] when int.TryParse(typed, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            && count is >= 1 and <= Most => count,
        _ => null,
    };

    public static SlackText Line(ExecutionSummary one) =>
        SlackText.Of($"{Sign(one.State)} *{one.Workflow.ToString()}* {one.State.Name} · {SlackText.Time(one.CreatedAt)} · {SlackText.Code(one.Id.Short)}");

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
