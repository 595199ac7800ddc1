using System.Text.Json;

namespace ControlPlane.Sidecar;

/// <summary>What the control plane said to a heartbeat.</summary>
/// <param name="Status">HTTP status; null when no answer came.</param>
/// <param name="Code">Of the problem, when it was one.</param>
/// <param name="Epoch">The epoch that it has, when it said so.</param>
internal sealed record HeartbeatAnswer(
    int? Status, string? Code = null, long? Epoch = null, int? NextIntervalS = null, IReadOnlyList<string>? Directives = null, TimeSpan? RetryAfter = null)
{
    public static readonly HeartbeatAnswer None = new(Status: null);

    /// <remarks>The answer is trusted for what to do with a sample, not for its form: what cannot be read is as if it had not been said.</remarks>
    public static HeartbeatAnswer From(int status, ReadOnlySpan<byte> body, TimeSpan? retryAfter)
    {
        try
        {
            var reader = new Utf8JsonReader(body);
            using var document = JsonDocument.ParseValue(ref reader);
            var root = document.RootElement;
            return root.ValueKind != JsonValueKind.Object ? new(status, RetryAfter: retryAfter) : new(
                status,
                root.TryGetProperty("code", out var code) && code.ValueKind == JsonValueKind.String ? code.GetString() : null,
                root.TryGetProperty("epoch", out var epoch) && epoch.ValueKind == JsonValueKind.Number && epoch.TryGetInt64(out var has) ? has : null,
                root.TryGetProperty("next_interval_s", out var next) && next.ValueKind == JsonValueKind.Number && next.TryGetInt32(out var s) ? s : null,
                root.TryGetProperty("directives", out var directives) && directives.ValueKind == JsonValueKind.Array
                    ? [.. directives.EnumerateArray().Where(one => one.ValueKind == JsonValueKind.String).Select(one => one.GetString()!)]
                    : [],
                retryAfter);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // A lone surrogate is noticed only when the text is read, as an InvalidOperationException.
            return new(status, RetryAfter: retryAfter);
        }
    }
}

/// <summary>What becomes of the sample, and of those behind it.</summary>
internal abstract record SampleFate
{
    private SampleFate() { }

    public sealed record Booked : SampleFate;

    /// <summary>The control plane has a later one. Totals are cumulative: nothing is missing.</summary>
    public sealed record Overtaken : SampleFate;

    /// <summary>The control plane has a higher epoch, or will never take this one: go on in a new epoch.</summary>
    public sealed record NeedsNewEpoch(long Above) : SampleFate;

    /// <summary>It will never be accepted, and someone should look at it.</summary>
    public sealed record SetAside : SampleFate;

    /// <param name="NeedsOperator">Whether only a person can mend it: asked again, but less often.</param>
    public sealed record Again(bool NeedsOperator) : SampleFate;

    public static SampleFate Of(HeartbeatAnswer answer, long epoch, DateTimeOffset now) => answer switch
    {
        { Status: 200 } => new Booked(),
        { Status: 409, Code: "counter-replayed", Epoch: { } has } when has > epoch => new NeedsNewEpoch(has),
        { Status: 409, Code: "counter-replayed" } => new Overtaken(),
        // Two machines have one key and one name. Ours goes on with its next sample; the control plane has raised the alarm.
        { Status: 409 } => new SetAside(),
        // Our clock was ahead when the epoch began. If it is right now, the epoch has to begin again; else time will tell.
        { Status: 422, Code: "epoch-in-future" } => epoch > now.ToUnixTimeSeconds() ? new NeedsNewEpoch(0) : new Again(NeedsOperator: true),
        // Our clock was not set when the epoch began. It is now: a wrong one fails at the signature.
        { Status: 422, Code: "epoch-implausible" } => new NeedsNewEpoch(0),
        // It came within a second of the one before, say around a restart. Totals are cumulative: the next one tells the same.
        { Status: 422, Code: "too-soon" } => new Overtaken(),
        { Status: 400 or 413 or 415 or 422 } => new SetAside(),
        // A key not registered yet, a clock that is off, a network that is not ours: none of it is the sample's fault.
        { Status: 401 or 403 or 404 } => new Again(NeedsOperator: true),
        // Redirects among them: a heartbeat goes where the configuration says and nowhere else.
        _ => new Again(NeedsOperator: false),
    };
}
