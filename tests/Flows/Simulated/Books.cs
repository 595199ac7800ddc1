using Amazon.DynamoDBv2.Model;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Flows.Simulated;

/// <summary>Books of our own, kept from what the executions say, and compared with the quota's tables after every step.</summary>
/// <param name="approvals">Who has to say yes to what waits, as it was meant.</param>
internal sealed class Books(TestTables tables, TenantId tenant, TenantLimits limits, ApprovalRule approvals, TimeProvider clock)
{
    private enum Charge { None, Reserved, Used, Returned }

    private readonly Dictionary<ExecutionId, (Execution Last, Charge Charge)> _entries = [];

    /// <summary>Whether the ledger was lost and not counted anew since: until then it says nothing. What becomes of the executions is followed all the
    /// same.</summary>
    public bool IsLost { get; private set; }

    public bool WasLost { get; private set; }

    /// <summary>Those who are approvers now.</summary>
    public UserGroup Approvers { get; set; } = new(approvals.Groups[0], []);

    public IReadOnlyCollection<Execution> Executions => [.. _entries.Values.Select(entry => entry.Last)];

    public bool IsSettled => _entries.Values.All(entry => entry.Last is { State.IsTerminal: true, ToldAt: not null });

    /// <exception cref="Broken">The tables say something else, or an execution did what none may do.</exception>
    public async Task CompareAsync(CancellationToken cancel)
    {
        var (stored, orders) = await ReadAsync(cancel);
        foreach (var early in stored.Where(one => one.State == ExecutionState.AwaitingApproval && orders.Contains(one.Id)))
            throw new Broken("APPROVAL", $"{early.Id} has its tokens, and nobody has approved it.");
        foreach (var gone in _entries.Keys.Except(stored.Select(one => one.Id)))
            throw new Broken("I1", $"{gone} has vanished.");
        foreach (var execution in stored)
            Follow(execution);
        if (IsLost)
            return;

        var months = (await tables.Client.QueryAsync(
            new()
            {
                TableName = tables.Quotas,
                KeyConditionExpression = "pk = :tenant",
                ExpressionAttributeValues = new() { [":tenant"] = new(tenant.ToString()) },
                ConsistentRead = true
            }, cancel)).Items ?? [];
        foreach (var month in months.Where(item => item["sk"].S.StartsWith("MONTH#", StringComparison.Ordinal)))
            Compare(Month.Parse(month["sk"].S["MONTH#".Length..]), QuotaLedger.ToMonth(month));
        Expect(
            "I3", "executions under way", Count(Charge.Reserved),
            months.Find(item => item["sk"].S == "ACTIVE") is { } active ? QuotaLedger.ToActive(active) : 0);
    }

    /// <summary>As after a table was restored.</summary>
    public async Task LoseLedgerAsync(Month month, CancellationToken cancel)
    {
        await tables.LoseLedgerAsync(tenant, month, cancel);
        IsLost = WasLost = true;
    }

    /// <summary>As <c>ctl quota recount --apply</c> does it.</summary>
    public async Task RecountAsync(IEnumerable<Month> months, CancellationToken cancel)
    {
        var ledger = new QuotaLedger(tables.Client, tables.Quotas);
        var (executions, _) = await ReadAsync(cancel);
        foreach (var month in months)
        {
            var read = new LedgerCount(await ledger.MonthAsync(tenant, month, cancel), await ledger.ActiveAsync(tenant, cancel));
            if (!await ledger.TryCorrectAsync(tenant, month, read, LedgerCount.Of(executions, month), tables.Auditor, cancel))
                throw new Broken("I3", $"the ledger of {month} is not to be put right.");
        }
        IsLost = false;
    }

    private async Task<(List<Execution> Executions, HashSet<ExecutionId> Orders)> ReadAsync(CancellationToken cancel)
    {
        var items = (await tables.Client.ScanAsync(new ScanRequest { TableName = tables.Executions, ConsistentRead = true }, cancel)).Items;
        return (
            [.. items.Where(item => item["sk"].S == ExecutionItems.ExecutionKey).Select(ExecutionItems.ToExecution)],
            [.. items.Where(item => item["sk"].S == ExecutionItems.OrderKey).Select(item => ExecutionId.Parse(item["pk"].S))]);
    }

    private void Follow(Execution now)
    {
        if (!_entries.TryGetValue(now.Id, out var entry))
            entry = (
                now with { State = now.Approval is null ? ExecutionState.Queued : ExecutionState.AwaitingApproval, Approvals = [] },
                now.State == ExecutionState.Denied ? Charge.None : Charge.Reserved);
        var before = entry.Last.State;
        if (before == ExecutionState.AwaitingApproval && now.Approval is not null)
            FollowApproval(entry.Last, now);
        if (before.IsTerminal && now.State != before
            && !(IsGuess(entry.Last) && now is { IsLate: true, State: not ExecutionState.Denied, State.IsTerminal: true }))
            throw new Broken("I5", $"{now.Id} was {before.Name} and is {now.State.Name}.");

        var isLate = now.IsLate && !entry.Last.IsLate;
        _entries[now.Id] = (now, isLate ? Charge.Used : entry.Charge == Charge.Reserved && now.State.IsTerminal ? ChargeOf(now, before) : entry.Charge);
    }

    // Whoever is an approver counts, and whoever was one does not; nobody approves what they asked for.
    private void FollowApproval(Execution before, Execution now)
    {
        if (now.Approvals.Count - before.Approvals.Count is not (0 or 1) || now.Approvals.DistinctBy(one => one.UserId).Count() < now.Approvals.Count)
            throw new Broken("APPROVAL", $"{now.Id} has the words of {string.Join(", ", now.Approvals.Select(one => one.UserId))}: one is there twice.");
        if (now.Approvals.Any(one => Approvals.IsAsker(now.RequestedBy, one)))
            throw new Broken("APPROVAL", $"{now.Id} is approved by whoever asked for it.");
        var stands = now.State switch
        {
            ExecutionState.Queued => approvals.AreEnough(now.Approvals, now.RequestedBy, [Approvers]),
            ExecutionState.Denied when now.DeniedBy is { } no => approvals.Names(no.TeamId, no.UserId, [Approvers]),
            ExecutionState.Denied when now.Decision!.Code == Approvals.Expired(null).Code => clock.GetUtcNow() >= before.DeadlineAt,
            ExecutionState.Denied or ExecutionState.AwaitingApproval => true,
            ExecutionState.Cancelled => now.CancelledBy is not null,
            _ => false,
        };
        if (!stands)
            throw new Broken("APPROVAL", $"{now.Id} is {now.State.Name}, and has {now.Approvals.Count} of {approvals.Approvals} approvals.");
    }

    // An end that is our own: nobody knows what the engine did.
    private static bool IsGuess(Execution execution) =>
        execution.State == ExecutionState.TimedOut || execution is { State: ExecutionState.Failed, FailureCode: DispatchFailure.Rejected };

    // What the engine reports, and what it may have begun when a user cancelled it, counts. The rest is given back.
    private static Charge ChargeOf(Execution ended, ExecutionState before) =>
        ended.OutcomeHash is not null
            || (ended.CancelledBy is not null && before is not (ExecutionState.Queued or ExecutionState.AwaitingApproval)) ? Charge.Used : Charge.Returned;

    private void Compare(Month month, MonthUsage stored)
    {
        var ours = _entries.Values.Where(entry => entry.Last.Month == month).ToList();
        Expect("I3", $"{month}, used", ours.Count(entry => entry.Charge == Charge.Used), stored.Used);
        Expect("I3", $"{month}, charged", ours.Count(entry => entry.Charge is Charge.Used or Charge.Reserved), stored.Charged);
        Expect("I3", $"{month}, CPU", ours.Sum(entry => entry.Last.Outcome?.Usage.CpuMs ?? 0), stored.Metered.CpuMs);
        var late = ours.Count(entry => entry.Last.IsLate);
        // Who had room by a ledger that forgot was let in.
        if (!WasLost && stored.Charged > limits.MonthlyQuota + late)
            throw new Broken("I3", $"{month} is charged {stored.Charged} of {limits.MonthlyQuota}, {late} of them late.");
    }

    private int Count(Charge charge) => _entries.Values.Count(entry => entry.Charge == charge);

    private static void Expect(string rule, string what, long ours, long stored)
    {
        if (ours != stored)
            throw new Broken(rule, $"{what}: {ours} by the executions, {stored} in the table.");
    }
}
