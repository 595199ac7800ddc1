using System.Text.Json;
using ControlPlane.Http;
using ControlPlane.Metering;

namespace ControlPlane.MeteringCollector.Heartbeats;

/// <summary>Why a heartbeat is refused, beside what any body can be refused for.</summary>
internal static class HeartbeatProblems
{
    // One answer for an unknown key, a revoked one, a wrong signature and a header of the wrong shape: it tells nothing about which keys there are.
    public static readonly Problem SignatureInvalid = new(
        401, "signature-invalid", "Signature invalid", "The request is not signed by a registered key in the form that this endpoint takes.");

    public static readonly Problem TimestampOutOfWindow = new(
        401, "timestamp-out-of-window", "Timestamp out of window",
        "webhook-timestamp is more than 300 seconds from our clock. Sign again with the current time.", Retryable: true);

    public static readonly Problem TenantMismatch = new(
        403, "tenant-mismatch", "Tenant mismatch", "The key that signed this belongs to another tenant than the body names.");

    public static readonly Problem InstanceMismatch = new(
        403, "instance-mismatch", "Instance mismatch", "The key that signed this belongs to another instance than the body names.");

    public static readonly Problem IdMismatch = new(422, "id-mismatch", "Id mismatch", "webhook-id is not hb_{instance_id}_{epoch}_{counter} of the body.");

    public static readonly Problem EpochInFuture = new(422, "epoch-in-future", "Epoch in the future", "epoch is more than 300 seconds ahead of our clock.");

    public static readonly Problem EpochImplausible = new(
        422, "epoch-implausible", "Epoch implausible", "epoch is before 2020-01-01. Set the clock and begin a new epoch.");

    public static readonly Problem SampledAtImplausible = new(
        422, "sampled-at-implausible", "Sample time implausible",
        "sampled_at is over 300 seconds ahead of our clock, over 30 days old, before the epoch, or over 24 hours before the instance was first heard of.");

    public static readonly Problem TotalsImplausible = new(
        422, "totals-implausible", "Totals implausible", "totals add more than the CPUs and GPUs that are reported can have used since the last sample, or are too large to be kept. Restart the sidecar if it goes on.");

    public static readonly Problem TooSoon = new(
        422, "too-soon", "Too soon",
        "sampled_at is less than a second after the last sample that was accepted. Totals are cumulative, so nothing is lost: go on with the next one.");

    public static readonly Problem TooManyInstances = new(
        403, "too-many-instances", "Too many instances", "The tenant has as many instances as it may have. One that is silent for 31 days gives up its place.");

    public static readonly Problem TotalsDecreased = new(
        422, "totals-decreased", "Totals decreased", "totals are lower than before within the same epoch. Restart the sidecar: that begins a new epoch.");

    public static readonly Problem CounterConflict = new(
        409, "counter-conflict", "Counter conflict", "Another body was accepted under this epoch and counter. Do two machines sign with one key?");

    public static Problem CounterReplayed(Booking.Replayed replayed) => new(
        409, "counter-replayed", "Counter replayed", "A later sample was accepted. Totals are cumulative, so nothing is lost: go on with the next one.",
        Extensions: new Dictionary<string, JsonElement>
        {
            ["epoch"] = JsonSerializer.SerializeToElement(replayed.Epoch, HeartbeatJson.Default.Int64),
            ["expected"] = JsonSerializer.SerializeToElement(replayed.Expected, HeartbeatJson.Default.Int64),
        });
}
