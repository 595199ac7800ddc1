using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Metering;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.Aws;

/// <summary>The instances of the tenants' data planes: their counters, their usage, and when they were last heard of. Nothing here ever expires.</summary>
public sealed class InstanceStore(IAmazonDynamoDB dynamo, string table)
{
    /// <summary>A tenant's instances and their usage of one month, in one consistent query.</summary>
    public async Task<DataPlane> OfTenantAsync(TenantId tenant, Month month, CancellationToken cancel)
    {
        var query = new QueryRequest
        {
            TableName = table,
            KeyConditionExpression = "pk = :tenant AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues = new()
            {
                [":tenant"] = Items.Text(tenant.ToString()),
                [":first"] = Items.Text(InstanceItems.FirstOf(month)),
                [":last"] = Items.Text(InstanceItems.TenantKey),
            },
            ConsistentRead = true,
        };
        var instances = new List<InstanceState>();
        var closed = new List<ClosedMonth>();
        var told = Liveness.Healthy;
        do
        {
            var page = await dynamo.QueryAsync(query, cancel);
            foreach (var item in page.Items ?? [])
            {
                if (InstanceItems.IsInstance(item))
                    instances.Add(InstanceItems.ToState(item));
                else if (InstanceItems.IsClosedMonth(item))
                    closed.Add(InstanceItems.ToClosedMonth(item));
                else
                    told = InstanceItems.ToTold(item);
            }
            query.ExclusiveStartKey = page.LastEvaluatedKey;
        }
        while (query.ExclusiveStartKey is { Count: > 0 });
        return new(tenant, month, instances, closed, told);
    }
}
