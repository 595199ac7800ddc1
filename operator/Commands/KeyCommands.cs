using System.CommandLine;
using ControlPlane.Metering;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Deployments;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Secrets;
using ControlPlane.Tenants;
using ControlPlane.Text;
using ControlPlane.Tokens;

namespace ControlPlane.Operator.Commands;

/// <summary><c>key …</c>: the public keys with which a tenant's sidecars sign. To rotate is to add the new one, let the sidecar sign with both, and revoke the
/// old.</summary>
internal static class KeyCommands
{
    // How long a function goes on believing a key that it read before.
    private const int SecondsUntilRefused = 60;

    public static Command Build(Runner runner) => new("key", "Public keys of metering sidecars.")
    {
        Add(runner), Invite(runner), Invites(runner), Withdraw(runner), List(runner), Revoke(runner),
    };

    private static Command Add(Runner runner)
    {
        var id = TypedArguments.Tenant();
        var publicKey = new Option<byte[]>("--public-key")
        {
            Description = "The Ed25519 public key: base64 of its 32 bytes.",
            Required = true,
            HelpName = "BASE64",
            CustomParser = given =>
                TypedArguments.Read(given, (string text, out byte[] bytes) => (bytes = StrictBase64.Decode(text) ?? []) is { Length: SidecarPublicKey.Length },
                text => $"{text} is not base64 of 32 bytes."),
        };
        var instance = InstanceOption("The one instance that may sign with it; any of the tenant's when left out.");
        var notAfter = TypedArguments.Optional(
            "--not-after", "TIME", "When it ends by itself, like 2027-01-01T00:00:00Z.",
            (string text, out DateTimeOffset time) => Rfc3339.TryParse(text, out time), text => $"{text} is not a time in UTC like 2027-01-01T00:00:00Z.");

        return runner.Runs(new("add", "Lets a tenant's sidecars sign with a key.") { id, publicKey, instance, notAfter }, async (hub, given, cancel) =>
        {
            var now = hub.Clock.GetUtcNow();
            var bytes = given.GetRequiredValue(publicKey);
            if (!SidecarPublicKey.TryAdmit(bytes, out var imported))
                return new Answer.NotDone("That is no Ed25519 key that signatures could be trusted with (malformed, or of small order): let the sidecar print its public key again, or make a new one.");
            if (given.GetValue(notAfter) is { } end && end <= now)
                return new Answer.NotDone($"{Rfc3339.Format(end)} is over: say a later --not-after, or none.");

            var key = new SidecarKey(
                imported.KeyId, given.GetRequiredValue(id), given.GetValue(instance), bytes, now, given.GetValue(notAfter), RevokedAt: null);
            return await AddAsync(hub, key, cancel);
        });
    }

    private static Command Invite(Runner runner)
    {
        var id = TypedArguments.Tenant();
        var instance = InstanceOption("The one instance that it is good for; any of the tenant's when left out.");
        var lives = TypedArguments.Optional(
            "--ttl", "1h", $"How long it is good for; {Duration.Format(EnrolmentInvite.StandardLifetime)}, and {Duration.Format(EnrolmentInvite.LongestLifetime)} at most.",
            (string text, out TimeSpan time) => Duration.TryParse(text, out time) && time > TimeSpan.Zero && time <= EnrolmentInvite.LongestLifetime,
            text => $"{text} is not a length of time like 1h, up to {Duration.Format(EnrolmentInvite.LongestLifetime)}.");
        return runner.Runs(new("invite", "A code with which one machine's sidecar registers its key itself, once.") { id, instance, lives },
            async (hub, given, cancel) =>
        {
            var tenant = given.GetRequiredValue(id);
            if (await hub.Tenants.FindAsync(tenant, cancel) is not { Status: not TenantStatus.Deleting })
                return Refusals.NotRegistered(tenant);
            InstanceId? named = given.GetValue(instance) is { } name ? InstanceId.Parse(name) : null;
            var (invite, code) = await (await hub.InvitationsAsync(cancel)).InviteMachineAsync(tenant, named, given.GetValue(lives), cancel);
            var shown = new KeyInviteView(OneTimeCode.IdOf(invite.Hash), code, tenant.ToString(), named?.ToString(), Rfc3339.Format(invite.ExpiresAt));
            return Answer.Show(shown, CtlJson.Default.KeyInviteView, page => page.Line(shown.Code)) with
            {
                Notes =
                [
                    $"invitation {shown.Id}: whoever has the code first registers a key for {(named is null ? $"a machine of {tenant}" : $"{named} of {tenant}")}, until {shown.ExpiresAt}. It is not shown again.",
                    $"on the machine: ./install.sh --url <private API> --tenant {tenant} --enrol {shown.Code}",
                ],
            };
        });
    }

    private static Command Invites(Runner runner)
    {
        var id = TypedArguments.Tenant();
        return runner.Runs(new("invites", "A tenant's codes, used ones and those that are too old included for as long as they are kept.") { id },
            async (hub, given, cancel) =>
        {
            var (tenant, now) = (given.GetRequiredValue(id), hub.Clock.GetUtcNow());
            if (await hub.Tenants.FindAsync(tenant, cancel) is null)
                return Refusals.NotRegistered(tenant);
            var shown = (await hub.Enrolments.OfAsync(tenant, cancel)).Select(invite => new EnrolmentInviteView(
                OneTimeCode.IdOf(invite.Hash), invite.IsOpenAt(now) ? "open" : invite.UsedAt is null ? "expired" : "used", invite.Instance?.ToString(),
                Rfc3339.Format(invite.CreatedAt), Rfc3339.Format(invite.ExpiresAt), invite.UsedBy?.ToString())).ToList();
            return Answer.Show(new EnrolmentInvitesView(shown), CtlJson.Default.EnrolmentInvitesView, page => page.Table(
                ["INVITATION", "STATE", new("INSTANCE", 1), new("MADE", 4), new("GOOD UNTIL", 2), new("USED BY", 3)],
                shown.Select(one => (string?[])
                [
                    one.Id, one.State, one.Instance ?? "any", DisplayText.Time(one.CreatedAt), DisplayText.Time(one.ExpiresAt), one.UsedBy,
                ])));
        });
    }

    private static Command Withdraw(Runner runner)
    {
        var id = TypedArguments.Tenant();
        var invitation = new Argument<string>("invitation") { Description = "As key invite and key invites print it." };
        return runner.Runs(new("withdraw", "Takes a code back before it is used.") { id, invitation }, async (hub, given, cancel) =>
        {
            var (tenant, name) = (given.GetRequiredValue(id), given.GetRequiredValue(invitation));
            if (await (await hub.InvitationsAsync(cancel)).WithdrawMachineAsync(tenant, name, cancel) != ChangeResult.Made)
                return new Answer.NotDone(
                    $"{tenant} has no open invitation {TypedArguments.Quote(name)}: ./ctl key invites {tenant} shows those it has. A key that came of one is ended with ./ctl key revoke.");
            return Answer.Show(new InviteRevokedView("withdrawn", name, tenant.ToString()), CtlJson.Default.InviteRevokedView, page =>
                page.Line($"The code of invitation {name} is good for nothing any more."));
        });
    }

    private static Option<string?> InstanceOption(string description) => new("--instance")
    {
        Description = description,
        HelpName = "ID",
        CustomParser = given =>
            TypedArguments.Read(
                given, (string text, out string name) => InstanceId.TryParse(name = text, out _),
                text => $"{text} is no instance: 1 to 64 of A-Z, a-z, 0-9 and -."),
    };

    private static async Task<Answer> AddAsync(ControlPlaneClient hub, SidecarKey key, CancellationToken cancel)
    {
        if (await hub.Tenants.FindAsync(key.Tenant, cancel) is null)
            return Refusals.NotRegistered(key.Tenant);
        if (await (await hub.AdministrationAsync(cancel)).TryAddAsync(key, cancel))
            return Show(hub, "added", key);
        return await hub.Tenants.FindKeyAsync(key.KeyId, cancel) switch
        {
            null => new Answer.NotDone("Another operator is changing that key: try again."),
            { Tenant: var owner } when owner != key.Tenant =>
                new Answer.NotDone($"Key {key.KeyId} is {owner}'s, and a key has one owner: let the sidecar make one of its own."),
            { RevokedAt: { } revoked } =>
                new Answer.NotDone($"Key {key.KeyId} was revoked at {Rfc3339.Format(revoked)} and does not come back: let the sidecar make a new one."),
            var there when there.Instance != key.Instance || there.NotAfter != key.NotAfter => new Answer.NotDone(
                $"Key {key.KeyId} is there already, for {(there.Instance is { } one ? $"instance {one}" : "any instance")}{(there.NotAfter is { } end ? $" until {Rfc3339.Format(end)}" : "")}: a key is not changed, let the sidecar make a new one."),
            var there => Show(hub, "unchanged", there),
        };
    }

    private static Command List(Runner runner)
    {
        var id = TypedArguments.Tenant();
        return runner.Runs(new("list", "A tenant's keys, the ended ones too.") { id }, async (hub, given, cancel) =>
        {
            var tenant = given.GetRequiredValue(id);
            if (await hub.Tenants.FindAsync(tenant, cancel) is null)
                return Refusals.NotRegistered(tenant);
            var keys = (await hub.Tenants.KeysOfAsync(tenant, cancel)).OrderBy(key => key.AddedAt).Select(key => ViewMapper.Of(key, hub.Clock.GetUtcNow()))
                .ToList();
            return Answer.Show(new KeysView(keys), CtlJson.Default.KeysView, page => page.Table(
                ["KEY ID", new("INSTANCE", 1), "STATE", new("ADDED", 3), new("NOT AFTER", 2)],
                keys.Select(key => (string?[])[key.KeyId, key.Instance ?? "any", key.State, DisplayText.Time(key.AddedAt), DisplayText.Time(key.NotAfter)])));
        });
    }

    private static Command Revoke(Runner runner)
    {
        var id = TypedArguments.Tenant();
        var keyId = new Argument<KeyId>("key-id")
        {
            Description = "As key add and key list print it.",
            CustomParser = given =>
                TypedArguments.Read<KeyId>(
                    given, KeyId.TryParse,
                    text => $"{text} is no key id: 43 characters of base64url, as ./ctl key list prints them."),
        };
        return runner.Runs(new("revoke", $"Ends a key for good; heartbeats that it signed are refused within {SecondsUntilRefused} s.") { id, keyId },
            async (hub, given, cancel) =>
        {
            var (tenant, name) = (given.GetRequiredValue(id), given.GetRequiredValue(keyId));
            var change = await (await hub.AdministrationAsync(cancel)).RevokeAsync(tenant, name, cancel);
            if (change == ChangeResult.NothingThere || await hub.Tenants.FindKeyAsync(name, cancel) is not { } key)
                return new Answer.NotDone($"{tenant} has no key {name}: ./ctl key list {tenant} shows those it has.");

            var isLast = !(await hub.Tenants.KeysOfAsync(tenant, cancel)).Any(other => other.KeyId != name && other.IsValidAt(hub.Clock.GetUtcNow()));
            return Show(hub, change == ChangeResult.Made ? "revoked" : "unchanged", key) with
            {
                Warnings = isLast ? [$"{tenant} has no valid key left: its heartbeats are refused, and it will be OFFLINE in three minutes."] : [],
            };
        });
    }

    private static Answer.Shown Show(ControlPlaneClient hub, string result, SidecarKey key)
    {
        var shown = new KeyChangeView(result, ViewMapper.Of(key, hub.Clock.GetUtcNow()));
        return Answer.Show(shown, CtlJson.Default.KeyChangeView, page =>
        {
            page.Line(result switch { "added" => "The key is added.", "revoked" => "The key is revoked.", _ => "The key was so before." });
            page.Facts(
                ("key id", shown.Key.KeyId), ("tenant", shown.Key.Tenant), ("instance", key.Instance ?? "any"), ("state", shown.Key.State),
                ("not after", shown.Key.NotAfter), ("revoked", shown.Key.RevokedAt));
        });
    }
}
