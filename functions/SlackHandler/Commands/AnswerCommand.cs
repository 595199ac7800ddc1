using System.Text;
using ControlPlane.Http;
using ControlPlane.SlackHandler.Authentication;
using ControlPlane.SlackHandler.Messages;

namespace ControlPlane.SlackHandler.Commands;

/// <summary>What a request of Slack's is answered with.</summary>
internal abstract record SlackAnswer
{
    private SlackAnswer() { }

    /// <summary>It is not Slack's, or no request of Slack's form.</summary>
    public sealed record TurnedAway(Entry Entry) : SlackAnswer;

    /// <summary>Slack signed it, and it cannot be read.</summary>
    public sealed record Unreadable : SlackAnswer;

    public sealed record Said(SlackMessage Message) : SlackAnswer;

    /// <summary>There is nothing to say, or it was said elsewhere: in a modal, or by the response_url.</summary>
    public sealed record Quiet : SlackAnswer;

    /// <summary>A modal stays open and shows what is wrong with its fields.</summary>
    /// <param name="ByBlock">By the block of the field; a sentence each.</param>
    public sealed record FieldFaults(IReadOnlyDictionary<string, string> ByBlock) : SlackAnswer;
}

/// <summary>Decides what a slash command is answered with: first whether it is Slack's, then what it asks for.</summary>
internal sealed class AnswerCommand(OriginCheck origin, SlackDoor door, CarryOutCommand carryOut)
{
    public const int LargestBody = 64 * 1024;

    public async Task<SlackAnswer> RunAsync(RawRequest request, CancellationToken cancel)
    {
        if (await door.CheckAsync(request, LargestBody, cancel) is var entry and not Entry.Granted)
            return new SlackAnswer.TurnedAway(entry);
        if (!SlackCommand.TryParse(FormBody.Parse(request.Body.Span), out var command))
            return new SlackAnswer.Said(Refusals.Unreadable);
        if (command.Text.Length > SlackCommand.LongestText)
            return new SlackAnswer.Said(Refusals.TooLong);

        var message = await carryOut.RunAsync(command, CommandText.Words(command.Text), SlackSignature.SentAt(request), request.RequestId, cancel);
        return message is null ? new SlackAnswer.Quiet() : new SlackAnswer.Said(message);
    }

    /// <returns>Null when it did not come through CloudFront; else whether it asks for nothing but the certificate.</returns>
    public async Task<bool?> IsSslCheckAsync(RawRequest request, CancellationToken cancel) =>
        await origin.PassesAsync(request, cancel) ? FormBody.Says(Encoding.UTF8.GetBytes(request.Query), "ssl_check=1"u8) : null;
}
