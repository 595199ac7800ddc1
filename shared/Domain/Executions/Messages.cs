using System.Text.Json;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Executions;

// What travels through the queues. Ids stay text here: a consumer parses them at its door.

/// <summary>The ids that a message of any queue names, with its texts become ids.</summary>
public readonly record struct MessageIds(ExecutionId Execution, TenantId Tenant)
{
    /// <param name="message">An object with <c>schema</c>, <c>execution_id</c> and <c>tenant_id</c>.</param>
    /// <returns>Null for a message of another schema, and where an id is missing or none.</returns>
    public static MessageIds? Read(JsonElement message, string schema) =>
        StrictJson.TextOf(message, "schema") == schema
        && ExecutionId.TryParse(StrictJson.TextOf(message, "execution_id"), out var execution)
        && TenantId.TryParse(StrictJson.TextOf(message, "tenant_id"), out var tenant)
            ? new(execution, tenant)
            : null;
}

/// <summary>Slack handler or operator → Orchestrator: somebody wants this.</summary>
/// <param name="Inputs">As typed: values of <c>key=value</c> are JSON strings, a JSON object's values are its own.</param>
public sealed record ExecutionRequest(
    string Schema, string ExecutionId, string TenantId, string Workflow, JsonElement Inputs, Requester RequestedBy, bool Public, DateTimeOffset RequestedAt)
{
    public const string SchemaV1 = "execution-request.v1";
}

/// <summary>Slack handler or sweeper → Orchestrator: approvers have said yes; see whether that is enough.</summary>
public sealed record ApprovalGiven(string Schema, string ExecutionId, string TenantId)
{
    public const string SchemaV1 = "approval-given.v1";
}

/// <summary>Orchestrator → Dispatcher: hand this execution to its engine. What to send lies beside the execution.</summary>
public sealed record DispatchRequest(string Schema, string ExecutionId, string TenantId)
{
    public const string SchemaV1 = "dispatch-request.v1";
}

/// <summary>Anyone → Slack handler's notifications: tell the requester how this execution ended, or how far it is, and its approvers what they are
/// asked.</summary>
public sealed record Notification(string Schema, string ExecutionId, string TenantId)
{
    public const string SchemaV1 = "notification.v1";
}
