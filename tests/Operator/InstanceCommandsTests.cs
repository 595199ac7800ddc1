using ControlPlane.Metering;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Operator;

public sealed class InstanceCommandsTests(LocalCloud cloud)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Instances_are_listed_and_shown_with_their_state_and_the_months_usage()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        await BeatAsync(ctl, "i-1", counter: 7, new(7_000, 0));
        ctl.Clock.Advance(TimeSpan.FromSeconds(181));
        await BeatAsync(ctl, "i-2", counter: 1, new(0, 0));

        var listed = (await ctl.DoAsync("instance list tenant-7")).Output;
        Assert.Matches(@"i-1 +OFFLINE +2026-11-05T10:00:00Z +\d+ +7 +7s", listed);
        Assert.Matches(@"i-2 +HEALTHY", listed);
        Assert.Contains("2 of at most 200.", listed, StringComparison.Ordinal);
        Assert.Contains("OFFLINE", (await ctl.DoAsync("instance show tenant-7 i-1")).Output, StringComparison.Ordinal);
        (await ctl.SayAsync("instance show tenant-7 i-3")).Refuses(1, "no instance i-3", "./ctl instance list tenant-7");
        (await ctl.SayAsync("instance show tenant-7 i_3")).Refuses(2, "no instance's name");
        (await ctl.SayAsync("instance list tenant-8")).Refuses(1, "tenant-8");
    }

    [Fact]
    public async Task Counting_that_begins_anew_takes_the_next_sample_and_says_so_until_then()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        await BeatAsync(ctl, "i-1", counter: 900, new(9_000, 0));
        Assert.IsType<Booking.Replayed>(await BeatAsync(ctl, "i-1", counter: 3, new(700, 0)));

        (await ctl.SayAsync("instance reset tenant-7 i-2")).Refuses(1, "no instance i-2");
        Assert.Contains("begins anew", (await ctl.DoAsync("instance reset tenant-7 i-1")).Output, StringComparison.Ordinal);

        ctl.Clock.Advance(TimeSpan.FromSeconds(60));
        Assert.IsType<Booking.Booked>(await BeatAsync(ctl, "i-1", counter: 4, new(750, 0)));
        Assert.Matches("i-1 +HEALTHY .* 4 +9s", (await ctl.DoAsync("instance list tenant-7")).Output);
    }

    private static Task<Booking> BeatAsync(OperatorFixture ctl, string instance, long counter, ComputeTime totals) =>
        ctl.BeatAsync(counter, totals, instance, epoch: 1_793_000_000);
}
