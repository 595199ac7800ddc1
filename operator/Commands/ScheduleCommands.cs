using System.CommandLine;
using ControlPlane.Administration;
using ControlPlane.Executions;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Deployments;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Schedules;
using ControlPlane.Text;
using ControlPlane.Timetables;

namespace ControlPlane.Operator.Commands;

/// <summary><c>schedule …</c>: workflows that run at planned times.</summary>
internal static class ScheduleCommands
{
    private const int TimesShown = 5;

    public static Command Build(Runner runner) => new("schedule", "Workflows that run at planned times.")
    {
        Add(runner), List(runner), Show(runner), Pause(runner), Resume(runner), Remove(runner),
    };

    private static Command Add(Runner runner)
    {
        var (id, name) = (TypedArguments.Tenant(), TypedArguments.Workflow());
        var cron = new Argument<string>("cron") { Description = "Minute, hour, day of the month, month, day of the week: \"0 8 * * 1-5\"." };
        var zone = TypedArguments.Text("--zone", "ZONE", "The time zone that it is read in, like Europe/Berlin; UTC when left out.", most: 64);
        var inputs = InputOptions.Inputs();
        var overlap = TypedArguments.OneOf("--overlap", "Whether it runs while its last execution is under way.", ["skip", "allow"], standard: "skip");
        var tell = TypedArguments.Text("--tell", "C…|U…", "Who in Slack is told how each ends: a channel or a user, or T…/C… where there are several workspaces.", most: 66);
        var key = TypedArguments.Text("--idempotency-key", "KEY", "Makes a repeat harmless: the same key is the same schedule.", most: 128);
        return runner.Runs(new("add", "Makes a schedule. It runs as an operator's: policy decides each time.") { id, name, cron, zone, inputs, overlap, tell, key },
            async (hub, given, cancel) =>
        {
            var (tenant, workflow) = (given.GetRequiredValue(id), given.GetRequiredValue(name));
            if (!Timetable.TryParse(given.GetRequiredValue(cron), given.GetValue(zone) ?? "UTC", out var timetable, out var fault))
                return new Answer.NotDone(fault);
            if (await hub.Tenants.CatalogueAsync(tenant, cancel) is not { } catalogue)
                return Refusals.NotRegistered(tenant);
            var json = InputOptions.JsonOf(given.GetValue(inputs) ?? []);
            if (OrderExecution.InTheWay(catalogue, workflow, json) is { } inTheWay)
                return new Answer.NotDone(inTheWay);
            var (place, refusal) = await SlackPlace.OfAsync(hub, tenant, given.GetValue(tell), cancel);
            if (refusal is not null)
                return refusal;

            var now = hub.Clock.GetUtcNow();
            var schedule = new Schedule
            {
                Tenant = tenant,
                Workflow = workflow,
                Owner = new(
                    ScheduleId.OfOperator(tenant, given.GetValue(key) ?? Guid.NewGuid().ToString("N")), await hub.CallerAsync(cancel), place.Team, place.User,
                    place.Channel),
                Cron = timetable.Fields,
                Zone = timetable.Zone,
                Inputs = json,
                IsPublic = place.Channel is not null,
                AllowsOverlap = given.GetValue(overlap) == "allow",
                MadeAt = now,
                NextAt = timetable.NextAfter(now),
            };
            if (await hub.Schedules.FindAsync(schedule.Id, cancel) is null
                && (await hub.Schedules.OfTenantAsync(tenant, cancel)).Count >= Schedule.MostOfTenant)
                return new Answer.NotDone($"{tenant} has {Schedule.MostOfTenant} schedules, which is the most: ./ctl schedule remove ends one.");
            var isNew = await hub.Schedules.TryAddAsync(schedule, await hub.AuditorAsync(cancel), cancel);
            return Changed(isNew ? "added" : "unchanged", isNew ? schedule : await hub.Schedules.FindAsync(schedule.Id, cancel) ?? schedule, now);
        });
    }

    private static Command List(Runner runner)
    {
        var id = TypedArguments.Tenant();
        return runner.Runs(new("list", "A tenant's schedules.") { id }, async (hub, given, cancel) =>
        {
            var tenant = given.GetRequiredValue(id);
            if (await hub.Tenants.FindAsync(tenant, cancel) is null)
                return Refusals.NotRegistered(tenant);
            var now = hub.Clock.GetUtcNow();
            var schedules = (await hub.Schedules.OfTenantAsync(tenant, cancel)).Select(schedule => Of(schedule, now, times: 1)).ToList();
            return Answer.Show(new SchedulesView(tenant.ToString(), schedules), CtlJson.Default.SchedulesView, page => page.Table(
                ["SCHEDULE", new("WORKFLOW", 1), "CRON", new("ZONE", 3), "NEXT", new("LAST", 2), new("OWNER", 4)],
                schedules.Select(one => (string?[])
                [
                    one.ScheduleId, one.Workflow, one.Cron, one.Zone,
                    one.PausedAt is null ? DisplayText.Time(one.Next is [var next, ..] ? next : null) : "paused",
                    one.Last is [.., var last] ? last.Result : null, one.Owner.InShort,
                ])));
        });
    }

    private static Command Show(Runner runner)
    {
        var id = ScheduleArgument();
        return runner.Watches(new("show", "One schedule: its next five times, and its last ten with how they ended.") { id }, async (hub, given, cancel) =>
        {
            if (await hub.Schedules.FindAsync(given.GetRequiredValue(id), cancel) is not { } schedule)
                return NoSuch(given.GetRequiredValue(id));
            var executions = await Task.WhenAll(schedule.Firings.Select(firing => firing.Kind == FiringKind.Ordered
                ? hub.Executions.FindAsync(ExecutionId.OfSchedule(schedule.Id, firing.PlannedAt), cancel)
                : Task.FromResult<Execution?>(null)));
            var shown = Of(schedule, hub.Clock.GetUtcNow(), TimesShown) with { Last = [.. schedule.Firings.Zip(executions, Of)] };
            return Answer.Show(shown, CtlJson.Default.ScheduleView, page =>
            {
                page.Facts(Facts(shown));
                if (shown.Last.Count > 0)
                    page.Table(
                        ["PLANNED", "RESULT", new("EXECUTION", 1)],
                        shown.Last.Reverse().Select(one => (string?[])[DisplayText.Time(one.PlannedAt), one.Result, one.ExecutionId]));
            });
        });
    }

    private static Command Pause(Runner runner) => Changes(runner, "pause", "Stops a schedule until it is resumed.", async (hub, schedule, cancel) =>
        schedule.PausedAt is not null ? "unchanged" : await hub.Schedules.PauseAsync(schedule, await hub.AuditorAsync(cancel), cancel) ? "paused" : null);

    private static Command Resume(Runner runner) => Changes(
        runner, "resume", "Lets it go on from now: what it missed while it was paused is not made up for.", async (hub, schedule, cancel) =>
    {
        if (schedule.PausedAt is null)
            return "unchanged";
        var resume = new Administration.ResumeSchedule(hub.Schedules, await hub.AuditorAsync(cancel), hub.Clock);
        return await resume.RunAsync(schedule, cancel) ? "resumed" : null;
    });

    private static Command Remove(Runner runner) => Changes(
        runner, "remove", "Ends a schedule. An execution that it started goes on.", async (hub, schedule, cancel) =>
            await hub.Schedules.RemoveAsync(schedule, await hub.AuditorAsync(cancel), cancel) ? "removed" : null);

    /// <param name="changeAsync">What was done, in one word; null where the schedule is gone.</param>
    private static Command Changes(
        Runner runner, string name, string description, Func<ControlPlaneClient, Schedule, CancellationToken, Task<string?>> changeAsync)
    {
        var id = ScheduleArgument();
        return runner.Runs(new(name, description) { id }, async (hub, given, cancel) =>
        {
            if (await hub.Schedules.FindAsync(given.GetRequiredValue(id), cancel) is not { } schedule
                || await changeAsync(hub, schedule, cancel) is not { } done)
                return NoSuch(given.GetRequiredValue(id));
            return Changed(done, await hub.Schedules.FindAsync(schedule.Id, cancel) ?? schedule, hub.Clock.GetUtcNow());
        });
    }

    private static Argument<ScheduleId> ScheduleArgument() => TypedArguments.Argument<ScheduleId>(
        "schedule", "The schedule, sch_ and 32 digits.", ScheduleId.TryParse, text => $"{text} is no schedule: an id is sch_ and 32 of 0-9, a-f.");

    private static Answer.Shown Changed(string done, Schedule schedule, DateTimeOffset now)
    {
        var shown = new ScheduleChangeView(done, Of(schedule, now, times: 3));
        return Answer.Show(shown, CtlJson.Default.ScheduleChangeView, page =>
        {
            page.Line($"{schedule.Id} is {(done == "unchanged" ? "as it was" : done)}: {schedule.Workflow}, \"{schedule.Cron}\" in {schedule.Zone}.");
            if (done is "removed" or "paused")
                return;
            var timetable = Timetable.Parse(schedule.Cron, schedule.Zone);
            page.Line($"Next: {string.Join("; ", timetable.After(now, 3).Select(timetable.InWords))}.");
        });
    }

    private static ScheduleView Of(Schedule schedule, DateTimeOffset now, int times) => new(
        schedule.Id.ToString(), schedule.Tenant.ToString(), schedule.Workflow.ToString(), schedule.Cron, schedule.Zone,
        schedule.AllowsOverlap ? "allow" : "skip", [.. schedule.Inputs.EnumerateObject().Select(input => input.Name)], schedule.Owner,
        Rfc3339.Format(schedule.MadeAt), schedule.PausedAt is { } paused ? Rfc3339.Format(paused) : null,
        schedule.IsStopped ? [] : [.. Next(schedule, now).Take(times).Select(Rfc3339.Format)], [.. schedule.Firings.Select(one => Of(one, null))]);

    // The one that is due is not over yet.
    private static IEnumerable<DateTimeOffset> Next(Schedule schedule, DateTimeOffset now) => schedule.NextAt is { } next
        ? Timetable.Parse(schedule.Cron, schedule.Zone).After(next > now ? next : now, TimesShown).Prepend(next)
        : [];

    private static FiringView Of(Firing firing, Execution? execution) => new(
        Rfc3339.Format(firing.PlannedAt), firing.Until is { } until ? Rfc3339.Format(until) : null,
        execution?.State.Name ?? firing.Kind switch { FiringKind.Ordered => "ordered", FiringKind.Overlapped => "overlapped", _ => "missed" },
        execution?.Id.ToString());

    public static Answer.NotDone NoSuch(ScheduleId id) => new($"There is no schedule {id}: ./ctl schedule list shows a tenant's.");

    private static IEnumerable<(string, string?)> Facts(ScheduleView schedule) =>
    [
        ("schedule", schedule.ScheduleId),
        ("tenant", schedule.Tenant),
        ("workflow", schedule.Workflow),
        ("cron", $"\"{schedule.Cron}\" in {schedule.Zone}"),
        ("overlap", schedule.Overlap),
        ("owner", schedule.Owner.InWords),
        ("inputs", DisplayText.List(schedule.Inputs)),
        ("made", schedule.MadeAt),
        ("paused", schedule.PausedAt),
        .. schedule.Next.Select((time, at) => (at == 0 ? "next" : "", (string?)time)),
    ];
}
