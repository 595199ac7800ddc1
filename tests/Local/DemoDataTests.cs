using ControlPlane.Aws;
using ControlPlane.Local.DataPlane;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Local;

public sealed class DemoDataTests(LocalCloud cloud)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_first_start_that_was_cut_short_is_made_up_for_by_the_next()
    {
        var cuts = await CrashPoints.ForEachAsync(async (seam, name) =>
        {
            var tables = await cloud.TablesAsync();
            await Record.ExceptionAsync(() => DemoData.WriteAsync(new(seam.DynamoDb(tables.Endpoint), tables.Tenants), TimeProvider.System, Cancel));

            var registry = new TenantRegistry(tables.Client, tables.Tenants);
            await DemoData.WriteAsync(registry, TimeProvider.System, Cancel);
            Assert.True(await registry.CatalogueAsync(DemoData.Tenant, Cancel) is { Workflows: [var workflow] } && workflow.Name == DemoData.Workflow, name);
            Assert.Equal(DemoData.Tenant, await registry.OfSlackAsync(TeamId.Parse(DemoData.Workspace), Cancel));
            Assert.NotNull(await registry.FindKeyAsync(DemoData.SidecarKeyId, Cancel));
        }, [Fault.StopBefore, Fault.StopAfter]);
        Assert.Equal(2 * 5, cuts);
    }
}
