using ControlPlane.Executions;
using ControlPlane.Orchestrator.Plans;
using ControlPlane.Tokens;

namespace ControlPlane.Orchestrator.Requests;

/// <summary>Seals a plan: the callback token goes into the body, and the dispatch token is signed over the body's hash.</summary>
internal sealed class TokenService(TenantKeys keys, TokenMinter minter, Planner planner)
{
    public async Task<DispatchOrder> SealAsync(Plan plan, CancellationToken cancel)
    {
        var (tenant, execution) = (plan.Request.Tenant, plan.Request.Execution);
        var key = await keys.ToSignAsync(tenant, cancel);
        var callback = minter.ForOutcome(key, tenant, execution, plan.DeadlineAt);
        var body = planner.BodyOf(plan, callback.Text);
        var token = minter.ForDispatch(key, tenant, execution, plan.Workflow.Name, body);
        return new(execution, tenant, plan.Workflow.Path, body, token.Text, token.ExpiresAt);
    }
}
