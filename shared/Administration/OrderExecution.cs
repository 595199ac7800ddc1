using System.Text.Json;
using ControlPlane.Audit;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Slack;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Administration;

/// <summary>Orders an execution as a Slack command does, through the same queue and the same policy.</summary>
/// <remarks>The mark is written before the order is sent, so that the sweeper finds an order that was lost and closes it.</remarks>
public sealed class OrderExecution(ReplyStore replies, MessageQueue<ExecutionRequest> requests, Auditor auditor, TimeProvider clock)
{
    /// <param name="key">The same key is the same execution.</param>
    public async Task<(ExecutionId Execution, Handover Handover)> RunAsync(
        TenantId tenant, WorkflowName name, JsonElement inputs, string key, OperatorId by, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var execution = ExecutionId.OfOperator(tenant, key);
        var order = new ExecutionRequest(
            ExecutionRequest.SchemaV1, execution.ToString(), tenant.ToString(), name.ToString(), inputs, new Requester.Operator(by), Public: false, now);
        // The key makes a repeat of the order harmless, and a record of each asking is right: it was asked.
        await auditor.NoteAsync("execution.start", tenant, $"{execution}", [AuditedValue.Of("workflow", null, $"{name}")], cancel);
        await replies.NoteAsync(new(execution, tenant, SealedUrl: null, Uses: 0, now, now + Reply.Lifetime, order), cancel);
        return (execution, await requests.OrderAsync(order, cancel));
    }

    /// <summary>What the catalogue knows at once; policy asks the same and decides.</summary>
    /// <returns>Null when nothing is in the way.</returns>
    public static string? InTheWay(TenantCatalogue catalogue, WorkflowName name, JsonElement inputs)
    {
        if (catalogue.Workflows.FirstOrDefault(one => one.Name == name) is not { } workflow)
            return DidYouMean.Nearest(name.ToString(), catalogue.Workflows.Select(one => one.Name.ToString())) is { } nearest
                ? $"{catalogue.Tenant.Id} has no workflow {name}. Did you mean {nearest}?"
                : $"{catalogue.Tenant.Id} has no workflow {name}. ./ctl workflow list {catalogue.Tenant.Id} shows those there are.";
        if (!workflow.Enabled)
            return $"{name} is switched off: ./ctl workflow publish switches it on.";
        var faults = WorkflowInputs.Check(inputs, workflow).Faults;
        return faults.Count > 0 ? string.Join(' ', faults.Select(fault => fault.InPlainWords)) : null;
    }
}
