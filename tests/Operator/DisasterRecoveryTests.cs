using ControlPlane.Aws;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Operator;

/// <summary>Two regions over one set of tables: a copy that is always up to date. Where copies lag, the second has tables of its own.</summary>
public sealed class DisasterRecoveryTests(LocalCloud cloud)
{
    private const string East = "us-east-1", West = "us-west-2";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_second_region_takes_over_and_gives_back_and_every_step_may_be_said_again()
    {
        await using var pair = await Pair.StartAsync(cloud);
        Assert.Equal((East, "settled", "Nothing is to do."), Of(await pair.StatusAsync()));

        var planned = await pair.DoAsync("dr failover --plan");
        Assert.Equal(["to be seen", "to do", "to be seen", "to do", "to do"], Results(planned));
        Assert.Equal((East, "settled", "Nothing is to do."), Of(await pair.StatusAsync()));         // a look changes nothing

        var done = Results(await pair.DoAsync("dr failover"));
        Assert.StartsWith("within ", done[0], StringComparison.Ordinal);
        Assert.Equal(["done", "done", "was so", "they agree"], done[1..]);
        Assert.Equal((West, "settled", "Back when it is well: ./ctl dr failback --plan."), Of(await pair.StatusAsync()));
        Assert.Equal(West, await pair.East.OwnerAsync());
        Assert.Equal(["was so", "done", "was so", "they agree"], Results(await pair.DoAsync("dr failover")).Skip(1));
        Assert.Equal("is so", Results(await pair.DoAsync("dr failover --plan"))[3]);

        await pair.DoAsync("dr failback");
        Assert.Equal((East, "settled", "Nothing is to do."), Of(await pair.StatusAsync()));
        Assert.Equal(East, await pair.East.OwnerAsync());
    }

    [Fact]
    public async Task A_region_that_is_gone_is_passed_over_only_when_the_operator_says_so()
    {
        await using var pair = await Pair.StartAsync(cloud);
        pair.East.Stop();
        (await pair.SayAsync("dr failover")).Refuses(1, "us-east-1 does not answer", "--lost");
        Assert.Equal(East, await pair.West.OwnerAsync());
        var status = await pair.StatusAsync();
        Assert.False(string.IsNullOrEmpty(status.GetProperty("regions")[0].GetProperty("fault").GetString()));

        Assert.Equal(
            ["left out: --lost", "left out: it does not answer", "left out: --lost", "done", "they agree"], Results(await pair.DoAsync("dr failover --lost")));
        Assert.Equal(West, await pair.West.OwnerAsync());
        (await pair.SayAsync("dr failback")).Refuses(1, "us-east-1 cannot take over");

        pair.East.Start();
        await pair.DoAsync("dr failback");
        Assert.Equal(East, await pair.West.OwnerAsync());
    }

    /// <summary>What the standby writes does not arrive: the primary must not begin, and the standby may go on.</summary>
    [Fact]
    public async Task Nothing_goes_over_while_copies_do_not_arrive()
    {
        await using var pair = await Pair.StartAsync(cloud, isCopied: false);
        (await pair.SayAsync("dr failover --wait 1s")).Refuses(1, "Nothing was changed", "does not reach us-west-2 within 1 s");
        Assert.Equal(East, await pair.East.OwnerAsync());

        // Said to be lost, though it answers: it is told to stop all the same.
        await pair.DoAsync("dr failover --lost");
        Assert.Equal(West, await pair.East.OwnerAsync());
        (await pair.SayAsync("dr failback --wait 1s")).Refuses(1, "Nothing was changed", "does not reach us-east-1");
        Assert.Equal(West, await pair.East.OwnerAsync());
    }

    [Fact]
    public async Task A_takeover_that_was_interrupted_shows_and_goes_on()
    {
        await using var pair = await Pair.StartAsync(cloud);
        await new ActiveRegion(pair.East.Client, pair.East.Fixture.Tables.Quotas, East)
            .SetAsync(West, pair.East.Fixture.Tables.Auditor, pair.East.Fixture.Clock.Now, Cancel);
        var (active, state, next) = Of(await pair.StatusAsync());
        Assert.Equal((null, "between"), (active, state));
        Assert.Contains("run it again", next, StringComparison.Ordinal);

        await pair.DoAsync("dr failover");
        Assert.Equal(West, await pair.East.OwnerAsync());
        Assert.Equal((West, "settled"), (Of(await pair.StatusAsync()).Active, Of(await pair.StatusAsync()).State));
    }

    [Fact]
    public async Task A_ledger_that_lost_something_on_the_way_is_counted_from_the_executions()
    {
        await using var pair = await Pair.StartAsync(cloud);
        await pair.East.Client.DeleteItemAsync(
            pair.East.Fixture.Tables.Quotas, new() { ["pk"] = new() { S = "tenant-7" }, ["sk"] = new() { S = "MONTH#2026-11" } }, Cancel);

        Assert.Equal("1 put right", Results(await pair.DoAsync("dr failover"))[^1]);
        Assert.Equal(
            1, (await new QuotaLedger(pair.East.Client, pair.East.Fixture.Tables.Quotas).MonthAsync(OperatorFixture.Seven, new(2026, 11), Cancel)).Charged);
    }

    private static (string? Active, string? State, string Next) Of(System.Text.Json.JsonElement status) => (
        status.TryGetProperty("active", out var active) ? active.GetString() : null, status.GetProperty("state").GetString(),
        status.GetProperty("next").GetString()!);

    private static List<string> Results(System.Text.Json.JsonElement takeover) =>
        [.. takeover.GetProperty("steps").EnumerateArray().Select(step => step.GetProperty("result").GetString()!)];

    /// <summary>A hub in the east with an execution of tenant-7 under way, and one in the west.</summary>
    private sealed class Pair(OperatorFixture fixture, Region east, Region west, OperatorFixture? other) : IAsyncDisposable
    {
        public Region East => east;

        public Region West => west;

        public static async Task<Pair> StartAsync(LocalCloud cloud, bool isCopied = true)
        {
            var first = await OperatorFixture.StartAsync(cloud);
            await first.RegisterAsync();
            await first.QueueExecutionAsync();
            var second = isCopied ? null : await OperatorFixture.StartAsync(cloud);
            if (second is not null)
                await second.RegisterAsync();
            return new(first, new(first, DisasterRecoveryTests.East), new(second ?? first, DisasterRecoveryTests.West), second);
        }

        public Task<Said> SayAsync(string line) => OperatorFixture.SayAsync(
            fixture.Clock, [.. line.Split(' '), "--state", east.Folder, "--standby-state", west.Folder]);

        public async Task<System.Text.Json.JsonElement> DoAsync(string line)
        {
            var said = await SayAsync($"{line} --output json");
            Assert.True(said.Exit == 0, $"{line}: {said.Error}");
            return said.Json;
        }

        public async Task<System.Text.Json.JsonElement> StatusAsync() => await DoAsync("dr status");

        public async ValueTask DisposeAsync()
        {
            east.Dispose();
            west.Dispose();
            await fixture.DisposeAsync();
            if (other is not null)
                await other.DisposeAsync();
        }
    }
}
