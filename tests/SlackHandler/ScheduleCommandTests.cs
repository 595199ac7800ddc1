using System.Text.Json;
using System.Text.Json.Nodes;
using Amazon.Lambda.SQSEvents;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Schedules;
using ControlPlane.Tenants;

namespace ControlPlane.Tests.SlackHandler;

/// <summary>Schedules that people make in Slack, and how what they run is told.</summary>
public sealed class ScheduleCommandTests(SlackFixture world) : IClassFixture<SlackFixture>
{
    private ScheduleStore Store => new(world.Tables.Client, world.Tables.Executions, world.Clock);

    [Theory]
    [InlineData("schedule wf_sched \"0 8 * * 1-5\" in Europe/Berlin city=Paris")]
    [InlineData("schedule wf_sched “0 8 * * 1-5” in europe/berlin city=Paris")]        // a phone's quotes and case
    [InlineData("schedule wf_sched 0 8 * * 1-5 in Europe/Berlin city=Paris")]          // none
    public async Task A_schedule_is_confirmed_with_its_next_three_times_in_words(string text)
    {
        var workspace = await world.NewWorkspaceAsync();
        await world.InstallAsync(workspace.TeamId, workspace.Tenant);
        world.Clock.Now = new(2026, 11, 27, 20, 0, 0, TimeSpan.Zero);

        var said = (await workspace.TypeAsync(text)).Text;

        Assert.Contains("*wf_sched* with `city=Paris` runs at `0 8 * * 1-5` in Europe/Berlin.", said, StringComparison.Ordinal);
        Assert.Contains("Next: Monday 30 November 2026, 08:00; Tuesday 1 December 2026, 08:00; Wednesday 2 December 2026, 08:00.", said, StringComparison.Ordinal);
        Assert.Contains("come to you as direct messages", said, StringComparison.Ordinal);
        var schedule = Assert.Single(await Store.OfTenantAsync(workspace.Tenant, SlackFixture.Cancel));
        Assert.Equal(("0 8 * * 1-5", "Europe/Berlin", """{"city":"Paris"}""", false), (
            schedule.Cron, schedule.Zone, schedule.Inputs.GetRawText(), schedule.IsPublic));
        Assert.Equal((null, UserId.Parse("U1"), ChannelId.Parse("C1")), (schedule.Owner.Caller, schedule.Owner.UserId, schedule.Owner.ChannelId));
        Assert.Contains($"unschedule {schedule.Id.Short}", said, StringComparison.Ordinal);
        Assert.Contains(schedule.Id.Short, (await workspace.TypeAsync("schedule")).Text, StringComparison.Ordinal);

        world.Clock.Advance(TimeSpan.FromSeconds(1));
        await workspace.TypeAsync($"unschedule {schedule.Id.Short}");
        var actor = $"slack:{workspace.TeamId}/U1";
        Assert.Equal([("schedule.add", actor), ("schedule.remove", actor)], await world.RecordsAsync(workspace.Tenant));
    }

    [Theory]
    [InlineData("schedule wf_sched", "That is written")]
    [InlineData("schedule nothing \"0 8 * * *\"", "There is no workflow nothing. Nothing was scheduled.")]
    [InlineData("schedule wf_sched \"0 8 * * *\"", "city is missing")]
    [InlineData("schedule wf_sched \"0 8 * *\" city=Paris", "five fields")]
    [InlineData("schedule wf_sched \"0 26 * * *\" city=Paris", "26 is no hour")]
    [InlineData("schedule wf_sched \"0 8 * * *\" in Moon/Base city=Paris", "no time zone Moon/Base")]
    [InlineData("schedule payroll \"0 8 * * *\"", "You may not run payroll. Nothing was scheduled.")]
    [InlineData("schedule deploy \"0 8 * * *\"", "may not be run from this channel. Nothing was scheduled.")]
    public async Task What_cannot_be_scheduled_is_said(string text, string words)
    {
        var workspace = await world.NewWorkspaceAsync();
        Assert.Contains(words, (await workspace.TypeAsync(text)).Text, StringComparison.Ordinal);
        Assert.Empty(await Store.OfTenantAsync(workspace.Tenant, SlackFixture.Cancel));
        Assert.Contains("Nothing is scheduled", (await workspace.TypeAsync("schedule")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_request_again_is_the_same_schedule()
    {
        var workspace = await world.NewWorkspaceAsync();
        var form = workspace.Form("schedule report \"0 8 * * *\"");
        var (first, second) = ((await workspace.SendAsync(form)).Text, (await workspace.SendAsync(form)).Text);
        Assert.Equal(first, second);
        Assert.Contains("in UTC, since no time zone was said", first, StringComparison.Ordinal);
        Assert.Contains("can't be told", first, StringComparison.Ordinal);      // there is no bot
        Assert.Single(await Store.OfTenantAsync(workspace.Tenant, SlackFixture.Cancel));
    }

    [Fact]
    public async Task Whoever_may_run_the_workflow_ends_its_schedule_and_nobody_else_sees_it()
    {
        var workspace = await world.NewWorkspaceAsync();
        await workspace.TypeAsync("schedule payroll \"0 8 * * *\"", user: "UFIN");
        var schedule = Assert.Single(await Store.OfTenantAsync(workspace.Tenant, SlackFixture.Cancel));

        Assert.Contains("Nothing is scheduled", (await workspace.TypeAsync("schedule")).Text, StringComparison.Ordinal);
        Assert.Contains("no such schedule", (await workspace.TypeAsync($"unschedule {schedule.Id.Short}")).Text, StringComparison.Ordinal);
        Assert.Contains("no such schedule", (await workspace.TypeAsync("unschedule 12", user: "UFIN")).Text, StringComparison.Ordinal);
        Assert.NotNull(await Store.FindAsync(schedule.Id, SlackFixture.Cancel));

        Assert.Contains("no longer runs", (await workspace.TypeAsync($"unschedule `{schedule.Id.Short}`", user: "UFIN")).Text, StringComparison.Ordinal);
        Assert.Null(await Store.FindAsync(schedule.Id, SlackFixture.Cancel));
        Assert.Contains("no such schedule", (await workspace.TypeAsync($"unschedule {schedule.Id.Short}", user: "UFIN")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_hundred_schedules_are_the_most_of_a_tenant()
    {
        var workspace = await world.NewWorkspaceAsync();
        await workspace.TypeAsync("schedule report \"0 8 * * *\"");
        var one = Assert.Single(await Store.OfTenantAsync(workspace.Tenant, SlackFixture.Cancel));
        await Parallel.ForEachAsync(Enumerable.Range(1, Schedule.MostOfTenant - 1), SlackFixture.Cancel, async (i, cancel) =>
            await Store.TryAddAsync(one with { Owner = one.Owner with { ScheduleId = ScheduleId.Of(workspace.TeamId, $"{i}") } }, world.Tables.Auditor, cancel));
        Assert.Contains("which is the most", (await workspace.TypeAsync("schedule report \"0 9 * * *\"")).Text, StringComparison.Ordinal);
        Assert.Equal(Schedule.MostOfTenant, (await Store.OfTenantAsync(workspace.Tenant, SlackFixture.Cancel)).Count);
    }

    [Theory]
    [InlineData(false, ExecutionState.Succeeded, "", "D1")]                         // the owner
    [InlineData(true, ExecutionState.Succeeded, "", "C1")]                          // the channel
    [InlineData(true, ExecutionState.Succeeded, "not_in_channel", "D1")]            // the bot is no member of it
    [InlineData(true, ExecutionState.Denied, "", "D1")]                             // why not is for whoever can change it
    public async Task An_end_is_told_to_the_owner_or_in_the_channel(bool isPublic, ExecutionState state, string inChannel, string toldIn)
    {
        var workspace = await world.NewWorkspaceAsync();
        await world.InstallAsync(workspace.TeamId, workspace.Tenant);
        var owner = new Requester.Schedule(
            ScheduleId.Of(workspace.TeamId, "1"), Caller: null, TeamId.Parse(workspace.TeamId), UserId.Parse("U1"), ChannelId.Parse("C1"));
        var execution = A.Execution(state, ExecutionId.OfSchedule(owner.ScheduleId, world.Clock.Now), workspace.Tenant) with
        {
            RequestedBy = owner,
            IsPublic = isPublic,
            FinishedAt = world.Clock.Now,
            Decision = state == ExecutionState.Denied ? new(false, "user_not_allowed", "You may not run wf_sched.", []) : null,
        };
        await world.StoreAsync(execution, workspace);
        using var slack = new SmallSlack();
        slack.Answers = call => call.Place == "chat.postMessage" && (string?)call.Json["channel"] == "C1" && inChannel.Length > 0
            ? new JsonObject { ["ok"] = false, ["error"] = inChannel }.ToJsonString()
            : null;

        for (var i = 0; i < 2; i++)
            Assert.Empty((await world.NewNotifications(slack).TellAsync(MessageOf(execution), SlackFixture.Context)).BatchItemFailures);

        var message = Assert.Single(slack.To("chat.postMessage"));
        Assert.Equal(toldIn, (string?)message["channel"]);
        Assert.Contains($"schedule `{owner.ScheduleId.Short}`", message["text"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.NotNull((await world.Executions.FindAsync(execution.Id, SlackFixture.Cancel))!.ToldAt);
    }

    [Theory]
    [InlineData("C7", null, "C7")]
    [InlineData(null, "U7", "D1")]
    public async Task An_operators_schedule_tells_whom_it_names(string? channel, string? user, string toldIn)
    {
        var workspace = await world.NewWorkspaceAsync();
        await world.InstallAsync(workspace.TeamId, workspace.Tenant);
        var owner = new Requester.Schedule(
            ScheduleId.Of(workspace.TeamId, "1"), OperatorId.Parse("local:root"), TeamId.Parse(workspace.TeamId), user is null ? null : UserId.Parse(user),
            channel is null ? null : ChannelId.Parse(channel));
        var execution = A.Execution(ExecutionState.Succeeded, ExecutionId.OfSchedule(owner.ScheduleId, world.Clock.Now), workspace.Tenant) with
        {
            RequestedBy = owner,
            IsPublic = channel is not null,
            FinishedAt = world.Clock.Now,
        };
        await world.StoreAsync(execution, workspace);
        using var slack = new SmallSlack();

        await world.NewNotifications(slack).TellAsync(MessageOf(execution), SlackFixture.Context);

        var message = Assert.Single(slack.To("chat.postMessage"));
        Assert.Equal(toldIn, (string?)message["channel"]);
        Assert.Contains("an operator's schedule", message["text"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    private static SQSEvent MessageOf(Execution execution) => new()
    {
        Records =
        [
            new()
            {
                MessageId = "m",
                Body = JsonSerializer.Serialize(
                    new(Notification.SchemaV1, execution.Id.ToString(), execution.Tenant.ToString()), DomainJson.Default.Notification),
            },
        ],
    };
}
