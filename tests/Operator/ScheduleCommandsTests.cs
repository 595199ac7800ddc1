using System.Text.Json;
using ControlPlane.Executions;
using ControlPlane.Schedules;
using ControlPlane.Tests.Cloud;
using ControlPlane.Timetables;

namespace ControlPlane.Tests.Operator;

/// <summary>Schedules as an operator makes and looks at them.</summary>
public sealed class ScheduleCommandsTests(LocalCloud cloud)
{
    private const string Add = "schedule add tenant-7 wf_sched '0 8 * * 1-5' --zone Europe/Berlin --param city=Paris";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_schedule_is_added_listed_and_shown_with_its_next_times()
    {
        await using var ctl = await StartAsync();
        var said = await ctl.DoAsync(Add);
        Assert.Contains("Next: Friday 6 November 2026, 08:00; Monday 9 November 2026, 08:00; Tuesday 10 November 2026, 08:00.", said.Output, StringComparison.Ordinal);

        var one = Assert.Single((await ctl.DoAsync("schedule list tenant-7 --output json")).Json.GetProperty("schedules").EnumerateArray());
        var id = one.GetProperty("schedule_id").GetString();
        var shown = (await ctl.DoAsync($"schedule show {id} --output json")).Json;
        Assert.Equal(
            ["2026-11-06T07:00:00.000Z", "2026-11-09T07:00:00.000Z", "2026-11-10T07:00:00.000Z", "2026-11-11T07:00:00.000Z", "2026-11-12T07:00:00.000Z"],
            shown.GetProperty("next").EnumerateArray().Select(time => time.GetString()));
        Assert.Equal(("0 8 * * 1-5", "Europe/Berlin", "skip", "schedule"), (
            Text(shown, "cron"), Text(shown, "zone"), Text(shown, "overlap"), Text(shown.GetProperty("owner"), "source")));
        Assert.StartsWith("local:", Text(shown.GetProperty("owner"), "caller"), StringComparison.Ordinal);
        Assert.DoesNotContain("Paris", shown.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_became_of_the_last_times_is_shown_with_how_they_ended()
    {
        await using var ctl = await StartAsync();
        var id = ScheduleId.Parse(Text((await ctl.DoAsync($"{Add} --output json")).Json.GetProperty("schedule"), "schedule_id")!);
        var schedules = new ControlPlane.Aws.ScheduleStore(ctl.Tables.Client, ctl.Tables.Executions, ctl.Clock);
        var schedule = (await schedules.FindAsync(id, Cancel))!;
        var planned = schedule.NextAt!.Value;
        ctl.Clock.Now = planned.AddMinutes(1);
        var decision = FiringRule.Decide(planned, Timetable.Parse(schedule.Cron, schedule.Zone).NextAfter, isBusy: false, ctl.Clock.Now);
        await schedules.SentAsync((await schedules.SettleAsync(schedule, decision, Cancel))!, Cancel);
        await ctl.DenyAsync(schedule.OrderOf(planned, ctl.Clock.Now));

        var last = Assert.Single((await ctl.DoAsync($"schedule show {id} --output json")).Json.GetProperty("last").EnumerateArray());
        Assert.Equal(("2026-11-06T07:00:00.000Z", "DENIED", ExecutionId.OfSchedule(id, planned).ToString()), (
            Text(last, "planned_at"), Text(last, "result"), Text(last, "execution_id")));
        Assert.Contains("by schedule", (await ctl.DoAsync("execution list tenant-7")).Output, StringComparison.Ordinal);
        Assert.Contains(id.ToString(), (await ctl.DoAsync($"execution show {ExecutionId.OfSchedule(id, planned)}")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pause_resume_and_remove_are_each_done_once()
    {
        await using var ctl = await StartAsync();
        var id = Text((await ctl.DoAsync($"{Add} --output json")).Json.GetProperty("schedule"), "schedule_id");
        Assert.Equal("unchanged", await ResultAsync("resume"));
        Assert.Equal(("paused", "unchanged"), (await ResultAsync("pause"), await ResultAsync("pause")));
        Assert.Contains("paused", (await ctl.DoAsync("schedule list tenant-7")).Output, StringComparison.Ordinal);
        Assert.Equal(("resumed", "unchanged"), (await ResultAsync("resume"), await ResultAsync("resume")));
        Assert.Equal("removed", await ResultAsync("remove"));
        (await ctl.SayAsync($"schedule remove {id}")).Refuses(1, "no schedule");
        Assert.Empty((await ctl.DoAsync("schedule list tenant-7 --output json")).Json.GetProperty("schedules").EnumerateArray());

        async Task<string?> ResultAsync(string verb) => Text((await ctl.DoAsync($"schedule {verb} {id} --output json")).Json, "result");
    }

    [Fact]
    public async Task The_same_key_is_the_same_schedule()
    {
        await using var ctl = await StartAsync();
        var first = (await ctl.DoAsync($"{Add} --idempotency-key k --output json")).Json;
        var second = (await ctl.DoAsync($"{Add} --idempotency-key k --output json")).Json;
        Assert.Equal(("added", "unchanged"), (Text(first, "result"), Text(second, "result")));
        Assert.Equal(first.GetProperty("schedule").GetRawText(), second.GetProperty("schedule").GetRawText());
        Assert.Single((await ctl.DoAsync("schedule list tenant-7 --output json")).Json.GetProperty("schedules").EnumerateArray());
    }

    [Theory]
    [InlineData("--tell C0001", "C0001", null)]
    [InlineData("--tell T0007/U0001", null, "U0001")]
    public async Task Whom_it_tells_is_found_in_the_tenants_workspace(string tell, string? channel, string? user)
    {
        await using var ctl = await StartAsync();
        var owner = (await ctl.DoAsync($"{Add} {tell} --output json")).Json.GetProperty("schedule").GetProperty("owner");
        Assert.Equal(("T0007", channel, user), (Text(owner, "team_id"), Text(owner, "channel_id"), Text(owner, "user_id")));
    }

    [Theory]
    [InlineData("schedule add tenant-9 wf_sched '0 8 * * *'", 1, "tenant-9 is not registered")]
    [InlineData("schedule add tenant-7 wf_sched '0 8 * * *'", 1, "city is missing")]
    [InlineData("schedule add tenant-7 wf_sched '0 8 * * * *' --param city=Paris", 1, "five fields")]
    [InlineData("schedule add tenant-7 wf_sched '0 8 * * *' --zone Nowhere --param city=Paris", 1, "no time zone Nowhere")]
    [InlineData("schedule add tenant-7 wf_sched '0 8 * * *' --param city=Paris --tell T0009/C1", 1, "T0009 does not speak for tenant-7")]
    [InlineData("schedule add tenant-7 wf_sched '0 8 * * *' --param city=Paris --tell general", 1, "no channel and no user")]
    [InlineData("schedule show sch_0123456789abcdef0123456789abcdef", 1, "no schedule")]
    [InlineData("schedule pause sch_1", 2, "no schedule")]
    public async Task What_cannot_be_scheduled_is_said(string line, int exit, string words)
    {
        await using var ctl = await StartAsync();
        (await ctl.SayAsync(line)).Refuses(exit, words);
    }

    private async Task<OperatorFixture> StartAsync()
    {
        var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        await ctl.DoAsync("workflow publish tenant-7 wf_sched --param city:string:required");
        return ctl;
    }

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? value.GetString() : null;
}
