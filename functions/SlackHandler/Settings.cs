using ControlPlane.Configuration;
using ControlPlane.Http;
using ControlPlane.Slack;

namespace ControlPlane.SlackHandler;

internal sealed record CommandsSettings(
    string TenantsTable, string ExecutionsTable, string QuotasTable, string RateLimitsTable, string InstancesTable, string AuditTable,
    string ExecutionRequestsQueueUrl, string NotificationsQueueUrl, string SlackSecretId, RateLimit RateLimit, string? Region,
    ConnectRoutes Routes)
{
    /// <exception cref="SettingException">One is missing; the message names it.</exception>
    public static CommandsSettings Load() => new(
        Setting.Required("TENANTS_TABLE"),
        Setting.Required("EXECUTIONS_TABLE"),
        Setting.Required("QUOTAS_TABLE"),
        Setting.Required("RATE_LIMITS_TABLE"),
        Setting.Required("INSTANCES_TABLE"),
        Setting.Required("AUDIT_TABLE"),
        Setting.RequiredQueueUrl("EXECUTION_REQUESTS_QUEUE_URL"),
        Setting.RequiredQueueUrl("NOTIFICATIONS_QUEUE_URL"),
        Setting.Required("SLACK_SECRET_ID"),
        new(Setting.RequiredCount("RATE_LIMIT_PER_USER"), Setting.RequiredCount("RATE_LIMIT_PER_TENANT")),
        Setting.Optional("AWS_REGION"),
        ConnectRoutes.Parse(Setting.Optional("CONNECT_ROUTES")));
}

internal sealed record NotificationsSettings(string TenantsTable, string ExecutionsTable, string QuotasTable, string SlackSecretId, ConnectRoutes Routes)
{
    /// <exception cref="SettingException">One is missing or unusable; the message names it.</exception>
    public static NotificationsSettings Load() => new(
        Setting.Required("TENANTS_TABLE"),
        Setting.Required("EXECUTIONS_TABLE"),
        Setting.Required("QUOTAS_TABLE"),
        Setting.Required("SLACK_SECRET_ID"),
        ConnectRoutes.Parse(Setting.Optional("CONNECT_ROUTES")));
}

internal sealed record InstallationSettings(
    string TenantsTable, string AuditTable, string SlackSecretId, Uri ControlPlaneUrl, string? SlackUrl, ConnectRoutes Routes)
{
    /// <exception cref="SettingException">One is missing or unusable; the message names it.</exception>
    public static InstallationSettings Load() => new(
        Setting.Required("TENANTS_TABLE"),
        Setting.Required("AUDIT_TABLE"),
        Setting.Required("SLACK_SECRET_ID"),
        Setting.RequiredUrl("CONTROL_PLANE_URL"),
        Setting.Optional("SLACK_URL"),
        ConnectRoutes.Parse(Setting.Optional("CONNECT_ROUTES")));
}

internal sealed record EventsSettings(
    string TenantsTable, string ExecutionsTable, string QuotasTable, string InstancesTable, string AuditTable, string SlackSecretId, ConnectRoutes Routes)
{
    /// <exception cref="SettingException">One is missing; the message names it.</exception>
    public static EventsSettings Load() => new(
        Setting.Required("TENANTS_TABLE"),
        Setting.Required("EXECUTIONS_TABLE"),
        Setting.Required("QUOTAS_TABLE"),
        Setting.Required("INSTANCES_TABLE"),
        Setting.Required("AUDIT_TABLE"),
        Setting.Required("SLACK_SECRET_ID"),
        ConnectRoutes.Parse(Setting.Optional("CONNECT_ROUTES")));
}
