using ControlPlane.Quotas;

namespace ControlPlane.Tenants;

/// <summary>How a tenant stands when it asks for a workflow.</summary>
/// <param name="Tenant">Null when it is not registered.</param>
/// <param name="Workflow">Null when its catalogue has no such workflow.</param>
/// <param name="Active">Executions under way.</param>
/// <param name="Fault">What of it was stored wrong, for the log; null when nothing was.</param>
public sealed record Standing(Tenant? Tenant, Workflow? Workflow, IReadOnlyList<UserGroup> Groups, MonthUsage Month, int Active, string? Fault = null);
