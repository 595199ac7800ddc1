using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Operator;

public sealed class MeteringCommandTests(LocalCloud cloud)
{
    [Fact]
    public async Task Samples_are_listed_by_time_with_what_is_missing_before_each()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        var start = ctl.Clock.Now.AddMinutes(-30);
        await ctl.SampleAsync(start, 1000, 5, new(7_500, 0));                               // what was before it, the list does not know
        await ctl.SampleAsync(start.AddSeconds(1), 2000, 1, new(1_000, 0), instance: "i-2");
        await ctl.SampleAsync(start.AddMinutes(1), 1000, 6, new(15_000, 0));
        await ctl.SampleAsync(start.AddMinutes(4), 1000, 9, new(37_500, 60_000));
        await ctl.SampleAsync(start.AddMinutes(5), 5000, 1, new(500, 0));
        await ctl.SampleAsync(start.AddMinutes(9), 9000, 3, new(500, 0));
        await ctl.SampleAsync(start.AddMinutes(10), 9000, 2, new(400, 0));                  // its clock was set back
        await ctl.SampleAsync(start.AddMinutes(11), 9000, 4, new(600, 0));
        await ctl.SampleAsync(start, 1000, 1, new(1, 1), tenant: TenantId.Parse("tenant-8"));

        var samples = (await ctl.DoAsync("metering tenant-7 --output json")).Json.GetProperty("samples").EnumerateArray().ToList();
        Assert.Equal(
            [("i-1", 5, false, null), ("i-2", 1, false, null), ("i-1", 6, false, 0), ("i-1", 9, false, 2), ("i-1", 1, true, 0), ("i-1", 3, true, 2),
                ("i-1", 2, false, null), ("i-1", 4, false, 0)],
            samples.Select(one => (
                one.GetProperty("instance").GetString()!, one.GetProperty("counter").GetInt32(), one.GetProperty("restarted").GetBoolean(),
                one.GetProperty("gap") is { ValueKind: System.Text.Json.JsonValueKind.Number } gap ? gap.GetInt32() : (int?)null)));

        var lines = (await ctl.DoAsync("metering tenant-7")).Output.TrimEnd('\n').Split('\n');
        Assert.Equal(9, lines.Length);
        Assert.Matches(@"^2026-11-05T09:34:00Z +i-1 +1000 +9 +37s +1m +2 missing *$", lines[4]);
        Assert.Matches("restarted *$", lines[5]);
        Assert.Matches("restarted, 2 missing *$", lines[6]);
    }

    [Theory]
    [InlineData("", 1)]
    [InlineData("--since 61m", 2)]
    [InlineData("--since 719h59m59s", 3)]
    [InlineData("--since 720h", 3)]                          // one more is there and has expired
    public async Task An_hour_is_shown_or_as_far_back_as_was_said(string since, int shown)
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        foreach (var age in new[] { TimeSpan.FromMinutes(60), TimeSpan.FromMinutes(61), TimeSpan.FromDays(30) - TimeSpan.FromSeconds(1),
            TimeSpan.FromDays(30) })
            await ctl.SampleAsync(ctl.Clock.Now - age, 1000, (long)age.TotalSeconds, new(1, 0));

        Assert.Equal(shown, (await ctl.DoAsync($"metering tenant-7 {since} --output json")).Json.GetProperty("samples").GetArrayLength());
    }

    [Theory]
    [InlineData("0s"), InlineData("721h"), InlineData("yesterday"), InlineData("-1h")]
    public async Task A_time_that_samples_are_not_kept_for_is_refused(string since)
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        (await ctl.SayAsync($"metering tenant-7 --since {since}")).Refuses(2, since, "720h at most");
    }

    [Fact]
    public async Task A_tenant_whose_sidecars_are_silent_has_none()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        Assert.Equal("none", (await ctl.DoAsync("metering tenant-7")).Output.Trim());
    }
}
