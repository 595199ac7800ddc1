using ControlPlane.Executions;
using ControlPlane.SlackHandler.Commands;
using ControlPlane.SlackHandler.Messages;
using ControlPlane.Tenants;

namespace ControlPlane.SlackHandler.Interactions;

/// <summary>Starts what a modal asked for: as a typed <c>run</c> would, with the same questions asked, at the field that they are about.</summary>
internal sealed class SubmitRun(Callers callers, RunCommand run, ModalSeal seal)
{
    private static readonly InputFault TooOld = new("", "This window is too old or not yours. Close it and begin again: nothing was started.");

    public async Task<Submission> RunAsync(Interaction.Submitted submitted, CancellationToken cancel)
    {
        if (submitted.CallbackId != RunModal.CallbackId || RunModal.InputsIn(submitted.Values) is not { } inputs
            || await seal.OpenAsync(submitted.Metadata, submitted.TeamId, submitted.UserId, cancel) is not { } memory)
            return Faults(submitted, [TooOld]);

        // Who asks and for whom is Slack's word; the modal remembers only where.
        var command = new SlackCommand(
            submitted.WorkspaceId, submitted.TeamId, submitted.UserId, memory.ChannelId, memory.CommandName, Text: "",
            ExecutionId.Of(submitted.TeamId.ToString(), $"modal|{submitted.ViewId}"), memory.ReplyUrl, TriggerId: "")
        { IsPressed = true };
        var (caller, refusal) = await callers.FindAsync(command, cancel);
        if (caller is null)
            return Faults(submitted, [new("", refusal!.InPlainWords)]);
        if (caller.Find(memory.Workflow) is not { } workflow)
            return Faults(submitted, [new("", $"{memory.Workflow} is no longer there.")]);
        if (caller.InTheWayOf(workflow) is { } inTheWay)
            return Faults(submitted, [new("", inTheWay)]);
        if (WorkflowInputs.Check(inputs, workflow).Faults is { Count: > 0 } faults)
            return Faults(submitted, faults);

        var ordered = await run.OrderAsync(caller, workflow, new(memory.Workflow, inputs, memory.IsPublic), memory.SentAt, cancel);
        return ordered.IsStarted ? new Submission.Started(caller, ordered.Message) : Faults(submitted, [new("", ordered.Message.InPlainWords)]);
    }

    private static Submission.Refused Faults(Interaction.Submitted submitted, IReadOnlyList<InputFault> faults) =>
        new(RunModal.FaultsByBlock(faults, submitted.Values.Keys));
}

/// <summary>What came of a submitted modal.</summary>
internal abstract record Submission
{
    private Submission() { }

    /// <param name="Message">For the user, by the reply address or the bot: the modal closes.</param>
    public sealed record Started(Caller Caller, SlackMessage Message) : Submission;

    /// <param name="ByBlock">What is wrong, a sentence for each field.</param>
    public sealed record Refused(IReadOnlyDictionary<string, string> ByBlock) : Submission;
}
