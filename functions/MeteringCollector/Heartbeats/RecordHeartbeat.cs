using System.Security.Cryptography;
using ControlPlane.Aws;
using ControlPlane.Http;
using ControlPlane.Metering;
using ControlPlane.Tenants;

namespace ControlPlane.MeteringCollector.Heartbeats;

/// <summary>What came of a heartbeat.</summary>
internal abstract record HeartbeatAnswer
{
    private HeartbeatAnswer() { }

    /// <param name="IsRepeat">It was booked before; its record is there now, whatever happened then.</param>
    /// <param name="IsSuspended">The tenant is suspended. Its usage is booked all the same: it happened.</param>
    /// <param name="RestartsTooOften">Whether the instance begins epochs so often that two sidecars may be taking turns under its name.</param>
    public sealed record Accepted(
        Heartbeat Heartbeat, bool IsRepeat, long Gap, bool IsRestart, bool IsSuspended, long SkewSeconds, bool RestartsTooOften = false) : HeartbeatAnswer;

    /// <param name="Signer">Whose key it was, once that was certain.</param>
    /// <param name="Instance">Whose sample it was, once that was certain.</param>
    public sealed record Refused(Problem Problem, Signer? Signer = null, InstanceId? Instance = null) : HeartbeatAnswer;
}

/// <summary>Takes a sidecar's signed report: authentic first, then understood, then plausible, then booked.</summary>
internal sealed class RecordHeartbeat(
    SidecarKeys keys, InstanceStore instances, MeteringStore records, SourceNetwork network, TimeProvider clock)
{
    public const int LargestBody = 16 * 1024;

    private const long EarliestEpoch = 1_577_836_800;        // 2020-01-01, before there was any sidecar

    public async Task<HeartbeatAnswer> RunAsync(RawRequest request, CancellationToken cancel)
    {
        if (!HeartbeatSignature.TryRead(request, "hb_", out var signature))
            return new HeartbeatAnswer.Refused(HeartbeatProblems.SignatureInvalid);

        // Before any key is looked up: a stale one costs no read, and does not tell which keys there are.
        var now = clock.GetUtcNow();
        if (!signature.IsFreshAt(now))
            return new HeartbeatAnswer.Refused(HeartbeatProblems.TimestampOutOfWindow);
        var candidates = await CandidatesAsync(signature, cancel);
        if (SignerAmong(candidates, signature.SignedBytes(request.Body.Span)) is not { } signer)
            return new HeartbeatAnswer.Refused(HeartbeatProblems.SignatureInvalid);
        if (await keys.TenantAsync(signer.Registration.Tenant, cancel) is not { } tenant)
            return new HeartbeatAnswer.Refused(HeartbeatProblems.SignatureInvalid, signer);

        if (!HeartbeatBody.TryParse(request.Body.Span, out var body, out var instance, out var sampledAt))
            return new HeartbeatAnswer.Refused(Problem.Malformed, signer);
        if (IdentityFault(signer, signature, body, request.SourceIp) is { } identity)
            return new HeartbeatAnswer.Refused(identity, signer);
        if (MeaningFault(body, sampledAt, now) is { } meaning)
            return new HeartbeatAnswer.Refused(meaning, signer);

        var heartbeat = new Heartbeat
        {
            Tenant = signer.Registration.Tenant,
            Instance = instance,
            Epoch = body.Epoch,
            Counter = body.Counter,
            SampledAt = sampledAt,
            Interval = TimeSpan.FromSeconds(body.IntervalS),
            Totals = new(body.Totals.CpuMs, body.Totals.GpuMs),
            Machine = new(body.Metrics.Cpu.Count, body.Metrics.Gpus.Count),
            BodyHash = Convert.ToHexStringLower(SHA256.HashData(request.Body.Span)),
            Metrics = body.MetricsJson,
            GpuUnreadableSince = body.UnreadableSince,
            KeyId = signer.Registration.KeyId,
        };
        return await BookAsync(heartbeat, signer, tenant, signature.SkewAt(now), now, cancel);
    }

    private async Task<HeartbeatAnswer> BookAsync(Heartbeat heartbeat, Signer signer, Tenant tenant, long skew, DateTimeOffset now, CancellationToken cancel)
    {
        var isSuspended = tenant.Status != TenantStatus.Active;
        HeartbeatAnswer answer = await instances.BookAsync(heartbeat, tenant.Limits.Instances, now, cancel) switch
        {
            Booking.Booked booked =>
                new HeartbeatAnswer.Accepted(heartbeat, IsRepeat: false, booked.Gap, booked.Restarted, isSuspended, skew, booked.RestartsTooOften),
            Booking.Repeated => new HeartbeatAnswer.Accepted(heartbeat, IsRepeat: true, Gap: 0, IsRestart: false, isSuspended, skew),
            Booking.Rival => Refused(HeartbeatProblems.CounterConflict),
            Booking.Replayed replayed => Refused(HeartbeatProblems.CounterReplayed(replayed)),
            Booking.Shrunk => Refused(HeartbeatProblems.TotalsDecreased),
            Booking.TooSoon => Refused(HeartbeatProblems.TooSoon),
            Booking.TooOld => Refused(HeartbeatProblems.SampledAtImplausible),
            Booking.TooMuch => Refused(HeartbeatProblems.TotalsImplausible),
            Booking.TooManyInstances => Refused(HeartbeatProblems.TooManyInstances),
            _ => throw new System.Diagnostics.UnreachableException(),
        };

        // After the booking, and again for a repeat: the first time may have stopped between the two.
        if (answer is HeartbeatAnswer.Accepted)
            await records.PutAsync(MeteringRecord.Of(heartbeat), cancel);
        return answer;

        HeartbeatAnswer.Refused Refused(Problem problem) => new(problem, signer, heartbeat.Instance);
    }

    private async Task<List<(Signer Signer, byte[] Signature)>> CandidatesAsync(HeartbeatSignature signature, CancellationToken cancel)
    {
        var candidates = new List<(Signer, byte[])>(signature.Proofs.Count);
        foreach (var proof in signature.Proofs)
            if (await keys.FindAsync(proof.KeyId, cancel) is { } signer)
                candidates.Add((signer, proof.Signature));
        return candidates;
    }

    private static Signer? SignerAmong(List<(Signer Signer, byte[] Signature)> candidates, byte[] signed)
    {
        foreach (var (signer, signature) in candidates)
            if (signer.Key.Verify(signed, signature))
                return signer;
        return null;
    }

    // The tenant is the key's tenant; that the body names it too only guards against a sidecar that was set up wrongly.
    private Problem? IdentityFault(Signer signer, HeartbeatSignature signature, HeartbeatBody body, string? sourceIp)
    {
        var tenant = signer.Registration.Tenant;
        if (body.TenantId != tenant.ToString())
            return HeartbeatProblems.TenantMismatch;
        if (signer.Registration.Instance is { } instance && instance != body.InstanceId)
            return HeartbeatProblems.InstanceMismatch;
        if (signature.Id != string.Create(System.Globalization.CultureInfo.InvariantCulture, $"hb_{body.InstanceId}_{body.Epoch}_{body.Counter}"))
            return HeartbeatProblems.IdMismatch;
        return network.FaultOf(tenant, sourceIp);
    }

    private static Problem? MeaningFault(HeartbeatBody body, DateTimeOffset sampledAt, DateTimeOffset now)
    {
        if (body.Epoch > now.ToUnixTimeSeconds() + (long)BookingRule.ClockTolerance.TotalSeconds)
            return HeartbeatProblems.EpochInFuture;
        // A sidecar whose clock was not set: its totals would be measured against half a century.
        if (body.Epoch < EarliestEpoch)
            return HeartbeatProblems.EpochImplausible;

        var sinceEpoch = sampledAt - DateTimeOffset.FromUnixTimeSeconds(body.Epoch) + BookingRule.ClockTolerance;
        return sampledAt > now + BookingRule.ClockTolerance || sampledAt < now - MeteringRecord.Retention || sinceEpoch < TimeSpan.Zero
            ? HeartbeatProblems.SampledAtImplausible
            : null;
    }
}
