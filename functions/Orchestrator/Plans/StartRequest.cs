using System.Text;
using System.Text.Json;
using ControlPlane.Executions;
using ControlPlane.Tenants;

namespace ControlPlane.Orchestrator.Plans;

/// <summary>What a message of the requests queue asks for, with its texts become ids.</summary>
internal sealed record StartRequest(
    ExecutionId Execution, TenantId Tenant, WorkflowName Workflow, JsonElement Inputs, Requester RequestedBy, bool IsPublic, DateTimeOffset RequestedAt)
{
    /// <summary>The Slack handler's longest command fits several times over, and a refused request still fits a table's item.</summary>
    private const int LongestBody = 256 * 1024;

    /// <exception cref="InvalidDataException">The message was not written by a control plane of this version. The text does not quote it.</exception>
    public static StartRequest Parse(string? body)
    {
        if (body is null || Encoding.UTF8.GetByteCount(body) > LongestBody)
            throw new InvalidDataException("The message is empty or too long.");

        var message = Read(body);
        if (message.Schema != ExecutionRequest.SchemaV1)
            throw new InvalidDataException("The message is of another version.");
        if (!ExecutionId.TryParse(message.ExecutionId, out var execution) || !TenantId.TryParse(message.TenantId, out var tenant)
            || !WorkflowName.TryParse(message.Workflow, out var workflow))
            throw new InvalidDataException("The message names no execution, tenant or workflow.");
        if (message.RequestedBy is not { } by)
            throw new InvalidDataException("The message does not say who asks.");
        if (message.Inputs.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException("The message's inputs are no object.");
        return new(execution, tenant, workflow, message.Inputs, by, message.Public, message.RequestedAt);
    }

    private static ExecutionRequest Read(string body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, DomainJson.Default.ExecutionRequest) ?? throw new InvalidDataException("The message is null.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException("The message is no execution request.");
        }
    }
}
