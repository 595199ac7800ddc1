using System.Globalization;
using ControlPlane.Aws;
using ControlPlane.Http;
using ControlPlane.Metering;
using ControlPlane.MeteringCollector.Heartbeats;
using ControlPlane.Secrets;
using ControlPlane.Tenants;

namespace ControlPlane.MeteringCollector.Enrolment;

/// <summary>What came of a wish to enrol.</summary>
internal abstract record EnrolmentAnswer
{
    private EnrolmentAnswer() { }

    /// <param name="IsRepeat">The key was registered so before.</param>
    public sealed record Enrolled(Applicant Applicant, bool IsRepeat) : EnrolmentAnswer;

    /// <param name="Applicant">Once it was certain that it has the key it brings.</param>
    public sealed record Refused(Problem Problem, Applicant? Applicant = null) : EnrolmentAnswer;
}

/// <summary>Registers a sidecar's key for a machine that can show whose it is: by a one-time code, or by its identity in AWS.</summary>
internal sealed class EnrolSidecar(
    EnrolmentStore store, EnrolmentTries tries, TenantRegistry tenants, CallerIdentities identities, SourceNetwork network,
    TimeProvider clock)
{
    public const int LargestBody = 4 * 1024;

    private const string InviteHeader = "x-dp-invite", IdentityHeader = "x-dp-aws-identity";

    public async Task<EnrolmentAnswer> RunAsync(RawRequest request, CancellationToken cancel)
    {
        if (!HeartbeatSignature.TryRead(request, "enrol_", out var signature) || signature.Proofs is not [var proof])
            return new EnrolmentAnswer.Refused(EnrolmentProblems.SignatureInvalid);
        var now = clock.GetUtcNow();
        if (!signature.IsFreshAt(now))
            return new EnrolmentAnswer.Refused(HeartbeatProblems.TimestampOutOfWindow);
        if (request.HasHeader(InviteHeader) == request.HasHeader(IdentityHeader))
            return new EnrolmentAnswer.Refused(EnrolmentProblems.ProofMissing);

        // The key that signed is in the body, so this body is read first; nothing of it is believed before.
        if (!EnrolmentBody.TryParse(request.Body.Span, out var applicant))
            return new EnrolmentAnswer.Refused(Problem.Malformed);
        if (proof.KeyId != applicant.Key.KeyId || !applicant.Key.Verify(signature.SignedBytes(request.Body.Span), proof.Signature))
            return new EnrolmentAnswer.Refused(EnrolmentProblems.SignatureInvalid);
        if (signature.Id != string.Create(CultureInfo.InvariantCulture, $"enrol_{applicant.Instance}_{signature.Timestamp}"))
            return new EnrolmentAnswer.Refused(EnrolmentProblems.IdMismatch, applicant);
        if (network.FaultOf(applicant.Tenant, request.SourceIp) is { } outside)
            return new EnrolmentAnswer.Refused(outside, applicant);

        if (await tenants.FindRecentAsync(applicant.Tenant, cancel) is not { Status: not TenantStatus.Deleting } tenant)
            return new EnrolmentAnswer.Refused(EnrolmentProblems.TenantUnknown, applicant);
        if (await tries.CountAsync(tenant.Id, cancel) is { } wait)
            return new EnrolmentAnswer.Refused(EnrolmentProblems.TooManyTries(wait), applicant);
        return request.HasHeader(InviteHeader)
            ? await ByInviteAsync(request, applicant, now, cancel)
            : await ByIdentityAsync(request, applicant, tenant, now, cancel);
    }

    private async Task<EnrolmentAnswer> ByInviteAsync(RawRequest request, Applicant applicant, DateTimeOffset now, CancellationToken cancel) =>
        request.TryHeader(InviteHeader, out var text) && OneTimeCode.TryParse(text, out var code)
            ? AnswerOf(applicant, await store.EnrolAsync(applicant.Registration(now), code.Hash, cancel))
            : new EnrolmentAnswer.Refused(EnrolmentProblems.InviteInvalid, applicant);

    private async Task<EnrolmentAnswer> ByIdentityAsync(
        RawRequest request, Applicant applicant, Tenant tenant, DateTimeOffset now, CancellationToken cancel)
    {
        if (tenant.Aws is not { } expected)
            return new EnrolmentAnswer.Refused(EnrolmentProblems.IdentityRefused, applicant);
        if (!request.TryHeader(IdentityHeader, out var text) || !SignedCallerIdentity.TryRead(text, out var signed)
            || !signed.IsFreshAt(now) || !signed.Answers(applicant))
            return new EnrolmentAnswer.Refused(EnrolmentProblems.IdentityInvalid, applicant);
        return await identities.AskAsync(signed, cancel) is { } caller && caller.Is(expected, applicant.Instance)
            ? AnswerOf(applicant, await store.EnrolAsync(applicant.Registration(now), cancel))
            : new EnrolmentAnswer.Refused(EnrolmentProblems.IdentityRefused, applicant);
    }

    private static EnrolmentAnswer AnswerOf(Applicant applicant, Enrolled enrolled) => enrolled switch
    {
        Enrolled.Now => new EnrolmentAnswer.Enrolled(applicant, IsRepeat: false),
        Enrolled.Before => new EnrolmentAnswer.Enrolled(applicant, IsRepeat: true),
        Enrolled.InviteInvalid => new EnrolmentAnswer.Refused(EnrolmentProblems.InviteInvalid, applicant),
        Enrolled.AnotherKey => new EnrolmentAnswer.Refused(EnrolmentProblems.AnotherKey, applicant),
        Enrolled.KeyRefused => new EnrolmentAnswer.Refused(EnrolmentProblems.KeyRefused, applicant),
        Enrolled.TenantGone => new EnrolmentAnswer.Refused(EnrolmentProblems.TenantUnknown, applicant),
    };
}
