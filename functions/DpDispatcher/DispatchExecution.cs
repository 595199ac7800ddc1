using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Tenants;

namespace ControlPlane.DpDispatcher;

/// <summary>Hands one execution to its tenant's engine: one dispatcher at a time, and never again once the engine may have it.</summary>
internal sealed class DispatchExecution(
    ExecutionStore executions,
    TenantRegistry tenants,
    DataPlaneClient engines,
    TenantGates gates,
    MessageQueue<Notification> notifications,
    DispatcherEvents events,
    TimeProvider clock)
{
    /// <param name="receives">How often the message was received, this time included.</param>
    public async Task<DispatchResult> RunAsync(DispatchMessage.Dispatch message, int receives, CancellationToken cancel)
    {
        var (pass, stayAway) = await gates.EnterAsync(message.Tenant, cancel);
        using (pass)
        {
            var order = executions.FindOrderAsync(message.Execution, cancel);
            if (pass is null && CanWait(await order, receives))
                return Hold(message, stayAway, receives);

            var engine = tenants.FindEngineAsync(message.Tenant, cancel);
            await Task.WhenAll(order, engine);

            return await executions.ClaimAsync(message.Execution, message.Tenant, Guid.NewGuid().ToString("N"), engines.Lease, cancel) switch
            {
                Claim.Held held => await AttemptAsync(held.Execution, await order, await engine, receives, pass, cancel),
                Claim.Lost lost => await FollowAsync(lost.Now, cancel),
                _ => NotTheirs(message),
            };
        }
    }

    /// <summary>Closes the execution that a message names which nobody understands, when the message is about to become a dead letter.</summary>
    public async Task CloseUnreadableAsync(ExecutionId id, CancellationToken cancel)
    {
        if (await executions.FindAsync(id, cancel) is not { State: ExecutionState.Queued } execution)
            return;
        if (await executions.ClaimAsync(id, execution.Tenant, Guid.NewGuid().ToString("N"), engines.Lease, cancel) is Claim.Held { Execution: var claimed })
            await WithholdAsync(claimed, DispatchFailure.Unreadable, cancel);
    }

    // What has expired meanwhile is closed now, and not when its turn comes.
    private bool CanWait(DispatchOrder? order, int receives) =>
        order is not null && Readiness.LeftOf(order, Now()) > TimeSpan.Zero && !Pauses.IsNearLastReceive(receives);

    private DispatchResult.Again Hold(DispatchMessage.Dispatch message, TimeSpan stayAway, int receives)
    {
        var pause = Pauses.Held(stayAway, receives, Random.Shared);
        events.Held(message, pause);
        return new(pause);
    }

    private DispatchResult.Dead NotTheirs(DispatchMessage.Dispatch message)
    {
        events.NotTheirs(message);
        return new();
    }

    /// <summary>There was nothing to claim: someone else has it, has had it, or died with it.</summary>
    private async Task<DispatchResult> FollowAsync(Execution now, CancellationToken cancel)
    {
        var leaseLeft = (now.LeaseUntil ?? default) - clock.GetUtcNow();
        var isOpen = now.State == ExecutionState.Dispatching || (now.State == ExecutionState.DispatchUnknown && now.IsIdempotent);
        if (isOpen && (leaseLeft > TimeSpan.Zero || now.IsIdempotent))
            return new DispatchResult.Again((leaseLeft > TimeSpan.Zero ? leaseLeft : TimeSpan.Zero) + Pauses.Least);
        if (isOpen)
            return await NoteCrashAsync(now, cancel);

        // Failed by an earlier pass that may have died before it sent the notification.
        if (now is { State: ExecutionState.Failed, FailureCode: not null, ToldAt: null })
            await notifications.NotifyAsync(now.Id, now.Tenant, cancel);
        events.Needless(now);
        return new DispatchResult.Done();
    }

    private async Task<DispatchResult> NoteCrashAsync(Execution crashed, CancellationToken cancel)
    {
        events.FoundCrashed(crashed);
        var attempt = new DispatchAttempt(crashed.AttemptCount, Now(), 0, new AttemptResult.Ambiguous(), null);
        await executions.RecordAttemptAsync(crashed, Signal.Ambiguous, attempt, notFound: false, cancel);
        return new DispatchResult.Done();
    }

    private Task<DispatchResult> AttemptAsync(
        Execution claimed, DispatchOrder? order, EngineLookup engine, int receives, TenantGates.Pass? pass, CancellationToken cancel) =>
        Readiness.Of(claimed, order, engine, gates.IsShut(claimed.Tenant), Now()) switch
        {
            Readiness.Ready ready => SendAsync(claimed, ready, receives, pass, cancel),
            Readiness.MustNot mustNot => WithholdAsync(claimed, mustNot.Failure, cancel),
            _ => throw new System.Diagnostics.UnreachableException(),
        };

    private async Task<DispatchResult> SendAsync(Execution claimed, Readiness.Ready ready, int receives, TenantGates.Pass? pass, CancellationToken cancel)
    {
        var startedAt = Now();
        var ticks = clock.GetTimestamp();
        var answer = await engines.SendAsync(ready.Engine, ready.Order, cancel);
        if (answer is EngineAnswer.Answered { Status: 401 or 403 } && ready.Order.OtherToken is { } other)
        {
            // Nothing has run. An engine that holds one key holds the other generation's while keys are being exchanged.
            answer = await engines.SendAsync(ready.Engine, ready.Order with { Token = other }, cancel);
            events.TriedOtherKey(claimed, answer);
        }
        var took = (long)clock.GetElapsedTime(ticks).TotalMilliseconds;
        pass?.Report(answered: answer is EngineAnswer.Answered);

        var left = Readiness.LeftOf(ready.Order, Now());
        var step = NextStep.After(answer, claimed, Now());
        if (step is NextStep.Defer && left <= TimeSpan.Zero)
            step = new NextStep.Close(DispatchFailure.Unreachable);
        var attempt = new DispatchAttempt(claimed.AttemptCount, startedAt, took, ResultOf(step), (answer as EngineAnswer.Answered)?.Status, WordsOf(answer));
        events.Attempted(claimed, attempt, answer);
        return step is NextStep.Close close
            ? await CloseAsync(claimed, close.Failure, attempt, cancel)
            : await RecordAsync(claimed, step, attempt, Pauses.Next(receives, (step as NextStep.Defer)?.RetryAfter, left, Random.Shared), cancel);
    }

    /// <summary>Ends what must not be sent; or, where an earlier attempt may have arrived, leaves it to the engine's outcome.</summary>
    private Task<DispatchResult> WithholdAsync(Execution claimed, DispatchFailure failure, CancellationToken cancel) => NextStep.Unsent(failure, claimed) switch
    {
        NextStep.Close close => CloseAsync(claimed, close.Failure, attempt: null, cancel),
        var step => RecordAsync(claimed, step, new(claimed.AttemptCount, Now(), 0, new AttemptResult.Ambiguous(), null), Pauses.Least, cancel),
    };

    /// <param name="pause">Until it is tried again, where that is the next step.</param>
    private async Task<DispatchResult> RecordAsync(Execution claimed, NextStep step, DispatchAttempt attempt, TimeSpan pause, CancellationToken cancel)
    {
        var (signal, notFound) = step switch
        {
            NextStep.Accept => (Signal.Accepted, false),
            NextStep.Defer defer => (Signal.Deferred, defer.NotFound),
            NextStep.LeaveUnknown => (Signal.Ambiguous, false),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        var move = await executions.RecordAttemptAsync(claimed, signal, attempt, notFound, cancel);
        if (move is not Move.Moved)
        {
            NoteOvertaken(claimed, move);
            return new DispatchResult.Done();
        }

        return step switch
        {
            NextStep.Defer => new DispatchResult.Again(pause),
            // The next claim is possible when this one has lapsed.
            NextStep.LeaveUnknown { SendAgain: true } => new DispatchResult.Again((claimed.LeaseUntil ?? Now()) - Now() + Pauses.Least),
            _ => new DispatchResult.Done(),
        };
    }

    private async Task<DispatchResult> CloseAsync(Execution claimed, DispatchFailure failure, DispatchAttempt? attempt, CancellationToken cancel)
    {
        if (failure == DispatchFailure.AddressRefused)
            events.AddressRefused(claimed);

        var move = await executions.RefuseAsync(claimed, failure, attempt, cancel);
        if (move is not Move.Moved)
        {
            NoteOvertaken(claimed, move);
            return new DispatchResult.Done();
        }
        if (move is Move.Moved { IsBooked: false })
            events.Unbooked(claimed);
        events.Closed(claimed, failure);
        await notifications.NotifyAsync(claimed.Id, claimed.Tenant, cancel);
        return new DispatchResult.Done();
    }

    private void NoteOvertaken(Execution claimed, Move move) => events.Overtaken(claimed, (move as Move.Lost)?.Now.State);

    // A refused token is ours to mend, and the engine may say which claim it minds. Other answers are the workflow's own.
    private static string? WordsOf(EngineAnswer answer) => answer switch
    {
        EngineAnswer.Answered { Status: 401 or 403, Beginning: var words } when words.Trim() is { Length: > 0 } said => said,
        EngineAnswer.NotReached { Why: { } why } => why,
        _ => null,
    };

    private static AttemptResult ResultOf(NextStep step) => step switch
    {
        NextStep.Accept => new AttemptResult.Accepted(),
        NextStep.Defer => new AttemptResult.Again(),
        NextStep.LeaveUnknown => new AttemptResult.Ambiguous(),
        NextStep.Close close => new AttemptResult.Failed(close.Failure),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private DateTimeOffset Now() => clock.GetUtcNow();
}
