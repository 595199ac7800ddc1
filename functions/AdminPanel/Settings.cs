using ControlPlane.AdminPanel.Identity;
using ControlPlane.AdminPanel.Stores;
using ControlPlane.Configuration;
using ControlPlane.Http;

namespace ControlPlane.AdminPanel;

/// <param name="Queues">By the names that operators know them by.</param>
internal sealed record Settings(
    TableNames Tables, IReadOnlyDictionary<string, QueueUrls> Queues, Uri ControlPlaneUrl, TrustedBalancer Balancer, Uri KeysUrl, RoleRules Roles,
    ConnectRoutes Routes)
{
    /// <exception cref="SettingException">A setting is missing or unusable.</exception>
    public static Settings Load() => new(
        new(
            Setting.Required("TENANTS_TABLE"), Setting.Required("EXECUTIONS_TABLE"), Setting.Required("QUOTAS_TABLE"), Setting.Required("INSTANCES_TABLE"),
            Setting.Required("METERING_TABLE"), Setting.Required("AUDIT_TABLE")),
        new Dictionary<string, QueueUrls>
        {
            ["execution-requests"] = Queue("EXECUTION_REQUESTS"),
            ["dispatch"] = Queue("DISPATCH"),
            ["notifications"] = Queue("NOTIFICATIONS"),
        },
        Setting.RequiredUrl("CONTROL_PLANE_URL"),
        new(Setting.Required("OIDC_SIGNER"), Setting.Required("OIDC_CLIENT_ID"), Setting.Required("OIDC_ISSUER")),
        Setting.RequiredUrl("OIDC_KEYS_URL"),
        RoleRules.Parse(Setting.Required("OIDC_ROLES")),
        ConnectRoutes.Parse(Setting.Optional("CONNECT_ROUTES")));

    private static QueueUrls Queue(string name) => new(Setting.RequiredQueueUrl($"{name}_QUEUE_URL"), Setting.RequiredQueueUrl($"{name}_DEAD_LETTERS_URL"));
}
