using System.Globalization;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Audit;
using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.Aws;

/// <summary>Monthly quota and executions under way. Both move only inside the transactions of <see cref="ExecutionStore"/>, built from the parts
/// below.</summary>
/// <remarks>
/// <c>charged</c> is used and reserved together, kept as one number because a condition cannot add.
/// Counters that two regions add to at once would not come together again: a global table keeps the later write of the two. So a tenant's ledger has one region
/// that writes it,
/// named in the item that every transaction touches and asked for in its condition. The first to write becomes it; <see cref="GiveToAsync"/> names another.
/// </remarks>
public sealed class QuotaLedger(IAmazonDynamoDB dynamo, string table)
{
    // Of the copy that this client writes.
    private readonly string _region = dynamo.Config.RegionEndpoint?.SystemName ?? dynamo.Config.AuthenticationRegion
        ?? throw new ArgumentException("A client of no region can't tell whose ledger it writes.", nameof(dynamo));

    // DynamoDB refuses a comparison of two values, and an expression value that is not used.
    private const string Never = "attribute_exists(pk) AND attribute_not_exists(pk)";

    public Task<MonthUsage> MonthAsync(TenantId tenant, Month month, CancellationToken cancel) => MonthAsync(tenant, month, isConsistent: true, cancel);

    /// <summary>The same for half the price, as it was a moment ago.</summary>
    public Task<MonthUsage> RecentMonthAsync(TenantId tenant, Month month, CancellationToken cancel) => MonthAsync(tenant, month, isConsistent: false, cancel);

    private async Task<MonthUsage> MonthAsync(TenantId tenant, Month month, bool isConsistent, CancellationToken cancel)
    {
        var answer = await dynamo.GetItemAsync(new() { TableName = table, Key = KeyOf(tenant, month), ConsistentRead = isConsistent }, cancel);
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
        new(
            item.OptionalNumber("cpu_ms") ?? 0, item.OptionalNumber("gpu_ms") ?? 0, item.OptionalNumber("input_tokens") ?? 0,
            item.OptionalNumber("output_tokens") ?? 0));

    internal static int ToActive(Item item) => (int)(item.OptionalNumber("active") ?? 0);

    internal TransactWriteItem Reserve(TenantId tenant, Month month, long limit) => TakeOne(KeyOf(tenant, month), "charged", limit);

    internal TransactWriteItem TakePlace(TenantId tenant, int limit) => AsOwner(TakeOne(ActiveKeyOf(tenant), "active", limit));

    internal TransactWriteItem LeavePlace(TenantId tenant) => AsOwner(Change(
        ActiveKeyOf(tenant), "ADD active :minus", new() { [":minus"] = Items.Number(-1), [":zero"] = Items.Number(0) }, "active > :zero"));

    /// <summary>Changes nothing of those under way: for what touches the month alone, so that it too asks whose the ledger is.</summary>
    internal TransactWriteItem HoldPlaces(TenantId tenant) => AsOwner(Change(ActiveKeyOf(tenant), "", [], ""));

    /// <summary>The region that writes this ledger, when it is not ours.</summary>
    /// <param name="active">The item of those under way, as a failed condition returned it.</param>
    internal string? OwnerElsewhere(Item? active) => active?.OptionalText("ledger_owner") is { } owner && owner != _region ? owner : null;

    /// <summary>The region that writes a tenant's ledger, as this region's copy has it; null before the first write.</summary>
    public async Task<string?> OwnerAsync(TenantId tenant, CancellationToken cancel)
    {
        var answer = await dynamo.GetItemAsync(new() { TableName = table, Key = ActiveKeyOf(tenant), ConsistentRead = true }, cancel);
        return answer.IsItemSet ? answer.Item.OptionalText("ledger_owner") : null;
    }

    /// <summary>Names the region that writes a tenant's ledger from now on. Whoever writes it until then has to have heard before the other begins.</summary>
    public async Task GiveToAsync(TenantId tenant, string region, Auditor auditor, CancellationToken cancel)
    {
        var owner = await OwnerAsync(tenant, cancel);
        var give = new Update
        {
            TableName = table,
            Key = ActiveKeyOf(tenant),
            UpdateExpression = "SET ledger_owner = :region",
            ExpressionAttributeValues = new() { [":region"] = Items.Text(region) },
        };
        await dynamo.ChangeAsync(
            new() { Update = give }, auditor.Part("quota.owner", tenant, $"{tenant}", AuditedValue.Of("ledger_owner", owner, region)), TimeProvider.System, cancel);
    }

    /// <summary>Sets a month's counters and those under way to what was counted, if nobody has written either since they were read.</summary>
    /// <returns>False when somebody has: count again. Also where the ledger is another region's.</returns>
    public async Task<bool> TryCorrectAsync(
        TenantId tenant, Month month, LedgerCount read, LedgerCount counted, Auditor auditor, CancellationToken cancel)
    {
        var (usage, values) = (counted.Month.Metered, new Item
        {
            [":charged"] = Items.Number(counted.Month.Charged),
            [":used"] = Items.Number(counted.Month.Used),
            [":charged_read"] = Items.Number(read.Month.Charged),
            [":used_read"] = Items.Number(read.Month.Used),
        });
        var (_, metered) = UsageOf(usage);
        foreach (var (name, value) in metered)
            values[name] = value;
        var parts = new[]
        {
            Change(
                KeyOf(tenant, month), "SET charged = :charged, used = :used, cpu_ms = :cpu, gpu_ms = :gpu, input_tokens = :in, output_tokens = :out", values,
                $"({WasRead("charged", read.Month.Charged)}) AND ({WasRead("used", read.Month.Used)})"),
            AsOwner(Change(
                ActiveKeyOf(tenant), "SET active = :active", new() { [":active"] = Items.Number(counted.Active), [":active_read"] = Items.Number(read.Active) },
                WasRead("active", read.Active))),
            auditor.Part(
                "quota.recount", tenant, $"{month}", Corrected("charged", read.Month.Charged, counted.Month.Charged),
                Corrected("used", read.Month.Used, counted.Month.Used), Corrected("active", read.Active, counted.Active)),
        };
        return await dynamo.TryWriteAsync(new() { TransactItems = [.. parts] }, TimeProvider.System, cancel) is null;

        static AuditedValue Corrected(string name, long was, long @is) =>
            AuditedValue.Of(name, was.ToString(CultureInfo.InvariantCulture), @is.ToString(CultureInfo.InvariantCulture));

        // What is not there was read as nothing.
        static string WasRead(string counter, long read) =>
            read == 0 ? $"{counter} = :{counter}_read OR attribute_not_exists({counter})" : $"{counter} = :{counter}_read";
    }

    /// <summary>A part that touches those under way, with the condition that the ledger is ours to write.</summary>
    private TransactWriteItem AsOwner(TransactWriteItem part)
    {
        var update = part.Update;
        update.UpdateExpression = update.UpdateExpression.StartsWith("SET ", StringComparison.Ordinal)
            ? $"{update.UpdateExpression}, ledger_owner = :region"
            : $"SET ledger_owner = :region {update.UpdateExpression}".TrimEnd();
        var isOurs = "attribute_not_exists(ledger_owner) OR ledger_owner = :region";
        update.ConditionExpression = update.ConditionExpression is { Length: > 0 } condition ? $"({condition}) AND ({isOurs})" : isOurs;
        update.ExpressionAttributeValues[":region"] = Items.Text(_region);
        return part;
    }

    /// <summary>What a transition does to the month that the execution was charged to.</summary>
    internal TransactWriteItem Change(TenantId tenant, Month month, QuotaEffect effect, ExecutionUsage usage) => effect switch
    {
        QuotaEffect.Release => Release(tenant, month),
        QuotaEffect.Settle => Settle(tenant, month, usage),
        QuotaEffect.Charge => Charge(tenant, month, usage),
        _ => throw new ArgumentOutOfRangeException(nameof(effect)),
    };

    /// <summary>The reservation becomes a use.</summary>
    private TransactWriteItem Settle(TenantId tenant, Month month, ExecutionUsage usage)
    {
        var (add, values) = UsageOf(usage);
        (values[":one"], values[":zero"]) = (Items.Number(1), Items.Number(0));
        return Change(KeyOf(tenant, month), $"ADD used :one{add}", values, "charged > :zero AND (used < charged OR attribute_not_exists(used))");
    }

    /// <summary>The reservation is given back to the month it was taken from.</summary>
    private TransactWriteItem Release(TenantId tenant, Month month) => Change(
        KeyOf(tenant, month), "ADD charged :minus", new() { [":minus"] = Items.Number(-1), [":zero"] = Items.Number(0) },
        "charged > used OR (attribute_not_exists(used) AND charged > :zero)");

    /// <summary>A use without a reservation: it was given back before. No limit is asked, since the work was done.</summary>
    private TransactWriteItem Charge(TenantId tenant, Month month, ExecutionUsage usage)
    {
        var (add, values) = UsageOf(usage);
        values[":one"] = Items.Number(1);
        return Change(KeyOf(tenant, month), $"ADD charged :one, used :one{add}", values, condition: null);
    }

    private TransactWriteItem TakeOne(Item key, string counter, long limit)
    {
        var values = new Item { [":one"] = Items.Number(1) };
        if (limit <= 0)
            return Change(key, $"ADD {counter} :one", values, Never, ReturnValuesOnConditionCheckFailure.ALL_OLD);
        values[":limit"] = Items.Number(limit);
        return Change(
            key, $"ADD {counter} :one", values, $"attribute_not_exists({counter}) OR {counter} < :limit", ReturnValuesOnConditionCheckFailure.ALL_OLD);
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
