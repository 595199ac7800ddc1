using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using ControlPlane.Audit;
using ControlPlane.Aws;
using ControlPlane.Http;
using ControlPlane.SlackHandler.Authentication;
using ControlPlane.SlackHandler.Commands;
using ControlPlane.SlackHandler.Interactions;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.SlackHandler.Events;

/// <summary>What a request to <c>/slack/events</c> is answered with.</summary>
internal abstract record EventAnswer
{
    private EventAnswer() { }

    /// <summary>It did not come through CloudFront.</summary>
    public sealed record NotFromOrigin : EventAnswer;

    public sealed record TooLarge : EventAnswer;

    public sealed record NotJson : EventAnswer;

    /// <summary>Slack did not sign it, or not recently.</summary>
    public sealed record Forged : EventAnswer;

    public sealed record Malformed : EventAnswer;

    /// <summary>Slack asks whether the address is ours.</summary>
    public sealed record Challenged(string Challenge) : EventAnswer;

    /// <summary>Seen to, or of no interest: in either case Slack need not say it again.</summary>
    public sealed record Taken : EventAnswer;
}

/// <summary>Takes what Slack tells the app of its own accord: https://docs.slack.dev/apis/events-api</summary>
/// <remarks>Slack says again what was not answered 200 within three seconds, so everything here may happen twice.</remarks>
internal sealed class AnswerEvent(
    OriginCheck origin, SlackSignature signature, SlackInstallations installations, AuditTrail audit, PublishHome publishHome, SlackHandlerEvents events)
{
    public const int LargestBody = 64 * 1024;

    private const int LongestChallenge = 1024;

    public async Task<EventAnswer> RunAsync(RawRequest request, CancellationToken cancel)
    {
        if (!await origin.PassesAsync(request, cancel))
            return TurnAway("origin", request, new EventAnswer.NotFromOrigin());
        if (request.Body.Length > LargestBody)
            return TurnAway("size", request, new EventAnswer.TooLarge());
        if (!request.IsContentType("application/json"))
            return TurnAway("content type", request, new EventAnswer.NotJson());
        if (await signature.CheckAsync(request, cancel) is var check and not SignatureCheck.Genuine)
            return TurnAway(check == SignatureCheck.Stale ? "stale" : "signature", request, new EventAnswer.Forged());
        if (!StrictJson.TryParseObject(request.Body.Span, out var json) || !TryText(json, "type", out var type))
            return TurnAway("malformed", request, new EventAnswer.Malformed());

        if (type == "url_verification")
            return TryText(json, "challenge", out var challenge) && challenge.Length <= LongestChallenge
                ? new EventAnswer.Challenged(challenge)
                : TurnAway("malformed", request, new EventAnswer.Malformed());
        if (type == "event_callback" && SlackEvent.TryParse(json, out var happened))
            await SeeToAsync(happened, request.RequestId, cancel);
        return new EventAnswer.Taken();
    }

    private async Task SeeToAsync(SlackEvent happened, string requestId, CancellationToken cancel)
    {
        switch (happened.Type)
        {
            case "app_uninstalled":
            case "tokens_revoked" when happened.EndsBot:
                var auditor = audit.For(Actor.OfSlack(happened.WorkspaceId, user: null), requestId);
                if (await installations.EndTokenAsync(happened.WorkspaceId, happened.At, auditor, cancel) == ChangeResult.Made)
                    events.TokenEnded(happened.WorkspaceId, happened.Type);
                break;
            case "app_home_opened" when TryText(happened.Event, "user", out var user) && UserId.TryParse(user, out var userId)
                && !(TryText(happened.Event, "tab", out var tab) && tab != "home"):
                await publishHome.RunAsync(SlackCommand.OfHome(happened.WorkspaceId, happened.TeamId, userId), cancel);
                break;
        }
    }

    private EventAnswer TurnAway(string why, RawRequest request, EventAnswer answer)
    {
        events.TurnedAway(request.RequestId, why);
        return answer;
    }

    private static bool TryText(JsonElement json, string name, [NotNullWhen(true)] out string? text)
    {
        text = json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        return text is { Length: > 0 };
    }
}
