using ControlPlane.Executions;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Operator;

/// <summary>Usage month by month, and for spreadsheets.</summary>
public sealed class UsageHistoryTests(LocalCloud cloud)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Usage_is_shown_month_by_month_over_a_years_end()
    {
        await using var ctl = await StartAsync();
        var months = (await ctl.DoAsync("usage tenant-7 --history 12 --output json")).Json.GetProperty("months").EnumerateArray().ToList();
        Assert.Equal(12, months.Count);
        Assert.Equal(["2026-11", "2026-10", "2025-12"], new[] { 0, 1, 11 }.Select(i => months[i].GetProperty("month").GetString()));
        Assert.Equal([1, 0, 2], new[] { 0, 1, 2 }.Select(i => months[i].GetProperty("usage")[0].GetProperty("used").GetInt64()));
        Assert.Contains("2026-09", (await ctl.DoAsync("usage tenant-7 --history 3")).Output, StringComparison.Ordinal);
        (await ctl.SayAsync("usage tenant-7 --history 37")).Refuses(2, "1 to 36");
    }

    [Fact]
    public async Task Rows_for_a_spreadsheet_are_plain_numbers_under_names()
    {
        await using var ctl = await StartAsync();
        Assert.Equal(
            "month,tenant,used,reserved,cpu_ms,gpu_ms,reported_cpu_ms,reported_gpu_ms,input_tokens,output_tokens\n"
                + "2026-11,tenant-7,1,0,0,0,1200,0,3,4\n2026-10,tenant-7,0,0,0,0,0,0,0,0\n2026-09,tenant-7,2,0,0,0,2400,0,6,8\n",
            (await ctl.DoAsync("usage tenant-7 --history 3 --output csv")).Output);
        Assert.Equal(2, (await ctl.DoAsync("usage --output csv")).Output.TrimEnd('\n').Split('\n').Length);
        (await ctl.SayAsync("tenant list --output csv")).Refuses(2, "csv is for rows of numbers");
        (await ctl.SayAsync("tenant suspend tenant-7 --output csv")).Refuses(2, "csv is for rows of numbers");
        Assert.Equal("active", (await ctl.DoAsync("tenant show tenant-7 --output json")).Json.GetProperty("tenant").GetProperty("status").GetString());
    }

    [Fact]
    public void A_field_with_a_comma_or_a_quote_is_quoted() => Assert.Equal(
        "a,b\n\"x,\"\"y\"\"\",\n", new ControlPlane.Operator.Output.Rows(["a", "b"], [["x,\"y\"", null]]).ToCsv());

    /// <summary>Two runs in September, one in November.</summary>
    private async Task<OperatorFixture> StartAsync()
    {
        var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        foreach (var (trigger, month) in new[] { ("t1", 9), ("t2", 9), ("t3", 11) })
        {
            ctl.Clock.Now = new(2026, month, 5, 10, 0, 0, TimeSpan.Zero);
            var execution = await ctl.QueueExecutionAsync(trigger);
            await ctl.Executions.FinishAsync(execution, new(OutcomeStatus.Succeeded, null, null, null, new(1200, 0, 3, 4), null, null), "00", Cancel);
        }
        return ctl;
    }
}
