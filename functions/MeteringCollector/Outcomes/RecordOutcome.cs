using System.Security.Cryptography;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Http;
using ControlPlane.Tenants;
using ControlPlane.Tokens;

namespace ControlPlane.MeteringCollector.Outcomes;

/// <summary>What came of an outcome.</summary>
internal abstract record OutcomeAnswer
{
    private OutcomeAnswer() { }

    /// <param name="State">How the execution stands now.</param>
    /// <param name="IsRepeat">Whether it changed nothing.</param>
    /// <param name="IsBooked">As in <see cref="Move.Moved"/>.</param>
    public sealed record Taken(ExecutionId Execution, TenantId Tenant, ExecutionState State, bool IsRepeat, bool IsLate, bool IsBooked = true) : OutcomeAnswer
    {
        /// <summary>Members of the body that were left out.</summary>
        public IReadOnlyList<string> Ignored { get; init; } = [];
    }

    /// <param name="Execution">The token's execution, once the token was verified.</param>
    public sealed record Refused(Problem Problem, ExecutionId? Execution = null) : OutcomeAnswer;
}

/// <summary>Takes an engine's word on an execution: the token first, then the body, then one read and one write.</summary>
internal sealed class RecordOutcome(
    TokenVerifier tokens,
    ExecutionStore executions,
    MessageQueue<Notification> notifications,
    SourceNetwork network,
    MeteringEvents events,
    TimeProvider clock)
{
    public const int LargestBody = 256 * 1024;

    public const long HighestUsage = 1_000_000_000_000;

    // Each lost round is another signal that moved the execution, and it has few moves.
    private const int Rounds = 4;

    public async Task<OutcomeAnswer> RunAsync(RawRequest request, CancellationToken cancel)
    {
        if (!BearerToken.TryRead(request, out var token))
            return new OutcomeAnswer.Refused(OutcomeProblems.TokenInvalid);

        switch (await tokens.VerifyAsync(token, cancel))
        {
            case TokenCheck.Verified verified:
                return network.FaultOf(verified.Tenant, request.SourceIp) is { } outside
                    ? new OutcomeAnswer.Refused(outside, verified.Execution)
                    : await RecordAsync(verified, request.Body, cancel);
            case TokenCheck.Rejected rejected:
                events.TokenRejected(rejected.Fault);
                return new OutcomeAnswer.Refused(OutcomeProblems.TokenInvalid);
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private async Task<OutcomeAnswer> RecordAsync(TokenCheck.Verified token, ReadOnlyMemory<byte> body, CancellationToken cancel)
    {
        switch (OutcomeBody.Read(body.Span))
        {
            case OutcomeReading.Read read:
                return await RecordAsync(token, read, Convert.ToHexStringLower(SHA256.HashData(body.Span)), cancel);
            case OutcomeReading.Unusable { Member: var member }:
                return new OutcomeAnswer.Refused(member is null ? Problem.Malformed : OutcomeProblems.Malformed(member), token.Execution);
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private async Task<OutcomeAnswer> RecordAsync(TokenCheck.Verified token, OutcomeReading.Read read, string hash, CancellationToken cancel)
    {
        var outcome = read.Outcome;
        if (read.ExecutionId != token.Execution.ToString())
            return new OutcomeAnswer.Refused(OutcomeProblems.TokenMismatch, token.Execution);
        if (outcome.Usage is { CpuMs: > HighestUsage } or { GpuMs: > HighestUsage } or { InputTokens: > HighestUsage } or { OutputTokens: > HighestUsage })
            return new OutcomeAnswer.Refused(OutcomeProblems.UsageImplausible, token.Execution);

        var execution = await executions.FindAsync(token.Execution, cancel);
        if (execution is null || execution.Tenant != token.Tenant)
            return new OutcomeAnswer.Refused(OutcomeProblems.ExecutionUnknown, token.Execution);

        var answer = await RecordAsync(execution, outcome, read.Progress, hash, cancel);
        return answer is OutcomeAnswer.Taken taken ? taken with { Ignored = read.Ignored } : answer;
    }

    private async Task<OutcomeAnswer> RecordAsync(Execution execution, Outcome outcome, Progress? progress, string hash, CancellationToken cancel)
    {
        for (var round = 0; round < Rounds; round++)
        {
            var decision = OutcomeRule.Decide(execution, outcome.Status, hash, clock.GetUtcNow());
            switch (decision)
            {
                case OutcomeDecision.Conflict:
                    return new OutcomeAnswer.Refused(OutcomeProblems.Conflict(execution.State), execution.Id);
                case OutcomeDecision.Repeat:
                    // The first delivery may have stopped between its write and its message.
                    if (execution is { State.IsTerminal: true, ToldAt: null })
                        await NotifyAsync(execution, cancel);
                    var isNews = progress is not null && execution.State == ExecutionState.Running && await NoteAsync(execution, progress, cancel);
                    return new OutcomeAnswer.Taken(execution.Id, execution.Tenant, execution.State, IsRepeat: !isNews, execution.IsLate);
            }

            var move = decision == OutcomeDecision.Start
                ? await executions.StartAsync(execution, outcome, cancel, progress)
                : await executions.FinishAsync(execution, outcome, hash, cancel);
            switch (move)
            {
                case Move.Moved moved:
                    if (decision == OutcomeDecision.Finish || progress is not null)
                        await NotifyAsync(execution, cancel);
                    return new OutcomeAnswer.Taken(
                        execution.Id, execution.Tenant, StateAfter(outcome.Status), IsRepeat: false, IsLate: execution.State.IsTerminal, moved.IsBooked);
                case Move.Lost lost:
                    execution = lost.Now;
                    break;
                case Move.Unknown:
                    return new OutcomeAnswer.Refused(OutcomeProblems.ExecutionUnknown, execution.Id);
            }
        }
        throw new TimeoutException("Others kept moving the execution.");
    }

    /// <returns>Whether it says something new.</returns>
    private async Task<bool> NoteAsync(Execution running, Progress progress, CancellationToken cancel)
    {
        if (running.Progress == progress)
            return false;
        var now = clock.GetUtcNow();
        var tellAt = Progress.TellAt(running.ProgressToldAt, now);
        if (await executions.NoteProgressAsync(running, progress, tellAt, cancel) && tellAt is { } at)
            await NotifyAsync(running, cancel, at - now);
        return true;
    }

    // The outcome is kept by now. A message that cannot be sent is no reason to make the engine repeat itself: the sweeper sends it in a minute or two.
    private async Task NotifyAsync(Execution execution, CancellationToken cancel, TimeSpan? delay = null)
    {
        try
        {
            await notifications.NotifyAsync(execution.Id, execution.Tenant, cancel, delay);
        }
        catch (Exception e)
        {
            events.NotifyFailed(execution.Id, e);
        }
    }

    private static ExecutionState StateAfter(OutcomeStatus status) => status switch
    {
        OutcomeStatus.Running => ExecutionState.Running,
        OutcomeStatus.Succeeded => ExecutionState.Succeeded,
        OutcomeStatus.Failed => ExecutionState.Failed,
        OutcomeStatus.Cancelled => ExecutionState.Cancelled,
        _ => throw new ArgumentOutOfRangeException(nameof(status)),
    };
}
