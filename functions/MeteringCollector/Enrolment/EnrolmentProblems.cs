using ControlPlane.Http;

namespace ControlPlane.MeteringCollector.Enrolment;

/// <summary>Why a key is not registered, beside what any signed request can be refused for.</summary>
internal static class EnrolmentProblems
{
    public static readonly Problem SignatureInvalid = new(
        401, "signature-invalid", "Signature invalid", "The request is not signed with the key that it brings, in the form that this endpoint takes.");

    public static readonly Problem ProofMissing = new(
        401, "proof-missing", "Proof missing", "Send x-dp-invite or x-dp-aws-identity: one of them, once.");

    public static readonly Problem IdMismatch = new(422, "id-mismatch", "Id mismatch", "webhook-id is not enrol_{instance_id}_{webhook-timestamp}.");

    // One answer for a code that is none, used, too old, another tenant's or another instance's: it tells nothing about which codes there are.
    public static readonly Problem InviteInvalid = new(
        403, "invite-invalid", "Invitation invalid", "The code is none of this tenant's for this instance, was used, or is too old: ask for another (ctl key invite).");

    public static readonly Problem IdentityInvalid = new(
        403, "identity-invalid", "Identity invalid",
        "x-dp-aws-identity is not a signed sts:GetCallerIdentity request for this key, tenant and instance, made within the last five minutes.");

    public static readonly Problem IdentityRefused = new(
        403, "identity-refused", "Identity refused", "AWS does not confirm the identity, or it is not this tenant's engine host.");

    public static readonly Problem TenantUnknown = new(403, "tenant-unknown", "Tenant unknown", "No such tenant takes part.");

    public static readonly Problem KeyRefused = new(
        403, "key-refused", "Key refused", "This key was revoked, has ended, or is registered otherwise. Make a new one.");

    public static readonly Problem AnotherKey = new(
        409, "another-key", "Another key is there", "Another key speaks for this instance. Its operator sees it with ctl key list, and ends it with ctl key revoke.");

    public static Problem TooManyTries(TimeSpan wait) => new(
        429, "too-many-tries", "Too many tries", "This tenant's machines tried to enrol ten times within a minute.", Retryable: true, RetryAfter: wait);
}
