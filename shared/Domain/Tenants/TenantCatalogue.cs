namespace ControlPlane.Tenants;

/// <summary>A tenant, everything it may run, and the groups that may run some of it.</summary>
public sealed record TenantCatalogue(Tenant Tenant, IReadOnlyList<Workflow> Workflows, IReadOnlyList<UserGroup> Groups);
