using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Executions;
using ControlPlane.Slack;
using ControlPlane.Tenants;

namespace ControlPlane.Aws;

/// <summary>The addresses for late answers, beside their executions.</summary>
public sealed class ReplyStore(IAmazonDynamoDB dynamo, string executions, TimeProvider clock)
{
    private const string ReplyKey = "REPLY", BotKey = "BOT", LateBotKey = "BOT#LATE", ProgressKey = "PROGRESS", ApprovalKey = "APPROVAL";

    // Longer than a message about an execution comes again.
    private static readonly TimeSpan BotTriesKept = TimeSpan.FromDays(7);

    // A partition of its own in the sweeper's index: few are in it, each for some minutes.
    private const string DueRequests = "requests";

    /// <summary>A request seen, whether or not its execution was made yet.</summary>
    public async Task<Reply?> FindAsync(ExecutionId id, CancellationToken cancel)
    {
        var answer = await dynamo.GetItemAsync(new() { TableName = executions, Key = KeyOf(id), ConsistentRead = true }, cancel);
        return answer.IsItemSet && !answer.Item.IsExpiredAt(clock.GetUtcNow()) ? ToReply(answer.Item) : null;
    }

    /// <summary>Requests that should have become executions by now, as an index saw them a moment ago: some of those there are.</summary>
    public async Task<IReadOnlyList<ExecutionId>> OverdueAsync(int most, CancellationToken cancel)
    {
        var overdue = await dynamo.FirstAsync(new()
        {
            TableName = executions,
            IndexName = "due",
            KeyConditionExpression = "due = :requests AND due_at <= :now",
            ExpressionAttributeValues = new() { [":requests"] = Items.Text(DueRequests), [":now"] = Items.Number(clock.GetUtcNow().ToUnixTimeSeconds()) },
        }, most, cancel);
        return [.. overdue.Select(item => ExecutionId.Parse(item.RequiredText("pk")))];
    }

    /// <summary>What was ordered, however long ago; null when that is settled, or forgotten.</summary>
    public async Task<ExecutionRequest?> FindOrderAsync(ExecutionId id, CancellationToken cancel)
    {
        var answer = await dynamo.GetItemAsync(new() { TableName = executions, Key = KeyOf(id), ConsistentRead = true }, cancel);
        return answer.IsItemSet ? ToReply(answer.Item).Order : null;
    }

    /// <summary>Notes that the order arrived, or that its loss was told. Idempotent.</summary>
    public async Task SettleAsync(ExecutionId id, CancellationToken cancel)
    {
        // Settled before.
        _ = await dynamo.UpdateItemAsync(new()
        {
            TableName = executions,
            Key = KeyOf(id),
            UpdateExpression = "REMOVE due, due_at, #order",
            ConditionExpression = "attribute_exists(due)",
            ExpressionAttributeNames = new() { ["#order"] = "order" },
        }, cancel).IsMadeAsync();
    }

    /// <summary>Takes one use, and the time in which nobody else takes the next.</summary>
    public async Task<ReplyClaim> ClaimAsync(ExecutionId id, TenantId tenant, TimeSpan lease, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        try
        {
            var answer = await dynamo.UpdateItemAsync(new()
            {
                TableName = executions,
                Key = KeyOf(id),
                UpdateExpression = "SET not_before = :next ADD uses :one",
                ConditionExpression =
                    "tenant_id = :tenant AND attribute_exists(response_url) AND uses < :most AND expires_at > :second AND (attribute_not_exists(not_before) OR not_before <= :now)",
                ExpressionAttributeValues = new()
                {
                    [":tenant"] = Items.Text(tenant.ToString()),
                    [":one"] = Items.Number(1),
                    [":most"] = Items.Number(Reply.MostUses),
                    [":second"] = Items.Number(now.ToUnixTimeSeconds()),
                    [":now"] = Items.Time(now),
                    [":next"] = Items.Time(now + lease),
                },
                ReturnValues = ReturnValue.ALL_NEW,
                ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
            }, cancel);
            return new ReplyClaim.Claimed(ToReply(answer.Attributes));
        }
        catch (ConditionalCheckFailedException e)
        {
            return WhyNot(e.Item, tenant, now);
        }
    }

    /// <summary>Takes the next use at once, for whoever holds the last one: Slack refused how the message was made, and is to get it made otherwise.</summary>
    /// <param name="held">As <see cref="ClaimAsync"/> gave it.</param>
    /// <returns>Null when that was the last use, or somebody else has the next.</returns>
    public async Task<Reply?> ClaimAgainAsync(Reply held, TimeSpan lease, CancellationToken cancel)
    {
        try
        {
            var answer = await dynamo.UpdateItemAsync(new()
            {
                TableName = executions,
                Key = KeyOf(held.Execution),
                UpdateExpression = "SET not_before = :next ADD uses :one",
                ConditionExpression = "uses = :held AND uses < :most",
                ExpressionAttributeValues = new()
                {
                    [":held"] = Items.Number(held.Uses),
                    [":most"] = Items.Number(Reply.MostUses),
                    [":one"] = Items.Number(1),
                    [":next"] = Items.Time(clock.GetUtcNow() + lease),
                },
                ReturnValues = ReturnValue.ALL_NEW,
            }, cancel);
            return ToReply(answer.Attributes);
        }
        catch (ConditionalCheckFailedException)
        {
            return null;
        }
    }

    /// <summary>Makes the next use wait longer than its lease: Slack is in trouble, or asked for it.</summary>
    public Task PutOffAsync(ExecutionId id, TimeSpan pause, CancellationToken cancel) => PutOffAsync(KeyOf(id), pause, cancel);

    private Task PutOffAsync(Item key, TimeSpan pause, CancellationToken cancel) => dynamo.UpdateItemAsync(
        new()
        {
            TableName = executions,
            Key = key,
            UpdateExpression = "SET not_before = :next",
            ConditionExpression = "attribute_exists(pk)",
            ExpressionAttributeValues = new() { [":next"] = Items.Time(clock.GetUtcNow() + pause) },
        },
        cancel);

    /// <summary>Notes a request whose answer goes nowhere, so that an order that is lost is found. Idempotent.</summary>
    public async Task NoteAsync(Reply reply, CancellationToken cancel)
    {
        // Noted before: the same request again.
        _ = await dynamo.PutItemAsync(PutNew(reply).ToRequest(), cancel).IsMadeAsync();
    }

    /// <summary>Takes one of the bot's tries, and the time in which nobody else takes the next. They are counted beside the reply, that may be gone by
    /// then, and for each end by itself: one that is corrected has its own.</summary>
    public async Task<BotClaim> ClaimByBotAsync(Execution ended, TimeSpan lease, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        try
        {
            var answer = await dynamo.UpdateItemAsync(new()
            {
                TableName = executions,
                Key = BotKeyOf(ended),
                UpdateExpression = "SET tenant_id = :tenant, not_before = :next, expires_at = :end ADD uses :one",
                ConditionExpression = "attribute_not_exists(pk) OR (tenant_id = :tenant AND uses < :most AND not_before <= :now)",
                ExpressionAttributeValues = new()
                {
                    [":tenant"] = Items.Text(ended.Tenant.ToString()),
                    [":one"] = Items.Number(1),
                    [":most"] = Items.Number(BotClaim.MostTries),
                    [":now"] = Items.Time(now),
                    [":next"] = Items.Time(now + lease),
                    [":end"] = Items.Second(now + BotTriesKept),
                },
                ReturnValues = ReturnValue.ALL_NEW,
                ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
            }, cancel);
            return new BotClaim.Claimed((int)answer.Attributes.RequiredNumber("uses"));
        }
        catch (ConditionalCheckFailedException e)
        {
            return e.Item.RequiredNumber("uses") < BotClaim.MostTries ? new BotClaim.NotYet() : new BotClaim.UsedUp();
        }
    }

    /// <summary>Makes the bot's next try wait longer than its lease.</summary>
    public Task PutOffBotAsync(Execution ended, TimeSpan pause, CancellationToken cancel) => PutOffAsync(BotKeyOf(ended), pause, cancel);

    /// <summary>Takes the next telling of an execution's progress: there is one a minute at most.</summary>
    public Task<ProgressClaim> ClaimProgressAsync(ExecutionId id, TenantId tenant, CancellationToken cancel) =>
        ClaimMessageAsync(ProgressKeyOf(id), tenant, Progress.Apart, BotTriesKept, cancel);

    /// <summary>Takes the message in which an execution's approvers are asked, for as long as a lease or until it is given back.</summary>
    public Task<ProgressClaim> ClaimApprovalAsync(Execution execution, TimeSpan lease, CancellationToken cancel) =>
        ClaimMessageAsync(ApprovalKeyOf(execution.Id), execution.Tenant, lease, execution.Approval!.Within + BotTriesKept, cancel);

    private async Task<ProgressClaim> ClaimMessageAsync(Item key, TenantId tenant, TimeSpan apart, TimeSpan kept, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        try
        {
            var answer = await dynamo.UpdateItemAsync(new()
            {
                TableName = executions,
                Key = key,
                UpdateExpression = "SET tenant_id = :tenant, not_before = :next, expires_at = :end",
                ConditionExpression = "attribute_not_exists(pk) OR (tenant_id = :tenant AND not_before <= :now)",
                ExpressionAttributeValues = new()
                {
                    [":tenant"] = Items.Text(tenant.ToString()),
                    [":now"] = Items.Time(now),
                    [":next"] = Items.Time(now + apart),
                    [":end"] = Items.Second(now + kept),
                },
                ReturnValues = ReturnValue.ALL_NEW,
            }, cancel);
            return new ProgressClaim.Claimed(ToProgressMessage(answer.Attributes));
        }
        catch (ConditionalCheckFailedException)
        {
            return new ProgressClaim.NotYet();
        }
    }

    /// <summary>Notes which message shows the progress.</summary>
    public Task KeepProgressAsync(ExecutionId id, ProgressMessage message, CancellationToken cancel) => KeepMessageAsync(ProgressKeyOf(id), message, cancel);

    /// <summary>Notes in which message the approvers are asked.</summary>
    public Task KeepApprovalAsync(ExecutionId id, ProgressMessage message, CancellationToken cancel) => KeepMessageAsync(ApprovalKeyOf(id), message, cancel);

    /// <summary>Gives the message back, or takes it out of everybody's hands for a while.</summary>
    public Task PutOffApprovalAsync(ExecutionId id, TimeSpan pause, CancellationToken cancel) => PutOffAsync(ApprovalKeyOf(id), pause, cancel);

    private Task KeepMessageAsync(Item key, ProgressMessage message, CancellationToken cancel) => dynamo.UpdateItemAsync(
        new()
        {
            TableName = executions,
            Key = key,
            UpdateExpression = "SET channel = :channel, ts = :ts",
            ConditionExpression = "attribute_exists(pk)",
            ExpressionAttributeValues = new() { [":channel"] = Items.Text(message.Channel), [":ts"] = Items.Text(message.Ts) },
        },
        cancel);

    /// <summary>Makes the next telling of progress wait longer.</summary>
    public Task PutOffProgressAsync(ExecutionId id, TimeSpan pause, CancellationToken cancel) =>
        PutOffAsync(ProgressKeyOf(id), pause, cancel);

    public Task<ProgressMessage?> FindProgressAsync(ExecutionId id, CancellationToken cancel) => FindMessageAsync(ProgressKeyOf(id), cancel);

    public Task<ProgressMessage?> FindApprovalAsync(ExecutionId id, CancellationToken cancel) => FindMessageAsync(ApprovalKeyOf(id), cancel);

    private async Task<ProgressMessage?> FindMessageAsync(Item key, CancellationToken cancel)
    {
        var answer = await dynamo.GetItemAsync(new() { TableName = executions, Key = key, ConsistentRead = true }, cancel);
        return answer.IsItemSet ? ToProgressMessage(answer.Item) : null;
    }

    private static ProgressMessage? ToProgressMessage(Item item) =>
        item.OptionalText("channel") is { } channel && item.OptionalText("ts") is { } ts ? new(channel, ts) : null;

    internal Put PutNew(Reply reply)
    {
        var item = KeyOf(reply.Execution);
        item["tenant_id"] = Items.Text(reply.Tenant.ToString());
        item["uses"] = Items.Number(reply.Uses);
        item["requested_at"] = Items.Time(reply.RequestedAt);
        item["expires_at"] = Items.Second(reply.Until);
        if (reply.SealedUrl is { } url)
            item["response_url"] = Items.Bytes(url);
        if (reply.Order is { } order)
        {
            item["order"] = Items.Json(order, DomainJson.Default.ExecutionRequest);
            item["due"] = Items.Text(DueRequests);
            item["due_at"] = Items.Second(reply.RequestedAt + Reply.LostAfter);
        }
        return new() { TableName = executions, Item = item, ConditionExpression = "attribute_not_exists(pk)" };
    }

    private static ReplyClaim WhyNot(Item? item, TenantId tenant, DateTimeOffset now)
    {
        if (item is not { Count: > 0 } || item.RequiredText("tenant_id") != tenant.ToString())
            return new ReplyClaim.Impossible("too old", WasTried: false);
        var reply = ToReply(item);
        return reply switch
        {
            { SealedUrl: null } => new ReplyClaim.Impossible("no address", WasTried: false),
            { Uses: >= Reply.MostUses } => new ReplyClaim.Impossible("used up", WasTried: true),
            _ when item.IsExpiredAt(now) => new ReplyClaim.Impossible("too old", WasTried: reply.Uses > 0),
            _ => new ReplyClaim.NotYet(),
        };
    }

    private static Item KeyOf(ExecutionId id) => Items.Key(id.ToString(), ReplyKey);

    private static Item ApprovalKeyOf(ExecutionId id) => Items.Key(id.ToString(), ApprovalKey);

    private static Item ProgressKeyOf(ExecutionId id) => Items.Key(id.ToString(), ProgressKey);

    // An end is corrected once at most, by a report that came late.
    private static Item BotKeyOf(Execution ended) => Items.Key(ended.Id.ToString(), ended.IsLate ? LateBotKey : BotKey);

    private static Reply ToReply(Item item) => new(
        ExecutionId.Parse(item.RequiredText("pk")),
        TenantId.Parse(item.RequiredText("tenant_id")),
        item.ContainsKey("response_url") ? item.RequiredBytes("response_url") : null,
        (int)item.RequiredNumber("uses"),
        item.RequiredTime("requested_at"),
        DateTimeOffset.FromUnixTimeSeconds(item.RequiredNumber("expires_at")),
        item.OptionalJson("order", DomainJson.Default.ExecutionRequest));
}
