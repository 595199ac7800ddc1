using System.Collections.Concurrent;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Tenants;

namespace ControlPlane.MeteringCollector.Sweeper;

/// <summary>Ends what is past its deadline, and has told what ended without its requester hearing of it. Whatever was lost on the way is found here.</summary>
internal sealed class CloseDueExecutions(
    ExecutionStore executions, MessageQueue<Notification> notifications, MessageQueue<ApprovalGiven> approvals, MeteringEvents events, TimeProvider clock)
{
    private const int MostInSweep = 500;                        // of a shard
    private const int ChunkSize = 50;
    private const int ReadsAtOnce = 4;

    // Of a sweep's fifty seconds, for all that one tenant has due: what is left then waits for the next sweep.
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(10);

    // As long as the index waits before it shows what has ended.
    private static readonly TimeSpan LeastPause = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMinutes(5);

    /// <remarks>A tenant's executions move the same counters, so they are seen to one after the other; each tenant beside the others and with a time of
    /// its own.</remarks>
    public async Task RunAsync(CancellationToken cancel)
    {
        var slices = new ConcurrentDictionary<TenantId, Deadline>();
        try
        {
            await Task.WhenAll(Enumerable.Range(0, ExecutionStore.DueShards).Select(shard => RunAsync(shard, SliceOf, cancel)));
        }
        finally
        {
            foreach (var slice in slices.Values)
                slice.Dispose();
        }

        CancellationToken SliceOf(TenantId tenant) => slices.GetOrAdd(tenant, _ => Deadline.Slice(Slice, clock, cancel)).Token;
    }

    private async Task RunAsync(int shard, Func<TenantId, CancellationToken> sliceOf, CancellationToken cancel)
    {
        foreach (var chunk in (await executions.DueAsync(shard, MostInSweep, cancel)).Chunk(ChunkSize))
        {
            var found = new ConcurrentBag<Execution>();
            await Parallel.ForEachAsync(chunk, new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = cancel }, async (id, token) =>
            {
                if (await FindAsync(id, token) is { } execution)
                    found.Add(execution);
            });
            await Task.WhenAll(found.GroupBy(execution => execution.Tenant).Select(group => SeeToAllAsync(group, sliceOf(group.Key), cancel)));
        }
    }

    private async Task<Execution?> FindAsync(ExecutionId id, CancellationToken cancel)
    {
        using var slice = Deadline.Slice(Slice, clock, cancel);
        try
        {
            return await executions.FindAsync(id, slice.Token);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            events.DueFailed(id, e);
            return null;
        }
    }

    private async Task SeeToAllAsync(IEnumerable<Execution> ofOneTenant, CancellationToken slice, CancellationToken cancel)
    {
        foreach (var execution in ofOneTenant.OrderBy(execution => execution.DeadlineAt))
        {
            if (slice.IsCancellationRequested)
                return;
            await SeeToAsync(execution, slice, cancel);
        }
    }

    private async Task SeeToAsync(Execution execution, CancellationToken slice, CancellationToken cancel)
    {
        try
        {
            switch (execution)
            {
                case { State: ExecutionState.AwaitingApproval } when execution.DeadlineAt <= clock.GetUtcNow():
                    await ExpireAsync(execution, slice);
                    break;
                case { State: ExecutionState.AwaitingApproval }:
                    // Its last approver's word may have been lost on its way.
                    await approvals.ApprovedAsync(execution.Id, execution.Tenant, execution.Approvals.Count, slice);
                    await executions.PutOffAsync(execution, Shorter(PauseAfterFailure, execution.DeadlineAt - clock.GetUtcNow()), slice);
                    break;
                case { State.IsTerminal: false } when execution.DeadlineAt <= clock.GetUtcNow():
                    await TimeOutAsync(execution, slice);
                    break;
                case { State.IsTerminal: true, ToldAt: null } when WaitedBy(execution) >= LeastPause:
                    await notifications.NotifyAsync(execution.Id, execution.Tenant, slice);
                    await executions.PutOffAsync(execution, PauseOf(execution), slice);
                    events.NotificationResent();
                    break;
            }
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            events.DueFailed(execution.Id, e);
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

    private async Task ExpireAsync(Execution execution, CancellationToken cancel)
    {
        if (await executions.DenyAsync(execution, Approvals.Expired(execution.Decision), cancel) is not Move.Moved moved)
            return;                                         // it was approved, or ended, at this very moment
        if (!moved.IsBooked)
            events.Unbooked(execution.Id, execution.Tenant);
        events.ApprovalExpired(execution);
        await notifications.NotifyAsync(execution.Id, execution.Tenant, cancel);
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

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
