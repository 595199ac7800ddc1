using ControlPlane.Audit;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.AdminPanel;

/// <summary>The panel of a hub at its fullest.</summary>
public sealed class ManyTenants(LocalCloud cloud) : IAsyncLifetime
{
    public const int Count = FullHub.Count;

    internal static IReadOnlyList<TenantId> Tenants => FullHub.Tenants;

    internal PanelFixture Panel { get; private set; } = null!;

    /// <summary>In the order of the list.</summary>
    internal IReadOnlyList<Execution> Executions { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        var cancel = TestContext.Current.CancellationToken;
        Panel = await PanelFixture.StartEmptyAsync(cloud);
        var tables = Panel.Tables;
        Executions = await FullHub.WriteAsync(tables.Client, tables.Tenants, tables.Executions, tables.Instances, Panel.Now, cancel);
        await FullHub.WriteAsync(tables.Client, tables.Audit, Enumerable.Range(0, 150).Select(i => AuditTrail.Of(new(
            Panel.Now.AddSeconds(-i), Guid.NewGuid().ToString("N")[..12], Actor.Parse("oidc:jane"), "jane@example.com", "tenant.limits", Tenants[i], $"{Tenants[i]}",
            [new("monthly_quota", "1000", $"{i}"), new("concurrency", "10", $"{i}")], $"request-{i}"))), cancel);
        await Panel.CountAsync();
    }

    public ValueTask DisposeAsync() => Panel.DisposeAsync();
}
