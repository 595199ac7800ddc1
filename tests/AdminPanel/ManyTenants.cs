using System.Globalization;
using ControlPlane.Audit;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.AdminPanel;

/// <summary>A hub at its fullest: every tenant that there can be, with ten thousand executions of the last hours.</summary>
public sealed class ManyTenants(LocalCloud cloud) : IAsyncLifetime
{
    public const int Count = 10_000;

    internal static readonly IReadOnlyList<TenantId> Tenants =
        [.. Enumerable.Range(1, 156).Select(n => TenantId.Parse(string.Create(CultureInfo.InvariantCulture, $"tenant-{n}")))];

    internal PanelFixture Panel { get; private set; } = null!;

    /// <summary>In the order of the list.</summary>
    internal IReadOnlyList<Execution> Executions { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        Panel = await PanelFixture.StartEmptyAsync(cloud);
        foreach (var tenant in Tenants)
            await Panel.RegisterAsync(tenant, $"Tenant number {tenant.Number} of a name as long as names are");
        // Four of every fourth second, each of another tenant.
        Executions =
        [
            .. Enumerable.Range(0, Count).Select(i => PanelFixture.Execution(
                    ExecutionId.Of("T0007", $"{i}"), Tenants[i * 7 % Tenants.Count], ExecutionStates.All[i % ExecutionStates.All.Count],
                    Panel.Now.AddSeconds(-(i / 4) * 4), i % 5 == 0 ? "forecast" : "report", user: $"U{i % 50}"))
                .OrderByDescending(one => one.CreatedAt).ThenBy(one => $"{one.Id}", StringComparer.Ordinal),
        ];
        await Panel.SeedAsync(Executions);
        var records = Enumerable.Range(0, 150).Select(i => new Amazon.DynamoDBv2.Model.WriteRequest
        {
            PutRequest = new()
            {
                Item = AuditTrail.Of(new(
                    Panel.Now.AddSeconds(-i), Guid.NewGuid().ToString("N")[..12], Actor.Parse("oidc:jane"), "jane@example.com", "tenant.limits", Tenants[i], $"{Tenants[i]}",
                    [new("monthly_quota", "1000", $"{i}"), new("concurrency", "10", $"{i}")], $"request-{i}")),
            },
        });
        foreach (var some in records.Chunk(25))
            await Panel.Tables.Client.BatchWriteItemAsync(
                new Dictionary<string, List<Amazon.DynamoDBv2.Model.WriteRequest>> { [Panel.Tables.Audit] = [.. some] }, TestContext.Current.CancellationToken);
        await Panel.CountAsync();
    }

    public ValueTask DisposeAsync() => Panel.DisposeAsync();
}
