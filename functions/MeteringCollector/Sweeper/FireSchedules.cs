using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Schedules;
using ControlPlane.Timetables;

namespace ControlPlane.MeteringCollector.Sweeper;

/// <summary>Orders what schedules planned for by now: each planned time once, through the queue and the policy of every other execution.</summary>
/// <remarks>
/// The claim of a planned time is written first, the order sent second, and that it was sent noted third. A sweeper that dies in between leaves a schedule that
/// is still due: the next one sends the same order again, which the execution's id makes harmless.
/// </remarks>
internal sealed class FireSchedules(
    ScheduleStore schedules, ExecutionStore executions, MessageQueue<ExecutionRequest> orders, MeteringEvents events, TimeProvider clock)
{
    // Of a sweep: those of 8:00 within their minute, and no more at once than leaves the deadlines beside them their share.
    private const int MostInSweep = 3000;                       // of a shard
    private const int AtOnce = 8;                               // of a shard

    // A schedule of every minute has five planned times before the hub counts as having been away, and each is settled, then sent.
    private const int MostSteps = 12;

    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMinutes(1);

    // An order that made no execution by then was lost, or its execution is long forgotten.
    private static readonly TimeSpan OnItsWayFor = Slack.Reply.LostAfter;

    public Task RunAsync(CancellationToken cancel) => Task.WhenAll(Enumerable.Range(0, ScheduleStore.DueShards).Select(shard => RunAsync(shard, cancel)));

    private async Task RunAsync(int shard, CancellationToken cancel) => await Parallel.ForEachAsync(
        await schedules.DueAsync(shard, MostInSweep, cancel), new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancel },
        async (id, token) => await SeeToAsync(id, token));

    private async Task SeeToAsync(ScheduleId id, CancellationToken cancel)
    {
        using var slice = Deadline.Slice(Slice, clock, cancel);
        try
        {
            if (await schedules.FindEvenRemovedAsync(id, slice.Token) is { } schedule)
                await SeeToAsync(schedule, slice.Token);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            events.ScheduleFailed(id, e);
            await PutOffAsync(id, cancel);
        }
    }

    private async Task SeeToAsync(Schedule schedule, CancellationToken cancel)
    {
        for (var step = 0; step < MostSteps; step++)
        {
            var now = clock.GetUtcNow();
            if (schedule is { OrderingAt: not null })
            {
                schedule = await SendAsync(schedule, cancel);
            }
            else if (schedule.IsStopped || schedule.NextAt is not { } due)
            {
                await schedules.ParkAsync(schedule, cancel);
                return;
            }
            else if (due > now)
            {
                if (step == 0)
                    await schedules.AwaitNextAsync(schedule, cancel);
                return;
            }
            else
            {
                var timetable = Timetable.Parse(schedule.Cron, schedule.Zone);
                var decision = FiringRule.Decide(due, timetable.NextAfter, await IsBusyAsync(schedule, now, cancel), now);
                if (await schedules.SettleAsync(schedule, decision, cancel) is not { } settled)
                    return;                                 // another sweeper has it, or it was stopped at this very moment
                foreach (var noted in decision.Noted)
                    events.ScheduleFired(settled, noted);
                schedule = settled;
            }
        }
    }

    private async Task<Schedule> SendAsync(Schedule schedule, CancellationToken cancel)
    {
        switch (await orders.OrderAsync(schedule.OrderOf(schedule.OrderingAt!.Value, clock.GetUtcNow()), cancel))
        {
            case Handover.NotTaken { Why: var why }:
                throw new IOException("The queue did not take the order.", why);
            case Handover.Unclear { Why: var why }:
                throw new IOException("The queue did not say whether it took the order.", why);
            default:
                await schedules.SentAsync(schedule, cancel);
                return schedule with { OrderingAt = null };
        }
    }

    private async Task<bool> IsBusyAsync(Schedule schedule, DateTimeOffset now, CancellationToken cancel)
    {
        if (schedule.AllowsOverlap || schedule.LastOrdered is not { PlannedAt: var last })
            return false;
        return await executions.FindAsync(ExecutionId.OfSchedule(schedule.Id, last), cancel) is { } execution
            ? !execution.State.IsTerminal
            : now - last < OnItsWayFor;
    }

    // What fails again and again must not stand before the others at every sweep.
    private async Task PutOffAsync(ScheduleId id, CancellationToken cancel)
    {
        try
        {
            await schedules.PutOffAsync(id, PauseAfterFailure, cancel);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            events.ScheduleFailed(id, e);
        }
    }
}
