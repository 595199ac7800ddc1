using System.Text.Json;

namespace ControlPlane.Executions;

// What travels through the queues. Ids stay text here: a consumer parses them at its door.

/// <summary>Slack handler or operator → Orchestrator: somebody wants this.</summary>
/// <param name="Inputs">As typed: values of <c>key=value</c> are JSON strings, a JSON object's values are its own.</param>
public sealed record ExecutionRequest(
    string Schema, string ExecutionId, string TenantId, string Workflow, JsonElement Inputs, Requester RequestedBy, bool Public, DateTimeOffset RequestedAt)
{
    public const string SchemaV1 = "execution-request.v1";
}

/// <summary>Orchestrator → Dispatcher: hand this execution to its engine. What to send lies beside the execution.</summary>
public sealed record DispatchRequest(string Schema, string ExecutionId, string TenantId)
{
    public const string SchemaV1 = "dispatch-request.v1";
}

/// <summary>Anyone → Slack handler's notifications: tell the requester how this execution ended.</summary>
public sealed record Notification(string Schema, string ExecutionId, string TenantId)
{
    public const string SchemaV1 = "notification.v1";
}
