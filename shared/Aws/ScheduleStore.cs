using System.Globalization;
using System.Text.Json;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Audit;
using ControlPlane.Executions;
using ControlPlane.Schedules;
using ControlPlane.Tenants;

namespace ControlPlane.Aws;

/// <summary>Schedules, beside the executions that they make.</summary>
/// <remarks>
/// A planned time is claimed by one write that notes it as being ordered and moves the schedule on; the schedule stays due until it is noted that the order was
/// sent. So a sweeper that dies in between leaves what the next one finds, and of two sweepers one claims.
/// </remarks>
public sealed class ScheduleStore(IAmazonDynamoDB dynamo, string executions, TimeProvider clock)
{
    private const string ScheduleKey = "SCHEDULE";

    // Among a tenant's digits of executions, which are hexadecimal.
    private const string DigitsPrefix = "schedule:";

    // As long as its last executions can be looked up.
    private static readonly TimeSpan KeptAfterRemoval = ExecutionItems.Retention;

    /// <summary>How many partitions of the sweeper's index schedules have: thousands are due at the same minute.</summary>
    public const int DueShards = 4;

    /// <returns>False when it is there already: the same request again.</returns>
    public async Task<bool> TryAddAsync(Schedule schedule, Auditor auditor, CancellationToken cancel) => await dynamo.TryChangeAsync(
        new() { Put = new() { TableName = executions, Item = Of(schedule), ConditionExpression = "attribute_not_exists(pk)" } },
        auditor.Part(
            "schedule.add", schedule.Tenant, $"{schedule.Id}", AuditedValue.Of("workflow", null, $"{schedule.Workflow}"),
            AuditedValue.Of("cron", null, $"{schedule.Cron} in {schedule.Zone}")),
        clock, cancel) is null;

    /// <returns>Null also for one that was removed.</returns>
    public async Task<Schedule?> FindAsync(ScheduleId id, CancellationToken cancel) =>
        await FindEvenRemovedAsync(id, cancel) is { RemovedAt: null } there ? there : null;

    /// <summary>The same, also where it was removed with an order of it still to be sent.</summary>
    public async Task<Schedule?> FindEvenRemovedAsync(ScheduleId id, CancellationToken cancel)
    {
        var answer = await dynamo.GetItemAsync(new() { TableName = executions, Key = KeyOf(id), ConsistentRead = true }, cancel);
        return answer.IsItemSet ? ToSchedule(answer.Item) : null;
    }

    /// <summary>A tenant's schedules, as an index saw them a moment ago, the oldest first.</summary>
    /// <param name="digits">Those whose id begins with these digits only.</param>
    public async Task<IReadOnlyList<Schedule>> OfTenantAsync(TenantId tenant, CancellationToken cancel, string digits = "")
    {
        var ids = await dynamo.ItemsAsync(new()
        {
            TableName = executions,
            IndexName = "by_digits",
            KeyConditionExpression = "tenant_id = :tenant AND begins_with(digits, :digits)",
            ExpressionAttributeValues = new() { [":tenant"] = Items.Text(tenant.ToString()), [":digits"] = Items.Text(DigitsPrefix + digits) },
        }, cancel).Select(item => ScheduleId.Parse(item.RequiredText("pk"))).ToListAsync(cancel);
        var schedules = new List<Schedule>();
        foreach (var some in ids.Chunk(16))
            schedules.AddRange((await Task.WhenAll(some.Select(id => FindAsync(id, cancel)))).OfType<Schedule>());
        return [.. schedules.OrderBy(schedule => schedule.MadeAt)];
    }

    /// <summary>Stops it until it is resumed. Idempotent.</summary>
    /// <returns>False when the tenant has no such schedule.</returns>
    /// <remarks>It stays in the sweeper's index until that finds it stopped: an order of it may still have to be sent.</remarks>
    public Task<bool> PauseAsync(Schedule schedule, Auditor auditor, CancellationToken cancel) => ChangeAsync(
        schedule, "SET paused_at = if_not_exists(paused_at, :now)", new() { [":now"] = Items.Time(clock.GetUtcNow()) },
        auditor.Part("schedule.pause", schedule.Tenant, $"{schedule.Id}", AuditedValue.Of("state", "active", "paused")), cancel);

    /// <param name="nextAt">The first planned time from now on: what lies between is not made up for.</param>
    /// <inheritdoc cref="PauseAsync"/>
    public Task<bool> ResumeAsync(Schedule schedule, DateTimeOffset nextAt, Auditor auditor, CancellationToken cancel) => ChangeAsync(
        schedule, "SET next_at = :next, due = :due, due_at = :now REMOVE paused_at",
        new()
        {
            [":next"] = Items.Time(nextAt),
            [":due"] = Items.Text(DueShardOf(schedule.Id)),
            [":now"] = Items.Second(clock.GetUtcNow()),
        },
        auditor.Part("schedule.resume", schedule.Tenant, $"{schedule.Id}", AuditedValue.Of("state", "paused", "active")), cancel);

    /// <summary>Ends it. What it ordered goes on.</summary>
    /// <inheritdoc cref="PauseAsync"/>
    public Task<bool> RemoveAsync(Schedule schedule, Auditor auditor, CancellationToken cancel) => ChangeAsync(
        schedule, "SET removed_at = :now, expires_at = :end REMOVE digits",
        new() { [":now"] = Items.Time(clock.GetUtcNow()), [":end"] = Items.Second(clock.GetUtcNow() + KeptAfterRemoval) },
        auditor.Part("schedule.remove", schedule.Tenant, $"{schedule.Id}", AuditedValue.Of("workflow", $"{schedule.Workflow}", null)), cancel);

    /// <summary>Schedules with a planned time that came, as an index saw them a moment ago.</summary>
    public async Task<IReadOnlyList<ScheduleId>> DueAsync(int shard, int limit, CancellationToken cancel)
    {
        var due = await dynamo.FirstAsync(new()
        {
            TableName = executions,
            IndexName = "due",
            KeyConditionExpression = "due = :shard AND due_at <= :now",
            ExpressionAttributeValues = new()
            {
                [":shard"] = Items.Text(ShardOf(shard)),
                [":now"] = Items.Number(clock.GetUtcNow().ToUnixTimeSeconds()),
            },
        }, limit, cancel);
        return [.. due.Select(item => ScheduleId.Parse(item.RequiredText("pk")))];
    }

    /// <summary>Settles the planned times that came. Where one is to run it is noted as being ordered, and the schedule stays due until <see
    /// cref="SentAsync"/>.</summary>
    /// <param name="schedule">As read: whoever settled them meanwhile, paused or removed it has won.</param>
    /// <returns>The schedule as it is now; null when somebody else was first.</returns>
    public async Task<Schedule?> SettleAsync(Schedule schedule, FiringDecision decision, CancellationToken cancel)
    {
        var firings = schedule.Firings.Concat(decision.Noted).TakeLast(Firing.Kept).ToList();
        var settled = schedule with { NextAt = decision.Next, OrderingAt = decision.Run, Firings = firings };
        var changes = new List<string> { "firings = :firings" };
        var removals = new List<string>();
        var values = new Item
        {
            [":due_now"] = Items.Time(schedule.NextAt!.Value),
            [":firings"] = new() { L = [.. firings.Select(one => Items.Json(one, DomainJson.Default.Firing))], IsLSet = true },
        };
        Change("next_at", settled.NextAt is { } next ? Items.Time(next) : null);
        if (decision.Run is { } run)
            Change("ordering_at", Items.Time(run));
        else
        {
            Change("due", settled.NextAt is not null ? Items.Text(DueShardOf(schedule.Id)) : null);
            Change("due_at", settled.NextAt is { } due ? Items.Second(due) : null);
        }
        return await TryUpdateAsync(
            schedule.Id, $"SET {string.Join(", ", changes)}{(removals.Count > 0 ? $" REMOVE {string.Join(", ", removals)}" : "")}",
            "next_at = :due_now AND attribute_not_exists(ordering_at) AND attribute_not_exists(paused_at) AND attribute_not_exists(removed_at)", values, cancel)
            ? settled
            : null;

        void Change(string name, AttributeValue? value)
        {
            if (value is null)
            {
                removals.Add(name);
                return;
            }
            changes.Add($"{name} = :{name}");
            values[$":{name}"] = value;
        }
    }

    /// <summary>Notes that the order was sent. Idempotent.</summary>
    /// <param name="schedule">With the planned time that was ordered.</param>
    public Task SentAsync(Schedule schedule, CancellationToken cancel)
    {
        var values = new Item { [":ordered"] = Items.Time(schedule.OrderingAt!.Value) };
        if (schedule.NextAt is not { } next)
            return TryUpdateAsync(schedule.Id, "REMOVE ordering_at, due, due_at", "ordering_at = :ordered", values, cancel);
        (values[":due"], values[":due_at"]) = (Items.Text(DueShardOf(schedule.Id)), Items.Second(next));
        return TryUpdateAsync(
            schedule.Id, "SET due = :due, due_at = :due_at REMOVE ordering_at",
            "ordering_at = :ordered", values, cancel);
    }

    /// <summary>Takes a schedule that is stopped out of the sweeper's index, unless it is resumed or an order of it has to be sent.</summary>
    public Task ParkAsync(Schedule schedule, CancellationToken cancel) => TryUpdateAsync(
        schedule.Id, "REMOVE due, due_at", "attribute_not_exists(ordering_at) AND (attribute_exists(paused_at) OR attribute_exists(removed_at))", [], cancel);

    /// <summary>Has the sweeper look at a schedule that was resumed when its next planned time comes.</summary>
    public Task AwaitNextAsync(Schedule schedule, CancellationToken cancel) => TryUpdateAsync(
        schedule.Id, "SET due_at = :due_at", "next_at = :next AND attribute_not_exists(ordering_at)",
        new() { [":next"] = Items.Time(schedule.NextAt!.Value), [":due_at"] = Items.Second(schedule.NextAt.Value) }, cancel);

    /// <summary>Puts off the next look at a schedule that could not be seen to, so that it does not stand before the others for ever.</summary>
    public Task PutOffAsync(ScheduleId id, TimeSpan pause, CancellationToken cancel) => TryUpdateAsync(
        id, "SET due_at = :later", "attribute_exists(due)", new() { [":later"] = Items.Second(clock.GetUtcNow() + pause) }, cancel);

    private async Task<bool> ChangeAsync(Schedule schedule, string change, Item values, TransactWriteItem record, CancellationToken cancel) =>
        await dynamo.TryChangeAsync(
            new()
            {
                Update = UpdateOf(
                    schedule.Id, change, "tenant_id = :tenant AND attribute_not_exists(removed_at)",
                    new(values) { [":tenant"] = Items.Text(schedule.Tenant.ToString()) }),
            },
            record, clock, cancel) is null;

    private Task<bool> TryUpdateAsync(ScheduleId id, string change, string condition, Item values, CancellationToken cancel) =>
        dynamo.UpdateAsync(UpdateOf(id, change, condition, values).ToRequest(), clock, cancel).IsMadeAsync();

    private Update UpdateOf(ScheduleId id, string change, string condition, Item values) => new()
    {
        TableName = executions,
        Key = KeyOf(id),
        UpdateExpression = change,
        ConditionExpression = condition,
        ExpressionAttributeValues = values.Count > 0 ? values : null,
    };

    private static Item KeyOf(ScheduleId id) => Items.Key(id.ToString(), ScheduleKey);

    private static string DueShardOf(ScheduleId id) => ShardOf(id.ToString()[^1] % DueShards);

    private static string ShardOf(int shard) => string.Create(CultureInfo.InvariantCulture, $"schedules{shard}");

    /// <remarks>Without <c>created_at</c>, so that no list of executions has it.</remarks>
    internal static Item Of(Schedule schedule)
    {
        var item = KeyOf(schedule.Id);
        item["tenant_id"] = Items.Text(schedule.Tenant.ToString());
        item["digits"] = Items.Text(DigitsPrefix + schedule.Id.Digits);
        item["workflow"] = Items.Text(schedule.Workflow.ToString());
        item["owner"] = Items.Json(schedule.Owner, DomainJson.Default.Requester);
        item["cron"] = Items.Text(schedule.Cron);
        item["zone"] = Items.Text(schedule.Zone);
        item["inputs"] = Items.Text(schedule.Inputs.GetRawText());
        item["public"] = Items.Flag(schedule.IsPublic);
        item["overlap"] = Items.Flag(schedule.AllowsOverlap);
        item["made_at"] = Items.Time(schedule.MadeAt);
        if (schedule.NextAt is { } next)
        {
            item["next_at"] = Items.Time(next);
            item["due"] = Items.Text(DueShardOf(schedule.Id));
            item["due_at"] = Items.Second(next);
        }
        return item;
    }

    internal static Schedule ToSchedule(Item item) => new()
    {
        Tenant = TenantId.Parse(item.RequiredText("tenant_id")),
        Workflow = WorkflowName.Parse(item.RequiredText("workflow")),
        Owner = item.OptionalJson("owner", DomainJson.Default.Requester) as Requester.Schedule
            ?? throw new InvalidDataException("The schedule does not say whose it is."),
        Cron = item.RequiredText("cron"),
        Zone = item.RequiredText("zone"),
        Inputs = JsonElement.Parse(item.RequiredText("inputs")),
        IsPublic = item.HasFlag("public"),
        AllowsOverlap = item.HasFlag("overlap"),
        MadeAt = item.RequiredTime("made_at"),
        PausedAt = item.OptionalTime("paused_at"),
        RemovedAt = item.OptionalTime("removed_at"),
        NextAt = item.OptionalTime("next_at"),
        OrderingAt = item.OptionalTime("ordering_at"),
        Firings = [.. item.Texts("firings").Select(one => JsonSerializer.Deserialize(one, DomainJson.Default.Firing)!)],
    };
}
