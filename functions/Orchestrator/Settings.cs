using ControlPlane.Configuration;
namespace ControlPlane.Orchestrator;

internal sealed record Settings(
    string TenantsTable,
    string ExecutionsTable,
    string QuotasTable,
    string InstancesTable,
    string DispatchQueueUrl,
    string NotificationsQueueUrl,
    string TokenRootSecretId,
    Uri ControlPlaneUrl,
    Uri OutcomesUrl)
{
    /// <exception cref="SettingException">A setting is missing or unusable.</exception>
    public static Settings Load() => new(
        Setting.Required("TENANTS_TABLE"),
        Setting.Required("EXECUTIONS_TABLE"),
        Setting.Required("QUOTAS_TABLE"),
        Setting.Required("INSTANCES_TABLE"),
        Setting.RequiredQueueUrl("DISPATCH_QUEUE_URL"),
        Setting.RequiredQueueUrl("NOTIFICATIONS_QUEUE_URL"),
        Setting.Required("TOKEN_ROOT_SECRET_ID"),
        Setting.RequiredUrl("CONTROL_PLANE_URL"),
        Setting.RequiredUrl("OUTCOMES_URL"));
}

internal sealed record JwksSettings(string TokenRootSecretId, Uri ControlPlaneUrl)
{
    /// <exception cref="SettingException">A setting is missing or unusable.</exception>
    public static JwksSettings Load() => new(Setting.Required("TOKEN_ROOT_SECRET_ID"), Setting.RequiredUrl("CONTROL_PLANE_URL"));
}
