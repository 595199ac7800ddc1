using ControlPlane.Configuration;
namespace ControlPlane.MeteringCollector;

internal sealed record HeartbeatsSettings(
    string TenantsTable, string InstancesTable, string MeteringTable, Uri ControlPlaneUrl, SourceNetworkCheck SourceNetworkCheck)
{
    /// <exception cref="SettingException">A setting is missing or unusable.</exception>
    public static HeartbeatsSettings Load() => new(
        Setting.Required("TENANTS_TABLE"),
        Setting.Required("INSTANCES_TABLE"),
        Setting.Required("METERING_TABLE"),
        Setting.RequiredUrl("CONTROL_PLANE_URL"),
        SourceNetworkCheck.Parse("SOURCE_NETWORK_CHECK", Setting.Required("SOURCE_NETWORK_CHECK")));
}

internal sealed record EnrolmentSettings(string TenantsTable, string RateLimitsTable, Uri ControlPlaneUrl, SourceNetworkCheck SourceNetworkCheck)
{
    /// <exception cref="SettingException">A setting is missing or unusable.</exception>
    public static EnrolmentSettings Load() => new(
        Setting.Required("TENANTS_TABLE"),
        Setting.Required("RATE_LIMITS_TABLE"),
        Setting.RequiredUrl("CONTROL_PLANE_URL"),
        SourceNetworkCheck.Parse("SOURCE_NETWORK_CHECK", Setting.Required("SOURCE_NETWORK_CHECK")));
}

internal sealed record OutcomesSettings(
    string ExecutionsTable, string QuotasTable, string NotificationsQueueUrl, string TokenRootSecretId, Uri ControlPlaneUrl,
    SourceNetworkCheck SourceNetworkCheck)
{
    /// <exception cref="SettingException">A setting is missing or unusable.</exception>
    public static OutcomesSettings Load() => new(
        Setting.Required("EXECUTIONS_TABLE"),
        Setting.Required("QUOTAS_TABLE"),
        Setting.RequiredQueueUrl("NOTIFICATIONS_QUEUE_URL"),
        Setting.Required("TOKEN_ROOT_SECRET_ID"),
        Setting.RequiredUrl("CONTROL_PLANE_URL"),
        SourceNetworkCheck.Parse("SOURCE_NETWORK_CHECK", Setting.Required("SOURCE_NETWORK_CHECK")));
}

internal sealed record SweeperSettings(
    string TenantsTable, string ExecutionsTable, string QuotasTable, string InstancesTable, string ExecutionRequestsQueueUrl, string NotificationsQueueUrl,
    string Region, string PrimaryRegion)
{
    /// <exception cref="SettingException">A setting is missing or unusable.</exception>
    public static SweeperSettings Load() => new(
        Setting.Required("TENANTS_TABLE"),
        Setting.Required("EXECUTIONS_TABLE"),
        Setting.Required("QUOTAS_TABLE"),
        Setting.Required("INSTANCES_TABLE"),
        Setting.RequiredQueueUrl("EXECUTION_REQUESTS_QUEUE_URL"),
        Setting.RequiredQueueUrl("NOTIFICATIONS_QUEUE_URL"),
        Setting.Required("AWS_REGION"),
        Setting.Required("PRIMARY_REGION"));
}
