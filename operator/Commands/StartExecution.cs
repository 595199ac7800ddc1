using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using ControlPlane.Administration;
using ControlPlane.Executions;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Deployments;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Tenants;

namespace ControlPlane.Operator.Commands;

/// <summary><c>execution start</c> and <c>again</c>: order an execution as a Slack command does, through the same queue and the same policy.</summary>
internal static class StartExecution
{
    public static Command Start(Runner runner)
    {
        var (id, name) = (TypedArguments.Tenant(), TypedArguments.Workflow());
        var inputs = InputOptions.Inputs();
        var (key, wait) = (Key(), Wait());
        return runner.Runs(new("start", "Starts a workflow for a tenant. Policy decides, its quota is charged; Slack is told nothing.") { id, name, inputs, key, wait },
            async (hub, given, cancel) => await OrderAsync(
                runner, hub, given, given.GetRequiredValue(id), given.GetRequiredValue(name), InputOptions.JsonOf(given.GetValue(inputs) ?? []),
                given.GetValue(key), given.GetValue(wait), cancel));
    }

    public static Command Again(Runner runner)
    {
        var (id, key, wait) = (TypedArguments.Execution(), Key(), Wait());
        return runner.Runs(new("again", "The same workflow and inputs once more, under today's catalogue and policy.") { id, key, wait },
            async (hub, given, cancel) => await hub.Executions.FindAsync(given.GetRequiredValue(id), cancel) is { } execution
                ? await OrderAsync(
                    runner, hub, given, execution.Tenant, execution.Workflow, execution.Inputs, given.GetValue(key), given.GetValue(wait), cancel)
                : ExecutionCommands.NoSuch(given.GetRequiredValue(id)));
    }

    private static Option<string?> Key() => TypedArguments.Text(
        "--idempotency-key", "KEY", "Makes a repeat harmless: the same key is the same execution. Without one every call starts another.", most: 128);

    private static Option<bool> Wait() => new("--wait") { Description = "Wait for its end. Exits with 0 only if it succeeded." };

    private static async Task<Answer> OrderAsync(
        Runner runner, ControlPlaneClient hub, ParseResult given, TenantId tenant, WorkflowName name, JsonElement inputs, string? key, bool isAwaited,
        CancellationToken cancel)
    {
        if (await hub.Tenants.CatalogueAsync(tenant, cancel) is not { } catalogue)
            return Refusals.NotRegistered(tenant);
        if (OrderExecution.InTheWay(catalogue, name, inputs) is { } inTheWay)
            return new Answer.NotDone(inTheWay);

        var (execution, handover) = await SendAsync(hub, tenant, name, inputs, key ?? Guid.NewGuid().ToString("N"), cancel);
        switch (handover)
        {
            case Handover.NotTaken { Why: var why }:
                return new Answer.NotDone($"The queue refused it ({why.GetType().Name}): nothing was started.");
            case Handover.Unclear when !isAwaited:
                return new Answer.NotDone($"The queue did not answer: {execution} may have been started. ./ctl execution wait {execution} tells.");
            case Handover.Taken or Handover.Unclear:
                break;
            default:
                throw new UnreachableException();
        }
        if (isAwaited)
            return await WaitForExecution.RunAsync(runner, hub, given, execution, cancel);
        var shown = new ExecutionChangeView("ordered", execution.ToString(), tenant.ToString(), name.ToString());
        return Answer.Show(shown, CtlJson.Default.ExecutionChangeView, page => page.Line(
            $"{execution} is ordered. ./ctl execution wait {execution} waits for its end."));
    }

    /// <param name="key">The same key is the same execution.</param>
    public static async Task<(ExecutionId Execution, Handover Handover)> SendAsync(
        ControlPlaneClient hub, TenantId tenant, WorkflowName name, JsonElement inputs, string key, CancellationToken cancel) =>
        await new OrderExecution(hub.Replies, await hub.ExecutionRequestsAsync(cancel), await hub.AuditorAsync(cancel), hub.Clock)
            .RunAsync(tenant, name, inputs, key, await hub.CallerAsync(cancel), cancel);
}
