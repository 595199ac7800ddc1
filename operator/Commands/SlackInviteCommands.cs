using System.CommandLine;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Deployments;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Secrets;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Operator.Commands;

/// <summary><c>slack invite …</c>: links with which a tenant's Slack administrator installs the app.</summary>
/// <remarks>The ticket in a link is shown once and kept by nobody.</remarks>
internal static class SlackInviteCommands
{
    public static Command Invite(Runner runner)
    {
        var id = TypedArguments.Tenant();
        var url = new Option<Uri?>("--url")
        {
            Description = "The control plane's public address, where it is not to be found from here.",
            HelpName = "https://api.example.com",
            CustomParser = given => Uri.TryCreate(given.Tokens[0].Value, UriKind.Absolute, out var parsed) && parsed.Scheme is "https" ? parsed : Refuse(given),
        };
        return runner.Runs(new("invite", "A link with which the tenant's Slack administrator installs the app: once, within seven days.") { id, url },
            async (hub, given, cancel) =>
        {
            var tenant = given.GetRequiredValue(id);
            if (await hub.Tenants.FindAsync(tenant, cancel) is not { Status: not TenantStatus.Deleting })
                return Refusals.NotRegistered(tenant);
            if (await MakeAsync(hub, tenant, given.GetValue(url), cancel) is not { } shown)
                return new Answer.NotDone("The control plane's public address is not to be found from here: add --url https://api.<domain>, as Slack is told it.");
            return Answer.Show(shown, CtlJson.Default.InviteView, page => page.Line(shown.Link)) with
            {
                Notes = [$"invitation {shown.Id}: whoever opens the link first installs the app for {tenant}, until {shown.ExpiresAt}. It is not shown again."],
            };
        });
    }

    /// <param name="url">The control plane's public address; null for the one that is to be found from here.</param>
    /// <returns>Null where none is.</returns>
    public static async Task<InviteView?> MakeAsync(ControlPlaneClient hub, TenantId tenant, Uri? url, CancellationToken cancel)
    {
        if ((url ?? (await hub.IssuerAsync(cancel) is { } issuer ? new Uri(issuer) : null)) is not { } at)
            return null;
        var (ticket, link) = await (await hub.InvitationsAsync(cancel)).InviteWorkspaceAsync(tenant, at, cancel);
        return new(OneTimeCode.IdOf(ticket.Hash), tenant.ToString(), link.AbsoluteUri, Rfc3339.Format(ticket.ExpiresAt));
    }

    public static Command Invites(Runner runner)
    {
        var id = TypedArguments.Tenant();
        return runner.Runs(new("invites", "A tenant's links, used ones and those that are too old included for as long as they are kept.") { id },
            async (hub, given, cancel) =>
        {
            var now = hub.Clock.GetUtcNow();
            var shown = (await hub.Installations.TicketsOfAsync(given.GetRequiredValue(id), cancel)).Select(ticket => new InvitationView(
                OneTimeCode.IdOf(ticket.Hash), ticket.IsOpenAt(now) ? "open" : ticket.UsedAt is null ? "expired" : "used", Rfc3339.Format(ticket.CreatedAt),
                Rfc3339.Format(ticket.ExpiresAt), ticket.UsedBy?.ToString())).ToList();
            return Answer.Show(new InvitationsView(shown), CtlJson.Default.InvitationsView, page => page.Table(
                ["INVITATION", "STATE", new("MADE", 3), new("GOOD UNTIL", 1), new("USED BY", 2)],
                shown.Select(one => (string?[])[one.Id, one.State, DisplayText.Time(one.CreatedAt), DisplayText.Time(one.ExpiresAt), one.UsedBy])));
        });
    }

    public static Command Revoke(Runner runner)
    {
        var id = TypedArguments.Tenant();
        var invitation = new Argument<string>("invitation") { Description = "As slack invite and slack invites print it." };
        return runner.Runs(new("revoke", "Takes a link back before it is used.") { id, invitation }, async (hub, given, cancel) =>
        {
            var (tenant, name) = (given.GetRequiredValue(id), given.GetRequiredValue(invitation));
            if (await (await hub.InvitationsAsync(cancel)).WithdrawWorkspaceAsync(tenant, name, cancel) != ChangeResult.Made)
                return new Answer.NotDone(
                    $"{tenant} has no open invitation {name}: ./ctl slack invites {tenant} shows those it has. What was installed is ended with ./ctl slack unlink.");
            return Answer.Show(new InviteRevokedView("revoked", name, tenant.ToString()), CtlJson.Default.InviteRevokedView, page =>
                page.Line($"The link of invitation {name} does not work any more."));
        });
    }

    private static Uri? Refuse(System.CommandLine.Parsing.ArgumentResult given)
    {
        given.AddError($"{given.Tokens[0].Value} is not like https://api.example.com.");
        return null;
    }
}
