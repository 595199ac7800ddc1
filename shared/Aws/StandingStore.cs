using System.Text.Json;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.Aws;

/// <summary>Reads a tenant's standing in one consistent call over two tables.</summary>
public sealed class StandingStore(IAmazonDynamoDB dynamo, string tenants, string quotas, TimeProvider clock)
{
    private const int Attempts = 4;

    public async Task<Standing> OfAsync(TenantId tenant, WorkflowName workflow, Month month, CancellationToken cancel)
    {
        var items = await ReadAsync(new()
        {
            [tenants] = Keys(TenantRegistry.ProfileKeyOf(tenant), TenantRegistry.WorkflowKeyOf(tenant, workflow), TenantRegistry.GroupsKeyOf(tenant)),
            [quotas] = Keys(QuotaLedger.KeyOf(tenant, month), QuotaLedger.ActiveKeyOf(tenant)),
        }, cancel);

        var monthUsage = Find(quotas, QuotaLedger.KeyOf(tenant, month)) is { } used ? QuotaLedger.ToMonth(used) : MonthUsage.None;
        var active = Find(quotas, QuotaLedger.ActiveKeyOf(tenant)) is { } underWay ? QuotaLedger.ToActive(underWay) : 0;
        try
        {
            return new(
                Find(tenants, TenantRegistry.ProfileKeyOf(tenant)) is { } profile ? TenantRegistry.ToTenant(profile) : null,
                Find(tenants, TenantRegistry.WorkflowKeyOf(tenant, workflow)) is { } entry ? TenantRegistry.ToWorkflow(entry) : null,
                Find(tenants, TenantRegistry.GroupsKeyOf(tenant)) is { } groups ? [.. TenantRegistry.ToGroups(groups)] : [],
                monthUsage,
                active);
        }
        catch (Exception e) when (e is InvalidDataException or JsonException)
        {
            return new(null, null, [], monthUsage, active, Fault: e is InvalidDataException ? e.Message : "A stored workflow cannot be read.");
        }

        Item? Find(string table, Item key) => items.GetValueOrDefault(table)?.Find(item => item["pk"].S == key["pk"].S && item["sk"].S == key["sk"].S);
    }

    // A batch may come back in parts when the tables are throttled: what was not processed is asked for again.
    private async Task<Dictionary<string, List<Item>>> ReadAsync(Dictionary<string, KeysAndAttributes> wanted, CancellationToken cancel)
    {
        var found = new Dictionary<string, List<Item>>();
        for (var attempt = 1; ; attempt++)
        {
            var answer = await dynamo.BatchGetItemAsync(new BatchGetItemRequest { RequestItems = wanted }, cancel);
            foreach (var (table, items) in answer.Responses)
                (found.TryGetValue(table, out var already) ? already : found[table] = []).AddRange(items);
            if (answer.UnprocessedKeys is not { Count: > 0 } left)
                return found;
            if (attempt == Attempts)
                throw new ProvisionedThroughputExceededException("The tables did not answer for all of a tenant's items.");
            wanted = left;
            await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(10, 50 << attempt)), clock, cancel);
        }
    }

    private static KeysAndAttributes Keys(params List<Item> keys) => new() { Keys = keys, ConsistentRead = true };
}
