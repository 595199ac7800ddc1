using ControlPlane.Administration;
using ControlPlane.AdminPanel.Http;
using ControlPlane.AdminPanel.Stores;
using ControlPlane.Aws;
using ControlPlane.Executions;

namespace ControlPlane.AdminPanel.Pages.Executions;

internal static class ExecutionChanges
{
    internal static async Task<PanelAnswer> CancelAsync(Hub hub, PanelRequest request, Auditor auditor, string id, CancellationToken cancel)
    {
        if (!ExecutionId.TryParse(id, out var execution) || await hub.Executions.FindAsync(execution, cancel) is not { } found)
            return NoSuch;
        return await hub.CancellationBy(auditor).RunAsync(found, request.Operator, cancel) switch
        {
            (Move.Moved, _) => new PanelAnswer.GoOn($"/executions/{execution}?done=cancelled"),
            (null, { State: ExecutionState.Cancelled }) => new PanelAnswer.GoOn($"/executions/{execution}?done=unchanged"),
            (null, var from) => new PanelAnswer.NotDone($"It is {from.State.Name}: there is nothing left to cancel."),
            (Move.Lost, _) => new PanelAnswer.NotDone("It moves too fast to be cancelled: try again."),
            _ => NoSuch,
        };
    }

    internal static async Task<PanelAnswer> AgainAsync(Hub hub, PanelRequest request, Auditor auditor, string id, CancellationToken cancel)
    {
        if (!ExecutionId.TryParse(id, out var execution) || await hub.Executions.FindAsync(execution, cancel) is not { } found)
            return NoSuch;
        if (request.Given("key") is not { Length: <= 64 } key)
            return new PanelAnswer.NotDone("The form lacks its key: open the page again.");
        if (await hub.Tenants.CatalogueAsync(found.Tenant, cancel) is not { } catalogue)
            return new PanelAnswer.NotDone($"{found.Tenant} is not registered any more.");
        if (OrderExecution.InTheWay(catalogue, found.Workflow, found.Inputs) is { } inTheWay)
            return new PanelAnswer.NotDone(inTheWay);
        var (ordered, handover) = await hub.OrdersBy(auditor).RunAsync(found.Tenant, found.Workflow, found.Inputs, key, request.Operator, cancel);
        return handover switch
        {
            Handover.NotTaken => new PanelAnswer.NotDone("The queue refused it: nothing was started."),
            Handover.Unclear => new PanelAnswer.NotDone($"The queue did not answer: {ordered} may have been started."),
            _ => new PanelAnswer.GoOn($"/executions/ordered/{ordered}"),
        };
    }

    /// <summary>Where an order is looked at that nobody has worked yet.</summary>
    internal static async Task<PanelAnswer> OrderedAsync(Hub hub, PanelRequest request, string id, CancellationToken cancel)
    {
        if (!ExecutionId.TryParse(id, out var execution))
            return NoSuch;
        return await hub.Executions.FindAsync(execution, cancel) is not null
            ? new PanelAnswer.GoOn($"/executions/{execution}?done=ordered")
            : new PanelAnswer.Page(OrderedPage.Create(new(Look.Frame.Of("It is ordered", "Executions", request), execution)));
    }

    private static PanelAnswer.NotFound NoSuch => new("No execution has that id: it was never made, or is older than 90 days.");
}

public sealed record Ordered(Look.Frame Frame, ExecutionId Execution);
