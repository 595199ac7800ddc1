using ControlPlane.Tenants;

namespace ControlPlane.Metering;

/// <summary>Leave to enrol one sidecar's key with a tenant: whoever has the code may, once.</summary>
/// <param name="Hash">SHA-256 of the code in hexadecimal; the code itself is kept by nobody but its holder.</param>
/// <param name="Instance">The one instance that it is good for, or null for any of the tenant's.</param>
/// <param name="UsedBy">The key that was registered by it.</param>
public sealed record EnrolmentInvite(
    string Hash, TenantId Tenant, InstanceId? Instance, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, DateTimeOffset? UsedAt = null, KeyId? UsedBy = null)
{
    public static readonly TimeSpan StandardLifetime = TimeSpan.FromHours(1);
    public static readonly TimeSpan LongestLifetime = TimeSpan.FromDays(7);

    public bool IsOpenAt(DateTimeOffset now) => UsedAt is null && now < ExpiresAt;
}

/// <summary>What came of a sidecar's wish to have its key registered.</summary>
public enum Enrolled
{
    Now,

    /// <summary>The key was registered so before; nothing was written.</summary>
    Before,

    /// <summary>The code was used by another key, is too old, is another instance's or tenant's, or is none; nothing was written.</summary>
    InviteInvalid,

    /// <summary>Another key speaks for the instance; nothing was written.</summary>
    AnotherKey,

    /// <summary>The key was revoked, has ended, or is somebody else's; nothing was written.</summary>
    KeyRefused,

    /// <summary>The tenant is not there, or is being removed; nothing was written.</summary>
    TenantGone,
}
