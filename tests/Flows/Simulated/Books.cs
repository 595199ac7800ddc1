using Amazon.DynamoDBv2.Model;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Flows.Simulated;

/// <summary>Books of our own, kept from what the executions say, and compared with the quota's tables after every step.</summary>
internal sealed class Books(TestTables tables, TenantId tenant, TenantLimits limits)
{
    private enum Charge { None, Reserved, Used, Returned }

    private readonly Dictionary<ExecutionId, (Execution Last, Charge Charge)> _entries = [];

    /// <summary>Whether the ledger was lost and not counted anew since: until then it says nothing. What becomes of the executions is followed all the
    /// same.</summary>
    public bool IsLost { get; private set; }

    public bool WasLost { get; private set; }

    public IReadOnlyCollection<Execution> Executions => [.. _entries.Values.Select(entry => entry.Last)];

    public bool IsSettled => _entries.Values.All(entry => entry.Last is { State.IsTerminal: true, ToldAt: not null });

    /// <exception cref="Broken">The tables say something else, or an execution did what none may do.</exception>
    public async Task CompareAsync(CancellationToken cancel)
    {
        var stored = await ReadAsync(cancel);
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
        var executions = await ReadAsync(cancel);
        foreach (var month in months)
        {
            var read = new LedgerCount(await ledger.MonthAsync(tenant, month, cancel), await ledger.ActiveAsync(tenant, cancel));
            if (!await ledger.TryCorrectAsync(tenant, month, read, LedgerCount.Of(executions, month), tables.Auditor, cancel))
                throw new Broken("I3", $"the ledger of {month} is not to be put right.");
        }
        IsLost = false;
    }

    private async Task<List<Execution>> ReadAsync(CancellationToken cancel)
    {
        var page = await tables.Client.ScanAsync(new ScanRequest { TableName = tables.Executions, ConsistentRead = true }, cancel);
        return [.. page.Items.Where(item => item["sk"].S == ExecutionItems.ExecutionKey).Select(ExecutionItems.ToExecution)];
    }

    private void Follow(Execution now)
    {
        if (!_entries.TryGetValue(now.Id, out var entry))
            entry = (now with { State = ExecutionState.Queued }, now.State == ExecutionState.Denied ? Charge.None : Charge.Reserved);
        var before = entry.Last.State;
        if (before.IsTerminal && now.State != before
            && !(IsGuess(entry.Last) && now is { IsLate: true, State: not ExecutionState.Denied, State.IsTerminal: true }))
            throw new Broken("I5", $"{now.Id} was {before.Name} and is {now.State.Name}.");

        var isLate = now.IsLate && !entry.Last.IsLate;
        _entries[now.Id] = (now, isLate ? Charge.Used : entry.Charge == Charge.Reserved && now.State.IsTerminal ? ChargeOf(now, before) : entry.Charge);
    }

    // An end that is our own: nobody knows what the engine did.
    private static bool IsGuess(Execution execution) =>
        execution.State == ExecutionState.TimedOut || execution is { State: ExecutionState.Failed, FailureCode: DispatchFailure.Rejected };

    // What the engine reports, and what it may have begun when a user cancelled it, counts. The rest is given back.
    private static Charge ChargeOf(Execution ended, ExecutionState before) =>
        ended.OutcomeHash is not null || (ended.CancelledBy is not null && before != ExecutionState.Queued) ? Charge.Used : Charge.Returned;

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
