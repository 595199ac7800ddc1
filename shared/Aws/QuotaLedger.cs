using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.Aws;

/// <summary>Monthly quota and executions under way. Both move only inside the transactions of <see cref="ExecutionStore"/>, built from the parts below.</summary>
/// <remarks><c>charged</c> is used and reserved together, kept as one number because a condition cannot add.</remarks>
public sealed class QuotaLedger(IAmazonDynamoDB dynamo, string table)
{
    // DynamoDB refuses a comparison of two values, and an expression value that is not used.
    private const string Never = "attribute_exists(pk) AND attribute_not_exists(pk)";

    public async Task<MonthUsage> MonthAsync(TenantId tenant, Month month, CancellationToken cancel)
    {
        var answer = await dynamo.GetItemAsync(new() { TableName = table, Key = KeyOf(tenant, month), ConsistentRead = true }, cancel);
        return answer.IsItemSet ? ToMonth(answer.Item) : MonthUsage.None;
    }

    public async Task<int> ActiveAsync(TenantId tenant, CancellationToken cancel)
    {
        var answer = await dynamo.GetItemAsync(new() { TableName = table, Key = ActiveKeyOf(tenant), ConsistentRead = true }, cancel);
        return answer.IsItemSet ? ToActive(answer.Item) : 0;
    }

    internal static Item KeyOf(TenantId tenant, Month month) => Items.Key(tenant.ToString(), $"MONTH#{month}");

    internal static Item ActiveKeyOf(TenantId tenant) => Items.Key(tenant.ToString(), "ACTIVE");

    internal static MonthUsage ToMonth(Item item) => new(
        item.OptionalNumber("charged") ?? 0,
        item.OptionalNumber("used") ?? 0,
        new(item.OptionalNumber("cpu_ms") ?? 0, item.OptionalNumber("gpu_ms") ?? 0, item.OptionalNumber("input_tokens") ?? 0, item.OptionalNumber("output_tokens") ?? 0));

    internal static int ToActive(Item item) => (int)(item.OptionalNumber("active") ?? 0);

    internal TransactWriteItem Reserve(TenantId tenant, Month month, long limit) => TakeOne(KeyOf(tenant, month), "charged", limit);

    internal TransactWriteItem TakePlace(TenantId tenant, int limit) => TakeOne(ActiveKeyOf(tenant), "active", limit);

    internal TransactWriteItem LeavePlace(TenantId tenant) => Change(
        ActiveKeyOf(tenant), "ADD active :minus", new() { [":minus"] = Items.Number(-1), [":zero"] = Items.Number(0) }, "active > :zero");

    /// <summary>What a transition does to the month that the execution was charged to.</summary>
    internal TransactWriteItem Change(TenantId tenant, Month month, QuotaEffect effect, ExecutionUsage usage) => effect switch
    {
        QuotaEffect.Release => Release(tenant, month),
        QuotaEffect.Settle => Settle(tenant, month, usage),
        QuotaEffect.Add => Add(tenant, month, usage),
        _ => throw new ArgumentOutOfRangeException(nameof(effect)),
    };

    /// <summary>The reservation becomes a use.</summary>
    private TransactWriteItem Settle(TenantId tenant, Month month, ExecutionUsage usage)
    {
        var (add, values) = UsageOf(usage);
        values[":one"] = Items.Number(1);
        return Change(KeyOf(tenant, month), $"ADD used :one{add}", values, "attribute_exists(charged) AND (used < charged OR attribute_not_exists(used))");
    }

    /// <summary>The reservation is given back to the month it was taken from.</summary>
    private TransactWriteItem Release(TenantId tenant, Month month) => Change(
        KeyOf(tenant, month), "ADD charged :minus", new() { [":minus"] = Items.Number(-1), [":zero"] = Items.Number(0) },
        "charged > used OR (attribute_not_exists(used) AND charged > :zero)");

    /// <summary>Only what the engine metered: the execution was charged or given back before.</summary>
    private TransactWriteItem Add(TenantId tenant, Month month, ExecutionUsage usage)
    {
        var (add, values) = UsageOf(usage);
        return Change(KeyOf(tenant, month), $"ADD {add[2..]}", values, condition: null);
    }

    private TransactWriteItem TakeOne(Item key, string counter, long limit)
    {
        var values = new Item { [":one"] = Items.Number(1) };
        if (limit <= 0)
            return Change(key, $"ADD {counter} :one", values, Never, ReturnValuesOnConditionCheckFailure.ALL_OLD);
        values[":limit"] = Items.Number(limit);
        return Change(key, $"ADD {counter} :one", values, $"attribute_not_exists({counter}) OR {counter} < :limit", ReturnValuesOnConditionCheckFailure.ALL_OLD);
    }

    private static (string Add, Item Values) UsageOf(ExecutionUsage usage) => (
        ", cpu_ms :cpu, gpu_ms :gpu, input_tokens :in, output_tokens :out",
        new()
        {
            [":cpu"] = Items.Number(usage.CpuMs),
            [":gpu"] = Items.Number(usage.GpuMs),
            [":in"] = Items.Number(usage.InputTokens),
            [":out"] = Items.Number(usage.OutputTokens),
        });

    private TransactWriteItem Change(Item key, string update, Item values, string? condition, ReturnValuesOnConditionCheckFailure? onFailure = null) => new()
    {
        Update = new()
        {
            TableName = table,
            Key = key,
            UpdateExpression = update,
            ConditionExpression = condition,
            ExpressionAttributeValues = values,
            ReturnValuesOnConditionCheckFailure = onFailure,
        },
    };
}
