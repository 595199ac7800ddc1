using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Conventions;

/// <summary>The crash tests are worth something only if they catch a fault that is there: two handlers with known ones, and a sound one.</summary>
public sealed class FaultSeamTests(LocalCloud cloud)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_sound_handler_survives_every_break() => Assert.Empty(await BreaksAsync(InOneTransactionAsync));

    [Fact]
    public async Task Adding_before_marking_is_caught() => Assert.Contains(await BreaksAsync(AddThenMarkAsync), broken => broken == "StopAfter at call 2: 20");

    [Fact]
    public async Task Marking_before_adding_is_caught() => Assert.Contains(await BreaksAsync(MarkThenAddAsync), broken => broken == "StopAfter at call 1: 0");

    /// <summary>Delivers an event of 10 under each break and again after it: the breaks after which the total is not 10.</summary>
    private async Task<List<string>> BreaksAsync(Func<IAmazonDynamoDB, string, string, Task> handle)
    {
        var tables = await cloud.TablesAsync();
        var broken = new List<string>();
        var number = 0;
        await CrashPoints.ForEachAsync(async (seam, name) =>
        {
            var id = $"event-{number++}";
            try { await handle(seam.DynamoDb(tables.Endpoint), tables.Metering, id); }
            catch (Exception) { /* the delivery failed */ }
            await handle(tables.Client, tables.Metering, id);
            var total = (await tables.Client.GetItemAsync(tables.Metering, Key(id, "TOTAL"), consistentRead: true, Cancel)).Item;
            if (total is null || total["n"].N != "10")
                broken.Add($"{name}: {total?["n"].N ?? "0"}");
        });
        return broken;
    }

    private static async Task InOneTransactionAsync(IAmazonDynamoDB dynamo, string table, string id)
    {
        try
        {
            await dynamo.TransactWriteItemsAsync(
                new()
                {
                    TransactItems = [new() { Put = new() { TableName = table, Item = Key(id, "MARK"), ConditionExpression = "attribute_not_exists(pk)" } },
                    new() { Update = Add(table, id) }]
                }, Cancel);
        }
        catch (TransactionCanceledException e) when (e.CancellationReasons[0].Code == "ConditionalCheckFailed")
        {
            // Seen before.
        }
    }

    private static async Task AddThenMarkAsync(IAmazonDynamoDB dynamo, string table, string id)
    {
        if ((await dynamo.GetItemAsync(table, Key(id, "MARK"), Cancel)) is { IsItemSet: true })
            return;
        await AddAsync(dynamo, table, id);
        await MarkAsync(dynamo, table, id);
    }

    private static async Task MarkThenAddAsync(IAmazonDynamoDB dynamo, string table, string id)
    {
        if (await MarkAsync(dynamo, table, id))
            await AddAsync(dynamo, table, id);
    }

    private static async Task<bool> MarkAsync(IAmazonDynamoDB dynamo, string table, string id)
    {
        try
        {
            await dynamo.PutItemAsync(new() { TableName = table, Item = Key(id, "MARK"), ConditionExpression = "attribute_not_exists(pk)" }, Cancel);
            return true;
        }
        catch (ConditionalCheckFailedException)
        {
            return false;
        }
    }

    private static Task AddAsync(IAmazonDynamoDB dynamo, string table, string id)
    {
        var add = Add(table, id);
        return dynamo.UpdateItemAsync(
            new() { TableName = table, Key = add.Key, UpdateExpression = add.UpdateExpression, ExpressionAttributeValues = add.ExpressionAttributeValues },
            Cancel);
    }

    private static Update Add(string table, string id) =>
        new()
        {
            TableName = table,
            Key = Key(id, "TOTAL"),
            UpdateExpression = "ADD n :ten",
            ExpressionAttributeValues = new() { [":ten"] = new() { N = "10" } }
        };

    private static Dictionary<string, AttributeValue> Key(string id, string sk) => new() { ["pk"] = new(id), ["sk"] = new(sk) };
}
