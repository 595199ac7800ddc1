using System.Text.Json;
using ControlPlane.Executions;
using ControlPlane.Tenants;

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
        if (body is not { Length: > 0 and <= LongestBody })
            return new Unreadable(null);
        try
        {
            var request = JsonSerializer.Deserialize(body, DomainJson.Default.DispatchRequest);
            var isExecution = ExecutionId.TryParse(request?.ExecutionId, out var execution);
            return request?.Schema == DispatchRequest.SchemaV1 && isExecution && TenantId.TryParse(request.TenantId, out var tenant)
                ? new Dispatch(execution, tenant)
                : new Unreadable(isExecution ? execution : null);
        }
        catch (JsonException)
        {
            return new Unreadable(ExecutionNamedIn(body));
        }
    }

    // A later version of the message may lack or rename members; the execution's id has its place in all of them.
    private static ExecutionId? ExecutionNamedIn(string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, new() { AllowDuplicateProperties = false, MaxDepth = 16 });
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("execution_id", out var id) && id.ValueKind == JsonValueKind.String
                && ExecutionId.TryParse(id.GetString(), out var execution)
                ? execution
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
