using ControlPlane.SlackHandler.Messages;
using ControlPlane.Tenants;

namespace ControlPlane.SlackHandler.Commands;

/// <summary><c>help</c>: what this user may do, here; with a button for each workflow. <c>help run</c>: how to start one.</summary>
internal static class HelpCommand
{
    private const int MostNames = 20;
    private const int MostButtons = 10;     // what a phone shows without a search

    public static SlackMessage Answer(Caller caller, IReadOnlyList<Word> about)
    {
        var names = caller.Runnable.Select(workflow => workflow.Name).ToList();
        if (about is [{ Key: null, Value: var verb }] && System.Text.Ascii.EqualsIgnoreCase(verb, Verbs.Run))
            return Run(caller, names);

        List<Block> blocks =
        [
            Block.Section(names.Count > 0 ? Running(caller, names) : NothingToRun),
            Block.Section(Looking(caller, canRun: names.Count > 0)),
        ];
        if (names.Count > 0)
            blocks.Add(Buttons(caller, names));
        return SlackMessage.Private(SlackText.Of($"*What you can do here*"), blocks);
    }

    /// <summary>What may be run here, where <c>run</c> was said and nothing else.</summary>
    public static SlackMessage WhichWorkflow(Caller caller)
    {
        var names = caller.Runnable.Select(workflow => workflow.Name).ToList();
        return names.Count == 0
            ? SlackMessage.Private(NothingToRun)
            : SlackMessage.Private(
                SlackText.Of($"Which workflow? You may run {Named(names)} here. Nothing was started."),
                Block.SmallPrint(SlackText.Of($"{Written(caller, "run workflow name=value")} · more: {Written(caller, "help run")}")), Buttons(caller, names));
    }

    private static readonly SlackText NothingToRun = SlackText.Of($"There is no workflow that you may run in this channel.");

    private static SlackMessage Run(Caller caller, List<WorkflowName> names)
    {
        var example = names.Count > 0 ? names[0].ToString() : "my_workflow";
        return SlackMessage.Private(
            SlackText.Of($"*How to run a workflow*"),
            [
                Block.Section(names.Count > 0 ? SlackText.Of($"You may run {Named(names)} here.") : NothingToRun),
                Block.Section(SlackText.Join("\n",
                [
                    SlackText.Of($"{Written(caller, $"run {example}")} asks for what it needs, where this workspace installed the app"),
                    SlackText.Of($"{Written(caller, $"run {example} name=value")} gives it at once; values with blanks go in quotes: {SlackText.Code("name='two words'")}"),
                    SlackText.Of($"{Written(caller, $"run {example} '{{\"name\": 1}}'")} gives many values, as JSON"),
                    SlackText.Of($"{SlackText.Code("--public")} at the end answers in the channel, for everybody"),
                    SlackText.Of($"{Written(caller, "again last")} runs your last one again, with the same inputs"),
                ])),
                Block.SmallPrint(SlackText.Of($"What each takes: {Written(caller, "workflows")}")),
            ]);
    }

    private static SlackText Running(Caller caller, List<WorkflowName> names) => SlackText.Of(
        $"{Written(caller, "run workflow name=value")} starts one of: {Named(names)}\nHow that is written, and what else it takes: {Written(caller, "help run")}");

    private static SlackText Named(List<WorkflowName> names) => SlackText.Of(
        $"{SlackText.Join(", ", names.Take(MostNames).Select(name => SlackText.Code(name.ToString())))}{(names.Count > MostNames ? " and more" : "")}");

    private static Block Buttons(Caller caller, List<WorkflowName> names) =>
        Block.Actions(names.Take(MostButtons).Select(name => ExecutionButtons.Run(name, caller.Command.Name)));

    private static SlackText Looking(Caller caller, bool canRun)
    {
        List<SlackText> lines =
        [
            SlackText.Of($"{Written(caller, "workflows")} what there is to run, and with what"),
            SlackText.Of($"{Written(caller, "status last")} how an execution stands: the last one of yours, or one by its first digits"),
            SlackText.Of($"{Written(caller, "why last")} what came of it, what to do about it, and how it went step by step"),
            SlackText.Of($"{Written(caller, "list [n]")} the latest executions"),
            SlackText.Of($"{Written(caller, "usage")} quota, compute time and the engine's health"),
        ];
        if (canRun)
        {
            lines.Add(SlackText.Of($"{Written(caller, "again last")} runs it again, with the same inputs"));
            lines.Add(SlackText.Of($"{Written(caller, "cancel last")} stops it"));
            lines.Add(SlackText.Of($"{Written(caller, "schedule")} what runs at planned times; {Written(caller, "schedule workflow \"0 8 * * 1-5\" in Europe/Berlin")} makes one"));
        }
        if (caller.Catalogue.Workflows.Any(workflow => workflow.Approval is { } rule && caller.IsApprover(rule)))
            lines.Add(SlackText.Of($"{Written(caller, "approve exec_…")} lets begin what waits for your word, {Written(caller, "deny exec_… why not")} ends it"));
        return SlackText.Join("\n", lines);
    }

    private static SlackText Written(Caller caller, string rest) => SlackText.Code($"{caller.Command.Name} {rest}");
}
