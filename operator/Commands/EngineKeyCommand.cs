using System.CommandLine;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Output;
using ControlPlane.Text;
using ControlPlane.Tokens;

namespace ControlPlane.Operator.Commands;

/// <summary><c>engine-key</c>: the public key that a tenant's engine verifies dispatches with, in the form that n8n's JWT credential takes.</summary>
internal static class EngineKeyCommand
{
    public static Command Build(Runner runner)
    {
        var id = Given.Tenant();
        var previous = new Option<bool>("--previous") { Description = "The generation before the last rotation." };
        return runner.Runs(new("engine-key", "The public key (PEM) for the tenant's engine. Nothing else goes to the output: ./ctl engine-key tenant-7 > key.pem.") { id, previous }, async (hub, given, cancel) =>
        {
            var tenant = given.GetRequiredValue(id);
            if (await hub.Tenants.FindAsync(tenant, cancel) is null)
                return Refusals.NotRegistered(tenant);

            var root = hub.TokenRoot();
            var keys = new TenantKeys(root, hub.Clock);
            var published = await keys.PublishedAsync(tenant, cancel);
            var isPrevious = given.GetValue(previous);
            if (isPrevious && published.Count < 2)
                return new Answer.Refused("There is no previous key: the token root was not rotated lately. Leave out --previous.");

            var key = published[isPrevious ? 1 : 0];
            var signs = (await keys.ToSignAsync(tenant, cancel)).Id == key.Id;
            var changesHands = Rfc3339.Format((await root.GetAsync(cancel)).Current.CreatedAt + RootSecret.PublishFirst);
            var shown = new EngineKeyView(tenant.ToString(), key.Id, isPrevious ? "previous" : "current", signs, published.Count > 1 ? changesHands : null, key.ToPem());
            return Answer.Show(shown, CtlJson.Default.EngineKeyView, page => page.Lines(shown.Pem)) with
            {
                Warnings = signs ? [] : [isPrevious
                    ? $"this key signs no more since {changesHands}: the engine needs the current one, ./ctl engine-key without --previous."
                    : $"this key does not sign before {changesHands}: until then the engine needs --previous."],
            };
        });
    }
}
