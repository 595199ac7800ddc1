using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Tenants;

namespace ControlPlane.Aws;

/// <summary>What only the operator writes: tenants' profiles, the workspaces that speak for them, and the end of keys.</summary>
/// <remarks>Each change names only what it changes, so that two operators at work do not undo each other.</remarks>
public sealed class TenantAdministration(IAmazonDynamoDB dynamo, string table, TimeProvider clock)
{
    internal const string Deleting = "deleting";

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

        var reasons = await dynamo.TryWriteAsync(new() { TransactItems = parts }, clock, cancel);
        return reasons switch
        {
            null => new Registered.Now(),
            _ when reasons.FailedAt(0) => new Registered.Before(),
            _ => new Registered.WorkspaceTaken(TenantId.Parse(reasons[1].Item.RequiredText("owner"))),
        };
    }

    public Task<ChangeResult> RenameAsync(TenantId tenant, string name, CancellationToken cancel) =>
        SetAsync(tenant, new() { ["name"] = Items.Text(name) }, cancel);

    /// <remarks>Also mends a stored address that no longer may be dialled.</remarks>
    public Task<ChangeResult> MoveEngineAsync(TenantId tenant, EngineAddress engine, bool allowPublicSubnet, CancellationToken cancel) =>
        SetAsync(tenant, new() { ["engine"] = Items.Text(engine.ToString()), ["allow_public_subnet"] = Items.Flag(allowPublicSubnet) }, cancel);

    /// <summary>Says by whom a tenant's machines may enrol with their own identity.</summary>
    public Task<ChangeResult> IdentifyAsync(TenantId tenant, AwsIdentity aws, CancellationToken cancel) =>
        SetAsync(tenant, new() { ["account_id"] = Items.Text(aws.Account), ["engine_role"] = Items.Text(aws.EngineRole) }, cancel);

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
        return SetAsync(tenant, wanted, cancel);
    }

    /// <returns><see cref="ChangeResult.NothingThere"/> also for a tenant that is being deleted: that has no way back.</returns>
    public Task<ChangeResult> SuspendAsync(TenantId tenant, CancellationToken cancel) => SetStatusAsync(tenant, from: "active", to: "suspended", cancel);

    /// <returns><see cref="ChangeResult.NothingThere"/> also for a tenant that is being deleted: that has no way back.</returns>
    public Task<ChangeResult> ResumeAsync(TenantId tenant, CancellationToken cancel) => SetStatusAsync(tenant, from: "suspended", to: "active", cancel);

    /// <summary>Ends a tenant: nothing is started for it any more, and there is no way back. Its profile stays for as long as its data.</summary>
    public Task<ChangeResult> RemoveAsync(TenantId tenant, CancellationToken cancel) => UpdateAsync(new()
    {
        Key = TenantRegistry.ProfileKeyOf(tenant),
        UpdateExpression = "SET #status = :deleting, removed_at = :now",
        ConditionExpression = "attribute_exists(pk) AND #status <> :deleting",
        ExpressionAttributeNames = new() { ["#status"] = "status" },
        ExpressionAttributeValues = new() { [":deleting"] = Items.Text(Deleting), [":now"] = Items.Time(clock.GetUtcNow()) },
    }, alreadySo: _ => true, cancel);

    /// <summary>Takes a removed tenant's catalogue away: whoever gets its number next must not find it.</summary>
    public async Task ClearCatalogueAsync(TenantCatalogue catalogue, CancellationToken cancel)
    {
        var tenant = catalogue.Tenant.Id;
        var keys = catalogue.Workflows.Select(workflow => TenantRegistry.WorkflowKeyOf(tenant, workflow.Name)).Append(TenantRegistry.GroupsKeyOf(tenant));
        foreach (var key in keys)
            await dynamo.DeleteItemAsync(new() { TableName = table, Key = key }, cancel);
    }

    /// <summary>Takes a workspace's tenant away.</summary>
    public async Task<ChangeResult> UnlinkAsync(SlackLink link, CancellationToken cancel)
    {
        var isMade = await dynamo.DeleteItemAsync(new()
        {
            TableName = table,
            Key = TenantRegistry.LinkKeyOf(link.WorkspaceId),
            ConditionExpression = "#owner = :tenant",
            ExpressionAttributeNames = new() { ["#owner"] = "owner" },
            ExpressionAttributeValues = new() { [":tenant"] = Items.Text(link.Tenant.ToString()) },
        }, cancel).IsMadeAsync();
        return isMade ? ChangeResult.Made : ChangeResult.NothingThere;
    }

    /// <summary>Ends a tenant's key now. A revoked key stays on record and never comes back.</summary>
    public Task<ChangeResult> RevokeAsync(TenantId tenant, KeyId keyId, CancellationToken cancel) => UpdateAsync(new()
    {
        Key = TenantRegistry.SidecarKeyOf(keyId),
        UpdateExpression = "SET revoked_at = :now",
        ConditionExpression = "#owner = :tenant AND attribute_not_exists(revoked_at)",
        ExpressionAttributeNames = new() { ["#owner"] = "owner" },
        ExpressionAttributeValues = new() { [":tenant"] = Items.Text(tenant.ToString()), [":now"] = Items.Time(clock.GetUtcNow()) },
    }, alreadySo: key => key.OptionalText("owner") == tenant.ToString(), cancel);

    private Task<ChangeResult> SetStatusAsync(TenantId tenant, string from, string to, CancellationToken cancel) => UpdateAsync(new()
    {
        Key = TenantRegistry.ProfileKeyOf(tenant),
        UpdateExpression = "SET #status = :to",
        ConditionExpression = "#status = :from",
        ExpressionAttributeNames = new() { ["#status"] = "status" },
        ExpressionAttributeValues = new() { [":from"] = Items.Text(from), [":to"] = Items.Text(to) },
    }, alreadySo: profile => profile.OptionalText("status") == to, cancel);

    /// <param name="wanted">By attribute; null takes it away.</param>
    private Task<ChangeResult> SetAsync(TenantId tenant, Dictionary<string, AttributeValue?> wanted, CancellationToken cancel)
    {
        var sets = wanted.Where(one => one.Value is not null).Select(one => $"#{one.Key} = :{one.Key}").ToList();
        var removals = wanted.Where(one => one.Value is null).Select(one => $"#{one.Key}").ToList();
        var differs = wanted.Select(one => one.Value is null ? $"attribute_exists(#{one.Key})" : $"#{one.Key} <> :{one.Key}");
        return UpdateAsync(new()
        {
            Key = TenantRegistry.ProfileKeyOf(tenant),
            UpdateExpression = (sets.Count > 0 ? $"SET {string.Join(", ", sets)} " : "") + (removals.Count > 0 ? $"REMOVE {string.Join(", ", removals)}" : ""),
            ConditionExpression = $"attribute_exists(pk) AND ({string.Join(" OR ", differs)})",
            ExpressionAttributeNames = wanted.Keys.ToDictionary(name => $"#{name}", name => name),
            ExpressionAttributeValues = sets.Count > 0
                ? wanted.Where(one => one.Value is not null).ToDictionary(one => $":{one.Key}", one => one.Value!)
                : null,
        }, alreadySo: _ => true, cancel);
    }

    /// <param name="alreadySo">Asked of the item that failed the condition.</param>
    private async Task<ChangeResult> UpdateAsync(UpdateItemRequest update, Func<Item, bool> alreadySo, CancellationToken cancel)
    {
        update.TableName = table;
        update.ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD;
        try
        {
            await dynamo.UpdateItemAsync(update, cancel);
            return ChangeResult.Made;
        }
        catch (ConditionalCheckFailedException e)
        {
            return e.Item is { Count: > 0 } item && alreadySo(item) ? ChangeResult.AlreadySo : ChangeResult.NothingThere;
        }
    }

    private Put PutNew(Item item) => new()
    {
        TableName = table,
        Item = item,
        ConditionExpression = "attribute_not_exists(pk)",
        ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
    };
}
