using ControlPlane.Executions;
using ControlPlane.Orchestrator.Plans;
using ControlPlane.Tokens;

namespace ControlPlane.Orchestrator.Requests;

/// <summary>Seals a plan: the callback token goes into the body, and the dispatch token is signed over the body's hash.</summary>
/// <remarks>While two generations of keys are honoured the order has a token of each, for whoever hands it over holds no key.</remarks>
internal sealed class TokenService(TenantKeys keys, TokenMinter minter, Planner planner)
{
    public async Task<DispatchOrder> SealAsync(Plan plan, CancellationToken cancel)
    {
        var (tenant, execution) = (plan.Request.Tenant, plan.Request.Execution);
        var key = await keys.ToSignAsync(tenant, cancel);
        var callback = minter.ForOutcome(key, tenant, execution, plan.DeadlineAt);
        var body = planner.BodyOf(plan, callback.Text);
        var token = minter.ForDispatch(key, tenant, execution, plan.Workflow.Name, body);
        var other = await keys.BesideAsync(tenant, cancel) is { } beside ? minter.ForDispatch(beside, tenant, execution, plan.Workflow.Name, body) : null;
        return new(execution, tenant, plan.Workflow.Path, body, token.Text, token.ExpiresAt, other?.Text);
    }
}
