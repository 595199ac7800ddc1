using System.Diagnostics;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Audit;
using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.Aws;

/// <summary>Executions, and the quota that moves with them in the same transaction.</summary>
/// <remarks>The condition of every change is made from the rows of <see cref="ExecutionLifecycle"/>, so the table judges every race.</remarks>
public sealed class ExecutionStore(IAmazonDynamoDB dynamo, string table, string quotas, TimeProvider clock)
{
    private readonly QuotaLedger _ledger = new(dynamo, quotas);

    public Task<Execution?> FindAsync(ExecutionId id, CancellationToken cancel) => FindAsync(id, isConsistent: true, cancel);

    /// <summary>The same for half the price, as it was a moment ago.</summary>
    public Task<Execution?> FindRecentAsync(ExecutionId id, CancellationToken cancel) => FindAsync(id, isConsistent: false, cancel);

    /// <summary>The order to dispatch, while its token lives.</summary>
    public async Task<DispatchOrder?> FindOrderAsync(ExecutionId id, CancellationToken cancel)
    {
        var answer = await dynamo.GetItemAsync(new() { TableName = table, Key = ExecutionItems.OrderKeyOf(id), ConsistentRead = true }, cancel);
        return answer.IsItemSet && !answer.Item.IsExpiredAt(clock.GetUtcNow()) ? ExecutionItems.ToOrder(answer.Item) : null;
    }

    /// <summary>A tenant's latest executions, newest first, as an index saw them a moment ago: for people, not for decisions.</summary>
    public async Task<IReadOnlyList<ExecutionSummary>> LatestAsync(TenantId tenant, int count, CancellationToken cancel) =>
        [.. (await dynamo.FirstAsync(NewestFirst(tenant, since: null, until: null), count, cancel)).Select(ToSummary)];

    /// <summary>The same, without an end but the oldest there is; read page after page, as far as they are asked for.</summary>
    /// <param name="since">Those made after that moment; null for all.</param>
    /// <param name="until">Those made then or before; null for all.</param>
    /// <param name="pageSize">How many are read at a time; null for as many as DynamoDB hands out at once.</param>
    public IAsyncEnumerable<ExecutionSummary> LatestAsync(
        TenantId tenant, DateTimeOffset? since, CancellationToken cancel, DateTimeOffset? until = null, int? pageSize = null)
    {
        if (until <= Begin(since))
            return AsyncEnumerable.Empty<ExecutionSummary>();
        var query = NewestFirst(tenant, since, until);
        query.Limit = pageSize;
        return dynamo.ItemsAsync(query, cancel).Select(ToSummary);
    }

    private async Task<Execution?> FindAsync(ExecutionId id, bool isConsistent, CancellationToken cancel)
    {
        var answer = await dynamo.GetItemAsync(new() { TableName = table, Key = ExecutionItems.KeyOf(id), ConsistentRead = isConsistent }, cancel);
        return answer.IsItemSet && !answer.Item.IsExpiredAt(clock.GetUtcNow()) ? ExecutionItems.ToExecution(answer.Item) : null;
    }

    private DateTimeOffset Begin(DateTimeOffset? since)
    {
        var kept = clock.GetUtcNow() - ExecutionItems.Retention;    // the index has no TTL to look at
        return since > kept ? since.Value : kept;
    }

    private QueryRequest NewestFirst(TenantId tenant, DateTimeOffset? since, DateTimeOffset? until)
    {
        var query = new QueryRequest
        {
            TableName = table,
            IndexName = "by_tenant",
            KeyConditionExpression = "tenant_id = :tenant AND created_at > :since",
            ExpressionAttributeValues = new()
            {
                [":tenant"] = Items.Text(tenant.ToString()),
                [":since"] = Items.Time(Begin(since)),
            },
            ScanIndexForward = false,
        };
        if (until is { } end)
        {
            // BETWEEN takes both ends; what lies on the first is older than whatever is asked for by a millisecond at most.
            query.KeyConditionExpression = "tenant_id = :tenant AND created_at BETWEEN :since AND :until";
            query.ExpressionAttributeValues[":until"] = Items.Time(end);
        }
        return query;
    }

    private static ExecutionSummary ToSummary(Item item) => new(
        ExecutionId.Parse(item.RequiredText("pk")), WorkflowName.Parse(item.RequiredText("workflow")),
        ExecutionStates.Parse(item.RequiredText("state")), item.RequiredTime("created_at"));

    /// <summary>A tenant's executions whose id begins with these digits: two at most, which is enough to know that it is not one. As an index saw them a
    /// moment ago.</summary>
    public async Task<IReadOnlyList<ExecutionId>> BeginningWithAsync(TenantId tenant, string digits, CancellationToken cancel)
    {
        var found = await dynamo.FirstAsync(new()
        {
            TableName = table,
            IndexName = "by_digits",
            KeyConditionExpression = "tenant_id = :tenant AND begins_with(digits, :digits)",
            ExpressionAttributeValues = new() { [":tenant"] = Items.Text(tenant.ToString()), [":digits"] = Items.Text(digits) },
        }, 2, cancel);
        return [.. found.Select(item => ExecutionId.Parse(item.RequiredText("pk")))];
    }

    /// <summary>A tenant's executions that have not ended, as an index saw them a moment ago.</summary>
    public async Task<IReadOnlyList<ExecutionId>> OpenAsync(TenantId tenant, CancellationToken cancel)
    {
        var open = ExecutionStates.All.Where(state => !state.IsTerminal).ToList();
        var values = new Item { [":tenant"] = Items.Text(tenant.ToString()) };
        for (var i = 0; i < open.Count; i++)
            values[$":state{i}"] = Items.Text(open[i].Name);
        var items = dynamo.ItemsAsync(
            new()
            {
                TableName = table,
                IndexName = "by_tenant",
                KeyConditionExpression = "tenant_id = :tenant",
                FilterExpression = $"#state IN ({string.Join(", ", open.Select((_, i) => $":state{i}"))})",
                ExpressionAttributeNames = new() { ["#state"] = "state" },
                ExpressionAttributeValues = values,
            }, cancel);
        return await items.Select(item => ExecutionId.Parse(item.RequiredText("pk"))).ToListAsync(cancel);
    }

    /// <summary>Creates an execution, its order and its reservation: all, or none.</summary>
    /// <param name="order">Null for one that has to be approved: it gets its order then.</param>
    public async Task<Creation> CreateAsync(Execution execution, DispatchOrder? order, TenantLimits limits, CancellationToken cancel)
    {
        List<TransactWriteItem> parts =
        [
            new() { Put = PutNew(execution, dueAt: execution.DeadlineAt) },
            _ledger.Reserve(execution.Tenant, execution.Month, limits.MonthlyQuota),
            _ledger.TakePlace(execution.Tenant, limits.Concurrency),
        ];
        if (order is not null)
            parts.Add(new() { Put = new() { TableName = table, Item = ExecutionItems.Of(order) } });
        var reasons = await dynamo.TryWriteAsync(new() { TransactItems = parts }, clock, cancel);

        return reasons switch
        {
            null => new Creation.Created(),
            _ when reasons.FailedAt(0) => new Creation.AlreadyThere(ExecutionItems.ToExecution(reasons[0].Item)),
            _ when reasons.FailedAt(2) && _ledger.OwnerElsewhere(reasons[2].Item) is { } owner => new Creation.LedgerElsewhere(owner),
            _ when reasons.FailedAt(1) => new Creation.QuotaUsedUp(reasons[1].Item is { Count: > 0 } month ? QuotaLedger.ToMonth(month) : MonthUsage.None),
            _ when reasons.FailedAt(2) => new Creation.TooManyUnderWay(reasons[2].Item is { Count: > 0 } active ? QuotaLedger.ToActive(active) : 0),
            _ => throw new UnreachableException(),
        };
    }

    /// <summary>Records an execution that policy refused. It reserves nothing.</summary>
    public async Task<Creation> CreateDeniedAsync(Execution execution, CancellationToken cancel)
    {
        if (execution.State != ExecutionState.Denied)
            throw new ArgumentException("Only a denied execution is created without a reservation.", nameof(execution));
        try
        {
            var put = execution.RequestedBy.IsToldInSlack
                ? PutNew(execution, dueAt: execution.CreatedAt + ExecutionItems.ToldWithin)
                : PutNew(execution with { ToldAt = execution.FinishedAt ?? execution.CreatedAt }, dueAt: null);
            await dynamo.PutItemAsync(put.ToRequest(), cancel);
            return new Creation.Created();
        }
        catch (ConditionalCheckFailedException e)
        {
            return new Creation.AlreadyThere(ExecutionItems.ToExecution(e.Item));
        }
    }

    /// <summary>Adds an approver's yes to an execution that waits for it.</summary>
    /// <param name="execution">As it was read: where others have said yes since, nothing is written.</param>
    /// <param name="isLast">Whether that may be enough: then the sweeper looks soon whether anybody has heard.</param>
    public async Task<Move> AddApprovalAsync(Execution execution, Approval yes, bool isLast, Auditor auditor, CancellationToken cancel)
    {
        var values = new Item
        {
            [":tenant"] = Items.Text(execution.Tenant.ToString()),
            [":awaiting"] = Items.Text(ExecutionState.AwaitingApproval.Name),
            [":none"] = new() { L = [], IsLSet = true },
            [":yes"] = new() { L = [Items.Json(yes, DomainJson.Default.Approval)] },
        };
        if (execution.Approvals.Count > 0)
            values[":count"] = Items.Number(execution.Approvals.Count);
        if (isLast)
            values[":soon"] = Items.Second(clock.GetUtcNow() + ExecutionItems.ToldWithin);
        var change = new TransactWriteItem
        {
            Update = new()
            {
                TableName = table,
                Key = ExecutionItems.KeyOf(execution.Id),
                UpdateExpression = $"SET approvals = list_append(if_not_exists(approvals, :none), :yes){(isLast ? ", due_at = :soon" : "")}",
                ConditionExpression = "tenant_id = :tenant AND #state = :awaiting AND "
                    + (execution.Approvals.Count > 0 ? "size(approvals) = :count" : "attribute_not_exists(approvals)"),
                ExpressionAttributeNames = new() { ["#state"] = "state" },
                ExpressionAttributeValues = values,
                ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
            },
        };
        var record = auditor.Part(
            "execution.approve", execution.Tenant, $"{execution.Id}",
            AuditedValue.Of("approvals", $"{execution.Approvals.Count}", $"{execution.Approvals.Count + 1}"));
        return await dynamo.TryChangeAsync(change, record, clock, cancel) is { } reason ? HowItStood(reason.Item, execution.Tenant) : new Move.Moved();
    }

    /// <summary>Queues an execution that was approved, with its order.</summary>
    /// <param name="decision">Policy's, as it was asked anew.</param>
    /// <param name="deadlineAt">From now on: the time in which it waited does not count.</param>
    public async Task<Move> ApproveAsync(
        Execution execution, DispatchOrder order, PolicyDecision decision, DateTimeOffset deadlineAt, CancellationToken cancel)
    {
        var changes = new Changes(ExecutionLifecycle.Of(Signal.Approved), holder: null, clock.GetUtcNow());
        changes.Set("decision", Items.Json(decision, DomainJson.Default.PolicyDecision));
        changes.Set("deadline_at", Items.Time(deadlineAt));
        changes.Set("due_at", Items.Second(deadlineAt));
        var reasons = await dynamo.TryWriteAsync(new()
        {
            TransactItems =
            [
                new() { Update = UpdateOf(execution.Id, execution.Tenant, changes) },
                new() { Put = new() { TableName = table, Item = ExecutionItems.Of(order) } },
            ],
        }, clock, cancel);
        return reasons is null ? new Move.Moved() : HowItStood(reasons[0].Item, execution.Tenant);
    }

    /// <summary>Ends an execution that waited for approval and does not get it, and gives its reservation back: policy said so, or time.</summary>
    public Task<Move> DenyAsync(Execution execution, PolicyDecision decision, CancellationToken cancel) => CloseAsync(
        execution, Signal.Denied, ExecutionUsage.None, cancel,
        changes => changes.Set("decision", Items.Json(decision, DomainJson.Default.PolicyDecision)));

    /// <summary>The same, at an approver's word.</summary>
    public Task<Move> DenyAsync(Execution execution, PolicyDecision decision, Approval no, Auditor auditor, CancellationToken cancel) => CloseAsync(
        execution, Signal.Denied, ExecutionUsage.None, cancel,
        changes =>
        {
            changes.Set("decision", Items.Json(decision, DomainJson.Default.PolicyDecision));
            changes.Set("denied_by", Items.Json(no, DomainJson.Default.Approval));
        },
        auditor.Part(
            "execution.deny", execution.Tenant, $"{execution.Id}",
            [
                AuditedValue.Of("state", execution.State.Name, ExecutionState.Denied.Name),
                .. no.Reason is { } reason ? [AuditedValue.Of("reason", null, reason)] : (IEnumerable<AuditedValue>)[],
            ]));

    /// <summary>Takes the next dispatch attempt, for this one dispatcher.</summary>
    /// <param name="owner">Names the claim, so that its own lost answer is not mistaken for a rival's.</param>
    public async Task<Claim> ClaimAsync(ExecutionId id, TenantId tenant, string owner, TimeSpan lease, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var changes = new Changes(ExecutionLifecycle.Of(Signal.Claimed), holder: null, now);
        changes.Set("lease_until", Items.Time(now + lease));
        changes.Set("lease_owner", Items.Text(owner));
        changes.Increment("attempt_count");
        try
        {
            var answer = await dynamo.UpdateAsync(UpdateOf(id, tenant, changes).ToRequest(ReturnValue.ALL_NEW), clock, cancel);
            return new Claim.Held(ExecutionItems.ToExecution(answer.Attributes));
        }
        catch (ConditionalCheckFailedException e)
        {
            return HowItStood(e.Item, tenant) switch
            {
                Move.Lost { Now: { State: ExecutionState.Dispatching } mine } when mine.LeaseOwner == owner => new Claim.Held(mine),
                Move.Lost lost => new Claim.Lost(lost.Now),
                _ => new Claim.Unknown(),
            };
        }
    }

    /// <summary>Records what came of an attempt that leaves the execution open: <see cref="Signal.Accepted"/>, <see cref="Signal.Ambiguous"/> or <see
    /// cref="Signal.Deferred"/>.</summary>
    /// <param name="claimed">As <see cref="ClaimAsync"/> gave it: only the holder of the latest claim may write.</param>
    /// <param name="notFound">Whether the engine said 404, which it is given a while for. Anything else begins that while anew.</param>
    public async Task<Move> RecordAttemptAsync(Execution claimed, Signal signal, DispatchAttempt attempt, bool notFound, CancellationToken cancel)
    {
        var changes = new Changes(ExecutionLifecycle.Of(signal), claimed.LeaseOwner, clock.GetUtcNow());
        changes.Append("attempts", Items.Json(attempt, DomainJson.Default.DispatchAttempt));
        if (signal == Signal.Accepted)
            changes.Set("dispatched_at", Items.Time(attempt.At));
        if (notFound)
            changes.SetOnce("first_not_found_at", Items.Time(attempt.At));
        else
            changes.Remove("first_not_found_at");

        // When the answer to this write was lost, the client's own repeat finds the attempt there.
        var move = await MoveAsync(claimed.Id, claimed.Tenant, changes, cancel);
        if (move is not Move.Lost lost)
            return move;
        if (lost.Now.Attempts.Any(one => (one.Number, one.Result) == (attempt.Number, attempt.Result)))
            return new Move.Moved();
        await NoteAttemptAsync(claimed, attempt, cancel);
        return move;
    }

    /// <summary>Keeps the record of an attempt whose execution has moved on meanwhile, as when its outcome was faster: an attempt that was made stays on
    /// record.</summary>
    private async Task NoteAttemptAsync(Execution claimed, DispatchAttempt attempt, CancellationToken cancel)
    {
        if (claimed.LeaseOwner is not { } holder)
            return;
        // Noted by an earlier try, or taken over.
        _ = await dynamo.UpdateAsync(new()
        {
            TableName = table,
            Key = ExecutionItems.KeyOf(claimed.Id),
            UpdateExpression = "SET attempts = list_append(if_not_exists(attempts, :none), :attempts)",
            // Not for another claim's sake: whoever took over reads from the attempts on record whether this one may have arrived.
            ConditionExpression = "lease_owner = :holder AND NOT contains(attempts, :attempt)",
            ExpressionAttributeValues = new()
            {
                [":holder"] = Items.Text(holder),
                [":none"] = new() { L = [], IsLSet = true },
                [":attempt"] = Items.Json(attempt, DomainJson.Default.DispatchAttempt),
                [":attempts"] = new() { L = [Items.Json(attempt, DomainJson.Default.DispatchAttempt)] },
            },
        }, clock, cancel).IsMadeAsync();
    }

    /// <summary>Ends an execution that the engine will never have, and gives its reservation back.</summary>
    /// <param name="execution">As claimed, so that no attempt of another dispatcher is under way; or queued and never claimed.</param>
    /// <param name="attempt">The attempt that ended it, or null when none was made.</param>
    public async Task<Move> RefuseAsync(Execution execution, DispatchFailure failure, DispatchAttempt? attempt, CancellationToken cancel)
    {
        var move = await CloseAsync(execution, ExecutionLifecycle.Of(Signal.Refused, QuotaEffect.Release), ExecutionUsage.None, cancel, changes =>
        {
            changes.Set("failure_code", Items.Text(failure.Code));
            if (attempt is not null)
                changes.Append("attempts", Items.Json(attempt, DomainJson.Default.DispatchAttempt));
        });
        if (move is Move.Lost && attempt is not null)
            await NoteAttemptAsync(execution, attempt, cancel);
        return move;
    }

    /// <summary>Records that the engine runs it.</summary>
    /// <param name="progress">How far it is, where the engine says so: told at once.</param>
    public Task<Move> StartAsync(Execution execution, Outcome running, CancellationToken cancel, Progress? progress = null)
    {
        var now = clock.GetUtcNow();
        var changes = new Changes(ExecutionLifecycle.Of(Signal.Started), holder: null, now);
        changes.Set("started_at", Items.Time(running.StartedAt ?? now));
        if (progress is not null)
        {
            changes.Set("progress", ExecutionItems.Of(progress));
            changes.Set("progress_told_at", Items.Time(now));
        }
        return MoveAsync(execution.Id, execution.Tenant, changes, cancel);
    }

    /// <summary>Records how far a running execution is.</summary>
    /// <param name="tellAt">As <see cref="Progress.TellAt"/> has it of the execution as it was read.</param>
    /// <returns>False when it is not running any more, or somebody else has just recorded that it is to be told: then that tells it.</returns>
    public async Task<bool> NoteProgressAsync(Execution running, Progress progress, DateTimeOffset? tellAt, CancellationToken cancel)
    {
        var values = new Item
        {
            [":tenant"] = Items.Text(running.Tenant.ToString()),
            [":running"] = Items.Text(ExecutionState.Running.Name),
            [":progress"] = ExecutionItems.Of(progress),
        };
        if (tellAt is { } at)
            values[":at"] = Items.Time(at);
        if (tellAt is not null && running.ProgressToldAt is { } last)
            values[":last"] = Items.Time(last);
        return await dynamo.UpdateAsync(new()
        {
            TableName = table,
            Key = ExecutionItems.KeyOf(running.Id),
            UpdateExpression = tellAt is null ? "SET progress = :progress" : "SET progress = :progress, progress_told_at = :at",
            ConditionExpression = "tenant_id = :tenant AND #state = :running"
                + (tellAt is null ? "" : running.ProgressToldAt is null ? " AND attribute_not_exists(progress_told_at)" : " AND progress_told_at = :last"),
            ExpressionAttributeNames = new() { ["#state"] = "state" },
            ExpressionAttributeValues = values,
        }, clock, cancel).IsMadeAsync();
    }

    /// <summary>Records the engine's outcome, settles the reservation and adds the usage, in one transaction.</summary>
    /// <param name="hash">SHA-256 of the outcome's bytes, hexadecimal.</param>
    /// <returns><see cref="Move.Lost"/> for a repeat and for a rival outcome alike: the hash in it tells which.</returns>
    public Task<Move> FinishAsync(Execution execution, Outcome outcome, string hash, CancellationToken cancel)
    {
        if (outcome.Status == OutcomeStatus.Running)
            throw new ArgumentException("Only an outcome that ends the execution can finish it.", nameof(outcome));
        return CloseAsync(execution, ExecutionLifecycle.SignalOf(outcome.Status), outcome.Usage, cancel, changes =>
        {
            changes.Set("outcome", Items.Json(outcome, DomainJson.Default.Outcome));
            changes.Set("outcome_hash", Items.Text(hash));
            if (outcome.StartedAt is { } started)
                changes.Set("started_at", Items.Time(started));
        });
    }

    /// <summary>Ends an execution at a user's word. Before dispatch the reservation is given back; after it, the engine's work is charged.</summary>
    public Task<Move> CancelAsync(Execution execution, string by, Auditor auditor, CancellationToken cancel) => CloseAsync(
        execution, Signal.Cancelled, ExecutionUsage.None, cancel, changes => changes.Set("cancelled_by", Items.Text(by)),
        auditor.Part(
            "execution.cancel", execution.Tenant, $"{execution.Id}", AuditedValue.Of("state", execution.State.Name, ExecutionState.Cancelled.Name)));

    /// <summary>Ends an execution whose deadline has passed, and gives its reservation back.</summary>
    public Task<Move> TimeOutAsync(Execution execution, CancellationToken cancel) => CloseAsync(execution, Signal.Expired, ExecutionUsage.None, cancel);

    /// <summary>Notes that the requester was told how it ended. Idempotent.</summary>
    /// <param name="told">The state that the requester was told: a late outcome that came meanwhile still has to be.</param>
    public Task MarkToldAsync(ExecutionId id, ExecutionState told, CancellationToken cancel) => MarkToldAsync(id, told, couldBe: true, cancel);

    /// <summary>Notes that the requester cannot be told: nothing more is tried, and whoever looks sees why they heard nothing.</summary>
    public Task MarkUntellableAsync(ExecutionId id, ExecutionState state, CancellationToken cancel) => MarkToldAsync(id, state, couldBe: false, cancel);

    private async Task MarkToldAsync(ExecutionId id, ExecutionState state, bool couldBe, CancellationToken cancel)
    {
        // The sweeper's index would lose sight of one that is still open.
        if (!state.IsTerminal)
            throw new ArgumentException("An execution that is open has no end to tell.", nameof(state));
        // Told before, or something newer is to be told.
        _ = await dynamo.UpdateAsync(new()
        {
            TableName = table,
            Key = ExecutionItems.KeyOf(id),
            UpdateExpression = couldBe ? "SET told_at = :now REMOVE due, due_at, untellable" : "SET told_at = :now, untellable = :true REMOVE due, due_at",
            ConditionExpression = "#state = :told AND attribute_not_exists(told_at)",
            ExpressionAttributeNames = new() { ["#state"] = "state" },
            ExpressionAttributeValues = couldBe
                ? new() { [":told"] = Items.Text(state.Name), [":now"] = Items.Time(clock.GetUtcNow()) }
                : new() { [":told"] = Items.Text(state.Name), [":now"] = Items.Time(clock.GetUtcNow()), [":true"] = Items.Flag(true) },
        }, clock, cancel).IsMadeAsync();
    }

    /// <summary>Executions the sweeper has to look at: open past their deadline, or ended and not told. Those of one shard, as an index has them.</summary>
    public async Task<IReadOnlyList<ExecutionId>> DueAsync(int shard, int limit, CancellationToken cancel)
    {
        var due = await dynamo.FirstAsync(new()
        {
            TableName = table,
            IndexName = "due",
            KeyConditionExpression = "due = :shard AND due_at <= :now",
            ExpressionAttributeValues = new()
            {
                [":shard"] = Items.Text(shard.ToString(System.Globalization.CultureInfo.InvariantCulture)),
                [":now"] = Items.Number(clock.GetUtcNow().ToUnixTimeSeconds()),
            },
        }, limit, cancel);
        return [.. due.Select(item => ExecutionId.Parse(item.RequiredText("pk")))];
    }

    /// <summary>How long an execution can be looked up.</summary>
    public static TimeSpan Kept => ExecutionItems.Retention;

    /// <summary>How many partitions the sweeper's index has.</summary>
    public static int DueShards => ExecutionItems.DueShards;

    /// <summary>Puts off the sweeper's next look at an execution that was ended and whose notification was sent again.</summary>
    public async Task PutOffAsync(Execution execution, TimeSpan delay, CancellationToken cancel)
    {
        // It was told meanwhile.
        _ = await dynamo.UpdateAsync(new()
        {
            TableName = table,
            Key = ExecutionItems.KeyOf(execution.Id),
            UpdateExpression = "SET due_at = :later",
            ConditionExpression = "#state = :state AND attribute_not_exists(told_at)",
            ExpressionAttributeNames = new() { ["#state"] = "state" },
            ExpressionAttributeValues = new() { [":state"] = Items.Text(execution.State.Name), [":later"] = Items.Second(clock.GetUtcNow() + delay) },
        }, clock, cancel).IsMadeAsync();
    }

    private Put PutNew(Execution execution, DateTimeOffset? dueAt) => new()
    {
        TableName = table,
        Item = ExecutionItems.Of(execution, dueAt),
        ConditionExpression = "attribute_not_exists(pk)",
        ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
    };

    private async Task<Move> MoveAsync(ExecutionId id, TenantId tenant, Changes changes, CancellationToken cancel)
    {
        try
        {
            await dynamo.UpdateAsync(UpdateOf(id, tenant, changes).ToRequest(), clock, cancel);
            return new Move.Moved();
        }
        catch (ConditionalCheckFailedException e)
        {
            return HowItStood(e.Item, tenant);
        }
    }

    /// <summary>Ends an execution by whichever transition fits it as the caller read it. When it moved meanwhile to where another one fits, the caller learns
    /// how it stands.</summary>
    private Task<Move> CloseAsync(
        Execution execution, Signal signal, ExecutionUsage usage, CancellationToken cancel, Action<Changes>? change = null, TransactWriteItem? record = null) =>
        ExecutionLifecycle.Find(execution, signal, execution.LeaseOwner, clock.GetUtcNow()) is { } transition
            ? CloseAsync(execution, ExecutionLifecycle.Of(signal, transition.Quota), usage, cancel, change, record)
            : Task.FromResult<Move>(new Move.Lost(execution));

    /// <summary>Ends an execution together with its charge and its place among those under way.</summary>
    /// <param name="transitions">Any of them, all with the same effect on the quota.</param>
    /// <param name="record">Of whoever ends it, where a person does.</param>
    private async Task<Move> CloseAsync(
        Execution execution, IReadOnlyList<Transition> transitions, ExecutionUsage usage, CancellationToken cancel, Action<Changes>? change = null,
        TransactWriteItem? record = null)
    {
        var now = clock.GetUtcNow();
        var changes = new Changes(transitions, execution.LeaseOwner, now);
        change?.Invoke(changes);
        changes.Set("finished_at", Items.Time(now));
        var supersedes = transitions[0].From.IsTerminal;
        if (execution.RequestedBy.IsToldInSlack)
        {
            changes.Set("due", Items.Text(ExecutionItems.DueShardOf(execution.Id)));
            changes.Set("due_at", Items.Second(now + ExecutionItems.ToldWithin));
            if (supersedes)
                changes.Remove("told_at", "untellable");
        }
        else
        {
            // Nobody is to be told: decided here, or the sweeper would look for somebody, and an alarm ring for want of one.
            changes.Set("told_at", Items.Time(now));
            changes.Remove("due", "due_at");
        }
        if (supersedes)
        {
            changes.Set("late", Items.Flag(true));
            changes.Remove("failure_code");
        }

        if (transitions[0].Quota is QuotaEffect.Settle or QuotaEffect.Charge)
            changes.Set("charged", Items.Flag(true));

        var close = new TransactWriteItem { Update = UpdateOf(execution.Id, execution.Tenant, changes) };
        var charge = _ledger.Change(execution.Tenant, execution.Month, transitions[0].Quota, usage);
        var place = supersedes ? _ledger.HoldPlaces(execution.Tenant) : _ledger.LeavePlace(execution.Tenant);
        TransactWriteItem[] records = record is null ? [] : [record];
        var reasons = await dynamo.TryWriteAsync(new() { TransactItems = [close, charge, place, .. records] }, clock, cancel);
        if (reasons is null)
            return new Move.Moved();
        if (reasons.FailedAt(0))
            return HowItStood(reasons[0].Item, execution.Tenant);

        // The ledger lacks the reservation, or is another region's: after a failover, or a restored table. The end of an execution is known once and must not
        // be lost over
        // what a recount can tell the ledger. Where the place among those under way cannot be given back nothing of the ledger is written: it may not be ours
        // to write.
        var rest = await dynamo.TryWriteAsync(new() { TransactItems = reasons.FailedAt(2) ? [close, .. records] : [close, place, .. records] }, clock, cancel);
        return rest switch
        {
            null => new Move.Moved(IsBooked: false),
            _ when rest.FailedAt(0) => HowItStood(rest[0].Item, execution.Tenant),
            _ => throw new InvalidDataException($"The ledger of {execution.Tenant} changed hands while {execution.Id} ended."),
        };
    }

    /// <summary>The executions that a tenant's ledger of a month is about: those charged to the month, and those under way. Every one is read as it
    /// stands.</summary>
    public async Task<IReadOnlyList<Execution>> InLedgerAsync(TenantId tenant, Month month, CancellationToken cancel)
    {
        var ids = new List<ExecutionId>();
        QueryResponse? page = null;
        do
        {
            page = await dynamo.QueryAsync(new()
            {
                TableName = table,
                IndexName = "by_tenant",
                KeyConditionExpression = "tenant_id = :tenant AND created_at > :kept",
                ExpressionAttributeValues =
                    new() { [":tenant"] = Items.Text(tenant.ToString()), [":kept"] = Items.Time(clock.GetUtcNow() - ExecutionItems.Retention) },
                ExclusiveStartKey = page?.LastEvaluatedKey,
            }, cancel);
            ids.AddRange((page.Items ?? []).Where(IsOpenOrNear).Select(item => ExecutionId.Parse(item.RequiredText("pk"))));
        }
        while (page.LastEvaluatedKey is { Count: > 0 });

        var executions = new List<Execution>();
        foreach (var some in ids.Chunk(16))
            executions.AddRange(
                (await Task.WhenAll(some.Select(id => FindAsync(id, cancel)))).OfType<Execution>().Where(one => one.Month == month || !one.State.IsTerminal));
        return executions;

        // An execution is charged to the month of the moment it was made at; its own word, read after this, decides.
        bool IsOpenOrNear(Item item) => !ExecutionStates.Parse(item.RequiredText("state")).IsTerminal || Month.Of(item.RequiredTime("created_at")) == month;
    }

    private Update UpdateOf(ExecutionId id, TenantId tenant, Changes changes) => new()
    {
        TableName = table,
        Key = ExecutionItems.KeyOf(id),
        UpdateExpression = changes.Expression,
        ConditionExpression = changes.Condition,
        ExpressionAttributeNames = changes.Names,
        ExpressionAttributeValues = changes.ValuesFor(tenant),
        ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
    };

    private static Move HowItStood(Item? item, TenantId tenant) =>
        item is { Count: > 0 } && ExecutionItems.ToExecution(item) is var now && now.Tenant == tenant ? new Move.Lost(now) : new Move.Unknown();

    /// <summary>An update that one signal causes: where it leads, what it sets, and what the execution must be.</summary>
    private sealed class Changes
    {
        private readonly List<string> _sets = ["#state = :to"];
        private readonly List<string> _removals = [];
        private readonly List<string> _additions = [];
        private readonly Item _values = [];
        private readonly string _admission;

        /// <param name="transitions">Any of them; all lead to the same state.</param>
        /// <inheritdoc cref="Transition.Admits" path="/param"/>
        public Changes(IReadOnlyList<Transition> transitions, string? holder, DateTimeOffset now)
        {
            _values[":to"] = Items.Text(transitions.Select(one => one.To).Distinct().Single().Name);
            _admission = string.Join(" OR ", transitions.GroupBy(one => one.Guard, (guard, rows) => StateIn([.. rows]) + ConditionOf(guard, holder, now)));
        }

        public Dictionary<string, string> Names { get; } = new() { ["#state"] = "state" };

        public string Expression =>
            $"SET {string.Join(", ", _sets)}{(_removals.Count > 0 ? $" REMOVE {string.Join(", ", _removals)}" : "")}{(_additions.Count > 0 ? $" ADD {string.Join(", ", _additions)}" : "")}";

        public string Condition => $"tenant_id = :tenant AND ({_admission})";

        public Item ValuesFor(TenantId tenant) => new(_values) { [":tenant"] = Items.Text(tenant.ToString()) };

        public void Set(string name, AttributeValue value) => Add(name, value, "{0} = {1}");

        public void SetOnce(string name, AttributeValue value) => Add(name, value, "{0} = if_not_exists({0}, {1})");

        public void Append(string name, AttributeValue value)
        {
            _values[":none"] = new() { L = [], IsLSet = true };
            Add(name, new() { L = [value] }, "{0} = list_append(if_not_exists({0}, :none), {1})");
        }

        public void Remove(params IEnumerable<string> names) => _removals.AddRange(names);

        public void Increment(string name)
        {
            _values[":one"] = Items.Number(1);
            _additions.Add($"{name} :one");
        }

        private string StateIn(IReadOnlyList<Transition> rows)
        {
            foreach (var row in rows)
                _values[FromOf(row)] = Items.Text(row.From.Name);
            return $"#state IN ({string.Join(", ", rows.Select(FromOf))})";
        }

        private static string FromOf(Transition row) => $":from{(int)row.From}";

        /// <summary><see cref="Transition.Admits"/>, as the table judges it.</summary>
        private string ConditionOf(Guard guard, string? holder, DateTimeOffset now)
        {
            switch (guard)
            {
                case Guard.None:
                    return "";
                case Guard.HoldsClaim when holder is null:
                    return " AND attribute_not_exists(lease_owner)";
                case Guard.HoldsClaim:
                    _values[":holder"] = Items.Text(holder);
                    return " AND lease_owner = :holder";
                case Guard.MayBeTakenOver:
                    (_values[":true"], _values[":now"]) = (Items.Flag(true), Items.Time(now));
                    return " AND idempotent = :true AND lease_until < :now";
                case Guard.EndedLately:
                    _values[":since"] = Items.Time(now - ExecutionLifecycle.SupersededWithin);
                    return " AND finished_at >= :since";
                case Guard.RejectedLately:
                    (_values[":rejected"], _values[":since"]) = (
                        Items.Text(DispatchFailure.Rejected.Code), Items.Time(now - ExecutionLifecycle.SupersededWithin));
                    return " AND failure_code = :rejected AND finished_at >= :since";
                default:
                    throw new UnreachableException();
            }
        }

        private void Add(string name, AttributeValue value, string form)
        {
            Names[$"#{name}"] = name;
            _values[$":{name}"] = value;
            _sets.Add(string.Format(System.Globalization.CultureInfo.InvariantCulture, form, $"#{name}", $":{name}"));
        }
    }
}
