using ControlPlane.Configuration;
using ControlPlane.Http;

namespace ControlPlane.DpDispatcher;

internal sealed record Settings(
    string TenantsTable, string ExecutionsTable, string QuotasTable, string DispatchQueueUrl, string NotificationsQueueUrl, ConnectRoutes ConnectRoutes)
{
    /// <exception cref="SettingException">A setting is missing or unusable.</exception>
    public static Settings Load() => new(
        Setting.Required("TENANTS_TABLE"),
        Setting.Required("EXECUTIONS_TABLE"),
        Setting.Required("QUOTAS_TABLE"),
        Setting.RequiredQueueUrl("DISPATCH_QUEUE_URL"),
        Setting.RequiredQueueUrl("NOTIFICATIONS_QUEUE_URL"),
        ConnectRoutes.Parse(Setting.Optional("CONNECT_ROUTES")));
}
