using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Secrets;
using ControlPlane.Slack;
using ControlPlane.Tenants;

namespace ControlPlane.SlackHandler.Installation;

/// <summary>Workspaces' bot tokens: encrypted in the table, each bound to its workspace.</summary>
internal sealed class BotTokens(SlackInstallations installations, RotatingSecret<SlackSecret> secret)
{
    /// <summary>The token with which the bot speaks where somebody asked.</summary>
    /// <returns>Null where the app was linked by hand or removed, or no key opens what is kept: then there is no bot.</returns>
    public Task<BotToken?> FindAsync(TenantId tenant, Requester.Slack asker, CancellationToken cancel) =>
        FindAsync(tenant, asker.TeamId, asker.OrganisationId, cancel);

    /// <inheritdoc cref="FindAsync(TenantId, Requester.Slack, CancellationToken)"/>
    /// <param name="organisation">The workspace's, where the app is installed for all of one.</param>
    public async Task<BotToken?> FindAsync(TenantId tenant, TeamId team, TeamId? organisation, CancellationToken cancel)
    {
        if (await installations.FindTokenAsync(tenant, team, organisation, cancel) is not { } kept)
            return null;
        var text = await secret.TryAsync(versions => Open(kept, versions), cancel);
        return BotToken.TryParse(text, out var token) ? token : null;
    }

    /// <returns>Null where the secret holds no key for tokens.</returns>
    public async ValueTask<SealedToken?> SealAsync(BotToken token, TeamId workspace, CancellationToken cancel) =>
        (await secret.GetAsync(cancel)).Current.Value.TokenKey is { } key
            ? new(workspace, Seal.Close(key, token.Value, SealedToken.PurposeOf(workspace)))
            : null;

    private static string? Open(SealedToken kept, SecretVersions<SlackSecret> secrets) =>
        Seal.Open(kept.Sealed, secrets.All.Select(version => version.Value.TokenKey).OfType<byte[]>(), SealedToken.PurposeOf(kept.WorkspaceId));
}
