using ControlPlane.Tenants;

namespace ControlPlane.Executions;

/// <summary>A line in a list of executions.</summary>
public sealed record ExecutionSummary(ExecutionId Id, WorkflowName Workflow, ExecutionState State, DateTimeOffset CreatedAt);
