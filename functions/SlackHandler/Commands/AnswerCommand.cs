using System.Diagnostics;
using System.Text;
using ControlPlane.Aws;
using ControlPlane.Http;
using ControlPlane.Slack;
using ControlPlane.SlackHandler.Authentication;
using ControlPlane.SlackHandler.Messages;
using ControlPlane.Tenants;

namespace ControlPlane.SlackHandler.Commands;

/// <summary>What a request to <c>/slack/commands</c> is answered with.</summary>
internal abstract record CommandAnswer
{
    private CommandAnswer() { }

    /// <summary>It did not come through CloudFront.</summary>
    public sealed record NotFromOrigin : CommandAnswer;

    public sealed record TooLarge : CommandAnswer;

    public sealed record NotAForm : CommandAnswer;

    /// <summary>Slack checks the certificate; there is nothing to say.</summary>
    public sealed record SslChecked : CommandAnswer;

    /// <summary>Slack did not sign it, or not recently.</summary>
    public sealed record Forged : CommandAnswer;

    public sealed record Said(SlackMessage Message) : CommandAnswer;
}

/// <summary>Decides what a slash command is answered with: first whether it is Slack's, then whose it is, then what it asks for.</summary>
internal sealed class AnswerCommand(
    OriginCheck origin, SlackSignature signature, TenantRegistry tenants, SlackRequests requests, CommandSet commands, TimeProvider clock,
    SlackHandlerEvents events)
{
    public const int LargestBody = 64 * 1024;

    public async Task<CommandAnswer> RunAsync(RawRequest request, CancellationToken cancel)
    {
        if (!await origin.PassesAsync(request, cancel))
            return TurnAway("origin", request, new CommandAnswer.NotFromOrigin());
        if (request.Body.Length > LargestBody)
            return TurnAway("size", request, new CommandAnswer.TooLarge());
        if (!request.IsContentType("application/x-www-form-urlencoded"))
            return TurnAway("content type", request, new CommandAnswer.NotAForm());
        if (FormBody.Says(request.Body.Span, "ssl_check=1"u8))
            return new CommandAnswer.SslChecked();      // Slack does not sign these
        if (await signature.CheckAsync(request, cancel) is var check and not SignatureCheck.Genuine)
            return TurnAway(check == SignatureCheck.Stale ? "stale" : "signature", request, new CommandAnswer.Forged());

        return new CommandAnswer.Said(await AnswerAsync(request, cancel));
    }

    /// <returns>Null when it did not come through CloudFront; else whether it asks for nothing but the certificate.</returns>
    public async Task<bool?> IsSslCheckAsync(RawRequest request, CancellationToken cancel) =>
        await origin.PassesAsync(request, cancel) ? FormBody.Says(Encoding.UTF8.GetBytes(request.Query), "ssl_check=1"u8) : null;

    private async Task<SlackMessage> AnswerAsync(RawRequest request, CancellationToken cancel)
    {
        if (!SlackCommand.TryParse(FormBody.Parse(request.Body.Span), out var command))
            return Refusals.Unreadable;
        if (command.Text.Length > SlackCommand.LongestText)
            return Refusals.TooLong;

        var words = CommandText.Words(command.Text);
        var verb = words is null ? null : Verbs.Of(words);
        var began = clock.GetTimestamp();
        try
        {
            if (await tenants.OfSlackAsync(command.WorkspaceId, cancel) is not { } tenant || await tenants.CatalogueAsync(tenant, cancel) is not { } catalogue)
                return Refusals.UnknownWorkspace;
            if (catalogue.Tenant.Status != TenantStatus.Active)
                return Refusals.Suspended;

            var message = await AnswerAsync(new(command, catalogue), verb, words, SlackSignature.SentAt(request), cancel);
            events.CommandAnswered(verb ?? "unknown", tenant, command.UserId, request.RequestId, (long)clock.GetElapsedTime(began).TotalMilliseconds);
            return message;
        }
        catch (Exception e)
        {
            // Whatever it is, Slack shows nothing but an answer with status 200, and its user is waiting.
            events.CommandFailed(verb ?? "unknown", request.RequestId, e);
            return verb == Verbs.Cancel ? CancelCommand.Unclear : Refusals.TryAgain;
        }
    }

    private async Task<SlackMessage> AnswerAsync(Caller caller, string? verb, IReadOnlyList<Word>? words, DateTimeOffset sentAt, CancellationToken cancel)
    {
        if (verb == Verbs.Run)
            return await commands.Run.AnswerAsync(caller, [.. words!.Skip(1)], sentAt, cancel);
        if (await requests.AdmitAsync(caller.Tenant, caller.Command.UserId, cancel) is Admission.TooMany { Wait: var wait })
            return Refusals.TooMany(wait);
        if (words is null)
            return Refusals.OpenQuote;

        IReadOnlyList<Word> rest = [.. words.Skip(1)];
        return verb switch
        {
            Verbs.Help => HelpCommand.Answer(caller),
            Verbs.Status => await commands.Status.AnswerAsync(caller, rest, cancel),
            Verbs.Why => await commands.Why.AnswerAsync(caller, rest, cancel),
            Verbs.List => await commands.List.AnswerAsync(caller, rest, cancel),
            Verbs.Workflows => WorkflowsCommand.Answer(caller),
            Verbs.Usage => await commands.Usage.AnswerAsync(caller, cancel),
            Verbs.Cancel => await commands.Cancel.AnswerAsync(caller, rest, cancel),
            null => Refusals.UnknownVerb(caller.Command.Name, words[0] is { Key: { } key } ? $"{key}=" : words[0].Value),
            _ => throw new UnreachableException(),
        };
    }

    private CommandAnswer TurnAway(string why, RawRequest request, CommandAnswer answer)
    {
        events.TurnedAway(request.RequestId, why);
        return answer;
    }
}

/// <summary>The commands that read or write something.</summary>
internal sealed record CommandSet(RunCommand Run, StatusCommand Status, WhyCommand Why, ListCommand List, UsageCommand Usage, CancelCommand Cancel);
