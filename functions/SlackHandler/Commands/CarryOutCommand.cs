using System.Diagnostics;
using ControlPlane.Aws;
using ControlPlane.Slack;
using ControlPlane.SlackHandler.Messages;

namespace ControlPlane.SlackHandler.Commands;

/// <summary>Carries out a command, typed or pressed: first whose it is, then what it asks for. Whoever presses a button says no more than whoever types its
/// command.</summary>
internal sealed class CarryOutCommand(
    Callers callers, SlackRequests requests, CommandSet commands, TimeProvider clock, SlackHandlerEvents events)
{
    /// <param name="words">What was said; null where a quote was never closed.</param>
    /// <param name="sentAt">When Slack sent the request.</param>
    /// <returns>What its user is told; null where a modal opened.</returns>
    public async Task<SlackMessage?> RunAsync(
        SlackCommand command, IReadOnlyList<Word>? words, DateTimeOffset sentAt, string requestId, CancellationToken cancel)
    {
        var verb = words is null ? null : Verbs.Of(words);
        var began = clock.GetTimestamp();
        try
        {
            var (caller, refusal) = await callers.FindAsync(command, cancel);
            if (caller is null)
                return refusal;
            var message = await AnswerAsync(caller with { RequestId = requestId }, verb, words, sentAt, cancel);
            events.CommandAnswered(verb ?? "unknown", caller.Tenant, command.UserId, requestId, (long)clock.GetElapsedTime(began).TotalMilliseconds);
            return message;
        }
        catch (Exception e)
        {
            // Whatever it is, Slack shows nothing but an answer with status 200, and its user is waiting.
            events.CommandFailed(verb ?? "unknown", requestId, e);
            return verb switch
            {
                Verbs.Cancel => CancelCommand.Unclear,
                Verbs.Approve or Verbs.Deny => ApproveCommand.Unclear,
                _ => Refusals.TryAgain,
            };
        }
    }

    private async Task<SlackMessage?> AnswerAsync(Caller caller, string? verb, IReadOnlyList<Word>? words, DateTimeOffset sentAt, CancellationToken cancel)
    {
        if (verb == Verbs.Run)
            return await commands.Run.AnswerAsync(caller, [.. words!.Skip(1)], sentAt, cancel);
        if (verb == Verbs.Again)
            return await commands.Again.AnswerAsync(caller, [.. words!.Skip(1)], sentAt, cancel);
        if (await requests.AdmitAsync(caller.Tenant, caller.Command.UserId, cancel) is Admission.TooMany { Wait: var wait })
            return Refusals.TooMany(wait);
        if (words is null)
            return Refusals.OpenQuote;

        IReadOnlyList<Word> rest = [.. words.Skip(1)];
        return verb switch
        {
            Verbs.Help => HelpCommand.Answer(caller, rest),
            Verbs.Status => await commands.Status.AnswerAsync(caller, rest, cancel),
            Verbs.Why => await commands.Why.AnswerAsync(caller, rest, cancel),
            Verbs.List => await commands.List.AnswerAsync(caller, rest, cancel),
            Verbs.Workflows => WorkflowsCommand.Answer(caller),
            Verbs.Usage => await commands.Usage.AnswerAsync(caller, cancel),
            Verbs.Cancel => await commands.Cancel.AnswerAsync(caller, rest, cancel),
            Verbs.Approve => await commands.Approve.ApproveAsync(caller, rest, cancel),
            Verbs.Deny => await commands.Approve.DenyAsync(caller, rest, cancel),
            Verbs.Schedule => await commands.Schedule.AnswerAsync(caller, rest, cancel),
            Verbs.Unschedule => await commands.Schedule.EndAsync(caller, rest, cancel),
            null => NoVerb(caller, words[0]),
            _ => throw new UnreachableException(),
        };
    }

    private static SlackMessage NoVerb(Caller caller, Word first) =>
        first is { Key: null, IsObject: false } && caller.Find(first.Value) is { } workflow && caller.MayRunHere(workflow)
            ? Refusals.RunIsMissing(caller.Command.Name, caller.Command.Text.Trim())
            : Refusals.UnknownVerb(caller.Command.Name, first is { Key: { } key } ? $"{key}=" : first.Value);
}

/// <summary>The commands that read or write something.</summary>
internal sealed record CommandSet(
    RunCommand Run, AgainCommand Again, StatusCommand Status, WhyCommand Why, ListCommand List, UsageCommand Usage, CancelCommand Cancel,
    ApproveCommand Approve, ScheduleCommand Schedule);
