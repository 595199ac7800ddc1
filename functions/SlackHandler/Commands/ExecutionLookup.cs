using ControlPlane.Aws;
using ControlPlane.Executions;

namespace ControlPlane.SlackHandler.Commands;

/// <summary>What was found behind an execution's id, for one tenant. Another tenant's execution is none.</summary>
internal abstract record Lookup
{
    private Lookup() { }

    public sealed record Found(Execution Execution) : Lookup;

    /// <summary>Ordered, and not on record yet.</summary>
    public sealed record OnItsWay : Lookup;

    public sealed record Nothing : Lookup;
}

internal sealed class ExecutionLookup(ExecutionStore executions, ReplyStore replies)
{
    public async Task<Lookup> FindAsync(Caller caller, string typed, CancellationToken cancel)
    {
        if (!ExecutionId.TryParse(typed.Trim('`'), out var id))
            return new Lookup.Nothing();
        if (await executions.FindAsync(id, cancel) is { } execution)
            return execution.Tenant == caller.Tenant ? new Lookup.Found(execution) : new Lookup.Nothing();
        return await replies.FindAsync(id, cancel) is { } reply && reply.Tenant == caller.Tenant ? new Lookup.OnItsWay() : new Lookup.Nothing();
    }
}
