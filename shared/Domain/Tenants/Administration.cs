namespace ControlPlane.Tenants;

/// <summary>What came of registering a tenant.</summary>
public abstract record Registered
{
    private Registered() { }

    public sealed record Now : Registered;

    /// <summary>The tenant was registered before; nothing was written.</summary>
    public sealed record Before : Registered;

    /// <summary>The workspace speaks for another tenant; nothing was written.</summary>
    public sealed record WorkspaceTaken(TenantId Tenant) : Registered;
}

/// <summary>What came of a change to a stored tenant or key.</summary>
public enum ChangeResult
{
    Made,

    /// <summary>It was so before.</summary>
    AlreadySo,

    /// <summary>What was to be changed is not there, or is another tenant's.</summary>
    NothingThere,
}

/// <summary>New limits for a tenant; what is null stays as it is.</summary>
/// <param name="LiftsGpuLimit">Takes the monthly GPU limit away.</param>
public sealed record LimitChange(
    long? MonthlyQuota = null, int? Concurrency = null, long? MonthlyGpuMs = null, bool LiftsGpuLimit = false, int? Instances = null,
    bool? DeniesWhenSilent = null)
{
    public bool IsEmpty => this is { MonthlyQuota: null, Concurrency: null, MonthlyGpuMs: null, LiftsGpuLimit: false, Instances: null, DeniesWhenSilent: null };
}
