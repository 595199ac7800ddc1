using ControlPlane.Aws;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Aws;

/// <summary>What an operator's writes ask of what is there.</summary>
public class TenantAdministrationTests(LocalCloud cloud)
{
    private static readonly TenantId One = TenantId.Parse("tenant-1"), Two = TenantId.Parse("tenant-2");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_is_changed_of_a_tenant_that_is_not_there()
    {
        var (administration, registry, _) = await StartAsync();
        Assert.Equal(ChangeResult.NothingThere, await administration.RenameAsync(Two, "Other", Cancel));
        Assert.Equal(ChangeResult.NothingThere, await administration.LimitAsync(Two, new(MonthlyQuota: 1), Cancel));
        Assert.Equal(ChangeResult.NothingThere, await administration.LimitAsync(Two, new(LiftsGpuLimit: true), Cancel));
        Assert.Equal(ChangeResult.NothingThere, await administration.SuspendAsync(Two, Cancel));
        Assert.Equal(ChangeResult.NothingThere, await administration.RemoveAsync(Two, Cancel));
        Assert.Null(await registry.FindAsync(Two, Cancel));
    }

    [Fact]
    public async Task A_change_is_made_once_and_said_to_be_so_after_that()
    {
        var (administration, _, _) = await StartAsync();
        foreach (var changeAsync in new Func<Task<ChangeResult>>[]
        {
            () => administration.RenameAsync(One, "Other", Cancel),
            () => administration.LimitAsync(One, new(MonthlyGpuMs: 5), Cancel),
            () => administration.LimitAsync(One, new(LiftsGpuLimit: true), Cancel),
            () => administration.LimitAsync(One, new(Instances: 5, DeniesWhenSilent: true), Cancel),
            () => administration.SuspendAsync(One, Cancel),
            () => administration.ResumeAsync(One, Cancel),
            () => administration.RemoveAsync(One, Cancel),
        })
        {
            Assert.Equal(ChangeResult.Made, await changeAsync());
            Assert.Equal(ChangeResult.AlreadySo, await changeAsync());
        }
        Assert.Equal(ChangeResult.NothingThere, await administration.ResumeAsync(One, Cancel));
        Assert.Equal(ChangeResult.NothingThere, await administration.SuspendAsync(One, Cancel));
    }

    [Fact]
    public async Task What_is_another_tenants_stays_its()
    {
        var (administration, registry, _) = await StartAsync();
        Assert.True(await registry.TryLinkAsync(new(TeamId.Parse("T1"), One), Cancel));
        Assert.True(await registry.TryAddAsync(Key("k1", One), Cancel));

        Assert.False(await registry.TryLinkAsync(new(TeamId.Parse("T1"), Two), Cancel));
        Assert.False(await registry.TryAddAsync(Key("k1", Two), Cancel));
        Assert.Equal(ChangeResult.NothingThere, await administration.UnlinkAsync(new(TeamId.Parse("T1"), Two), Cancel));
        Assert.Equal(ChangeResult.NothingThere, await administration.RevokeAsync(Two, KeyIds.Of("k1"), Cancel));
        Assert.IsType<Registered.WorkspaceTaken>(await administration.RegisterAsync(TenantOf(Two), TeamId.Parse("T1"), Cancel));
        Assert.Null(await registry.FindAsync(Two, Cancel));
        Assert.Equal(One, await registry.OfSlackAsync(TeamId.Parse("T1"), Cancel));
        Assert.Null((await registry.FindKeyAsync(KeyIds.Of("k1"), Cancel))!.RevokedAt);
        Assert.Equal(ChangeResult.NothingThere, await administration.UnlinkAsync(new(TeamId.Parse("T2"), One), Cancel));
        Assert.Equal(ChangeResult.NothingThere, await administration.RevokeAsync(One, KeyIds.Of("k2"), Cancel));
        Assert.Null(await registry.FindKeyAsync(KeyIds.Of("k2"), Cancel));
    }

    [Fact]
    public async Task A_key_is_revoked_at_the_first_word_and_keeps_that_time()
    {
        var (administration, registry, clock) = await StartAsync();
        await registry.TryAddAsync(Key("k1", One), Cancel);
        Assert.Equal(ChangeResult.Made, await administration.RevokeAsync(One, KeyIds.Of("k1"), Cancel));
        var first = (await registry.FindKeyAsync(KeyIds.Of("k1"), Cancel))!.RevokedAt;
        clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(ChangeResult.AlreadySo, await administration.RevokeAsync(One, KeyIds.Of("k1"), Cancel));
        Assert.Equal(first, (await registry.FindKeyAsync(KeyIds.Of("k1"), Cancel))!.RevokedAt);
    }

    [Fact]
    public async Task A_tenant_is_registered_once_with_its_workspace_or_not_at_all()
    {
        var (administration, registry, clock) = await StartAsync();
        Assert.IsType<Registered.Before>(await administration.RegisterAsync(TenantOf(One) with { Name = "Thief" }, TeamId.Parse("T9"), Cancel));
        Assert.Equal(("Acme", null), ((await registry.FindAsync(One, Cancel))!.Name, await registry.OfSlackAsync(TeamId.Parse("T9"), Cancel)));

        await registry.TryLinkAsync(new(TeamId.Parse("T2"), Two), Cancel);
        Assert.IsType<Registered.Now>(await administration.RegisterAsync(TenantOf(Two), TeamId.Parse("T2"), Cancel));

        // A removed one keeps its number for as long as its data, a suspended one for ever.
        await administration.RemoveAsync(One, Cancel);
        await administration.SuspendAsync(Two, Cancel);
        clock.Advance(Tenant.Retention - TimeSpan.FromSeconds(1));
        Assert.IsType<Registered.Before>(await administration.RegisterAsync(TenantOf(One), null, Cancel));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.IsType<Registered.Before>(await administration.RegisterAsync(TenantOf(Two), null, Cancel));
        Assert.IsType<Registered.Now>(await administration.RegisterAsync(TenantOf(One), null, Cancel));
        Assert.Null((await registry.FindAsync(One, Cancel))!.RemovedAt);
    }

    private async Task<(TenantAdministration Administration, TenantRegistry Registry, Support.SetClock Clock)> StartAsync()
    {
        var tables = await cloud.TablesAsync();
        var clock = new Support.SetClock(new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));
        var registry = new TenantRegistry(tables.Client, tables.Tenants);
        Assert.True(await registry.TryRegisterAsync(TenantOf(One), Cancel));
        return (new(tables.Client, tables.Tenants, tables.Auditor, clock), registry, clock);
    }

    private static SidecarKey Key(string id, TenantId tenant) => new(KeyIds.Of(id), tenant, null, new byte[32], DateTimeOffset.UnixEpoch, null, null);

    private static Tenant TenantOf(TenantId id)
    {
        Assert.True(EngineAddress.TryParse($"10.{99 + id.Number}.128.10", id, allowPublicSubnet: false, out var engine));
        return new(id, "Acme", TenantStatus.Active, engine, false, TenantLimits.Default);
    }
}
