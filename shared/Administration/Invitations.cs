using ControlPlane.Aws;
using ControlPlane.Metering;
using ControlPlane.Secrets;
using ControlPlane.Slack;
using ControlPlane.Tenants;

namespace ControlPlane.Administration;

/// <param name="Code">Shown once, and kept by nobody.</param>
public sealed record MachineInvitation(EnrolmentInvite Invite, string Code);

/// <param name="Link">Shown once, and kept by nobody.</param>
public sealed record WorkspaceInvitation(InstallTicket Ticket, Uri Link);

/// <summary>Codes and links that let somebody in, once. An invitation is called by <see cref="OneTimeCode.IdOf"/>.</summary>
public sealed class Invitations(EnrolmentStore enrolments, SlackInstallations installations, Auditor auditor, TimeProvider clock)
{
    /// <summary>Invites a machine's sidecar to register its key.</summary>
    /// <param name="instance">Null for any of the tenant's.</param>
    /// <param name="lifetime">Null for <see cref="EnrolmentInvite.StandardLifetime"/>.</param>
    public async Task<MachineInvitation> InviteMachineAsync(TenantId tenant, InstanceId? instance, TimeSpan? lifetime, CancellationToken cancel)
    {
        var (code, now) = (OneTimeCode.Make(), clock.GetUtcNow());
        var invite = new EnrolmentInvite(code.Hash, tenant, instance, now, now + (lifetime ?? EnrolmentInvite.StandardLifetime));
        await enrolments.AddAsync(invite, auditor, cancel);
        return new(invite, code.Text);
    }

    /// <summary>Invites a Slack workspace's administrator to install the app.</summary>
    /// <param name="publicUrl">Of the control plane's public API.</param>
    public async Task<WorkspaceInvitation> InviteWorkspaceAsync(TenantId tenant, Uri publicUrl, CancellationToken cancel)
    {
        var (code, now) = (OneTimeCode.Make(), clock.GetUtcNow());
        var ticket = new InstallTicket(code.Hash, tenant, now, now + InstallTicket.Lifetime);
        await installations.AddAsync(ticket, auditor, cancel);
        return new(ticket, new Uri(publicUrl, $"/slack/install/{code.Text}"));
    }

    public async Task<ChangeResult> WithdrawMachineAsync(TenantId tenant, string? id, CancellationToken cancel) =>
        (await enrolments.OfAsync(tenant, cancel)).FirstOrDefault(one => OneTimeCode.IdOf(one.Hash) == id) is { } invite
            ? await enrolments.WithdrawAsync(tenant, invite.Hash, auditor, cancel)
            : ChangeResult.NothingThere;

    public async Task<ChangeResult> WithdrawWorkspaceAsync(TenantId tenant, string? id, CancellationToken cancel) =>
        (await installations.TicketsOfAsync(tenant, cancel)).FirstOrDefault(one => OneTimeCode.IdOf(one.Hash) == id) is { } ticket
            ? await installations.WithdrawAsync(tenant, ticket.Hash, auditor, cancel)
            : ChangeResult.NothingThere;
}
