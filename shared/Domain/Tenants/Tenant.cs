namespace ControlPlane.Tenants;

public enum TenantStatus { Active, Suspended, Deleting }

/// <param name="Engine">Stored, never computed from the tenant's number; see <see cref="EngineAddress"/> for what is allowed.</param>
/// <param name="AllowPublicSubnet">Whether the engine may sit in one of the tenant's public subnets.</param>
/// <param name="RemovedAt">When it was removed; null for one that was not.</param>
/// <param name="Aws">By whom its machines may enrol with their own identity; null where none may.</param>
/// <param name="Channel">Where in Slack it is told what concerns all of it; null where nobody is.</param>
public sealed record Tenant(
    TenantId Id, string Name, TenantStatus Status, EngineAddress Engine, bool AllowPublicSubnet, TenantLimits Limits, DateTimeOffset? RemovedAt = null,
    AwsIdentity? Aws = null, TenantChannel? Channel = null)
{
    /// <summary>How long a removed tenant's data is kept, and its number with it: as long as the longest kept of it.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromDays(90);

    /// <summary>When the number of a removed tenant may be given to another; null for one that was not removed.</summary>
    public DateTimeOffset? FreeAt => RemovedAt + Retention;
}

/// <summary>A channel of one of a tenant's workspaces.</summary>
public sealed record TenantChannel(TeamId Team, ChannelId Channel);

/// <param name="MonthlyQuota">Executions a calendar month (UTC). 0 refuses every execution.</param>
/// <param name="Concurrency">Executions under way at once.</param>
/// <param name="MonthlyGpuMs">Metered GPU time a month above which new executions are refused; null for no such limit.</param>
/// <param name="Instances">Machines with a sidecar that count at once.</param>
/// <param name="DeniesWhenSilent">Whether new executions are refused while no sidecar of the tenant is heard of; else they are tried, for a silent sidecar is
/// not a dead engine.</param>
public sealed record TenantLimits(
    long MonthlyQuota, int Concurrency, long? MonthlyGpuMs, int Instances = TenantLimits.StandardInstances, bool DeniesWhenSilent = false)
{
    public const int StandardInstances = 200;

    /// <summary>What a tenant gets for whom nothing was set.</summary>
    public static readonly TenantLimits Default = new(MonthlyQuota: 1000, Concurrency: 10, MonthlyGpuMs: null);

    /// <returns>What is wrong with these limits, in plain words, or null.</returns>
    public string? Fault() => this switch
    {
        { MonthlyQuota: < 0 } => "the monthly quota is negative",
        { Concurrency: < 0 } => "the concurrency limit is negative",
        { MonthlyGpuMs: < 0 } => "the monthly GPU limit is negative",
        { Instances: < 1 } => "the limit of instances is below one",
        _ => null,
    };
}

/// <summary>Which Slack workspace (<c>team_id</c>) or Enterprise Grid organisation (<c>enterprise_id</c>) speaks for which tenant.</summary>
public sealed record SlackLink(TeamId WorkspaceId, TenantId Tenant);

/// <summary>A public key with which a tenant's metering sidecars sign.</summary>
/// <param name="Instance">The one instance that may sign with it, or null for any of the tenant's.</param>
/// <param name="PublicKey">32 bytes, Ed25519.</param>
public sealed record SidecarKey(
    KeyId KeyId, TenantId Tenant, string? Instance, byte[] PublicKey, DateTimeOffset AddedAt, DateTimeOffset? NotAfter, DateTimeOffset? RevokedAt)
{
    public bool IsValidAt(DateTimeOffset now) => RevokedAt is null && (NotAfter is null || now < NotAfter);
}
