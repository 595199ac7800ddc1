using ControlPlane.Aws;
using ControlPlane.Executions;

namespace ControlPlane.MeteringCollector.Sweeper;

/// <summary>Ends what is past its deadline, and has told what ended without its requester hearing of it. Whatever was lost on the way is found here.</summary>
internal sealed class CloseDueExecutions(ExecutionStore executions, MessageQueue<Notification> notifications, MeteringEvents events, TimeProvider clock)
{
    private const int PageSize = 50;
    private const int MostPages = 10;
    private const int AtOnce = 4;

    // As long as the index waits before it shows what has ended.
    private static readonly TimeSpan LeastPause = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMinutes(5);

    public Task RunAsync(CancellationToken cancel) => Task.WhenAll(Enumerable.Range(0, ExecutionStore.DueShards).Select(shard => RunAsync(shard, cancel)));

    private async Task RunAsync(int shard, CancellationToken cancel)
    {
        // Whatever is seen to leaves the front of the index; the index shows it a moment later, so a page may hold what was just seen to.
        var seen = new HashSet<ExecutionId>();
        for (var page = 0; page < MostPages; page++)
        {
            var due = await executions.DueAsync(shard, PageSize, cancel);
            var fresh = due.Where(seen.Add).ToList();
            await Parallel.ForEachAsync(fresh, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancel }, async (id, token) => await SeeToAsync(id, token));
            if (fresh.Count == 0 || due.Count < PageSize)
                return;
        }
    }

    private async Task SeeToAsync(ExecutionId id, CancellationToken cancel)
    {
        Execution? execution = null;
        try
        {
            execution = await executions.FindAsync(id, cancel);
            switch (execution)
            {
                case { State.IsTerminal: false } when execution.DeadlineAt <= clock.GetUtcNow():
                    await TimeOutAsync(execution, cancel);
                    break;
                case { State.IsTerminal: true, ToldAt: null } when WaitedBy(execution) >= LeastPause:
                    await notifications.NotifyAsync(id, execution.Tenant, cancel);
                    await executions.PutOffAsync(execution, PauseOf(execution), cancel);
                    events.NotificationResent();
                    break;
            }
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            events.DueFailed(id, e);
            if (execution is not null)
                await PutOffAsync(execution, cancel);
        }
    }

    private async Task TimeOutAsync(Execution execution, CancellationToken cancel)
    {
        if (await executions.TimeOutAsync(execution, cancel) is not Move.Moved moved)
            return;                                         // it ended in another way at this very moment
        if (!moved.IsBooked)
            events.Unbooked(execution.Id, execution.Tenant);
        events.TimedOut(execution);
        await notifications.NotifyAsync(execution.Id, execution.Tenant, cancel);
    }

    // What fails again and again must not stand before the others at every sweep.
    private async Task PutOffAsync(Execution execution, CancellationToken cancel)
    {
        try
        {
            await executions.PutOffAsync(execution, PauseAfterFailure, cancel);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            events.NotPutOff(execution.Id, e);
        }
    }

    /// <summary>As long again as it has waited: a requester who cannot be told soon is asked after ever more rarely.</summary>
    private TimeSpan PauseOf(Execution execution)
    {
        var waited = WaitedBy(execution);
        return waited < LongestPause ? waited : LongestPause;
    }

    // Whoever ended it has this long to say so: it may be a sweeper beside this one.
    private TimeSpan WaitedBy(Execution execution) => clock.GetUtcNow() - (execution.FinishedAt ?? execution.CreatedAt);
}
