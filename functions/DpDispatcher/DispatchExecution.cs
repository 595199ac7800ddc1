using System.Buffers;
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
    /// <summary>How much of its life a token must have left when it is sent: n8n gives no leeway, and a late one would look like a forged one.</summary>
    public static readonly TimeSpan TokenReserve = TimeSpan.FromSeconds(3);

    private static readonly SearchValues<char> TokenCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

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
                Claim.Held held => await AttemptAsync(new(held.Execution, await order, await engine, receives), pass, cancel),
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
            await RecordAsync(new(claimed, null, new EngineLookup.TenantNotActive(), Pauses.MostReceives), NextStep.Unsent(DispatchFailure.Unreadable, claimed), null, cancel);
    }

    private sealed record Attempt(Execution Claimed, DispatchOrder? Order, EngineLookup Engine, int Receives);

    // What has expired meanwhile is closed now, and not when its turn comes.
    private bool CanWait(DispatchOrder? order, int receives) => order is not null && LeftOf(order) > TimeSpan.Zero && !Pauses.IsNearLastReceive(receives);

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
        var attempt = new DispatchAttempt(crashed.AttemptCount, Now(), 0, AttemptResult.Ambiguous, null);
        await executions.RecordAttemptAsync(crashed, Signal.Ambiguous, attempt, notFound: false, cancel);
        return new DispatchResult.Done();
    }

    private async Task<DispatchResult> AttemptAsync(Attempt attempt, TenantGates.Pass? pass, CancellationToken cancel)
    {
        if (WhyNotSend(attempt) is { } failureCode)
            return await RecordAsync(attempt, NextStep.Unsent(failureCode, attempt.Claimed), null, cancel);

        var startedAt = Now();
        var ticks = clock.GetTimestamp();
        var answer = await engines.SendAsync(((EngineLookup.Found)attempt.Engine).Engine, attempt.Order!, cancel);
        var took = (long)clock.GetElapsedTime(ticks).TotalMilliseconds;
        pass?.Report(answered: answer is EngineAnswer.Answered);

        var step = NextStep.After(Verdict.Of(answer), attempt.Claimed, Now());
        if (step is NextStep.Defer && LeftOf(attempt) <= TimeSpan.Zero)
            step = new NextStep.Close(DispatchFailure.Unreachable);
        var record = new DispatchAttempt(attempt.Claimed.AttemptCount, startedAt, took, ResultOf(step), (answer as EngineAnswer.Answered)?.Status, WordsOf(answer));
        events.Attempted(attempt.Claimed, record, answer);
        return await RecordAsync(attempt, step, record, cancel);
    }

    /// <returns>The failure code of an order that must not be sent, or null.</returns>
    private string? WhyNotSend(Attempt attempt)
    {
        var claimed = attempt.Claimed;
        switch (attempt.Engine)
        {
            case EngineLookup.TenantNotActive: return DispatchFailure.TenantNotActive;
            case EngineLookup.AddressRefused: return DispatchFailure.AddressRefused;
        }
        if (attempt.Order is null || LeftOf(attempt) <= TimeSpan.Zero || clock.GetUtcNow() >= claimed.DeadlineAt)
            return claimed.Attempts.Count > 0 || gates.IsShut(claimed.Tenant) ? DispatchFailure.Unreachable : DispatchFailure.Expired;
        if (attempt.Order.Tenant != claimed.Tenant || attempt.Order.Token.AsSpan().ContainsAnyExcept(TokenCharacters))
            return DispatchFailure.Unreadable;
        return null;
    }

    private async Task<DispatchResult> RecordAsync(Attempt attempt, NextStep step, DispatchAttempt? record, CancellationToken cancel)
    {
        var claimed = attempt.Claimed;
        if (step is NextStep.Close close)
            return await CloseAsync(claimed, close.FailureCode, record, cancel);

        record ??= new(claimed.AttemptCount, Now(), 0, AttemptResult.Ambiguous, null);
        var (signal, notFound) = step switch
        {
            NextStep.Accept => (Signal.Accepted, false),
            NextStep.Defer defer => (Signal.Deferred, defer.NotFound),
            NextStep.LeaveUnknown => (Signal.Ambiguous, false),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        var move = await executions.RecordAttemptAsync(claimed, signal, record, notFound, cancel);
        if (move is not Move.Moved)
        {
            NoteOvertaken(claimed, move);
            return new DispatchResult.Done();
        }

        return step switch
        {
            NextStep.Defer defer => new DispatchResult.Again(Pauses.Next(attempt.Receives, defer.RetryAfter, LeftOf(attempt), Random.Shared)),
            // The next claim is possible when this one has lapsed.
            NextStep.LeaveUnknown { SendAgain: true } => new DispatchResult.Again((claimed.LeaseUntil ?? Now()) - Now() + Pauses.Least),
            _ => new DispatchResult.Done(),
        };
    }

    private async Task<DispatchResult> CloseAsync(Execution claimed, string failureCode, DispatchAttempt? record, CancellationToken cancel)
    {
        if (failureCode == DispatchFailure.AddressRefused)
            events.AddressRefused(claimed);

        var move = await executions.RefuseAsync(claimed, failureCode, record, cancel);
        if (move is not Move.Moved)
        {
            NoteOvertaken(claimed, move);
            return new DispatchResult.Done();
        }
        if (move is Move.Moved { IsBooked: false })
            events.Unbooked(claimed);
        events.Closed(claimed, failureCode);
        await notifications.NotifyAsync(claimed.Id, claimed.Tenant, cancel);
        return new DispatchResult.Done();
    }

    private void NoteOvertaken(Execution claimed, Move move) => events.Overtaken(claimed, (move as Move.Lost)?.Now.State);

    // A refused token is ours to mend, and the engine may say which claim it minds. Other answers are the workflow's own.
    private static string? WordsOf(EngineAnswer answer) => answer is EngineAnswer.Answered { Status: 401 or 403, Beginning: var words } && words.Trim() is { Length: > 0 } said ? said : null;

    private static string ResultOf(NextStep step) => step switch
    {
        NextStep.Accept => AttemptResult.Accepted,
        NextStep.Defer => AttemptResult.Again,
        NextStep.LeaveUnknown => AttemptResult.Ambiguous,
        NextStep.Close close => close.FailureCode,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private TimeSpan LeftOf(Attempt attempt) => attempt.Order is { } order ? LeftOf(order) : TimeSpan.Zero;

    private TimeSpan LeftOf(DispatchOrder order) => order.TokenExpiresAt - TokenReserve - clock.GetUtcNow();

    private DateTimeOffset Now() => clock.GetUtcNow();
}
