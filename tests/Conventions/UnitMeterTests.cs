using Amazon.DynamoDBv2.Model;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Conventions;

/// <summary>The meter of units against the price list, and the emulator's own figures where they are not to be trusted.</summary>
public sealed class UnitMeterTests(LocalCloud cloud)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_item_of_a_transaction_is_charged_twice_and_its_index_once()
    {
        var tables = await cloud.TablesAsync();
        using var meter = new UnitMeter(new SocketsHttpHandler());
        using var dynamo = new FaultSeam(_ => null, meter).DynamoDb(tables.Endpoint);

        await dynamo.PutItemAsync(tables.Executions, Item("a"), Cancel);
        Assert.Equal(3, meter.Take().WriteUnits);
        await dynamo.TransactWriteItemsAsync(Transaction(tables.Executions, Item("b")), Cancel);
        Assert.Equal(5, meter.Take().WriteUnits);
        await dynamo.TransactWriteItemsAsync(Transaction(tables.Metering, Item("c"), Item("d")), Cancel);
        Assert.Equal(8, meter.Take().WriteUnits);
    }

    /// <summary>When this fails, the emulator was exchanged: look whether the meter may trust it now.</summary>
    [Fact]
    public async Task The_emulator_counts_a_transaction_of_one_item_as_four_times_the_write()
    {
        var tables = await cloud.TablesAsync();
        var transaction = Transaction(tables.Metering, Item("a"));
        transaction.ReturnConsumedCapacity = Amazon.DynamoDBv2.ReturnConsumedCapacity.TOTAL;

        Assert.Equal(8, Assert.Single((await tables.Client.TransactWriteItemsAsync(transaction, Cancel)).ConsumedCapacity).CapacityUnits);
    }

    [Fact]
    public async Task What_finds_nothing_is_charged_as_the_smallest_read()
    {
        var tables = await cloud.TablesAsync();
        using var meter = new UnitMeter(new SocketsHttpHandler());
        using var dynamo = new FaultSeam(_ => null, meter).DynamoDb(tables.Endpoint);
        var query =
            new QueryRequest
            {
                TableName = tables.Metering,
                KeyConditionExpression = "pk = :pk",
                ExpressionAttributeValues = new() { [":pk"] = new("nobody") }
            };

        await dynamo.QueryAsync(query, Cancel);
        Assert.Equal(0.5, meter.Take().ReadUnits);
        query.ConsistentRead = true;
        await dynamo.QueryAsync(query, Cancel);
        Assert.Equal(1, meter.Take().ReadUnits);
        await dynamo.BatchGetItemAsync(new BatchGetItemRequest { RequestItems = new() { [tables.Metering] = new() { Keys = [Key("x"), Key("y")] } } }, Cancel);
        Assert.Equal(1, meter.Take().ReadUnits);
    }

    /// <summary>An item beyond a kilobyte; in the table of executions it is in one index.</summary>
    private static Dictionary<string, AttributeValue> Item(string pk) =>
        new(Key(pk)) { ["tenant_id"] = new("tenant-43"), ["created_at"] = new("2026-11-22T12:00:05.123Z"), ["text"] = new(new string('x', 1500)) };

    private static Dictionary<string, AttributeValue> Key(string pk) => new() { ["pk"] = new(pk), ["sk"] = new("ITEM") };

    private static TransactWriteItemsRequest Transaction(string table, params IReadOnlyList<Dictionary<string, AttributeValue>> items) =>
        new() { TransactItems = [.. items.Select(item => new TransactWriteItem { Put = new() { TableName = table, Item = item } })] };
}
