using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Metering;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.Aws;

/// <summary>The instances of the tenants' data planes: their counters, their usage, and when they were last heard of. Nothing here ever expires.</summary>
public sealed class InstanceStore(IAmazonDynamoDB dynamo, string table, TimeProvider clock)
{
    // Each lost round is another heartbeat of the same instance accepted: there are never many.
    private const int Rounds = 8;

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
        Liveness? told = null;
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

    /// <summary>Books a heartbeat: counter and usage in one write, or nothing.</summary>
    /// <remarks>Tried first is the write that almost every heartbeat needs: one unit, no read. Where its condition fails, the table hands back the item that
    /// stood in the way, and the write that fits that item is tried.</remarks>
    /// <exception cref="TimeoutException">Others kept changing the instance; nothing was booked.</exception>
    public async Task<Booking> BookAsync(Heartbeat heartbeat, DateTimeOffset now, CancellationToken cancel)
    {
        InstanceState? last = null;
        var isOrdinary = true;
        for (var round = 0; round < Rounds; round++)
        {
            if (isOrdinary)
            {
                (var gap, last) = await TryNextAsync(heartbeat, now, cancel);
                if (gap is not null)
                    return new Booking.Booked(gap.Value, Restarted: false);
            }

            var decision = BookingRule.Decide(last, heartbeat, now);
            if (decision.Next is not { } next)
                return decision.Booking;

            isOrdinary = next.Epoch == last?.Epoch && decision.Closed is null;
            if (isOrdinary)
                continue;                                   // somebody made it so meanwhile

            (var done, last) = await TryReplaceAsync(last, next, decision.Closed, cancel);
            if (done)
                return decision.Booking;
        }
        throw new TimeoutException("Others kept changing the instance.");
    }

    /// <summary>Notes which liveness of an instance is told. Of several sweepers one may tell it.</summary>
    /// <param name="sweep">Names the caller's run, so that its own lost answer is not taken for another's.</param>
    /// <returns>Whether it is the caller's to tell.</returns>
    public Task<bool> TryTellAsync(InstanceState instance, Liveness now, string sweep, CancellationToken cancel) =>
        TryChangeAsync(InstanceItems.KeyOf(instance.Tenant, instance.Instance), "told", Items.Text(instance.Told.Name), Items.Text(now.Name), sweep, cancel);

    /// <summary>Notes which liveness of a tenant is told, likewise.</summary>
    public Task<bool> TryTellAsync(DataPlane plane, Liveness now, string sweep, CancellationToken cancel) => TryChangeAsync(
        InstanceItems.TenantKeyOf(plane.Tenant), "told", plane.LastTold is { } last ? Items.Text(last.Name) : null, Items.Text(now.Name), sweep, cancel);

    /// <summary>Since when most tenants are silent together; null while they are not.</summary>
    public async Task<DateTimeOffset?> OutageAsync(CancellationToken cancel)
    {
        var answer = await dynamo.QueryAsync(new()
        {
            TableName = table,
            KeyConditionExpression = "pk = :hub AND sk = :outage",
            ExpressionAttributeValues = new() { [":hub"] = InstanceItems.OutageKey["pk"], [":outage"] = InstanceItems.OutageKey["sk"] },
            ConsistentRead = true,
        }, cancel);
        return answer.Items is [var item] ? item.OptionalTime("since") : null;
    }

    /// <returns>Whether the caller is the one to tell that it began.</returns>
    public Task<bool> TryBeginOutageAsync(DateTimeOffset now, string sweep, CancellationToken cancel) =>
        TryChangeAsync(InstanceItems.OutageKey, "since", null, Items.Time(now), sweep, cancel);

    /// <returns>Whether the caller is the one to tell that it is over.</returns>
    public Task<bool> TryEndOutageAsync(DateTimeOffset since, string sweep, CancellationToken cancel) =>
        TryChangeAsync(InstanceItems.OutageKey, "since", Items.Time(since), null, sweep, cancel);

    private async Task<bool> TryChangeAsync(Item key, string name, AttributeValue? from, AttributeValue? to, string sweep, CancellationToken cancel)
    {
        var values = new Item { [":sweep"] = Items.Text(sweep) };
        if (from is not null)
            values[":from"] = from;
        if (to is not null)
            values[":to"] = to;
        try
        {
            await dynamo.UpdateItemAsync(new()
            {
                TableName = table,
                Key = key,
                UpdateExpression = to is null ? "SET told_by = :sweep REMOVE #name" : "SET told_by = :sweep, #name = :to",
                ConditionExpression = from is null ? "attribute_not_exists(#name)" : "#name = :from",
                ExpressionAttributeNames = new() { ["#name"] = name },
                ExpressionAttributeValues = values,
                ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
            }, cancel);
            return true;
        }
        catch (ConditionalCheckFailedException e)
        {
            return e.Item is { Count: > 0 } item && item.OptionalText("told_by") == sweep && item.OptionalText(name) == to?.S;
        }
    }

    /// <summary>The ordinary heartbeat: a later sample of the epoch and the month being counted.</summary>
    private async Task<(long? Gap, InstanceState? Last)> TryNextAsync(Heartbeat heartbeat, DateTimeOffset now, CancellationToken cancel)
    {
        try
        {
            var answer = await dynamo.UpdateItemAsync(new()
            {
                TableName = table,
                Key = InstanceItems.KeyOf(heartbeat.Tenant, heartbeat.Instance),
                UpdateExpression = "SET #counter = :counter, body_hash = :hash, cpu_ms = :cpu, gpu_ms = :gpu, sampled_at = :sampled, last_seen = :now",
                ConditionExpression = "epoch = :epoch AND #counter < :counter AND #month >= :month AND cpu_ms <= :cpu AND gpu_ms <= :gpu AND base_cpu_ms <= :cpu_room AND base_gpu_ms <= :gpu_room",
                ExpressionAttributeNames = new() { ["#counter"] = "counter", ["#month"] = "month" },
                ExpressionAttributeValues = new()
                {
                    [":epoch"] = Items.Number(heartbeat.Epoch),
                    [":counter"] = Items.Number(heartbeat.Counter),
                    [":hash"] = Items.Text(heartbeat.BodyHash),
                    [":month"] = Items.Text(Month.Of(heartbeat.SampledAt).ToString()),
                    [":cpu"] = Items.Number(heartbeat.Totals.CpuMs),
                    [":gpu"] = Items.Number(heartbeat.Totals.GpuMs),
                    [":cpu_room"] = Items.Number(ComputeTime.Highest - heartbeat.Totals.CpuMs),
                    [":gpu_room"] = Items.Number(ComputeTime.Highest - heartbeat.Totals.GpuMs),
                    [":sampled"] = Items.Time(heartbeat.SampledAt),
                    [":now"] = Items.Time(now),
                },
                ReturnValues = ReturnValue.UPDATED_OLD,     // the counter before, at no cost
                ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
            }, cancel);
            return (heartbeat.Counter - answer.Attributes.RequiredNumber("counter") - 1, null);
        }
        catch (ConditionalCheckFailedException e)
        {
            return (null, ToLast(e.Item));
        }
    }

    /// <summary>Everything else: the first heartbeat, a new epoch, a new month. Only over the very state it was decided on.</summary>
    private async Task<(bool Done, InstanceState? Winner)> TryReplaceAsync(InstanceState? last, InstanceState next, ClosedMonth? closed, CancellationToken cancel)
    {
        if (last is null)
            return await TryAsync(() => dynamo.PutItemAsync(new()
            {
                TableName = table,
                Item = InstanceItems.Of(next),
                ConditionExpression = "attribute_not_exists(pk)",
                ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
            }, cancel));

        var update = Replace(last, next);
        if (closed is null)
            return await TryAsync(() => dynamo.UpdateItemAsync(update.ToRequest(), cancel));

        var reasons = await dynamo.TryWriteAsync(
            new() { TransactItems = [new() { Update = update }, new() { Put = new() { TableName = table, Item = InstanceItems.Of(closed) } }] }, clock, cancel);
        return reasons is null ? (true, null) : (false, ToLast(reasons[0].Item));
    }

    private Update Replace(InstanceState last, InstanceState next)
    {
        // What the sweeper keeps on the same item, it keeps.
        var set = InstanceItems.Of(next).Where(attribute => attribute.Key is not ("pk" or "sk" or "told" or "first_seen")).ToList();
        return new()
        {
            TableName = table,
            Key = InstanceItems.KeyOf(next.Tenant, next.Instance),
            UpdateExpression = "SET " + string.Join(", ", set.Select(attribute => $"#{attribute.Key} = :{attribute.Key}")),
            ConditionExpression = "#epoch = :last_epoch AND #counter = :last_counter",
            ExpressionAttributeNames = set.ToDictionary(attribute => $"#{attribute.Key}", attribute => attribute.Key),
            ExpressionAttributeValues = new(set.Select(attribute => KeyValuePair.Create($":{attribute.Key}", attribute.Value)))
            {
                [":last_epoch"] = Items.Number(last.Epoch),
                [":last_counter"] = Items.Number(last.Counter),
            },
            ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
        };
    }

    private static async Task<(bool Done, InstanceState? Winner)> TryAsync(Func<Task> write)
    {
        try
        {
            await write();
            return (true, null);
        }
        catch (ConditionalCheckFailedException e)
        {
            return (false, ToLast(e.Item));
        }
    }

    private static InstanceState? ToLast(Item? item) => item is { Count: > 0 } ? InstanceItems.ToState(item) : null;
}
