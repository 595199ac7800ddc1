using Amazon.DynamoDBv2.Model;
using ControlPlane.Local.DynamoDb;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Local;

public sealed class DynamoDbLocalTests(LocalCloud cloud)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tables_have_the_keys_indexes_and_expiry_that_the_template_gives_them()
    {
        var dynamo = (await cloud.TablesAsync()).Client;
        var names = await TableBuilder.CreateAsync(dynamo, LocalCloud.Template.Tables, $"t{Guid.NewGuid():N}-", Cancel);
        var executions = (await dynamo.DescribeTableAsync(names["ExecutionsTable"], Cancel)).Table;
        var expiry = await dynamo.DescribeTimeToLiveAsync(names["ExecutionsTable"], Cancel);

        Assert.Equal(["pk", "sk"], executions.KeySchema.Select(key => key.AttributeName));
        Assert.Equal(["by_digits", "by_tenant", "due"], executions.GlobalSecondaryIndexes.Select(index => index.IndexName).Order());
        Assert.Equal("expires_at", expiry.TimeToLiveDescription.AttributeName);
    }

    [Fact]
    public async Task A_lost_race_gives_the_winners_item_in_the_same_call()
    {
        var tables = await cloud.TablesAsync();
        var put = new PutItemRequest
        {
            TableName = tables.Metering,
            Item = new() { ["pk"] = new("tenant-43"), ["sk"] = new("1"), ["by"] = new("winner") },
            ConditionExpression = "attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure = Amazon.DynamoDBv2.ReturnValuesOnConditionCheckFailure.ALL_OLD,
        };
        await tables.Client.PutItemAsync(put, Cancel);

        var lost = await Assert.ThrowsAsync<ConditionalCheckFailedException>(() => tables.Client.PutItemAsync(put, Cancel));
        Assert.Equal("winner", lost.Item["by"].S);
    }
}
