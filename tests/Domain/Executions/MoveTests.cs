using System.Text.Json;
using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Domain.Executions;

/// <summary>Moving an execution that others move at the same time.</summary>
public sealed class MoveTests
{
    [Fact]
    public async Task What_is_where_it_was_read_is_moved_from_there()
    {
        var (move, from) = await Move.PursueAsync(At(1), _ => true, _ => Task.FromResult<Move>(new Move.Moved()));
        Assert.Equal((new Move.Moved(), 1), (move, from.AttemptCount));
    }

    [Fact]
    public async Task What_is_elsewhere_is_moved_from_where_it_is_now()
    {
        var (move, from) = await Move.PursueAsync(At(1), _ => true, execution => Task.FromResult<Move>(
            execution.AttemptCount < 3 ? new Move.Lost(At(execution.AttemptCount + 1)) : new Move.Moved()));
        Assert.Equal((new Move.Moved(), 3), (move, from.AttemptCount));
    }

    [Fact]
    public async Task What_cannot_be_moved_as_it_stands_is_left_there()
    {
        var (move, from) = await Move.PursueAsync(At(1), _ => false, _ => throw new InvalidOperationException("It was not to be moved."));
        Assert.Equal((null, 1), (move, from.AttemptCount));

        (move, from) = await Move.PursueAsync(At(1), execution => execution.AttemptCount == 1, _ => Task.FromResult<Move>(new Move.Lost(At(2))));
        Assert.Equal((null, 2), (move, from.AttemptCount));
    }

    [Fact]
    public async Task What_is_never_there_is_known_to_be_elsewhere_after_a_while()
    {
        var tries = 0;
        var (move, from) = await Move.PursueAsync(At(1), _ => true, _ => Task.FromResult<Move>(new Move.Lost(At(++tries))));
        Assert.Equal((tries, tries), (Assert.IsType<Move.Lost>(move).Now.AttemptCount, from.AttemptCount));
        Assert.Equal(ApprovalRule.MostApprovals + 2, tries);                    // as many approvers may have been faster
    }

    [Fact]
    public async Task What_is_not_there_at_all_is_not_pursued() =>
        Assert.IsType<Move.Unknown>((await Move.PursueAsync(At(1), _ => true, _ => Task.FromResult<Move>(new Move.Unknown()))).Move);

    private static Execution At(int attempts) => Some(ExecutionState.Queued) with { AttemptCount = attempts };

    private static Execution Some(ExecutionState state) => new()
    {
        Id = ExecutionId.Of("T1", "1"),
        Tenant = TenantId.Parse("tenant-1"),
        Workflow = WorkflowName.Parse("w"),
        RequestedBy = Requesters.OfSlack(),
        State = state,
        CreatedAt = default,
        DeadlineAt = default,
        Month = new(2026, 11),
        Inputs = JsonElement.Parse("{}"),
    };

    private static readonly ExecutionUsage Usage = new(1, 2, 3, 4);

    [Fact]
    public void A_ledger_is_what_became_of_the_executions()
    {
        var month = new Month(2026, 11);
        Execution[] executions =
        [
            Some(ExecutionState.Running), Some(ExecutionState.AwaitingApproval),
            Some(ExecutionState.Succeeded) with { IsCharged = true, Outcome = new(OutcomeStatus.Succeeded, null, null, null, Usage, null, null) },
            Some(ExecutionState.Cancelled) with { IsCharged = true },              // after dispatch: charged, and nothing was reported
            Some(ExecutionState.Failed), Some(ExecutionState.Denied), Some(ExecutionState.TimedOut),
            Some(ExecutionState.Dispatched) with { Month = new(2026, 10) },         // under way, and another month's
            Some(ExecutionState.Succeeded) with { Month = new(2026, 10), IsCharged = true },
        ];
        Assert.Equal(new(new(Charged: 4, Used: 2, Usage), Active: 3), LedgerCount.Of(executions, month));
        Assert.Equal(new(MonthUsage.None, 0), LedgerCount.Of([], month));
    }
}
