using System.Runtime.CompilerServices;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;

namespace ControlPlane.Aws;

/// <summary>Queries, page after page.</summary>
/// <remarks>Only a page without a continuation key is the last. One that has such a key may hold few items, or none: a page ends at a megabyte that was
/// read, not at what was found.</remarks>
internal static class Paging
{
    /// <summary>Everything that a query finds.</summary>
    /// <param name="mostPages">Of a megabyte each: what lies behind them is left.</param>
    public static async IAsyncEnumerable<Item> ItemsAsync(
        this IAmazonDynamoDB dynamo, QueryRequest query, [EnumeratorCancellation] CancellationToken cancel, int mostPages = int.MaxValue)
    {
        do
        {
            var page = await dynamo.QueryAsync(query, cancel);
            foreach (var item in page.Items ?? [])
                yield return item;
            query.ExclusiveStartKey = page.LastEvaluatedKey;
        }
        while (query.ExclusiveStartKey is { Count: > 0 } && --mostPages > 0);
    }

    /// <summary>The first items that a query finds, as many as there are of them.</summary>
    public static async Task<List<Item>> FirstAsync(this IAmazonDynamoDB dynamo, QueryRequest query, int count, CancellationToken cancel)
    {
        query.Limit = count;
        return await dynamo.ItemsAsync(query, cancel).Take(count).ToListAsync(cancel);
    }
}
