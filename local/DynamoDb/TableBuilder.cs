using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Local.Template;

namespace ControlPlane.Local.DynamoDb;

/// <summary>Creates the template's tables.</summary>
internal static class TableBuilder
{
    /// <returns>The tables' names by logical id; a table that is there already is left as it is.</returns>
    public static async Task<IReadOnlyDictionary<string, string>> CreateAsync(
        IAmazonDynamoDB dynamo, IEnumerable<TemplateTable> tables, string prefix, CancellationToken cancel)
    {
        var names = new Dictionary<string, string>();
        foreach (var table in tables)
        {
            var name = names[table.Id] = prefix + table.Id;
            try { await dynamo.CreateTableAsync(Request(table, name), cancel); }
            catch (ResourceInUseException) { continue; }
            if (table.TimeToLive is { } attribute)
                await dynamo.UpdateTimeToLiveAsync(
                    new() { TableName = name, TimeToLiveSpecification = new() { AttributeName = attribute, Enabled = true } }, cancel);
        }

        return names;
    }

    private static CreateTableRequest Request(TemplateTable table, string name) => new()
    {
        TableName = name,
        BillingMode = BillingMode.PAY_PER_REQUEST,
        AttributeDefinitions = [.. table.Attributes.Select(one => new AttributeDefinition(one.Key, new ScalarAttributeType(one.Value)))],
        KeySchema = Keys(table.Keys),
        GlobalSecondaryIndexes = table.Indexes.Count == 0 ? null : [.. table.Indexes.Select(index => new GlobalSecondaryIndex
        {
            IndexName = index.Name,
            KeySchema = Keys(index.Keys),
            Projection = new() { ProjectionType = new(index.Projection), NonKeyAttributes = index.Included.Count == 0 ? null : [.. index.Included] },
        })],
    };

    private static List<KeySchemaElement> Keys(IEnumerable<TemplateKey> keys) =>
        [.. keys.Select(key => new KeySchemaElement(key.Attribute, new KeyType(key.KeyType)))];
}
