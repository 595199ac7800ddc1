using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Audit;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Aws;

/// <summary>What only the operator writes: tenants' profiles, the workspaces that speak for them, and the end of keys.</summary>
/// <remarks>Each change names only what it changes, so that two operators at work do not undo each other, and is one transaction with its record.</remarks>
public sealed class TenantAdministration(IAmazonDynamoDB dynamo, string table, Auditor auditor, TimeProvider clock)
{
    internal const string Deleting = "deleting";

    private const int MostAttempts = 10;

    /// <summary>Writes a new tenant and its workspace: both, or neither. A workspace that speaks for this very tenant already is no hindrance, nor is a
    /// tenant of that number whose data is no longer kept.</summary>
    public async Task<Registered> RegisterAsync(Tenant tenant, TeamId? workspaceId, CancellationToken cancel)
    {
        var profile = PutNew(TenantRegistry.Of(tenant));
        profile.ConditionExpression += " OR (#status = :deleting AND removed_at <= :freed)";
        profile.ExpressionAttributeNames = new() { ["#status"] = "status" };
        profile.ExpressionAttributeValues = new() { [":deleting"] = Items.Text(Deleting), [":freed"] = Items.Time(clock.GetUtcNow() - Tenant.Retention) };
        List<TransactWriteItem> parts = [new() { Put = profile }];
        if (workspaceId is { } workspace)
        {
            parts.Add(new()
            {
                // An update, for a link may hold a token already.
                Update = new()
                {
                    TableName = table,
                    Key = TenantRegistry.LinkKeyOf(workspace),
                    UpdateExpression = "SET #owner = :tenant",
                    ConditionExpression = "attribute_not_exists(pk) OR #owner = :tenant",
                    ExpressionAttributeNames = new() { ["#owner"] = "owner" },
                    ExpressionAttributeValues = new() { [":tenant"] = Items.Text(tenant.Id.ToString()) },
                    ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
                },
            });
        }

        parts.Add(auditor.Part("tenant.register", tenant.Id, $"{tenant.Id}",
        [
            .. TenantRegistry.Of(tenant).Where(one => one.Key is not ("pk" or "sk" or "owner")).Select(one => AuditedValue.Of(one.Key, null, TextOf(one.Value))),
            .. workspaceId is { } speaks ? [AuditedValue.Of("slack_team", null, $"{speaks}")] : Array.Empty<AuditedValue>(),
        ]));

        var reasons = await dynamo.TryWriteAsync(new() { TransactItems = parts }, clock, cancel);
        return reasons switch
        {
            null => new Registered.Now(),
            _ when reasons.FailedAt(0) => new Registered.Before(),
            _ => new Registered.WorkspaceTaken(TenantId.Parse(reasons[1].Item.RequiredText("owner"))),
        };
    }

    public Task<ChangeResult> RenameAsync(TenantId tenant, string name, CancellationToken cancel) =>
        SetAsync("tenant.rename", tenant, new() { ["name"] = Items.Text(name) }, cancel);

    /// <remarks>Also mends a stored address that no longer may be dialled.</remarks>
    public Task<ChangeResult> MoveEngineAsync(TenantId tenant, EngineAddress engine, bool allowPublicSubnet, CancellationToken cancel) => SetAsync(
        "tenant.engine", tenant, new() { ["engine"] = Items.Text(engine.ToString()), ["allow_public_subnet"] = Items.Flag(allowPublicSubnet) }, cancel);

    /// <summary>Says by whom a tenant's machines may enrol with their own identity.</summary>
    public Task<ChangeResult> IdentifyAsync(TenantId tenant, AwsIdentity aws, CancellationToken cancel) => SetAsync(
        "tenant.account", tenant, new() { ["account_id"] = Items.Text(aws.Account), ["engine_role"] = Items.Text(aws.EngineRole) }, cancel);

    /// <param name="place">Null where nothing is to be told any more.</param>
    public Task<ChangeResult> TellInAsync(TenantId tenant, TenantChannel? place, CancellationToken cancel) => SetAsync(
        "tenant.channel", tenant, new() { ["channel"] = place is null ? null : Items.Text(TenantRegistry.TextOf(place)) }, cancel);

    public Task<ChangeResult> LimitAsync(TenantId tenant, LimitChange change, CancellationToken cancel)
    {
        var wanted = new Dictionary<string, AttributeValue?>();
        if (change.MonthlyQuota is { } quota)
            wanted["monthly_quota"] = Items.Number(quota);
        if (change.Concurrency is { } places)
            wanted["concurrency"] = Items.Number(places);
        if (change.MonthlyGpuMs is not null || change.LiftsGpuLimit)
            wanted["monthly_gpu_ms"] = change.MonthlyGpuMs is { } gpu ? Items.Number(gpu) : null;
        if (change.Instances is { } instances)
            wanted["instances_max"] = Items.Number(instances);
        if (change.DeniesWhenSilent is { } denies)
            wanted["denies_when_silent"] = Items.Flag(denies);
        return SetAsync("tenant.limits", tenant, wanted, cancel);
    }

    /// <returns><see cref="ChangeResult.NothingThere"/> also for a tenant that is being deleted: that has no way back.</returns>
    public Task<ChangeResult> SuspendAsync(TenantId tenant, CancellationToken cancel) =>
        SetStatusAsync("tenant.suspend", tenant, from: "active", to: "suspended", cancel);

    /// <returns><see cref="ChangeResult.NothingThere"/> also for a tenant that is being deleted: that has no way back.</returns>
    public Task<ChangeResult> ResumeAsync(TenantId tenant, CancellationToken cancel) =>
        SetStatusAsync("tenant.resume", tenant, from: "suspended", to: "active", cancel);

    /// <summary>Ends a tenant: nothing is started for it any more, and there is no way back. Its profile stays for as long as its data.</summary>
    public Task<ChangeResult> RemoveAsync(TenantId tenant, CancellationToken cancel) => SetAsync(
        "tenant.remove", tenant, TenantRegistry.ProfileKeyOf(tenant), $"{tenant}",
        new() { ["status"] = Items.Text(Deleting), ["removed_at"] = Items.Time(clock.GetUtcNow()) },
        profile => profile.RequiredText("status") == Deleting ? ChangeResult.AlreadySo : null, cancel);

    /// <summary>Takes a removed tenant's catalogue away: whoever gets its number next must not find it.</summary>
    public async Task ClearCatalogueAsync(TenantCatalogue catalogue, CancellationToken cancel)
    {
        const int most = 50;        // of the hundred parts that a transaction may have
        var tenant = catalogue.Tenant.Id;
        foreach (var workflows in catalogue.Workflows.Chunk(most))
            await ClearAsync(workflows.Select(one => TenantRegistry.WorkflowKeyOf(tenant, one.Name)), workflows.Select(one => one.Name.ToString()));
        if (catalogue.Groups.Count > 0)
            await ClearAsync([TenantRegistry.GroupsKeyOf(tenant)], catalogue.Groups.Select(group => $"group {group.Name}"));

        Task ClearAsync(IEnumerable<Item> keys, IEnumerable<string> names) => dynamo.TryWriteAsync(new()
        {
            TransactItems =
            [
                .. keys.Select(key => new TransactWriteItem { Delete = new() { TableName = table, Key = key } }),
                auditor.Part("catalogue.clear", tenant, $"{tenant}", [.. names.Select(name => AuditedValue.Of(name, "there", null))]),
            ],
        }, clock, cancel);
    }

    /// <summary>Puts a workflow into a tenant's catalogue.</summary>
    /// <param name="before">The one in whose place it comes, as read; null where there is none.</param>
    public Task SaveAsync(TenantId tenant, Workflow workflow, Workflow? before, CancellationToken cancel) => dynamo.ChangeAsync(
        new() { Put = new() { TableName = table, Item = TenantRegistry.Of(tenant, workflow) } },
        auditor.Part(
            workflow.Enabled ? "workflow.publish" : "workflow.disable", tenant, $"{workflow.Name}",
            AuditedValue.Of("definition", before is null ? null : TenantRegistry.DefinitionOf(before), TenantRegistry.DefinitionOf(workflow))),
        clock, cancel);

    /// <param name="before">Its members as read; null where there is no such group.</param>
    public Task SaveAsync(TenantId tenant, UserGroup group, UserGroup? before, CancellationToken cancel) => dynamo.ChangeAsync(
        new() { Update = TenantRegistry.UpdateOf(table, tenant, group) },
        auditor.Part("group.set", tenant, group.Name, AuditedValue.Of("users", before is null ? null : Joined(before), Joined(group))), clock, cancel);

    /// <returns>False when the key is there already, whoever's it is: a key has one owner.</returns>
    public async Task<bool> TryAddAsync(SidecarKey key, CancellationToken cancel) => await dynamo.TryChangeAsync(
        new() { Put = PutNew(TenantRegistry.Of(key)) },
        auditor.Part(
            "key.add", key.Tenant, $"{key.KeyId}", AuditedValue.Of("instance", null, key.Instance ?? "any"),
            AuditedValue.Of("not_after", null, key.NotAfter is { } end ? Rfc3339.Format(end) : null)),
        clock, cancel) is null;

    /// <returns>False when the workspace speaks for a tenant already.</returns>
    public async Task<bool> TryLinkAsync(SlackLink link, CancellationToken cancel) => await dynamo.TryChangeAsync(
        new() { Put = PutNew(TenantRegistry.Of(link)) },
        auditor.Part("slack.link", link.Tenant, $"{link.WorkspaceId}", AuditedValue.Of("tenant", null, $"{link.Tenant}")), clock, cancel) is null;

    /// <summary>Takes a workspace's tenant away.</summary>
    public async Task<ChangeResult> UnlinkAsync(SlackLink link, CancellationToken cancel)
    {
        var unlink = new Delete
        {
            TableName = table,
            Key = TenantRegistry.LinkKeyOf(link.WorkspaceId),
            ConditionExpression = "#owner = :tenant",
            ExpressionAttributeNames = new() { ["#owner"] = "owner" },
            ExpressionAttributeValues = new() { [":tenant"] = Items.Text(link.Tenant.ToString()) },
        };
        var record = auditor.Part("slack.unlink", link.Tenant, $"{link.WorkspaceId}", AuditedValue.Of("tenant", $"{link.Tenant}", null));
        return await dynamo.TryChangeAsync(new() { Delete = unlink }, record, clock, cancel) is null ? ChangeResult.Made : ChangeResult.NothingThere;
    }

    /// <summary>Ends a tenant's key now. A revoked key stays on record and never comes back.</summary>
    public Task<ChangeResult> RevokeAsync(TenantId tenant, KeyId keyId, CancellationToken cancel) => SetAsync(
        "key.revoke", tenant, TenantRegistry.SidecarKeyOf(keyId), $"{keyId}", new() { ["revoked_at"] = Items.Time(clock.GetUtcNow()) },
        key => key.OptionalText("owner") != tenant.ToString() ? ChangeResult.NothingThere
            : key.ContainsKey("revoked_at") ? ChangeResult.AlreadySo
            : null, cancel);

    private Task<ChangeResult> SetStatusAsync(string action, TenantId tenant, string from, string to, CancellationToken cancel) => SetAsync(
        action, tenant, TenantRegistry.ProfileKeyOf(tenant), $"{tenant}", new() { ["status"] = Items.Text(to) },
        profile => profile.RequiredText("status") is var status && status == to ? ChangeResult.AlreadySo
            : status != from ? ChangeResult.NothingThere
            : null, cancel);

    private Task<ChangeResult> SetAsync(string action, TenantId tenant, Dictionary<string, AttributeValue?> wanted, CancellationToken cancel) =>
        SetAsync(action, tenant, TenantRegistry.ProfileKeyOf(tenant), $"{tenant}", wanted, _ => null, cancel);

    /// <summary>Sets attributes of an item that is there, if they are still what the record says that they were.</summary>
    /// <param name="wanted">By attribute; null takes it away.</param>
    /// <param name="judge">Asked of the item as read: what it already is, or null where it is to be changed.</param>
    private async Task<ChangeResult> SetAsync(
        string action, TenantId tenant, Item key, string target, Dictionary<string, AttributeValue?> wanted, Func<Item, ChangeResult?> judge,
        CancellationToken cancel)
    {
        for (var attempt = 1; attempt <= MostAttempts; attempt++)
        {
            var answer = await dynamo.GetItemAsync(new() { TableName = table, Key = key, ConsistentRead = true }, cancel);
            if (!answer.IsItemSet)
                return ChangeResult.NothingThere;
            if (judge(answer.Item) is { } already)
                return already;
            var changes = wanted.Where(one => TextOf(one.Value) != TextOf(answer.Item.GetValueOrDefault(one.Key))).ToList();
            if (changes.Count == 0)
                return ChangeResult.AlreadySo;
            var values = changes.Select(one => AuditedValue.Of(one.Key, TextOf(answer.Item.GetValueOrDefault(one.Key)), TextOf(one.Value)));
            var record = auditor.Part(action, tenant, target, [.. values]);
            if (await dynamo.TryChangeAsync(new() { Update = UpdateOf(answer.Item, key, changes) }, record, clock, cancel) is null)
                return ChangeResult.Made;
        }
        throw new InvalidOperationException($"{target} is being changed by others again and again.");
    }

    private Update UpdateOf(Item before, Item key, IReadOnlyList<KeyValuePair<string, AttributeValue?>> changes)
    {
        var sets = changes.Where(one => one.Value is not null).Select(one => $"#{one.Key} = :{one.Key}").ToList();
        var removals = changes.Where(one => one.Value is null).Select(one => $"#{one.Key}").ToList();
        var values = changes.Where(one => one.Value is not null).ToDictionary(one => $":{one.Key}", one => one.Value!);
        foreach (var name in changes.Select(one => one.Key).Where(before.ContainsKey))
            values[$":was_{name}"] = before[name];
        return new()
        {
            TableName = table,
            Key = key,
            UpdateExpression = (sets.Count > 0 ? $"SET {string.Join(", ", sets)} " : "") + (removals.Count > 0 ? $"REMOVE {string.Join(", ", removals)}" : ""),
            ConditionExpression = "attribute_exists(pk) AND "
                + string.Join(" AND ", changes.Select(one => before.ContainsKey(one.Key) ? $"#{one.Key} = :was_{one.Key}" : $"attribute_not_exists(#{one.Key})")),
            ExpressionAttributeNames = changes.ToDictionary(one => $"#{one.Key}", one => one.Key),
            ExpressionAttributeValues = values,
        };
    }

    private static string? TextOf(AttributeValue? value) => value switch
    {
        null => null,
        { S: { } text } => text,
        { N: { } number } => number,
        _ => value.BOOL == true ? "yes" : "no",
    };

    private static string Joined(UserGroup group) => string.Join(", ", group.Users);

    private Put PutNew(Item item) => new()
    {
        TableName = table,
        Item = item,
        ConditionExpression = "attribute_not_exists(pk)",
        ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
    };
}
