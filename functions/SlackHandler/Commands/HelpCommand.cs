using ControlPlane.SlackHandler.Messages;

namespace ControlPlane.SlackHandler.Commands;

/// <summary><c>help</c>: what this user may do, here.</summary>
internal static class HelpCommand
{
    private const int MostNames = 20;

    public static SlackMessage Answer(Caller caller)
    {
        var names = caller.Runnable.Select(workflow => workflow.Name.ToString()).ToList();
        return SlackMessage.Private(
            SlackText.Of($"*What you can do here*"),
            [
                Block.Section(names.Count > 0 ? Running(caller, names) : SlackText.Of($"There is no workflow that you may run in this channel.")),
                Block.Section(Looking(caller, canRun: names.Count > 0)),
            ]);
    }

    private static SlackText Running(Caller caller, List<string> names) => SlackText.Of(
        $"{Written(caller, "run workflow name=value")} starts one of: {SlackText.Join(", ", names.Take(MostNames).Select(name => SlackText.Code(name)))}{(names.Count > MostNames ? " and more" : "")}\nValues with blanks go in quotes; many values go as {SlackText.Code("'{\"name\": 1}'")}; {SlackText.Code("--public")} answers in the channel.");

    private static SlackText Looking(Caller caller, bool canRun)
    {
        List<SlackText> lines =
        [
            SlackText.Of($"{Written(caller, "workflows")} what there is to run, and with what"),
            SlackText.Of($"{Written(caller, "status exec_…")} how an execution stands"),
            SlackText.Of($"{Written(caller, "why exec_…")} what was decided about it, and what came of it"),
            SlackText.Of($"{Written(caller, "list [n]")} the latest executions"),
            SlackText.Of($"{Written(caller, "usage")} quota, compute time and the engine's health"),
        ];
        if (canRun)
            lines.Add(SlackText.Of($"{Written(caller, "cancel exec_…")} stops an execution"));
        return SlackText.Join("\n", lines);
    }

    private static SlackText Written(Caller caller, string rest) => SlackText.Code($"{caller.Command.Name} {rest}");
}
