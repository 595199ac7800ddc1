using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.Aws;

/// <summary>Which warnings of a month's usage were told: an item for each limit and month.</summary>
/// <remarks>Not in the month's own item: every execution's transactions write that, and would be in the way of the note, and pay for its size.</remarks>
public sealed class UsageWarningStore(IAmazonDynamoDB dynamo, string table, TimeProvider clock)
{
    /// <summary>The latest warning; null where this month had none.</summary>
    public async Task<UsageWarning?> FindAsync(TenantId tenant, Month month, MonthlyLimit limit, CancellationToken cancel)
    {
        var answer = await dynamo.GetItemAsync(new() { TableName = table, Key = KeyOf(tenant, month, limit), ConsistentRead = true }, cancel);
        return answer.IsItemSet
            ? new((int)answer.Item.RequiredNumber("reached"), answer.Item.RequiredTime("claimed_at"), answer.Item.OptionalTime("told_at"))
            : null;
    }

    /// <summary>Takes a warning, to tell it and then to note that it was told.</summary>
    /// <param name="last">As it was read: one that was never told is taken over.</param>
    /// <returns>False where somebody else has it.</returns>
    public Task<bool> TryClaimAsync(TenantId tenant, Month month, MonthlyLimit limit, int percent, UsageWarning? last, CancellationToken cancel)
    {
        var values = new Item { [":percent"] = Items.Number(percent), [":now"] = Items.Time(clock.GetUtcNow()) };
        var isNext = "attribute_not_exists(reached) OR reached < :percent";
        if (last is { ToldAt: null } && last.Percent == percent)
        {
            values[":last"] = Items.Time(last.ClaimedAt);
            isNext += " OR (reached = :percent AND claimed_at = :last AND attribute_not_exists(told_at))";
        }
        return dynamo.UpdateItemAsync(new()
        {
            TableName = table,
            Key = KeyOf(tenant, month, limit),
            UpdateExpression = "SET reached = :percent, claimed_at = :now REMOVE told_at",
            ConditionExpression = isNext,
            ExpressionAttributeValues = values,
        }, cancel).IsMadeAsync();
    }

    /// <summary>Notes that a warning was told, unless a higher one was taken meanwhile.</summary>
    public Task MarkToldAsync(TenantId tenant, Month month, MonthlyLimit limit, int percent, CancellationToken cancel) => dynamo.UpdateItemAsync(
        new()
        {
            TableName = table,
            Key = KeyOf(tenant, month, limit),
            UpdateExpression = "SET told_at = :now",
            ConditionExpression = "reached = :percent",
            ExpressionAttributeValues = new() { [":percent"] = Items.Number(percent), [":now"] = Items.Time(clock.GetUtcNow()) },
        }, cancel).IsMadeAsync();

    /// <summary>Takes the post of a warning to the tenant's channel, for a while.</summary>
    public async Task<PostClaim> ClaimPostAsync(TenantId tenant, Month month, MonthlyLimit limit, int percent, TimeSpan lease, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        try
        {
            await dynamo.UpdateItemAsync(new()
            {
                TableName = table,
                Key = KeyOf(tenant, month, limit),
                UpdateExpression = "SET not_before = :next",
                ConditionExpression = "(attribute_not_exists(posted) OR posted < :percent) AND (attribute_not_exists(not_before) OR not_before <= :now)",
                ExpressionAttributeValues = new() { [":percent"] = Items.Number(percent), [":now"] = Items.Time(now), [":next"] = Items.Time(now + lease) },
                ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
            }, cancel);
            return PostClaim.Claimed;
        }
        catch (ConditionalCheckFailedException e)
        {
            return e.Item.OptionalNumber("posted") >= percent ? PostClaim.Posted : PostClaim.NotYet;
        }
    }

    /// <summary>Notes which warning was posted: neither it nor a lower one is again.</summary>
    public Task MarkPostedAsync(TenantId tenant, Month month, MonthlyLimit limit, int percent, CancellationToken cancel) => dynamo.UpdateItemAsync(
        new()
        {
            TableName = table,
            Key = KeyOf(tenant, month, limit),
            UpdateExpression = "SET posted = :percent REMOVE not_before",
            ExpressionAttributeValues = new() { [":percent"] = Items.Number(percent) },
        }, cancel);

    /// <summary>Makes the next post wait longer than its lease, as Slack asked.</summary>
    public Task PutOffPostAsync(TenantId tenant, Month month, MonthlyLimit limit, TimeSpan pause, CancellationToken cancel) => dynamo.UpdateItemAsync(
        new()
        {
            TableName = table,
            Key = KeyOf(tenant, month, limit),
            UpdateExpression = "SET not_before = :next",
            ExpressionAttributeValues = new() { [":next"] = Items.Time(clock.GetUtcNow() + pause) },
        }, cancel);

    internal static Item KeyOf(TenantId tenant, Month month, MonthlyLimit limit) =>
        Items.Key(tenant.ToString(), $"WARNING#{month}#{limit.ToString().ToUpperInvariant()}");
}
