using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Orchestrator.Plans;
using ControlPlane.Orchestrator.Policy;
using ControlPlane.Tenants;

namespace ControlPlane.Orchestrator.Requests;

/// <summary>Sees whether an execution has the approvals that it waits for, asks policy anew, and has it begin or end. Its tokens are made here, and not
/// before.</summary>
/// <remarks>Written first, sent second, as where it was made: a message that comes again finds it queued or ended, and sends again.</remarks>
internal sealed class SeeToApproval(
    SituationReader situations,
    TokenService tokens,
    ExecutionStore executions,
    MessageQueue<DispatchRequest> dispatches,
    MessageQueue<Notification> notifications,
    OrchestratorEvents events,
    TimeProvider clock)
{
    public async Task RunAsync(MessageIds ids, CancellationToken cancel)
    {
        if (await executions.FindAsync(ids.Execution, cancel) is not { Approval: { } asked } execution || execution.Tenant != ids.Tenant)
            throw new InvalidDataException("There is no such execution that has to be approved.");
        if (execution.State == ExecutionState.AwaitingApproval)
            execution = await DecideAsync(execution, asked, cancel);
        await SendAsync(execution, cancel);
    }

    private async Task<Execution> DecideAsync(Execution execution, ApprovalRule asked, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        if (execution.DeadlineAt <= now)
            return execution;                               // the sweeper ends it
        var request = new StartRequest(
            execution.Id, execution.Tenant, execution.Workflow, execution.Inputs, execution.RequestedBy, execution.IsPublic, RequestedAt: now);
        // Its unit is of the month that it was made in.
        var situation = await situations.OfAsync(request, execution.Month, now, cancel, isReserved: true);
        var standing = situation.Standing;
        var rule = standing.Workflow?.Approval ?? asked;
        if (standing.Workflow is not null && !rule.AreEnough(execution.Approvals, execution.RequestedBy, standing.Groups))
            return execution;

        var decision = Rulebook.Decide(situation);
        decision = decision with { Verdicts = [.. decision.Verdicts, Approved] };
        return decision.Allowed && situation.Planning is Planning.Ready { Plan: var plan }
            ? await ApproveAsync(execution, plan, decision, cancel)
            : await DenyAsync(execution, decision, cancel);
    }

    private async Task<Execution> ApproveAsync(Execution execution, Plan plan, PolicyDecision decision, CancellationToken cancel)
    {
        var order = await tokens.SealAsync(plan, cancel);
        return Now(await executions.ApproveAsync(execution, order, decision, plan.DeadlineAt, cancel),
            execution with { State = ExecutionState.Queued, Decision = decision, DeadlineAt = plan.DeadlineAt });
    }

    private async Task<Execution> DenyAsync(Execution execution, PolicyDecision decision, CancellationToken cancel)
    {
        var move = await executions.DenyAsync(execution, decision, cancel);
        if (move is Move.Moved { IsBooked: false })
            events.Unbooked(execution.Id, execution.Tenant);
        return Now(move, execution with { State = ExecutionState.Denied, Decision = decision });
    }

    private Execution Now(Move move, Execution moved)
    {
        switch (move)
        {
            case Move.Moved:
                events.ApprovalSeenTo(moved);
                return moved;
            case Move.Lost { Now: var now }:
                return now;
            default:
                throw new InvalidDataException("The execution is gone.");
        }
    }

    // Its approvers are told in any case: their message says how it stands.
    private async Task SendAsync(Execution execution, CancellationToken cancel)
    {
        if (execution.State == ExecutionState.Queued)
            await dispatches.DispatchAsync(execution.Id, execution.Tenant, cancel);
        await notifications.NotifyAsync(execution.Id, execution.Tenant, cancel);
    }

    private static readonly RuleVerdict Approved = new(Approvals.Rule, Judgement.Allow, "ok", "It was approved.");
}
