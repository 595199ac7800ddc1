using System.Diagnostics;
using ControlPlane.Http;
using ControlPlane.SlackHandler.Authentication;
using ControlPlane.SlackHandler.Commands;
using ControlPlane.SlackHandler.Installation;
using ControlPlane.SlackHandler.Messages;
using ControlPlane.SlackHandler.Notifications;
using ControlPlane.SlackHandler.Replies;
using ControlPlane.SlackHandler.WebApi;

namespace ControlPlane.SlackHandler.Interactions;

/// <summary>Decides what a button or a modal is answered with: first whether it is Slack's, then what was pressed.</summary>
/// <remarks>Slack shows nothing of the answer to a press: what there is to say goes to its response_url, before the answer, for nothing runs after it.
/// https://docs.slack.dev/interactivity/handling-user-interaction#message_responses</remarks>
internal sealed class AnswerInteraction(
    SlackDoor door, Callers callers, CarryOutCommand carryOut, SubmitRun submitRun, SlackHook hook, BotTokens tokens, SlackWebApi slack,
    SlackHandlerEvents events)
{
    /// <summary>In bytes. A payload repeats the message that the button is in, and what was typed into a modal's fields.</summary>
    public const int LargestBody = 256 * 1024;

    public async Task<SlackAnswer> RunAsync(RawRequest request, CancellationToken cancel)
    {
        if (await door.CheckAsync(request, LargestBody, cancel) is var entry and not Entry.Granted)
            return new SlackAnswer.TurnedAway(entry);
        if (!Interaction.TryParse(FormBody.Parse(request.Body.Span), out var interaction))
            return new SlackAnswer.Unreadable();
        switch (interaction)
        {
            case Interaction.Pressed pressed:
                await PressAsync(pressed, request, cancel);
                return new SlackAnswer.Quiet();
            case Interaction.Submitted submitted:
                return await SubmitAsync(submitted, request, cancel);
            case Interaction.Other:
                return new SlackAnswer.Quiet();
            default:
                throw new UnreachableException();
        }
    }

    private async Task PressAsync(Interaction.Pressed pressed, RawRequest request, CancellationToken cancel)
    {
        var message = pressed.Verb is Verbs.Status or Verbs.Why or Verbs.Cancel or Verbs.Again or Verbs.Run or Verbs.Approve or Verbs.Deny
            ? await carryOut.RunAsync(
                pressed.Command, [new(null, pressed.Verb, IsObject: false), new(null, pressed.Subject, IsObject: false)], SlackSignature.SentAt(request),
                request.RequestId, cancel)
            : Refusals.UnknownButton;
        if (message is not null)
            await TellAsync(pressed.Command, message, request, cancel);
    }

    private async Task<SlackAnswer> SubmitAsync(Interaction.Submitted submitted, RawRequest request, CancellationToken cancel)
    {
        try
        {
            switch (await submitRun.RunAsync(submitted, cancel))
            {
                case Submission.Started started:
                    await TellAsync(started.Caller.Command, started.Message, request, cancel);
                    return new SlackAnswer.Quiet();
                case Submission.Refused { ByBlock: var faults }:
                    return new SlackAnswer.FieldFaults(faults);
                default:
                    throw new UnreachableException();
            }
        }
        catch (Exception e)
        {
            events.CommandFailed(Verbs.Run, request.RequestId, e);
            return new SlackAnswer.FieldFaults(RunModal.FaultsByBlock([new("", Refusals.TryAgain.InPlainWords)], submitted.Values.Keys));
        }
    }

    // What was done is done, whether or not its user hears of it: a result is told by itself.
    private async Task TellAsync(SlackCommand command, SlackMessage message, RawRequest request, CancellationToken cancel)
    {
        try
        {
            var why = ReplyUrl.TryParse(command.ResponseUrl, out var url)
                ? Fault(await hook.PostAsync(url, message.Later(), cancel))
                : await WriteToUserAsync(command, message, cancel);
            if (why is not null)
                events.AnswerNotPosted(request.RequestId, why);
        }
        catch (Exception e)
        {
            events.AnswerNotPosted(request.RequestId, e.GetType().Name);
        }
    }

    // From the App Home there is no address to answer to: the bot writes to whoever pressed.
    private async Task<string?> WriteToUserAsync(SlackCommand command, SlackMessage message, CancellationToken cancel)
    {
        var (caller, _) = await callers.FindAsync(command, cancel);
        if (caller is null || await tokens.FindAsync(caller.Tenant, command.From, cancel) is not { } token)
            return "no address";
        return (await slack.WriteToUserAsync(token, command.UserId, message, cancel)).Fault;
    }

    private static string? Fault(Posted posted) => posted switch
    {
        Posted.AddressGone gone => gone.Why,
        Posted.Misshapen misshapen => misshapen.Why,
        Posted.TryLater later => later.Why,
        _ => null,
    };
}
