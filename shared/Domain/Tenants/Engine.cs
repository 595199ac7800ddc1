namespace ControlPlane.Tenants;

/// <summary>One tenant's engine, with what is needed to check its address again when it is dialled.</summary>
public sealed record Engine(TenantId Tenant, EngineAddress Address, bool AllowPublicSubnet);

/// <summary>What the stored profile says about a tenant's engine.</summary>
public abstract record EngineLookup
{
    private EngineLookup() { }

    public sealed record Found(Engine Engine) : EngineLookup;

    /// <summary>The tenant is suspended, being deleted or gone.</summary>
    public sealed record TenantNotActive : EngineLookup;

    /// <summary>The stored address breaks the rules of <see cref="EngineAddress"/>: registration would never have written it.</summary>
    public sealed record AddressRefused : EngineLookup;
}
