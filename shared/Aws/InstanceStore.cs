using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Audit;
using ControlPlane.Metering;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.Aws;

/// <summary>The instances of the tenants' data planes: their counters, their usage, and when they were last heard of. Nothing here ever expires: an instance
/// that is long silent is folded.</summary>
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
        await foreach (var item in dynamo.ItemsAsync(query, cancel))
        {
            if (InstanceItems.IsInstance(item))
                instances.Add(InstanceItems.ToState(item));
            else if (InstanceItems.IsClosedMonth(item))
                closed.Add(InstanceItems.ToClosedMonth(item));
            else
                told = InstanceItems.ToTold(item);
        }
        return new(tenant, month, instances, closed, told);
    }

    /// <summary>Books a heartbeat: counter and usage in one write, or nothing.</summary>
    /// <remarks>Tried first is the write that almost every heartbeat needs: one unit, no read. Where its condition fails, the table hands back the item that
    /// stood in the way, and what is decided on that item is written over that very item.</remarks>
    /// <param name="most">How many instances the tenant may have. Asked only for one that it does not have yet.</param>
    /// <exception cref="TimeoutException">Others kept changing the instance; nothing was booked.</exception>
    public async Task<Booking> BookAsync(Heartbeat heartbeat, int most, DateTimeOffset now, CancellationToken cancel)
    {
        var (gap, last) = await TryOrdinaryAsync(heartbeat, now, cancel);
        if (gap is { } missing)
            return new Booking.Booked(missing, Restarted: false);

        for (var round = 0; round < Rounds; round++)
        {
            var decision = BookingRule.Decide(last, heartbeat, now);
            if (decision.Next is not { } next)
                return decision.Booking;

            var attempt = last is { IsFolded: false }
                ? await TryReplaceAsync(last, next, decision.Closed, cancel)
                : await TryEnterAsync(last, next, decision.Closed, most, cancel);
            switch (attempt)
            {
                case Attempt.Written:
                    return decision.Booking;
                case Attempt.NoPlace:
                    return new Booking.TooManyInstances();
                case Attempt.Overtaken overtaken:
                    last = overtaken.By;
                    break;
            }
        }
        throw new TimeoutException("Others kept changing the instance.");
    }

    /// <summary>Puts an instance away that has been silent for long: its month is closed, its place is free. What it was is kept, so that it goes on from there
    /// if it ever comes back.</summary>
    /// <returns>False when it was heard of meanwhile, or another sweeper did it.</returns>
    public async Task<bool> TryFoldAsync(InstanceState instance, CancellationToken cancel)
    {
        var (kept, closed) = FoldRule.Fold(instance);
        var reasons = await dynamo.TryWriteAsync(
            new()
            {
                TransactItems =
                [
                    new() { Delete = new() { TableName = table, Key = InstanceItems.KeyOf(instance.Tenant, instance.Instance), ConditionExpression = Unmoved,
                        ExpressionAttributeNames = UnmovedNames, ExpressionAttributeValues = UnmovedValues(instance) } },
                    new() { Put = new() { TableName = table, Item = InstanceItems.Of(kept) } },
                    new() { Update = AddTo(closed) },
                    new() { Update = new() { TableName = table, Key = InstanceItems.TenantKeyOf(instance.Tenant), UpdateExpression = "ADD instances :minus",
                        ExpressionAttributeValues = new() { [":minus"] = Items.Number(-1) } } },
                ],
            }, clock, cancel);
        return reasons is null;
    }

    /// <summary>Lets an instance's counting begin anew: whatever its next sample says is the new beginning, and adds nothing.</summary>
    /// <returns>False when there is no such instance.</returns>
    public async Task<bool> TryResetAsync(TenantId tenant, InstanceId instance, Auditor auditor, CancellationToken cancel)
    {
        var key = InstanceItems.KeyOf(tenant, instance);
        var before = await dynamo.GetItemAsync(new() { TableName = table, Key = key, ConsistentRead = true }, cancel);
        var reset = new Update
        {
            TableName = table,
            Key = key,
            UpdateExpression = "SET epoch = :none, #counter = :none",
            ConditionExpression = "attribute_exists(pk)",
            ExpressionAttributeNames = new() { ["#counter"] = "counter" },
            ExpressionAttributeValues = new() { [":none"] = Items.Number(0) },
        };
        var record = auditor.Part("instance.reset", tenant, $"{instance}", Reset("epoch"), Reset("counter"));
        return await dynamo.TryChangeAsync(new() { Update = reset }, record, clock, cancel) is null;

        AuditedValue Reset(string name) => AuditedValue.Of(name, before.Item?.GetValueOrDefault(name)?.N, "0");
    }

    /// <summary>Notes which liveness of an instance is told. Of several sweepers one may tell it.</summary>
    /// <param name="sweep">Names the caller's run, so that its own lost answer is not taken for another's.</param>
    /// <returns>Whether it is the caller's to tell.</returns>
    public Task<bool> TryTellAsync(InstanceState instance, Liveness now, string sweep, CancellationToken cancel) =>
        TryChangeAsync(InstanceItems.KeyOf(instance.Tenant, instance.Instance), "told", Items.Text(instance.Told.Name), Items.Text(now.Name), sweep, cancel);

    /// <summary>Notes which liveness of a tenant is told, likewise.</summary>
    public Task<bool> TryTellAsync(DataPlane plane, Liveness now, string sweep, CancellationToken cancel) => TryChangeAsync(
        InstanceItems.TenantKeyOf(plane.Tenant), "told", plane.LastTold is { } last ? Items.Text(last.Name) : null, Items.Text(now.Name), sweep, cancel);

    /// <summary>What was noted of the hub itself.</summary>
    public async Task<WatchState> WatchAsync(CancellationToken cancel)
    {
        var found = await dynamo.ItemsAsync(
            new()
            {
                TableName = table,
                KeyConditionExpression = "pk = :hub AND sk = :watch",
                ExpressionAttributeValues = new() { [":hub"] = InstanceItems.WatchKey["pk"], [":watch"] = InstanceItems.WatchKey["sk"] },
                ConsistentRead = true,
            }, cancel).ToListAsync(cancel);
        return found is [var item] ? InstanceItems.ToWatch(item) : new(null, null, null, null);
    }

    /// <summary>Notes that a sweep is under way: as long as there are any, the hub is there.</summary>
    /// <param name="before">What was noted so far.</param>
    public Task NoteSweepAsync(WatchState before, DateTimeOffset now, CancellationToken cancel)
    {
        var isBack = before.SweptAt is not { } last || now - last >= WatchState.AwayAfter;
        return dynamo.UpdateAsync(
            new()
            {
                TableName = table,
                Key = InstanceItems.WatchKey,
                UpdateExpression = isBack ? "SET swept_at = :now, back_since = :now" : "SET swept_at = :now",
                ExpressionAttributeValues = new() { [":now"] = Items.Time(now) },
            }, clock, cancel);
    }

    /// <returns>Whether the caller is the one to tell that it began.</returns>
    public Task<bool> TryBeginOutageAsync(DateTimeOffset now, string sweep, CancellationToken cancel) =>
        TryChangeAsync(InstanceItems.WatchKey, "since", null, Items.Time(now), sweep, cancel);

    /// <returns>Whether the caller is the one to tell that it is over.</returns>
    public Task<bool> TryEndOutageAsync(DateTimeOffset since, DateTimeOffset now, string sweep, CancellationToken cancel) =>
        TryChangeAsync(InstanceItems.WatchKey, "since", Items.Time(since), null, sweep, cancel, ("ended_at", Items.Time(now)));

    private async Task<bool> TryChangeAsync(
        Item key, string name, AttributeValue? from, AttributeValue? to, string sweep, CancellationToken cancel,
        (string Name, AttributeValue Value)? besides = null)
    {
        var values = new Item { [":sweep"] = Items.Text(sweep) };
        List<string> sets = ["told_by = :sweep"];
        if (to is not null)
            sets.Add("#name = :to");
        if (besides is { } other)
        {
            sets.Add($"{other.Name} = :besides");
            values[":besides"] = other.Value;
        }
        if (from is not null)
            values[":from"] = from;
        if (to is not null)
            values[":to"] = to;
        try
        {
            await dynamo.UpdateAsync(new()
            {
                TableName = table,
                Key = key,
                UpdateExpression = $"SET {string.Join(", ", sets)}{(to is null ? " REMOVE #name" : "")}",
                ConditionExpression = from is null ? "attribute_not_exists(#name)" : "#name = :from",
                ExpressionAttributeNames = new() { ["#name"] = name },
                ExpressionAttributeValues = values,
                ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
            }, clock, cancel);
            return true;
        }
        catch (ConditionalCheckFailedException e)
        {
            return e.Item is { Count: > 0 } item && item.OptionalText("told_by") == sweep && item.OptionalText(name) == to?.S;
        }
    }

    /// <summary>The ordinary heartbeat: a later sample of the epoch and the month being counted, and no more added than is always believed.</summary>
    /// <remarks>How old it may be next to the instance's first sight needs no asking: it is younger than the last one, which was young enough.</remarks>
    private async Task<(long? Gap, InstanceState? Last)> TryOrdinaryAsync(Heartbeat heartbeat, DateTimeOffset now, CancellationToken cancel)
    {
        var least = heartbeat.Totals - BookingRule.AlwaysBelieved(heartbeat);
        var unreadable = heartbeat.GpuUnreadableSince is null
            ? $" REMOVE {InstanceItems.GpuUnreadableSince}"
            : $", {InstanceItems.GpuUnreadableSince} = :unreadable";
        try
        {
            var request = new UpdateItemRequest
            {
                TableName = table,
                Key = InstanceItems.KeyOf(heartbeat.Tenant, heartbeat.Instance),
                UpdateExpression =
                    $"SET #counter = :counter, body_hash = :hash, cpu_ms = :cpu, gpu_ms = :gpu, sampled_at = :sampled, last_seen = :now{unreadable}",
                ConditionExpression =
                    "epoch = :epoch AND #counter < :counter AND #month >= :month AND cpu_ms BETWEEN :cpu_least AND :cpu AND gpu_ms BETWEEN :gpu_least AND :gpu"
                    + " AND base_cpu_ms <= :cpu_room AND base_gpu_ms <= :gpu_room AND sampled_at <= :before",
                ExpressionAttributeNames = new() { ["#counter"] = "counter", ["#month"] = "month" },
                ExpressionAttributeValues = new()
                {
                    [":epoch"] = Items.Number(heartbeat.Epoch),
                    [":counter"] = Items.Number(heartbeat.Counter),
                    [":hash"] = Items.Text(heartbeat.BodyHash),
                    [":month"] = Items.Text(Month.Of(heartbeat.SampledAt).ToString()),
                    [":cpu"] = Items.Number(heartbeat.Totals.CpuMs),
                    [":gpu"] = Items.Number(heartbeat.Totals.GpuMs),
                    [":cpu_least"] = Items.Number(least.CpuMs),
                    [":gpu_least"] = Items.Number(least.GpuMs),
                    [":cpu_room"] = Items.Number(ComputeTime.Highest - heartbeat.Totals.CpuMs),
                    [":gpu_room"] = Items.Number(ComputeTime.Highest - heartbeat.Totals.GpuMs),
                    [":before"] = Items.Time(heartbeat.SampledAt - BookingRule.LeastPause),
                    [":sampled"] = Items.Time(heartbeat.SampledAt),
                    [":now"] = Items.Time(now),
                },
                ReturnValues = ReturnValue.UPDATED_OLD,     // the counter before, at no cost
                ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
            };
            if (heartbeat.GpuUnreadableSince is { } since)
                request.ExpressionAttributeValues[":unreadable"] = Items.Time(since);
            var answer = await dynamo.UpdateAsync(request, clock, cancel);
            return (heartbeat.Counter - answer.Attributes.RequiredNumber("counter") - 1, null);
        }
        catch (ConditionalCheckFailedException e)
        {
            return (null, ToLast(e.Item));
        }
    }

    /// <summary>A new epoch, a new month, or whatever else is not ordinary. Only over the very state it was decided on.</summary>
    private async Task<Attempt> TryReplaceAsync(InstanceState last, InstanceState next, ClosedMonth? closed, CancellationToken cancel)
    {
        var update = Replace(last, next);
        if (closed is not null)
        {
            var reasons = await dynamo.TryWriteAsync(new() { TransactItems = [new() { Update = update }, new() { Update = AddTo(closed) }] }, clock, cancel);
            return reasons is null ? new Attempt.Written() : new Attempt.Overtaken(ToLast(reasons[0].Item));
        }

        try
        {
            await dynamo.UpdateAsync(update.ToRequest(), clock, cancel);
            return new Attempt.Written();
        }
        catch (ConditionalCheckFailedException e)
        {
            return new Attempt.Overtaken(ToLast(e.Item));
        }
    }

    /// <summary>The first heartbeat of an instance, or the first since it was folded: it takes a place among its tenant's.</summary>
    private async Task<Attempt> TryEnterAsync(InstanceState? folded, InstanceState next, ClosedMonth? closed, int most, CancellationToken cancel)
    {
        var foldedKey = InstanceItems.FoldedKeyOf(next.Tenant, next.Instance);
        List<TransactWriteItem> parts =
        [
            new()
            {
                Put = new()
                {
                    TableName = table,
                    Item = InstanceItems.Of(next),
                    ConditionExpression = "attribute_not_exists(pk)",
                    ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
                },
            },
            folded is null
                ? new()
                {
                    ConditionCheck = new()
                    {
                        TableName = table,
                        Key = foldedKey,
                        ConditionExpression = "attribute_not_exists(pk)",
                        ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
                    },
                }
                : new()
                {
                    Delete = new()
                    {
                        TableName = table,
                        Key = foldedKey,
                        ConditionExpression = Unmoved,
                        ExpressionAttributeNames = UnmovedNames,
                        ExpressionAttributeValues = UnmovedValues(folded),
                        ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
                    },
                },
            new()
            {
                Update = new()
                {
                    TableName = table,
                    Key = InstanceItems.TenantKeyOf(next.Tenant),
                    UpdateExpression = "ADD instances :one",
                    ConditionExpression = "attribute_not_exists(instances) OR instances < :most",
                    ExpressionAttributeValues = new() { [":one"] = Items.Number(1), [":most"] = Items.Number(most) },
                },
            },
        ];
        if (closed is not null)
            parts.Add(new() { Update = AddTo(closed) });

        var reasons = await dynamo.TryWriteAsync(new() { TransactItems = parts }, clock, cancel);
        return reasons switch
        {
            null => new Attempt.Written(),
            _ when reasons.FailedAt(0) => new Attempt.Overtaken(ToLast(reasons[0].Item)),
            _ when reasons.FailedAt(1) => new Attempt.Overtaken(ToLast(reasons[1].Item)),
            _ => new Attempt.NoPlace(),
        };
    }

    private Update Replace(InstanceState last, InstanceState next)
    {
        // What the sweeper keeps on the same item, it keeps.
        var set = InstanceItems.Of(next).Where(attribute => attribute.Key is not ("pk" or "sk" or "told" or "first_seen")).ToList();
        return new()
        {
            TableName = table,
            Key = InstanceItems.KeyOf(next.Tenant, next.Instance),
            UpdateExpression = "SET " + string.Join(", ", set.Select(attribute => $"#{attribute.Key} = :{attribute.Key}"))
                + (next.GpuUnreadableSince is null ? $" REMOVE {InstanceItems.GpuUnreadableSince}" : ""),
            ConditionExpression = Unmoved,
            ExpressionAttributeNames = set.ToDictionary(attribute => $"#{attribute.Key}", attribute => attribute.Key),
            ExpressionAttributeValues = new(UnmovedValues(last).Concat(set.Select(attribute => KeyValuePair.Create($":{attribute.Key}", attribute.Value)))),
            ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
        };
    }

    // Nothing was accepted from the instance since.
    private const string Unmoved = "#epoch = :last_epoch AND #counter = :last_counter";

    private static Dictionary<string, string> UnmovedNames => new() { ["#epoch"] = "epoch", ["#counter"] = "counter" };

    private static Item UnmovedValues(InstanceState last) =>
        new() { [":last_epoch"] = Items.Number(last.Epoch), [":last_counter"] = Items.Number(last.Counter) };

    /// <remarks>Added, not put: an instance that was folded may come back in the month that it was folded into.</remarks>
    private Update AddTo(ClosedMonth closed) => new()
    {
        TableName = table,
        Key = InstanceItems.KeyOf(closed),
        UpdateExpression = "ADD cpu_ms :cpu, gpu_ms :gpu",
        ExpressionAttributeValues = new() { [":cpu"] = Items.Number(closed.Usage.CpuMs), [":gpu"] = Items.Number(closed.Usage.GpuMs) },
    };

    private static InstanceState? ToLast(Item? item) => item is { Count: > 0 } ? InstanceItems.ToState(item) : null;

    /// <summary>What came of one try to write what was decided.</summary>
    private abstract record Attempt
    {
        private Attempt() { }

        public sealed record Written : Attempt;

        /// <param name="By">What stands there now; null when nothing does.</param>
        public sealed record Overtaken(InstanceState? By) : Attempt;

        public sealed record NoPlace : Attempt;
    }
}
