using Amazon.DynamoDBv2.Model;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Slack;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Aws;

/// <summary>Who may post to a requester's address, how often and when: the table says so, whatever whoever asks had read.</summary>
public sealed class ReplyStoreTests(LocalCloud cloud)
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_address_is_its_tenants()
    {
        var (world, store, id) = await StartAsync();
        Assert.Equal(new ReplyClaim.Impossible("too old", WasTried: false), await store.ClaimAsync(id, StoreFixture.Neighbour, Lease, Cancel));
        Assert.Equal(0, await UsesAsync(store, id));
        Assert.IsType<ReplyClaim.Claimed>(await store.ClaimAsync(id, StoreFixture.Tenant, Lease, Cancel));
        Assert.IsType<ProgressClaim.Claimed>(await store.ClaimProgressAsync(id, StoreFixture.Tenant, Cancel));
        world.Clock.Advance(Progress.Apart);
        Assert.IsType<ProgressClaim.NotYet>(await store.ClaimProgressAsync(id, StoreFixture.Neighbour, Cancel));
        Assert.IsType<ProgressClaim.Claimed>(await store.ClaimProgressAsync(id, StoreFixture.Tenant, Cancel));
    }

    [Fact]
    public async Task Where_there_is_no_address_nothing_is_used()
    {
        var (_, store, id) = await StartAsync(hasAddress: false);
        Assert.Equal(new ReplyClaim.Impossible("no address", WasTried: false), await store.ClaimAsync(id, StoreFixture.Tenant, Lease, Cancel));
        Assert.Equal(0, await UsesAsync(store, id));
    }

    [Fact]
    public async Task One_posts_at_a_time_and_five_times_in_all()
    {
        var (world, store, id) = await StartAsync();
        for (var use = 1; use <= Reply.MostUses; use++)
        {
            Assert.Equal(use, Assert.IsType<ReplyClaim.Claimed>(await store.ClaimAsync(id, StoreFixture.Tenant, Lease, Cancel)).Reply.Uses);
            world.Clock.Advance(Lease - TimeSpan.FromMilliseconds(1));
            Assert.True(await store.ClaimAsync(id, StoreFixture.Tenant, Lease, Cancel) is ReplyClaim.NotYet or ReplyClaim.Impossible);
            world.Clock.Advance(TimeSpan.FromMilliseconds(1));
        }
        Assert.Equal(new ReplyClaim.Impossible("used up", WasTried: true), await store.ClaimAsync(id, StoreFixture.Tenant, Lease, Cancel));
        Assert.Equal(Reply.MostUses, await UsesAsync(store, id));
    }

    [Theory]
    [InlineData(0, true), InlineData(1, false)]
    public async Task An_address_lives_for_half_an_hour(int seconds, bool isClaimed)
    {
        var (world, store, id) = await StartAsync();
        world.Clock.Advance(Reply.Lifetime - TimeSpan.FromSeconds(1 - seconds));
        var claim = await store.ClaimAsync(id, StoreFixture.Tenant, Lease, Cancel);
        Assert.Equal(isClaimed, claim is ReplyClaim.Claimed);
        if (!isClaimed)
            Assert.Equal(new ReplyClaim.Impossible("too old", WasTried: false), claim);
    }

    [Fact]
    public async Task The_next_use_at_once_is_for_whoever_holds_the_last_one_and_within_the_five()
    {
        var (world, store, id) = await StartAsync();
        var first = Assert.IsType<ReplyClaim.Claimed>(await store.ClaimAsync(id, StoreFixture.Tenant, Lease, Cancel)).Reply;
        world.Clock.Advance(Lease);
        var held = Assert.IsType<ReplyClaim.Claimed>(await store.ClaimAsync(id, StoreFixture.Tenant, Lease, Cancel)).Reply;
        Assert.Null(await store.ClaimAgainAsync(first, Lease, Cancel));

        for (var use = 3; use <= Reply.MostUses; use++)
        {
            held = (await store.ClaimAgainAsync(held, Lease, Cancel))!;
            Assert.Equal(use, held.Uses);
        }
        Assert.Null(await store.ClaimAgainAsync(held, Lease, Cancel));
        Assert.Equal(Reply.MostUses, await UsesAsync(store, id));
    }

    [Fact]
    public async Task The_bot_tries_five_times_one_after_the_other_for_its_tenant_alone()
    {
        var (world, store, _) = await StartAsync();
        var ended = world.New();
        for (var tries = 1; tries <= BotClaim.MostTries; tries++)
        {
            Assert.Equal(new BotClaim.Claimed(tries), await store.ClaimByBotAsync(ended, Lease, Cancel));
            if (tries < BotClaim.MostTries)
            {
                Assert.Equal(new BotClaim.NotYet(), await store.ClaimByBotAsync(ended, Lease, Cancel));
                world.Clock.Advance(Lease);
                Assert.Equal(new BotClaim.NotYet(), await store.ClaimByBotAsync(ended with { Tenant = StoreFixture.Neighbour }, Lease, Cancel));
            }
        }
        world.Clock.Advance(Lease);
        Assert.Equal(new BotClaim.UsedUp(), await store.ClaimByBotAsync(ended, Lease, Cancel));
    }

    [Fact]
    public async Task Progress_is_told_a_minute_apart()
    {
        var (world, store, id) = await StartAsync();
        Assert.IsType<ProgressClaim.Claimed>(await store.ClaimProgressAsync(id, StoreFixture.Tenant, Cancel));
        world.Clock.Advance(Progress.Apart - TimeSpan.FromMilliseconds(1));
        Assert.IsType<ProgressClaim.NotYet>(await store.ClaimProgressAsync(id, StoreFixture.Tenant, Cancel));
        world.Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.IsType<ProgressClaim.Claimed>(await store.ClaimProgressAsync(id, StoreFixture.Tenant, Cancel));
    }

    [Fact]
    public async Task Nothing_is_put_off_or_kept_of_what_is_gone()
    {
        var world = await StoreFixture.StartAsync(cloud);
        var (store, id) = (new ReplyStore(world.Tables.Client, world.Tables.Executions, world.Clock), world.New().Id);
        foreach (var writeAsync in new Func<Task>[]
        {
            () => store.PutOffAsync(id, Lease, Cancel), () => store.PutOffBotAsync(world.New(), Lease, Cancel),
            () => store.PutOffProgressAsync(id, Lease, Cancel), () => store.PutOffApprovalAsync(id, Lease, Cancel),
            () => store.KeepProgressAsync(id, new("C1", "1.2"), Cancel), () => store.KeepApprovalAsync(id, new("C1", "1.2"), Cancel),
        })
            await Assert.ThrowsAsync<ConditionalCheckFailedException>(writeAsync);
        Assert.Empty((await world.Tables.Client.ScanAsync(new ScanRequest(world.Tables.Executions), Cancel)).Items);
    }

    private async Task<(StoreFixture World, ReplyStore Store, ExecutionId Id)> StartAsync(bool hasAddress = true)
    {
        var world = await StoreFixture.StartAsync(cloud);
        var store = new ReplyStore(world.Tables.Client, world.Tables.Executions, world.Clock);
        var id = world.New().Id;
        await store.NoteAsync(new(id, StoreFixture.Tenant, hasAddress ? [1] : null, 0, world.Now, world.Now + Reply.Lifetime), Cancel);
        return (world, store, id);
    }

    private static async Task<int> UsesAsync(ReplyStore store, ExecutionId id) => (await store.FindAsync(id, Cancel))!.Uses;
}
