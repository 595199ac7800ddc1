using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Orchestrator.Plans;
using ControlPlane.Orchestrator.Policy;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.Orchestrator.Requests;

/// <summary>Sees whether an execution has the approvals that it waits for, asks policy anew, and has it begin or end. Its tokens are made here, and not
/// before.</summary>
/// <remarks>Written first, sent second, as where it was made: a message that comes again finds it queued or ended, and sends again.</remarks>
internal sealed class SeeToApproval(
    StandingStore standings,
    InstanceStore instances,
    Planner planner,
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
        // Its place and its unit are in the month that it was made in; GPU time is this month's.
        var reading = standings.OfAsync(execution.Tenant, execution.Workflow, execution.Month, cancel);
        var dataPlane = instances.OfTenantAsync(execution.Tenant, Month.Of(now), cancel);
        await Task.WhenAll(reading, dataPlane);
        var standing = WithoutOwn(await reading);
        if (standing.Fault is { } fault)
            events.StoredWrong(execution.Id, execution.Tenant, fault);

        var rule = standing.Workflow?.Approval ?? asked;
        if (standing.Workflow is not null && !rule.AreEnough(execution.Approvals, execution.RequestedBy, standing.Groups))
            return execution;

        var request = new StartRequest(
            execution.Id, execution.Tenant, execution.Workflow, execution.Inputs, execution.RequestedBy, execution.IsPublic, RequestedAt: now);
        var decision = await JudgeAsync(request, standing, await dataPlane, now, cancel);
        return decision is { Decision.Allowed: true, Plan: { } plan }
            ? await ApproveAsync(execution, plan, decision.Decision, cancel)
            : await DenyAsync(execution, decision.Decision, cancel);
    }

    private async Task<(PolicyDecision Decision, Plan? Plan)> JudgeAsync(
        StartRequest request, Standing standing, DataPlane dataPlane, DateTimeOffset now, CancellationToken cancel)
    {
        var watch = Situation.SilenceDenies(standing, dataPlane, now) ? await instances.WatchAsync(cancel) : null;
        var planning = standing.Workflow is { } workflow ? planner.Plan(request, workflow, now) : null;
        var decision = Rulebook.Decide(new(request, standing, planning, dataPlane, now, watch));
        return (decision with { Verdicts = [.. decision.Verdicts, Approved] }, (planning as Planning.Ready)?.Plan);
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

    // What it holds itself stands in nobody's way, and least in its own.
    private static Standing WithoutOwn(Standing standing) => standing with
    {
        Active = Math.Max(0, standing.Active - 1),
        Month = standing.Month with { Charged = Math.Max(0, standing.Month.Charged - 1) },
    };
}
