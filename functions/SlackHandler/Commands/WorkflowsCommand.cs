using System.Globalization;
using System.Text.Json;
using ControlPlane.SlackHandler.Messages;
using ControlPlane.Tenants;

namespace ControlPlane.SlackHandler.Commands;

/// <summary><c>workflows</c>: what this user may run in this channel, with its parameters.</summary>
internal static class WorkflowsCommand
{
    private const int MostShown = 40;           // Slack takes 50 blocks
    private const int MostParameters = 12;
    private const int LongestEntry = 2700;      // and a section 3000

    public static SlackMessage Answer(Caller caller)
    {
        var workflows = caller.Runnable.ToList();
        if (workflows.Count == 0)
            return SlackMessage.Private(SlackText.Of($"There is no workflow that you may run in this channel."));

        var blocks = workflows.Take(MostShown).Select(workflow => Block.Section(Entry(caller, workflow))).ToList();
        if (workflows.Count > MostShown)
            blocks.Add(Block.SmallPrint(SlackText.Of($"and {workflows.Count - MostShown} more")));
        return SlackMessage.Private(SlackText.Of($"*Workflows you may run here*"), blocks);
    }

    private static SlackText Entry(Caller caller, Workflow workflow)
    {
        var required = string.Concat(
            workflow.Parameters.Where(parameter => parameter.Required).Take(MostParameters).Select(parameter => $" {parameter.Name}=…"));
        var entry = SlackText.Code($"{caller.Command.Name} run {workflow.Name}{required}");
        var shown = 0;
        foreach (var line in workflow.Parameters.Take(MostParameters).Select(Line))
        {
            if (entry.ToString().Length + line.ToString().Length > LongestEntry)
                break;
            entry = SlackText.Join("", [entry, line]);
            shown++;
        }
        return shown < workflow.Parameters.Count ? SlackText.Of($"{entry}\n• and {workflow.Parameters.Count - shown} more") : entry;
    }

    private static SlackText Line(WorkflowParameter parameter) => SlackText.Of(
        $"\n• *{SlackText.Cut(parameter.Name, 64)}* {Kind(parameter)}{(parameter.Required ? ", required" : "")}{Default(parameter)}{Description(parameter)}");

    private static SlackText Kind(WorkflowParameter parameter) => parameter switch
    {
        { Type: ParameterType.Enum, Values: { } values } => SlackText.Of($"one of {SlackText.Cut(string.Join(", ", values), 80)}"),
        { Minimum: { } low, Maximum: { } high } => SlackText.Of($"{Name(parameter.Type)} from {Text(low)} to {Text(high)}"),
        { Minimum: { } low } => SlackText.Of($"{Name(parameter.Type)} from {Text(low)}"),
        { Maximum: { } high } => SlackText.Of($"{Name(parameter.Type)} up to {Text(high)}"),
        { MaxLength: { } longest } => SlackText.Of($"{Name(parameter.Type)} of up to {longest} characters"),
        _ => SlackText.Of($"{Name(parameter.Type)}"),
    };

    private static string Name(ParameterType type) => type switch
    {
        ParameterType.String => "text",
        ParameterType.Integer => "whole number",
        ParameterType.Number => "number",
        ParameterType.Boolean => "yes or no",
        _ => "choice",
    };

    private static string Text(double number) => number.ToString("0.######", CultureInfo.InvariantCulture);

    private static SlackText Default(WorkflowParameter parameter) =>
        parameter.Default is { ValueKind: not JsonValueKind.Null and not JsonValueKind.Undefined } value
            ? SlackText.Of($", otherwise {SlackText.Cut(value.ToString(), 40)}")
            : default;

    private static SlackText Description(WorkflowParameter parameter) =>
        string.IsNullOrEmpty(parameter.Description) ? default : SlackText.Of($": {SlackText.Cut(parameter.Description, 80)}");
}
