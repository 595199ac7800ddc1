using Amazon.DynamoDBv2;
using ControlPlane.Tenants;

namespace ControlPlane.Aws;

/// <summary>How far each tenant's onboarding or offboarding is. Not under the tenant's own key: whoever reads a catalogue need not carry it.</summary>
public sealed class StepSeriesStore(IAmazonDynamoDB dynamo, string tenants)
{
    private const string Prefix = "value:";

    /// <returns>Null where no series was ever begun.</returns>
    public async Task<StepSeries?> FindAsync(TenantId tenant, CancellationToken cancel)
    {
        var answer = await dynamo.GetItemAsync(new() { TableName = tenants, Key = KeyOf(tenant), ConsistentRead = true }, cancel);
        if (!answer.IsItemSet)
            return null;
        var item = answer.Item;
        return new(
            tenant, item.RequiredText("series"),
            item.Where(one => one.Key.StartsWith(Prefix, StringComparison.Ordinal)).ToDictionary(one => one.Key[Prefix.Length..], one => one.Value.S),
            item.OptionalJson("done", DomainJson.Default.IReadOnlyListStepDone) ?? [], item.RequiredNumber("version"));
    }

    /// <summary>Writes it where nobody else has since it was read; <see cref="StepSeries.Version"/> is that of the read, 0 for a new one.</summary>
    /// <returns>As it is stored now, or null: somebody else wrote.</returns>
    public async Task<StepSeries?> TrySaveAsync(StepSeries series, CancellationToken cancel)
    {
        var saved = series with { Version = series.Version + 1 };
        var item = KeyOf(series.Tenant);
        item["series"] = Items.Text(saved.Name);
        item["version"] = Items.Number(saved.Version);
        item["done"] = Items.Json(saved.Done, DomainJson.Default.IReadOnlyListStepDone);
        foreach (var (name, value) in saved.Values)
            item[Prefix + name] = Items.Text(value);
        var isMade = await dynamo.PutItemAsync(new()
        {
            TableName = tenants,
            Item = item,
            ConditionExpression = series.Version == 0 ? "attribute_not_exists(pk)" : "version = :seen",
            ExpressionAttributeValues = series.Version == 0 ? null : new() { [":seen"] = Items.Number(series.Version) },
        }, cancel).IsMadeAsync();
        return isMade ? saved : null;
    }

    private static Item KeyOf(TenantId tenant) => Items.Key($"SERIES#{tenant}", "SERIES");
}
