using ControlPlane.Aws;
using ControlPlane.Http;
using ControlPlane.Secrets;
using ControlPlane.Slack;
using ControlPlane.SlackHandler.Authentication;

namespace ControlPlane.SlackHandler.Installation;

/// <summary>Takes a tenant's ticket and sends its browser to Slack, to be asked there whether the app may be installed.</summary>
/// <remarks>https://docs.slack.dev/authentication/installing-with-oauth. The ticket is used up when the installation is complete, not when its link is opened:
/// mail scanners and link previews open links too, and whoever declines at Slack may try again.</remarks>
internal sealed class BeginInstallation(
    OriginCheck origin, RotatingSecret<SlackSecret> secret, SlackInstallations installations, SlackPlaces places, SlackHandlerEvents events, TimeProvider clock)
{
    /// <summary>What the app asks for: its command, messages in the channels it is in and to users, and to open a conversation with one.</summary>
    public static readonly IReadOnlyList<string> Scopes = ["commands", "chat:write", "im:write"];

    /// <param name="cookie">What this browser was given before, if anything.</param>
    public async Task<InstallAnswer> RunAsync(RawRequest request, string? ticketText, string? cookie, CancellationToken cancel)
    {
        if (!await origin.PassesAsync(request, cancel))
            return Refuse(request, "origin", new InstallAnswer.NotFromOrigin());
        if (!OneTimeCode.TryParse(ticketText, out var code))
            return Refuse(request, "no ticket", new InstallAnswer.AskForNewLink());
        if (await installations.FindTicketAsync(code.Hash, cancel) is not { } ticket || !ticket.IsOpenAt(clock.GetUtcNow()))
            return Refuse(request, "ticket", new InstallAnswer.AskForNewLink());
        if ((await secret.GetAsync(cancel)).Current.Value is not { Client: { } client, TokenKey: not null })
            return Refuse(request, "no client_id, client_secret or bot_token_key in the Slack secret", new InstallAnswer.NotSetUp());

        // A browser that opens two links, or one twice, is one browser.
        var browser = OneTimeCode.TryParse(cookie, out var known) ? known : OneTimeCode.Make();
        var state = OneTimeCode.Make();
        await installations.BeginAsync(new(state.Hash, browser.Hash, ticket.Hash), cancel);
        events.InstallationBegun(ticket.Tenant, request.RequestId);
        return new InstallAnswer.ToSlack(places.Consent(client.Id, Scopes, state), browser);
    }

    private InstallAnswer Refuse(RawRequest request, string why, InstallAnswer answer)
    {
        events.TurnedAway(request.RequestId, why);
        return answer;
    }
}
