using System.Globalization;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Audit;
using ControlPlane.Metering;
using ControlPlane.Secrets;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Aws;

/// <summary>Invitations of sidecars, and the keys that come of them or of a machine's own identity.</summary>
public sealed class EnrolmentStore(IAmazonDynamoDB dynamo, string tenants, TimeProvider clock)
{
    private readonly TenantRegistry _registry = new(dynamo, tenants);

    public Task AddAsync(EnrolmentInvite invite, Auditor auditor, CancellationToken cancel) => dynamo.ChangeAsync(
        new() { Put = new() { TableName = tenants, Item = Of(invite), ConditionExpression = "attribute_not_exists(pk)" } },
        auditor.Part(
            "key.invite", invite.Tenant, OneTimeCode.IdOf(invite.Hash), AuditedValue.Of("instance", null, invite.Instance?.ToString() ?? "any"),
            AuditedValue.Of("expires_at", null, Rfc3339.Format(invite.ExpiresAt))),
        clock, cancel);

    /// <summary>A tenant's invitations, as an index saw them a moment ago: used and outdated ones too, for as long as the table keeps them.</summary>
    public async Task<IReadOnlyList<EnrolmentInvite>> OfAsync(TenantId tenant, CancellationToken cancel) =>
        [.. (await _registry.OwnedAsync(tenant.ToString(), "INVITE#", cancel)).Select(ToInvite).OrderByDescending(invite => invite.CreatedAt)];

    /// <summary>Takes an invitation back before it is used.</summary>
    public Task<ChangeResult> WithdrawAsync(TenantId tenant, string inviteHash, Auditor auditor, CancellationToken cancel) => _registry.TakeBackAsync(
        InviteKeyOf(inviteHash), tenant, auditor.Part("key.withdraw", tenant, OneTimeCode.IdOf(inviteHash), AuditedValue.Of("state", "open", null)), clock, cancel);

    /// <summary>Registers a key by a code, which is used up with it: both, or neither.</summary>
    /// <param name="inviteHash">SHA-256 of the code, in hexadecimal.</param>
    public Task<Enrolled> EnrolAsync(SidecarKey key, string inviteHash, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        return RegisterAsync(key, new()
        {
            TableName = tenants,
            Key = InviteKeyOf(inviteHash),
            UpdateExpression = "SET used_at = :now, used_by = :key",
            ConditionExpression =
                "#owner = :tenant AND attribute_not_exists(used_at) AND expires_at > :second AND (attribute_not_exists(instance) OR instance = :instance)",
            ExpressionAttributeNames = new() { ["#owner"] = "owner" },
            ExpressionAttributeValues = new()
            {
                [":tenant"] = Items.Text(key.Tenant.ToString()),
                [":instance"] = Items.Text(key.Instance ?? ""),
                [":key"] = Items.Text(key.KeyId.ToString()),
                [":now"] = Items.Time(now),
                [":second"] = Items.Number(now.ToUnixTimeSeconds()),
            },
        }, cancel);
    }

    /// <summary>Registers a key whose machine has proved to be the instance that it says.</summary>
    public Task<Enrolled> EnrolAsync(SidecarKey key, CancellationToken cancel) => RegisterAsync(key, invite: null, cancel);

    private async Task<Enrolled> RegisterAsync(SidecarKey key, Update? invite, CancellationToken cancel)
    {
        // Two keys for one instance would need two proofs at one moment: of one code the transaction takes one, and of one machine both are its own.
        var others = (await _registry.KeysOfAsync(key.Tenant, cancel)).Where(other => other.KeyId != key.KeyId && other.Instance == key.Instance);
        if (others.Any(other => other.IsValidAt(key.AddedAt)))
            return Enrolled.AnotherKey;

        var isThere = new ConditionCheck
        {
            TableName = tenants,
            Key = TenantRegistry.ProfileKeyOf(key.Tenant),
            ConditionExpression = "attribute_exists(pk) AND #status <> :deleting",
            ExpressionAttributeNames = new() { ["#status"] = "status" },
            ExpressionAttributeValues = new() { [":deleting"] = Items.Text(TenantAdministration.Deleting) },
        };
        var add = new Put { TableName = tenants, Item = TenantRegistry.Of(key), ConditionExpression = "attribute_not_exists(pk)" };
        TransactWriteItem[] parts = invite is null ? [new() { ConditionCheck = isThere }, new() { Put = add }]
            : [new() { ConditionCheck = isThere }, new() { Put = add }, new() { Update = invite }];
        var reasons = await dynamo.TryWriteAsync(new() { TransactItems = [.. parts] }, clock, cancel);
        if (reasons is null)
            return Enrolled.Now;
        if (reasons.FailedAt(0))
            return Enrolled.TenantGone;
        if (!reasons.FailedAt(1))
            return Enrolled.InviteInvalid;
        return await _registry.FindKeyAsync(key.KeyId, cancel) is { } there
            && there.Tenant == key.Tenant && there.Instance == key.Instance && there.IsValidAt(key.AddedAt)
            ? Enrolled.Before
            : Enrolled.KeyRefused;
    }

    private static Item InviteKeyOf(string hash) => Items.Key($"INVITE#{hash}", "INVITE");

    private static EnrolmentInvite ToInvite(Item item) => new(
        item.RequiredText("pk")["INVITE#".Length..], TenantId.Parse(item.RequiredText("owner")),
        item.OptionalText("instance") is { } instance ? InstanceId.Parse(instance) : null,
        item.RequiredTime("created_at"), DateTimeOffset.FromUnixTimeSeconds(item.RequiredNumber("expires_at")),
        item.OptionalTime("used_at"), item.OptionalText("used_by") is { } key ? KeyId.Parse(key) : null);

    private static Item Of(EnrolmentInvite invite)
    {
        var item = InviteKeyOf(invite.Hash);
        item["owner"] = Items.Text(invite.Tenant.ToString());
        item["created_at"] = Items.Time(invite.CreatedAt);
        item["expires_at"] = Items.Second(invite.ExpiresAt);
        if (invite.Instance is { } instance)
            item["instance"] = Items.Text(instance.ToString());
        return item;
    }
}

/// <summary>Counts a tenant's tries to enrol.</summary>
public sealed class EnrolmentTries(IAmazonDynamoDB dynamo, string rateLimits, TimeProvider clock)
{
    /// <summary>In a minute, of a tenant.</summary>
    public const int Most = 10;

    // The counter of a minute is of no use after it; the rest is room for clocks that disagree.
    private static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(10);

    /// <returns>How long to wait, or null where the try is let in.</returns>
    public async Task<TimeSpan?> CountAsync(TenantId tenant, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var isMade = await dynamo.UpdateItemAsync(new()
        {
            TableName = rateLimits,
            Key = new() { ["pk"] = Items.Text(string.Create(CultureInfo.InvariantCulture, $"{tenant}#enrol#{now.ToUnixTimeSeconds() / 60}")) },
            UpdateExpression = "SET expires_at = :end ADD #total :one",
            ConditionExpression = "attribute_not_exists(#total) OR #total < :most",
            ExpressionAttributeNames = new() { ["#total"] = "total" },
            ExpressionAttributeValues = new()
            {
                [":one"] = Items.Number(1),
                [":most"] = Items.Number(Most),
                [":end"] = Items.Second(now + KeptFor),
            },
        }, cancel).IsMadeAsync();
        return isMade ? null : TimeSpan.FromSeconds(60 - now.ToUnixTimeSeconds() % 60);
    }
}
