using System.Text.Json.Nodes;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Schedules;
using ControlPlane.Timetables;

namespace ControlPlane.Tests.Flows.Simulated;

/// <summary>A schedule that a user makes and ends: each of its planned times comes to one execution, or is noted as left out.</summary>
internal sealed partial class Simulation
{
    private const string Cron = "*/2 * * * *", Zone = "Europe/Berlin";

    private Request? _scheduling;
    private DateTimeOffset _unscheduledAt;

    private ScheduleId Scheduled => ScheduleId.Of(Workspace, _scheduling!.Trigger);

    private void PrepareSchedule()
    {
        var workflow = _random.Next(3) switch { 0 => Once, 1 => Idempotent, _ => Approved };
        _scheduling = Type($"schedule {workflow} \"{Cron}\" in {Zone}", starts: false);
        _agenda.In(Seconds(0, 20), () => PostAsync(_scheduling));
        _agenda.In(FaultsFor + Seconds(20, 50), UnscheduleAsync);
    }

    private async Task UnscheduleAsync()
    {
        _unscheduledAt = _clock.Now;
        await PostAsync(Type($"unschedule {Scheduled.Short}", starts: false));
    }

    private Task<Schedule?> FindScheduleAsync() => new ScheduleStore(_tables.Client, _tables.Executions, _clock).FindEvenRemovedAsync(Scheduled, Cancel);

    private static bool IsOrderOfSchedule(Delivery message) =>
        message.Queue == "ExecutionRequestsQueue" && (string?)JsonNode.Parse(message.Body)!["requested_by"]?["source"] == "schedule";

    private async Task CheckScheduleAsync()
    {
        if (_scheduling is null)
            return;
        var executions = _books.Executions.Where(one => one.RequestedBy is Requester.Schedule).ToDictionary(one => one.Id);
        if (await FindScheduleAsync() is not { } schedule)
        {
            if (_scheduling.Replies.Contains(Reply.Accepted) || executions.Count > 0)
                throw new Broken("SCHEDULE", "what was said to be scheduled is not.");
            return;
        }

        var planned = Timetable.Parse(Cron, Zone).After(schedule.MadeAt, 100).TakeWhile(time => time <= _unscheduledAt).ToList();
        foreach (var id in executions.Keys.Except(planned.Select(time => ExecutionId.OfSchedule(Scheduled, time))))
            throw new Broken("SCHEDULE", $"{id} is for no planned time.");
        foreach (var time in planned)
            CheckPlanned(time, schedule, executions.GetValueOrDefault(ExecutionId.OfSchedule(Scheduled, time)));
        if (schedule.OrderingAt is { } unsent)
            throw new Broken("SCHEDULE", $"{unsent:HH:mm} was never sent.");
    }

    private void CheckPlanned(DateTimeOffset time, Schedule schedule, Execution? execution)
    {
        var firing = schedule.Firings.SingleOrDefault(one => one.PlannedAt == time);
        // The sweeper comes every minute; what is due as it ends may still be unseen.
        if (firing is null && execution is null && _unscheduledAt - time > Minute)
            throw new Broken("SCHEDULE", $"{time:HH:mm} came to no execution, and is not noted.");
        if ((firing?.Kind == FiringKind.Ordered) != execution is not null)
            throw new Broken("SCHEDULE", $"{time:HH:mm} is {firing?.Kind.ToString() ?? "not noted"}, and {(execution is null ? "came to no execution" : $"{execution.Id} is there")}.");
        if (execution is not null)
            CheckWhatWasTold(execution, [.. _slack.Taken.Where(post => IsToldDirectly(post, execution))]);
    }

    // ---- defects, planted so that the checks are seen to find them ----

    private Delivery AnotherOf(Delivery order)
    {
        var body = JsonNode.Parse(order.Body)!;
        body["execution_id"] = ExecutionId.Of(Workspace, order.Id).ToString();
        return order with { Id = $"{order.Id}, again", Body = body.ToJsonString() };
    }

    private async Task PlantSkipAsync()
    {
        if (_defect == Defect.SkipsTimes && await FindScheduleAsync() is { OrderingAt: null, NextAt: { } next } && next <= _clock.Now && next.Minute % 4 == 0)
            await ChangeAsync(_tables.Executions, Items.Key(Scheduled.ToString(), "SCHEDULE"), "SET next_at = :value", Items.Time(next.AddMinutes(2)));
    }
}
