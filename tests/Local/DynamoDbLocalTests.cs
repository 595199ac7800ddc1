using Amazon.DynamoDBv2.Model;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Local;

public sealed class DynamoDbLocalTests(LocalCloud cloud)
{
    [Fact]
    public async Task Tables_have_the_keys_indexes_and_expiry_that_the_template_gives_them()
    {
        var tables = await cloud.TablesAsync();
        var executions = (await tables.Client.DescribeTableAsync(tables.Executions, TestContext.Current.CancellationToken)).Table;
        var expiry = await tables.Client.DescribeTimeToLiveAsync(tables.Executions, TestContext.Current.CancellationToken);

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
        await tables.Client.PutItemAsync(put, TestContext.Current.CancellationToken);

        var lost = await Assert.ThrowsAsync<ConditionalCheckFailedException>(() => tables.Client.PutItemAsync(put, TestContext.Current.CancellationToken));
        Assert.Equal("winner", lost.Item["by"].S);
    }
}
