using ControlPlane.Aws;
using ControlPlane.Secrets;
using ControlPlane.Slack;

namespace ControlPlane.Operator.Secrets;

/// <param name="Anew">Tokens that are encrypted with the newest key now.</param>
/// <param name="AsTheyWere">Tokens that were before, or changed meanwhile.</param>
/// <param name="Unreadable">Workspaces whose token no key opens.</param>
internal sealed record Resealed(int Anew, int AsTheyWere, IReadOnlyList<string> Unreadable);

/// <summary>Encrypts bot tokens with the newest key. Unlike what else is encrypted, a token outlives the overlap of two keys.</summary>
/// <remarks>Also keys that are honoured no longer are tried, the one that has leaked among them: the version before holds it.</remarks>
internal sealed class TokenReseal(ISecretSource secrets, string secretId, TenantRegistry tenants, SlackInstallations installations)
{
    public async Task<Resealed> RunAsync(Auditor auditor, CancellationToken cancel)
    {
        var keys = await KeysAsync(cancel);
        var (anew, asTheyWere, unreadable) = (0, 0, new List<string>());
        foreach (var tenant in await tenants.AllAsync(cancel))
            foreach (var token in await installations.TokensOfAsync(tenant.Id, cancel))
            {
                var purpose = SealedToken.PurposeOf(token.WorkspaceId);
                if (Seal.Open(token.Sealed, keys, purpose) is not { } text)
                    unreadable.Add(token.WorkspaceId.ToString());
                else if (Seal.Open(token.Sealed, keys[..1], purpose) is null
                    && await installations.ReplaceAsync(tenant.Id, token, Seal.Close(keys[0], text, purpose), auditor, cancel))
                    anew++;
                else
                    asTheyWere++;
            }
        return new(anew, asTheyWere, unreadable);
    }

    /// <exception cref="FormatException">There is no key, or the secret cannot be read.</exception>
    private async Task<List<byte[]>> KeysAsync(CancellationToken cancel)
    {
        var current = await secrets.ReadAsync(secretId, "AWSCURRENT", cancel) ?? throw new FormatException($"The secret {secretId} has no current version.");
        var generations = SecretGenerations.Read(current, SlackSecret.Parse).Generations.ToList();
        if (generations[0].Value.TokenKey is null)
            throw new FormatException("The Slack secret has no bot_token_key: ./ctl secret rotate bot-token-key makes one.");
        if (await secrets.ReadAsync(secretId, "AWSPREVIOUS", cancel) is { } previous)
            try
            {
                generations.AddRange(SecretGenerations.Read(previous, SlackSecret.Parse).Generations);
            }
            catch (FormatException)
            {
                // A placeholder: there was no key in it.
            }
        return [.. generations.Select(one => one.Value.TokenKey).OfType<byte[]>()];
    }
}
