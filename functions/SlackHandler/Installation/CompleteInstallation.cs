using System.Diagnostics;
using System.Text;
using ControlPlane.Audit;
using ControlPlane.Aws;
using ControlPlane.Http;
using ControlPlane.Secrets;
using ControlPlane.Slack;
using ControlPlane.SlackHandler.Authentication;
using ControlPlane.SlackHandler.WebApi;

namespace ControlPlane.SlackHandler.Installation;

/// <summary>Takes a browser that comes back from Slack, exchanges what it brings for the workspace's token, and links the workspace to its ticket's
/// tenant.</summary>
/// <remarks>First the state, and that it is this browser's: a code that somebody else planted is never exchanged. What is stored is decided by one
/// transaction.</remarks>
internal sealed class CompleteInstallation(
    OriginCheck origin, RotatingSecret<SlackSecret> secret, SlackInstallations installations, AuditTrail audit, BotTokens tokens, SlackWebApi slack,
    SlackPlaces places, SlackHandlerEvents events, TimeProvider clock)
{
    private const int LongestCode = 512;

    /// <param name="cookie">What this browser was given when it set out.</param>
    public async Task<InstallAnswer> RunAsync(RawRequest request, string? cookie, CancellationToken cancel)
    {
        if (!await origin.PassesAsync(request, cancel))
            return Refuse(request, "origin", new InstallAnswer.NotFromOrigin());
        var query = FormBody.Parse(Encoding.UTF8.GetBytes(request.Query));
        if (query.Count("state") != 1 || !query.TryGet("state", out var stateText) || !OneTimeCode.TryParse(stateText, out var state))
            return Refuse(request, "no state", new InstallAnswer.AskForNewLink());
        if (!OneTimeCode.TryParse(cookie, out var browser))
            return Refuse(request, "no cookie", new InstallAnswer.AskForNewLink());
        if (await installations.TakeAsync(state.Hash, browser.Hash, cancel) is not { } ticketHash)
            return Refuse(request, "state", new InstallAnswer.AskForNewLink());
        if (query.TryGet("error", out var error))
            return error == "access_denied"
                ? Refuse(request, "declined", new InstallAnswer.Declined())
                : Refuse(request, "Slack's error", new InstallAnswer.OpenAgain());
        if (query.Count("code") != 1 || !query.TryGet("code", out var code) || code.Length is 0 or > LongestCode)
            return Refuse(request, "no code", new InstallAnswer.OpenAgain());
        if (await installations.FindTicketAsync(ticketHash, cancel) is not { } ticket || !ticket.IsOpenAt(clock.GetUtcNow()))
            return Refuse(request, "ticket", new InstallAnswer.AskForNewLink());
        if ((await secret.GetAsync(cancel)).Current.Value is not { Client: { } client, TokenKey: not null })
            return Refuse(request, "no client_id, client_secret or bot_token_key in the Slack secret", new InstallAnswer.NotSetUp());

        return await slack.ExchangeAsync(client, code, places.Return, cancel) switch
        {
            ApiAnswer<Grant>.Done { Value: var grant } => await LinkAsync(ticket, grant, request, cancel),
            ApiAnswer<Grant>.Refused { Why: var why } => Fail(ticket, why),
            ApiAnswer<Grant>.TryLater { Why: var why } => Fail(ticket, why),
            _ => throw new UnreachableException(),
        };
    }

    private async Task<InstallAnswer> LinkAsync(InstallTicket ticket, Grant grant, RawRequest request, CancellationToken cancel)
    {
        if (await tokens.SealAsync(grant.Token, grant.WorkspaceId, cancel) is not { } token)
            return Refuse(request, "no bot_token_key in the Slack secret", new InstallAnswer.NotSetUp());
        var auditor = audit.For(Actor.OfSlack(grant.WorkspaceId, grant.InstalledBy), request.RequestId);
        switch (await installations.CompleteAsync(ticket, token, grant.BotUser, grant.InstalledBy, auditor, cancel))
        {
            case Installed.Now:
                events.WorkspaceInstalled(ticket.Tenant, grant.WorkspaceId, grant.InstalledBy, grant.Scopes);
                return new InstallAnswer.Linked(grant.WorkspaceName ?? grant.WorkspaceId.ToString());
            case Installed.WorkspaceTaken:
                events.InstallationRefused(ticket.Tenant, grant.WorkspaceId, "the workspace is another tenant's");
                return new InstallAnswer.WorkspaceTaken();
            case Installed.TicketGone:
                events.InstallationRefused(ticket.Tenant, grant.WorkspaceId, "the ticket was used meanwhile");
                return new InstallAnswer.AskForNewLink();
            case Installed.TenantGone:
                events.InstallationRefused(ticket.Tenant, grant.WorkspaceId, "the tenant is removed");
                return new InstallAnswer.AskForNewLink();
            default:
                throw new UnreachableException();
        }
    }

    private InstallAnswer Fail(InstallTicket ticket, string why)
    {
        events.ExchangeFailed(ticket.Tenant, why);
        return new InstallAnswer.OpenAgain();
    }

    private InstallAnswer Refuse(RawRequest request, string why, InstallAnswer answer)
    {
        events.TurnedAway(request.RequestId, why);
        return answer;
    }
}
