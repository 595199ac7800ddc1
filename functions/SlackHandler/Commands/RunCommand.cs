using System.Diagnostics;
using System.Text.Json;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Slack;
using ControlPlane.SlackHandler.Messages;
using ControlPlane.SlackHandler.Replies;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.SlackHandler.Commands;

/// <summary><c>run</c>: orders an execution and says so.</summary>
/// <remarks>
/// One write, then one send. The write counts the command and notes the reply address; its note is the request's mark, and it starts nothing by itself.
/// Only the message starts something, so what the user is told hangs on the send alone:
/// <list type="bullet">
/// <item>The write failed, or its answer is unknown: nothing was sent, so nothing will ever run. "Nothing was started."</item>
/// <item>The queue refused the message at every try: the same.</item>
/// <item>The queue took it: "Working on it." It will run or be refused, and either is told through the reply address.</item>
/// <item>The queue's answer was lost: nobody can know. The user is told just that, with the id by which to look; never "accepted", never "failed".</item>
/// </list>
/// A crash between write and send leaves a mark and a user whom Slack told of a time-out; an order that the queue took may still be lost with its region. The
/// sweeper finds
/// the mark after some minutes without an execution, makes one that is denied, so that a late order starts nothing, and has its user told. The same request
/// again, from Slack or its user's client,
/// finds the mark, is not counted, and sends again: the message carries the execution's id for deduplication, and the execution is created once whatever
/// arrives.
/// </remarks>
internal sealed class RunCommand(
    SlackRequests requests, ReplySeal seal, MessageQueue<ExecutionRequest> queue, AskForInputs askForInputs, TimeProvider clock, SlackHandlerEvents events)
{
    // What was typed is kept with the execution; the mark says only what is needed to tell that there is none.
    private static readonly JsonElement Nothing = JsonElement.Parse("{}");

    /// <param name="sentAt">When Slack sent the request: its reply address ages from then.</param>
    /// <returns>Null where a modal opened, which asks on.</returns>
    public async Task<SlackMessage?> AnswerAsync(Caller caller, IReadOnlyList<Word> words, DateTimeOffset sentAt, CancellationToken cancel)
    {
        if (words.Count == 0)
            return await ExplainAsync(caller, HelpCommand.WhichWorkflow(caller), cancel);
        var (arguments, fault) = RunArguments.Parse(words);
        if (arguments is null)
            return await ExplainAsync(caller, SlackMessage.Private(SlackText.Of($"{fault} Nothing was started."), Block.SmallPrint(Example(caller))), cancel);
        if (caller.Find(arguments.Workflow) is not { } workflow)
            return await ExplainAsync(caller, UnknownWorkflow(caller, arguments.Workflow), cancel);
        if (caller.InTheWayOf(workflow) is null && AsksOn(caller.Command, workflow, arguments))
        {
            if (await requests.AdmitAsync(caller.Tenant, caller.Command.UserId, cancel) is Admission.TooMany { Wait: var wait })
                return Refusals.TooMany(wait);
            if (await askForInputs.OpenAsync(caller, workflow, arguments.IsPublic, sentAt, cancel))
                return null;
            return Refused(InTheWay(caller, workflow, arguments) ?? $"This workspace has no windows of ours yet: type {caller.Command.Name} run {workflow.Name}.");
        }
        return (await OrderAsync(caller, workflow, arguments, sentAt, cancel)).Message;
    }

    /// <summary>Orders what is known to the last input, or says what is in the way.</summary>
    public async Task<Ordered> OrderAsync(Caller caller, Workflow workflow, RunArguments arguments, DateTimeOffset sentAt, CancellationToken cancel)
    {
        if (InTheWay(caller, workflow, arguments) is { } inTheWay)
            return new(await ExplainAsync(caller, Refused(inTheWay), cancel), IsStarted: false);

        var execution = caller.Command.Execution;
        var order = Order(caller, workflow, arguments);
        var reply = await NoteReplyAsync(caller, order, sentAt, cancel);
        var admission = await requests.AdmitAsync(caller.Command.UserId, reply, cancel);
        if (admission is Admission.TooMany { Wait: var wait })
            return new(Refusals.TooMany(wait), IsStarted: false);

        cancel.ThrowIfCancellationRequested();      // past this line the send may have happened
        switch (await queue.OrderAsync(order, cancel))
        {
            case Handover.Taken:
                events.ExecutionOrdered(execution, caller.Tenant, workflow.Name, admission is Admission.Repeat);
                var accepted = Accepted(caller.Command, workflow, arguments, canBeTold: reply.SealedUrl is not null);
                return new(arguments.IsPublic ? accepted.Public() : accepted, IsStarted: true);
            case Handover.NotTaken { Why: var why }:
                events.OrderNotConfirmed(execution, caller.Tenant, isCertain: true, why);
                return new(Refusals.TryAgain, IsStarted: false);
            case Handover.Unclear { Why: var why }:
                events.OrderNotConfirmed(execution, caller.Tenant, isCertain: false, why);
                return new(Unclear(caller.Command), IsStarted: true);
            default:
                throw new UnreachableException();
        }
    }

    // A button that is there for long is pressed often, and by mistake: it always asks. What was typed is asked about where it cannot be enough.
    private static bool AsksOn(SlackCommand command, Workflow workflow, RunArguments arguments) =>
        command.IsPressed || (!arguments.HasInputs && workflow.Parameters.Any(parameter => parameter.Required && parameter.Default is null));

    private static SlackMessage Refused(string inTheWay) => SlackMessage.Private(SlackText.Of($":no_entry: {inTheWay} Nothing was started."));

    /// <summary>Says what nothing is started for. There is no reply to note; it counts all the same.</summary>
    public async Task<SlackMessage> ExplainAsync(Caller caller, SlackMessage why, CancellationToken cancel) =>
        await requests.AdmitAsync(caller.Tenant, caller.Command.UserId, cancel) is Admission.TooMany { Wait: var wait } ? Refusals.TooMany(wait) : why;

    private async Task<Reply> NoteReplyAsync(Caller caller, ExecutionRequest order, DateTimeOffset sentAt, CancellationToken cancel)
    {
        var execution = caller.Command.Execution;
        byte[]? sealedUrl = null;
        if (ReplyUrl.TryParse(caller.Command.ResponseUrl, out var url))
            sealedUrl = await seal.SealAsync(url, execution, cancel);
        else if (caller.Command.ResponseUrl.Length > 0)
            events.ResponseUrlRefused(execution);

        var now = clock.GetUtcNow();
        var from = sentAt < now ? sentAt : now;
        return new(
            execution, caller.Tenant, sealedUrl, Uses: caller.Command.IsPressed ? 1 : 0, RequestedAt: now,
            Until: from + Reply.Lifetime, order with { Inputs = Nothing });
    }

    private ExecutionRequest Order(Caller caller, Workflow workflow, RunArguments arguments) => new(
        ExecutionRequest.SchemaV1, caller.Command.Execution.ToString(), caller.Tenant.ToString(), workflow.Name.ToString(),
        arguments.Inputs, caller.Command.Requester, arguments.IsPublic, clock.GetUtcNow());

    private static SlackMessage Accepted(SlackCommand command, Workflow workflow, RunArguments arguments, bool canBeTold) => SlackMessage.Private(
        canBeTold
            ? workflow.Approval is { } rule
                ? SlackText.Of($":raised_hand: *{workflow.Name.ToString()}*{With(arguments)} needs approval by {string.Join(" or ", rule.Groups)}, who are asked in {SlackText.Channel(rule.ChannelId)}. You are told what becomes of it.")
                : SlackText.Of($":arrow_forward: Working on *{workflow.Name.ToString()}*{With(arguments)}. The result comes here.{(workflow.Deadline > Reply.Lifetime ? Slow(command) : default)}")
            : SlackText.Of($":arrow_forward: Working on *{workflow.Name.ToString()}*{With(arguments)}. Slack gave no address for the result: look with {Status(command)}."),
        Block.SmallPrint(SlackText.Of($"{SlackText.Code(command.Execution.Short)} · how it stands: {Status(command)}")),
        ExecutionButtons.OfOrdered(command.Execution, workflow.Name, command.Name));

    private static SlackText With(RunArguments arguments) => ExecutionText.Inputs(arguments.Inputs) is { } inputs ? SlackText.Of($" with {inputs}") : default;

    private static SlackText Slow(SlackCommand command) =>
        SlackText.Of($" After {(long)Reply.Lifetime.TotalMinutes} minutes it comes as a direct message, where the app may write; or ask with {Status(command)}.");

    private static SlackMessage Unclear(SlackCommand command) => SlackMessage.Private(
        SlackText.Of($":grey_question: I can't tell whether that was started: our queue did not answer in time. It runs once or not at all. Before you try again, look with {Status(command)} in a minute."));

    private static SlackText Status(SlackCommand command) => SlackText.Code($"{command.Name} status {command.Execution}");

    /// <summary>What the catalogue already says against it, in the words of policy, which asks the same and decides. Null when nothing does.</summary>
    public static string? InTheWay(Caller caller, Workflow workflow, RunArguments arguments)
    {
        if (caller.InTheWayOf(workflow) is { } way)
            return way;
        var faults = WorkflowInputs.Check(arguments.Inputs, workflow).Faults;
        return faults.Count > 0 ? string.Join(' ', faults.Select(fault => fault.InPlainWords)) : null;
    }

    private static SlackMessage UnknownWorkflow(Caller caller, string typed) => SlackMessage.Private(
        DidYouMean.Nearest(typed, caller.Runnable.Select(workflow => workflow.Name.ToString())) is { } name
            ? SlackText.Of(
                $"There is no workflow {SlackText.Code(typed)}. Did you mean {SlackText.Code($"{caller.Command.Name} run {name}")}? Nothing was started.")
            : SlackText.Of($"There is no workflow {SlackText.Code(typed)}. {SlackText.Code($"{caller.Command.Name} workflows")} shows those there are. Nothing was started."));

    private static SlackText Example(Caller caller) => SlackText.Of($"{SlackText.Code($"{caller.Command.Name} run my_workflow name=value other='two words'")}");
}

/// <summary>What came of asking for an execution.</summary>
/// <param name="IsStarted">Whether it may run: that nobody knows counts too.</param>
internal sealed record Ordered(SlackMessage Message, bool IsStarted);
