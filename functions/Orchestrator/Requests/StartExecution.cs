using System.Diagnostics;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Orchestrator.Plans;
using ControlPlane.Orchestrator.Policy;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.Orchestrator.Requests;

/// <summary>Plans a request, decides on it, and makes it an execution: queued with its reservation and its order, waiting for approval with its reservation
/// alone, or denied. Two reads, one write, one message.</summary>
internal sealed class StartExecution(
    SituationReader situations,
    TokenService tokens,
    ExecutionStore executions,
    MessageQueue<DispatchRequest> dispatches,
    MessageQueue<Notification> notifications,
    OrchestratorEvents events,
    TimeProvider clock)
{
    public async Task RunAsync(StartRequest request, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var month = Month.Of(now);                          // taken once: what is reserved in a month is settled or given back in it
        var situation = await situations.OfAsync(request, month, now, cancel);
        var decision = Rulebook.Decide(situation);
        var execution = decision.Allowed && situation is { Planning: Planning.Ready { Plan: var plan }, Standing.Tenant: { } tenant }
            ? await CreateAsync(plan, tenant.Limits, decision, month, cancel)
            : await DenyAsync(situation, decision, month, cancel);
        await SendAsync(execution, cancel);
    }

    /// <returns>The execution as it now stands, made by this request or by an earlier delivery of it.</returns>
    private async Task<Execution> CreateAsync(Plan plan, TenantLimits limits, PolicyDecision decision, Month month, CancellationToken cancel)
    {
        var execution = Of(plan, decision, month);
        // No token is made for what nobody has approved yet.
        var order = execution.State == ExecutionState.Queued ? await tokens.SealAsync(plan, cancel) : null;
        var creation = await executions.CreateAsync(execution, order, limits, cancel);
        return creation switch
        {
            Creation.Created => Decided(execution),
            Creation.AlreadyThere there => Repeated(there.Execution, plan.Request.Tenant),
            Creation.QuotaUsedUp => await DenyAsync(execution, Rulebook.Overruled(decision, Rulebook.Quota, Rules.QuotaUsedUp(limits)), cancel),
            Creation.LedgerElsewhere => await DenyAsync(execution, Rulebook.Overruled(decision, Rulebook.Quota, Rules.LedgerElsewhere), cancel),
            Creation.TooManyUnderWay => await DenyAsync(execution, Rulebook.Overruled(decision, Rulebook.Concurrency, Rules.TooManyUnderWay(limits)), cancel),
            _ => throw new UnreachableException(),
        };
    }

    private Task<Execution> DenyAsync(Situation situation, PolicyDecision decision, Month month, CancellationToken cancel) =>
        DenyAsync(Of(situation, decision, month), decision, cancel);

    private async Task<Execution> DenyAsync(Execution execution, PolicyDecision decision, CancellationToken cancel)
    {
        var denied = execution with { State = ExecutionState.Denied, Decision = decision, FinishedAt = execution.CreatedAt };
        return await executions.CreateDeniedAsync(denied, cancel) switch
        {
            Creation.Created => Decided(denied),
            Creation.AlreadyThere there => Repeated(there.Execution, execution.Tenant),
            _ => throw new UnreachableException(),
        };
    }

    // Written first, sent second: a crash in between is healed by redelivery, which finds the execution here and sends again.
    private async Task SendAsync(Execution execution, CancellationToken cancel)
    {
        if (execution.State == ExecutionState.Queued)
            await dispatches.DispatchAsync(execution.Id, execution.Tenant, cancel);
        else if (execution.State == ExecutionState.AwaitingApproval
            || execution is { State: ExecutionState.Denied, ToldAt: null, RequestedBy.IsToldInSlack: true })
            await notifications.NotifyAsync(execution.Id, execution.Tenant, cancel);
    }

    private Execution Decided(Execution execution)
    {
        events.Decided(execution);
        return execution;
    }

    private Execution Repeated(Execution there, TenantId asking)
    {
        if (there.Tenant != asking)
            throw new InvalidDataException("The execution belongs to another tenant.");
        events.Repeated(there);
        return there;
    }

    private static Execution Of(Plan plan, PolicyDecision decision, Month month) => new()
    {
        Id = plan.Request.Execution,
        Tenant = plan.Request.Tenant,
        Workflow = plan.Request.Workflow,
        RequestedBy = plan.Request.RequestedBy,
        State = plan.Workflow.Approval is null ? ExecutionState.Queued : ExecutionState.AwaitingApproval,
        CreatedAt = plan.IssuedAt,
        DeadlineAt = plan.Workflow.Approval is { Within: var within } ? plan.IssuedAt + within : plan.DeadlineAt,
        Approval = plan.Workflow.Approval,
        Month = month,
        IsPublic = plan.Request.IsPublic,
        IsIdempotent = plan.Workflow.Idempotent,
        Inputs = plan.Inputs,
        Decision = decision,
    };

    /// <summary>What was asked for, where there may be no plan: the inputs as given.</summary>
    private static Execution Of(Situation situation, PolicyDecision decision, Month month) => new()
    {
        Id = situation.Request.Execution,
        Tenant = situation.Request.Tenant,
        Workflow = situation.Request.Workflow,
        RequestedBy = situation.Request.RequestedBy,
        State = ExecutionState.Denied,
        CreatedAt = situation.Now,
        DeadlineAt = situation.Request.RequestedAt + (situation.Standing.Workflow?.Deadline ?? Workflow.DefaultDeadline),
        Month = month,
        IsPublic = situation.Request.IsPublic,
        IsIdempotent = situation.Standing.Workflow?.Idempotent ?? false,
        Inputs = situation.Request.Inputs,
        Decision = decision,
    };
}
