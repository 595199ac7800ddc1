using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.Executions;

/// <summary>Sweeper → Slack handler's notifications: tell a tenant's channel how much of a monthly limit is gone.</summary>
/// <param name="Percent">The threshold that was reached.</param>
/// <param name="Used">As <paramref name="Limit"/> counts it, when it was reached; of <paramref name="Most"/>.</param>
public sealed record UsageNotice(
    string Schema, string TenantId, string Month, MonthlyLimit Limit, int Percent, long Used, long Most, TeamId TeamId, ChannelId ChannelId)
{
    public const string SchemaV1 = "usage-notice.v1";
}
