using System.CommandLine;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Secrets;
using ControlPlane.Text;
using ControlPlane.Tokens;

namespace ControlPlane.Operator.Commands;

/// <summary><c>engine-key</c>: what a tenant's engine checks dispatches with: the public key, in the form that n8n's JWT credential takes, and what the token
/// says beside it.</summary>
internal static class EngineKeyCommand
{
    public static Command Build(Runner runner)
    {
        var id = TypedArguments.Tenant();
        var previous = new Option<bool>("--previous") { Description = "The generation before the last rotation." };
        return runner.Runs(new("engine-key", "The public key (PEM) for the tenant's engine: ./ctl engine-key tenant-7 > key.pem. Issuer, audience, key ids and from when each signs are said beside it.") { id, previous }, async (hub, given, cancel) =>
        {
            var tenant = given.GetRequiredValue(id);
            if (await hub.Tenants.FindAsync(tenant, cancel) is null)
                return Refusals.NotRegistered(tenant);

            var root = hub.TokenRoot();
            var keys = new TenantKeys(root, hub.Clock);
            var published = await keys.PublishedAsync(tenant, cancel);
            var versions = await root.GetAsync(cancel);
            var isPrevious = given.GetValue(previous);
            if (isPrevious && published.Count < 2)
                return new Answer.NotDone("There is no previous key: the token root was not rotated lately. Leave out --previous.");

            var signing = (await keys.ToSignAsync(tenant, cancel)).Id;
            List<EngineKeyGenerationView> generations =
                [.. published.Zip(
                    versions.All, (key, version) => new EngineKeyGenerationView(key.Id.ToString(), SignsFrom(version, versions), key.Id == signing))];
            var (shownKey, generation) = (published[isPrevious ? 1 : 0], generations[isPrevious ? 1 : 0]);
            var shown = new EngineKeyView(
                tenant.ToString(), await hub.IssuerAsync(cancel), TokenKinds.DispatchAudience(tenant), generation.KeyId, isPrevious
                    ? "previous"
                    : "current", generation.Signs, generation.SignsFrom, shownKey.ToPem(), generations);
            return Answer.Show(shown, CtlJson.Default.EngineKeyView, page => page.Lines(shown.Pem)) with
            {
                Notes =
                [
                    $"issuer {shown.Issuer ?? "as the stack's parameter ControlPlaneUrl says"}, audience {shown.Audience}.",
                    .. generations.Select(one => $"key {one.KeyId} signs from {one.SignsFrom}{(one.Signs ? ", and does now" : "")}."),
                ],
                Warnings =
                [
                    .. versions.IsMalformed
                        ? ["the token root's value cannot be read, and the key before it serves: ./ctl secret rotate token-root mends it."]
                        : Array.Empty<string>(),
                    .. generation.Signs ? Array.Empty<string>() : [isPrevious
                        ? $"this key signs no more since {generations[0].SignsFrom}: the engine needs the current one, ./ctl engine-key without --previous."
                        : $"this key does not sign before {generation.SignsFrom}: until then the engine needs --previous."],
                ],
            };
        });
    }

    // The only one there is signs at once: there is none that could in its place.
    private static string SignsFrom(SecretVersion<RootSecret> version, SecretVersions<RootSecret> versions) =>
        Rfc3339.Format(version == versions.All[^1] ? version.CreatedAt : version.CreatedAt + RootSecret.PublishFirst);
}
