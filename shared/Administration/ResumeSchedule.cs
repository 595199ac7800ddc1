using ControlPlane.Aws;
using ControlPlane.Schedules;
using ControlPlane.Timetables;

namespace ControlPlane.Administration;

/// <summary>Lets a paused schedule go on from now: what it missed is not made up for.</summary>
public sealed class ResumeSchedule(ScheduleStore schedules, Auditor auditor, TimeProvider clock)
{
    /// <returns>False when it is not there any more, or has nothing left to wait for.</returns>
    public async Task<bool> RunAsync(Schedule schedule, CancellationToken cancel) =>
        Timetable.Parse(schedule.Cron, schedule.Zone).NextAfter(clock.GetUtcNow()) is { } next && await schedules.ResumeAsync(schedule, next, auditor, cancel);
}
