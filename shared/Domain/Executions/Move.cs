using ControlPlane.Tenants;

namespace ControlPlane.Executions;

/// <summary>What came of moving an execution.</summary>
public abstract record Move
{
    private Move() { }

    /// <param name="IsBooked">Whether the ledger knows. False when it lacks the reservation, or another region writes it: then a recount has to tell
    /// it.</param>
    public sealed record Moved(bool IsBooked = true) : Move;

    /// <summary>The execution was elsewhere; this is how it stood.</summary>
    public sealed record Lost(Execution Now) : Move;

    /// <summary>This tenant has no such execution.</summary>
    public sealed record Unknown : Move;

    // An execution has fewer states than this to slip through, and at most as many approvers.
    private const int Rounds = ApprovalRule.MostApprovals + 2;

    /// <summary>Moves an execution that others move at the same time: where it was elsewhere, once more from there.</summary>
    /// <param name="canMove">Whether there is anything to move as it stands.</param>
    /// <returns>What came of it, and the execution as it was moved from. Null where it cannot be moved as it stands; <see cref="Lost"/> where it was
    /// elsewhere every time.</returns>
    public static async Task<(Move? Move, Execution From)> PursueAsync(
        Execution execution, Func<Execution, bool> canMove, Func<Execution, Task<Move>> moveAsync)
    {
        for (var round = 0; round < Rounds && canMove(execution); round++)
        {
            var move = await moveAsync(execution);
            if (move is not Lost { Now: var now })
                return (move, execution);
            execution = now;
        }
        return (canMove(execution) ? new Lost(execution) : null, execution);
    }
}
