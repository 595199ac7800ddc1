using ControlPlane.Tenants;

namespace ControlPlane.Slack;

/// <summary>A workspace's bot token as it is kept.</summary>
/// <param name="WorkspaceId">The workspace, or the organisation that the app is installed for as a whole.</param>
/// <param name="Sealed">Encrypted, and bound to that id.</param>
public sealed record SealedToken(TeamId WorkspaceId, byte[] Sealed)
{
    /// <summary>What a token is encrypted for: copied to another workspace's item it does not open.</summary>
    public static string PurposeOf(TeamId workspace) => $"bot_token|{workspace}";
}

/// <summary>Leave to install the app once for a tenant: whoever has the link may.</summary>
/// <param name="Hash">SHA-256 of the ticket in hexadecimal; the ticket itself is kept by nobody but its holder.</param>
/// <param name="UsedBy">The workspace that was installed with it.</param>
public sealed record InstallTicket(
    string Hash, TenantId Tenant, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, DateTimeOffset? UsedAt = null, TeamId? UsedBy = null)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(7);

    public bool IsOpenAt(DateTimeOffset now) => UsedAt is null && now < ExpiresAt;
}

/// <summary>An installation under way: the browser is at Slack, and comes back with the state.</summary>
/// <param name="StateHash">SHA-256 of the state, in hexadecimal.</param>
/// <param name="BrowserHash">SHA-256 of the cookie that the browser was given with it.</param>
public sealed record InstallAttempt(string StateHash, string BrowserHash, string TicketHash)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);
}

/// <summary>What came of linking an installed workspace to its ticket's tenant.</summary>
public abstract record Installed
{
    private Installed() { }

    public sealed record Now(TenantId Tenant) : Installed;

    /// <summary>The ticket was used, withdrawn or is too old; nothing was written.</summary>
    public sealed record TicketGone : Installed;

    /// <summary>The workspace speaks for another tenant; nothing was written.</summary>
    public sealed record WorkspaceTaken : Installed;

    /// <summary>The tenant was removed meanwhile; nothing was written.</summary>
    public sealed record TenantGone : Installed;
}
