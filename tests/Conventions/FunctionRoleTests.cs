using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Conventions;

/// <summary>The roles that all tests of the functions run in let through what the template allows, and refuse the rest as IAM does.</summary>
public sealed class FunctionRoleTests(LocalCloud cloud)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_role_lets_through_what_it_names_and_refuses_the_rest()
    {
        var (tables, dynamo) = await InRoleAsync("EnrolmentFunction");
        await dynamo.PutItemAsync(tables.Tenants, Key("KEY#1"), Cancel);
        await dynamo.UpdateItemAsync(tables.RateLimits, new() { ["pk"] = new("tenant-1") }, null, Cancel);

        await RefusedAsync(() => dynamo.PutItemAsync(tables.Tenants, Key("tenant-1"), Cancel), "dynamodb:PutItem");        // a leading key of others
        await RefusedAsync(() => dynamo.PutItemAsync(tables.RateLimits, new() { ["pk"] = new("KEY#1") }, Cancel), "dynamodb:PutItem");        // another table
        await RefusedAsync(() => dynamo.DeleteItemAsync(tables.Tenants, Key("KEY#1"), Cancel), "dynamodb:DeleteItem");     // another action
        await RefusedAsync(
            () => dynamo.QueryAsync(new() { TableName = tables.Tenants, KeyConditionExpression = "pk = :pk" }, Cancel), "dynamodb:Query");   // not its index
    }

    [Fact]
    public async Task A_transaction_needs_what_each_of_its_parts_needs()
    {
        var (tables, dynamo) = await InRoleAsync("EnrolmentFunction");
        var put = new TransactWriteItem { Put = new() { TableName = tables.Tenants, Item = Key("KEY#2") } };
        var check = new TransactWriteItem
        {
            ConditionCheck = new() { TableName = tables.Tenants, Key = Key("tenant-1"), ConditionExpression = "attribute_not_exists(pk)" },
        };
        await dynamo.TransactWriteItemsAsync(new() { TransactItems = [put, check] }, Cancel);

        var delete = new TransactWriteItem { Delete = new() { TableName = tables.Tenants, Key = Key("KEY#3") } };
        await RefusedAsync(() => dynamo.TransactWriteItemsAsync(new() { TransactItems = [put, delete] }, Cancel), "dynamodb:DeleteItem");
    }

    [Theory]
    [InlineData("HeartbeatsFunction", "HeartbeatsRole"), InlineData("EnrolmentFunction", "EnrolmentRole")]
    public async Task What_the_template_drops_is_refused(string function, string role)
    {
        var (tables, dynamo) = await InRoleAsync(function);
        await dynamo.GetItemAsync(tables.Tenants, Key("tenant-1"), Cancel);

        var (others, dropped) = await InRoleAsync(function, resources =>
        {
            foreach (var statement in resources[role]!["Properties"]!["Policies"]![0]!["PolicyDocument"]!["Statement"]!.AsArray())
                statement!["Action"] = "dynamodb:Scan";
        });
        await RefusedAsync(() => dropped.GetItemAsync(others.Tenants, Key("tenant-1"), Cancel), "dynamodb:GetItem");
    }

    private async Task<(TestTables, IAmazonDynamoDB)> InRoleAsync(string function, Action<System.Text.Json.Nodes.JsonNode>? plant = null)
    {
        var tables = await cloud.TablesAsync();
        return (tables, FaultSeam.None().DynamoDb(tables.Endpoint, FunctionRole.Of(function, tables, null, plant ?? (_ => { }))));
    }

    private static async Task RefusedAsync(Func<Task> call, string action)
    {
        var error = await Assert.ThrowsAnyAsync<AmazonDynamoDBException>(call);
        Assert.Equal("AccessDeniedException", error.ErrorCode);
        Assert.Contains($"is not authorized to perform {action}", error.Message, StringComparison.Ordinal);
    }

    private static Dictionary<string, AttributeValue> Key(string pk) => new() { ["pk"] = new(pk), ["sk"] = new("X") };
}
