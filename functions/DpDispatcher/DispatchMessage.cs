using ControlPlane.Executions;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.DpDispatcher;

/// <summary>A message of the dispatch queue, as far as it can be understood.</summary>
internal abstract record DispatchMessage
{
    private DispatchMessage() { }

    public sealed record Dispatch(ExecutionId Execution, TenantId Tenant) : DispatchMessage;

    /// <param name="Execution">The execution it names, when that much is legible.</param>
    public sealed record Unreadable(ExecutionId? Execution) : DispatchMessage;

    // Three short ids: whatever is longer was not written by us.
    private const int LongestBody = 4096;

    public static DispatchMessage Parse(string? body)
    {
        if (body is not { Length: > 0 and <= LongestBody } || !StrictJson.TryParseObject(body, out var message))
            return new Unreadable(null);
        if (MessageIds.Read(message, DispatchRequest.SchemaV1) is { } ids)
            return new Dispatch(ids.Execution, ids.Tenant);
        // A later version of the message may lack or rename members; the execution's id has its place in all of them.
        return new Unreadable(ExecutionId.TryParse(StrictJson.TextOf(message, "execution_id"), out var execution) ? execution : null);
    }
}
