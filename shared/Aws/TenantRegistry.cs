using System.Text.Json;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Tenants;

namespace ControlPlane.Aws;

/// <summary>Tenants, their catalogues, their sidecars' keys and their Slack workspaces.</summary>
/// <remarks>Reads are strongly consistent, but those whose names say <c>Recent</c>: they cost half, and may miss what was written a moment ago.</remarks>
public sealed class TenantRegistry(IAmazonDynamoDB dynamo, string table)
{
    private const string Profile = "PROFILE";
    private const string WorkflowPrefix = "WORKFLOW#";
    private const string Groups = "GROUPS";
    private const string GroupPrefix = "group:";
    private const string Tenants = "TENANTS";

    public async Task<Tenant?> FindAsync(TenantId id, CancellationToken cancel) =>
        await GetAsync(ProfileKeyOf(id), cancel) is { } item ? ToTenant(item) : null;

    public async Task<Tenant?> FindRecentAsync(TenantId id, CancellationToken cancel) =>
        await GetRecentAsync(ProfileKeyOf(id), cancel) is { } item ? ToTenant(item) : null;

    /// <summary>Where to dispatch a tenant's executions, from the stored profile as it is now.</summary>
    public async Task<EngineLookup> FindEngineAsync(TenantId id, CancellationToken cancel)
    {
        if (await GetAsync(ProfileKeyOf(id), cancel) is not { } item)
            return new EngineLookup.TenantNotActive();
        if (item.RequiredText("status") != "active")
            return new EngineLookup.TenantNotActive();

        var allowPublicSubnet = item.HasFlag("allow_public_subnet");
        return EngineAddress.TryParse(item.OptionalText("engine"), id, allowPublicSubnet, out var address)
            ? new EngineLookup.Found(new(id, address, allowPublicSubnet))
            : new EngineLookup.AddressRefused();
    }

    public async Task<Workflow?> FindWorkflowAsync(TenantId tenant, WorkflowName name, CancellationToken cancel) =>
        await GetAsync(WorkflowKeyOf(tenant, name), cancel) is { } item ? ToWorkflow(item) : null;

    /// <summary>A tenant with its whole catalogue in one query; null when it is not registered.</summary>
    public Task<TenantCatalogue?> CatalogueAsync(TenantId id, CancellationToken cancel) => ReadCatalogueAsync(id, isConsistent: true, cancel);

    /// <inheritdoc cref="CatalogueAsync"/>
    public Task<TenantCatalogue?> RecentCatalogueAsync(TenantId id, CancellationToken cancel) => ReadCatalogueAsync(id, isConsistent: false, cancel);

    /// <summary>The tenant that a Slack workspace or Grid organisation speaks for.</summary>
    public async Task<TenantId?> OfSlackAsync(TeamId workspace, CancellationToken cancel) =>
        await GetAsync(LinkKeyOf(workspace), cancel) is { } item ? OwnerIn(item) : null;

    /// <inheritdoc cref="OfSlackAsync"/>
    public async Task<TenantId?> RecentOfSlackAsync(TeamId workspace, CancellationToken cancel) =>
        await GetRecentAsync(LinkKeyOf(workspace), cancel) is { } item ? OwnerIn(item) : null;

    /// <summary>The sidecar key with this id, whoever's it is, valid or not.</summary>
    public async Task<SidecarKey?> FindKeyAsync(KeyId keyId, CancellationToken cancel) =>
        await GetAsync(SidecarKeyOf(keyId), cancel) is { } item ? ToKey(item) : null;

    /// <inheritdoc cref="FindKeyAsync"/>
    public async Task<SidecarKey?> FindRecentKeyAsync(KeyId keyId, CancellationToken cancel) =>
        await GetRecentAsync(SidecarKeyOf(keyId), cancel) is { } item ? ToKey(item) : null;

    /// <summary>Every tenant of this hub, as an index saw them a moment ago.</summary>
    /// <exception cref="InvalidDataException">One of them is stored wrong.</exception>
    public async Task<IReadOnlyList<Tenant>> AllAsync(CancellationToken cancel) => [.. (await OwnedAsync(Tenants, "tenant-", cancel)).Select(ToTenant)];

    /// <summary>The same, where one tenant that is stored wrong must not hide the others.</summary>
    public async Task<(IReadOnlyList<Tenant> Tenants, IReadOnlyList<(TenantId Id, string Fault)> Faulty)> ReadableAsync(CancellationToken cancel)
    {
        var tenants = new List<Tenant>();
        var faulty = new List<(TenantId, string)>();
        foreach (var item in await OwnedAsync(Tenants, "tenant-", cancel))
        {
            try
            {
                tenants.Add(ToTenant(item));
            }
            catch (InvalidDataException e)
            {
                faulty.Add((TenantId.Parse(item.RequiredText("pk")), e.Message));
            }
        }
        return (tenants, faulty);
    }

    public async Task<IReadOnlyList<SidecarKey>> KeysOfAsync(TenantId tenant, CancellationToken cancel) =>
        [.. (await OwnedAsync(tenant.ToString(), "KEY#", cancel)).Select(ToKey)];

    public async Task<IReadOnlyList<SlackLink>> LinksOfAsync(TenantId tenant, CancellationToken cancel) =>
        [.. (await OwnedAsync(tenant.ToString(), "SLACK#", cancel)).Select(item => new SlackLink(TeamId.Parse(item.RequiredText("pk")["SLACK#".Length..]), tenant))];

    /// <returns>False when the tenant is registered already.</returns>
    public Task<bool> TryRegisterAsync(Tenant tenant, CancellationToken cancel) => TryPutAsync(Of(tenant), cancel);

    /// <summary>Writes a tenant's profile anew.</summary>
    public Task SaveAsync(Tenant tenant, CancellationToken cancel) => dynamo.PutItemAsync(new() { TableName = table, Item = Of(tenant) }, cancel);

    public Task SaveAsync(TenantId tenant, Workflow workflow, CancellationToken cancel) =>
        dynamo.PutItemAsync(new() { TableName = table, Item = Of(tenant, workflow) }, cancel);

    public Task SaveAsync(TenantId tenant, UserGroup group, CancellationToken cancel) =>
        dynamo.UpdateItemAsync(UpdateOf(table, tenant, group).ToRequest(), cancel);

    /// <remarks>All of a tenant's groups are one item, an attribute each: policy can name its key without knowing which groups a workflow names.</remarks>
    internal static Update UpdateOf(string table, TenantId tenant, UserGroup group) => new()
    {
        TableName = table,
        Key = GroupsKeyOf(tenant),
        UpdateExpression = "SET #group = :users",
        ExpressionAttributeNames = new() { ["#group"] = GroupPrefix + group.Name },
        ExpressionAttributeValues = new() { [":users"] = new() { L = [.. group.Users.Select(Items.Text)], IsLSet = true } },
    };

    /// <returns>False when the key is there already, whoever's it is: a key has one owner.</returns>
    public Task<bool> TryAddAsync(SidecarKey key, CancellationToken cancel) => TryPutAsync(Of(key), cancel);

    /// <returns>False when the workspace speaks for a tenant already.</returns>
    public Task<bool> TryLinkAsync(SlackLink link, CancellationToken cancel) => TryPutAsync(Of(link), cancel);

    internal static Item Of(Tenant tenant)
    {
        var item = ProfileKeyOf(tenant.Id);
        item["owner"] = Items.Text(Tenants);
        item["name"] = Items.Text(tenant.Name);
        item["status"] = Items.Text(tenant.Status.ToString().ToLowerInvariant());
        item["engine"] = Items.Text(tenant.Engine.ToString());
        item["allow_public_subnet"] = Items.Flag(tenant.AllowPublicSubnet);
        item["monthly_quota"] = Items.Number(tenant.Limits.MonthlyQuota);
        item["concurrency"] = Items.Number(tenant.Limits.Concurrency);
        if (tenant.Limits.MonthlyGpuMs is { } gpu)
            item["monthly_gpu_ms"] = Items.Number(gpu);
        if (tenant.Limits.Instances != TenantLimits.StandardInstances)
            item["instances_max"] = Items.Number(tenant.Limits.Instances);
        if (tenant.Limits.DeniesWhenSilent)
            item["denies_when_silent"] = Items.Flag(true);
        if (tenant.RemovedAt is { } removed)
            item["removed_at"] = Items.Time(removed);
        if (tenant.Aws is { } aws)
            (item["account_id"], item["engine_role"]) = (Items.Text(aws.Account), Items.Text(aws.EngineRole));
        if (tenant.Channel is { } place)
            item["channel"] = Items.Text(TextOf(place));
        return item;
    }

    /// <exception cref="InvalidDataException">The stored profile breaks a rule: an engine outside the tenant's network, a negative limit.</exception>
    internal static Tenant ToTenant(Item item)
    {
        var id = TenantId.Parse(item.RequiredText("pk"));
        var allowPublicSubnet = item.HasFlag("allow_public_subnet");
        if (!EngineAddress.TryParse(item.RequiredText("engine"), id, allowPublicSubnet, out var engine))
            throw new InvalidDataException($"The stored engine address of {id} is not one that {id} may have.");

        var limits = new TenantLimits(
            item.OptionalNumber("monthly_quota") ?? TenantLimits.Default.MonthlyQuota,
            (int)(item.OptionalNumber("concurrency") ?? TenantLimits.Default.Concurrency),
            item.OptionalNumber("monthly_gpu_ms"),
            (int)(item.OptionalNumber("instances_max") ?? TenantLimits.StandardInstances),
            item.HasFlag("denies_when_silent"));
        if (limits.Fault() is { } fault)
            throw new InvalidDataException($"The stored limits of {id} are wrong: {fault}.");

        var status = item.RequiredText("status") switch
        {
            "active" => TenantStatus.Active,
            "suspended" => TenantStatus.Suspended,
            "deleting" => TenantStatus.Deleting,
            _ => throw new InvalidDataException($"The stored status of {id} is unknown."),
        };
        var aws = item.OptionalText("account_id") is { } account && item.OptionalText("engine_role") is { } role ? new AwsIdentity(account, role) : null;
        return new(id, item.RequiredText("name"), status, engine, allowPublicSubnet, limits, item.OptionalTime("removed_at"), aws, ToChannel(item));
    }

    internal static Item Of(TenantId tenant, Workflow workflow)
    {
        var item = WorkflowKeyOf(tenant, workflow.Name);
        item["definition"] = Items.Text(DefinitionOf(workflow));
        return item;
    }

    internal static string DefinitionOf(Workflow workflow) => JsonSerializer.Serialize(workflow, DomainJson.Default.Workflow);

    internal static string TextOf(TenantChannel place) => $"{place.Team}/{place.Channel}";

    private static TenantChannel? ToChannel(Item item) =>
        item.OptionalText("channel")?.Split('/') is [var team, var channel] ? new(TeamId.Parse(team), ChannelId.Parse(channel)) : null;

    internal static Workflow ToWorkflow(Item item) => JsonSerializer.Deserialize(item.RequiredText("definition"), DomainJson.Default.Workflow)!;

    internal static Item ProfileKeyOf(TenantId tenant) => Items.Key(tenant.ToString(), Profile);

    internal static Item WorkflowKeyOf(TenantId tenant, WorkflowName workflow) => Items.Key(tenant.ToString(), WorkflowPrefix + workflow);

    internal static Item GroupsKeyOf(TenantId tenant) => Items.Key(tenant.ToString(), Groups);

    internal static IEnumerable<UserGroup> ToGroups(Item item) => item
        .Where(attribute => attribute.Key.StartsWith(GroupPrefix, StringComparison.Ordinal))
        .Select(attribute => new UserGroup(attribute.Key[GroupPrefix.Length..], item.Texts(attribute.Key)));

    internal static Item LinkKeyOf(TeamId workspace) => Items.Key($"SLACK#{workspace}", "LINK");

    internal static Item Of(SlackLink link)
    {
        var item = LinkKeyOf(link.WorkspaceId);
        item["owner"] = Items.Text(link.Tenant.ToString());
        return item;
    }

    internal static Item SidecarKeyOf(KeyId keyId) => Items.Key($"KEY#{keyId}", "KEY");

    internal static Item Of(SidecarKey key)
    {
        var item = SidecarKeyOf(key.KeyId);
        item["owner"] = Items.Text(key.Tenant.ToString());
        item["public_key"] = Items.Bytes(key.PublicKey);
        item["added_at"] = Items.Time(key.AddedAt);
        if (key.Instance is { } instance)
            item["instance"] = Items.Text(instance);
        if (key.NotAfter is { } notAfter)
            item["not_after"] = Items.Time(notAfter);
        if (key.RevokedAt is { } revoked)
            item["revoked_at"] = Items.Time(revoked);
        return item;
    }

    private static SidecarKey ToKey(Item item) => new(
        KeyId.Parse(item.RequiredText("pk")["KEY#".Length..]),
        TenantId.Parse(item.RequiredText("owner")),
        item.OptionalText("instance"),
        item.RequiredBytes("public_key"),
        item.RequiredTime("added_at"),
        item.OptionalTime("not_after"),
        item.OptionalTime("revoked_at"));

    private async Task<TenantCatalogue?> ReadCatalogueAsync(TenantId id, bool isConsistent, CancellationToken cancel)
    {
        Tenant? tenant = null;
        var workflows = new List<Workflow>();
        var groups = new List<UserGroup>();
        await foreach (var item in dynamo.ItemsAsync(new()
        {
            TableName = table,
            KeyConditionExpression = "pk = :tenant",
            ExpressionAttributeValues = new() { [":tenant"] = Items.Text(id.ToString()) },
            ConsistentRead = isConsistent,
        }, cancel))
        {
            if (item.RequiredText("sk") == Profile)
                tenant = ToTenant(item);
            else if (item.RequiredText("sk").StartsWith(WorkflowPrefix, StringComparison.Ordinal))
                workflows.Add(ToWorkflow(item));
            else if (item.RequiredText("sk") == Groups)
                groups.AddRange(ToGroups(item));
        }
        return tenant is null ? null : new(tenant, workflows, groups);
    }

    private static TenantId OwnerIn(Item link) => TenantId.Parse(link.RequiredText("owner"));

    private Task<Item?> GetAsync(Item key, CancellationToken cancel) => GetAsync(key, isConsistent: true, cancel);

    private Task<Item?> GetRecentAsync(Item key, CancellationToken cancel) => GetAsync(key, isConsistent: false, cancel);

    private async Task<Item?> GetAsync(Item key, bool isConsistent, CancellationToken cancel)
    {
        var answer = await dynamo.GetItemAsync(new() { TableName = table, Key = key, ConsistentRead = isConsistent }, cancel);
        return answer.IsItemSet ? answer.Item : null;
    }

    private async Task<bool> TryPutAsync(Item item, CancellationToken cancel)
    {
        return await dynamo.PutItemAsync(new() { TableName = table, Item = item, ConditionExpression = "attribute_not_exists(pk)" }, cancel).IsMadeAsync();
    }

    /// <summary>Deletes what a tenant may use once, unless it did.</summary>
    /// <param name="record">Of its being taken back.</param>
    internal async Task<ChangeResult> TakeBackAsync(Item key, TenantId tenant, TransactWriteItem record, TimeProvider clock, CancellationToken cancel)
    {
        var takeBack = new Delete
        {
            TableName = table,
            Key = key,
            ConditionExpression = "#owner = :tenant AND attribute_not_exists(used_at)",
            ExpressionAttributeNames = new() { ["#owner"] = "owner" },
            ExpressionAttributeValues = new() { [":tenant"] = Items.Text(tenant.ToString()) },
        };
        return await dynamo.TryChangeAsync(new() { Delete = takeBack }, record, clock, cancel) is null ? ChangeResult.Made : ChangeResult.NothingThere;
    }

    internal async Task<List<Item>> OwnedAsync(string owner, string prefix, CancellationToken cancel)
    {
        return await dynamo.ItemsAsync(new()
        {
            TableName = table,
            IndexName = "owned",
            KeyConditionExpression = "#owner = :owner AND begins_with(pk, :prefix)",
            ExpressionAttributeNames = new() { ["#owner"] = "owner" },
            ExpressionAttributeValues = new() { [":owner"] = Items.Text(owner), [":prefix"] = Items.Text(prefix) },
        }, cancel).ToListAsync(cancel);
    }
}
