using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ControlPlane.Http;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.MeteringCollector.Heartbeats;

/// <summary>The headers of a request that a sidecar signed, in the one form that is taken.</summary>
/// <remarks>Standard Webhooks 1.0 with asymmetric signatures, <c>v1a</c>:
/// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
/// The symmetric <c>v1</c> is passed over like any other scheme: who can verify it could also sign it.</remarks>
/// <param name="Timestamp">Unix seconds of this attempt.</param>
/// <param name="Proofs">Up to four signatures of 64 bytes, each with the id of its key.</param>
internal sealed partial record HeartbeatSignature(string Id, string TimestampText, long Timestamp, IReadOnlyList<HeartbeatSignature.Proof> Proofs)
{
    public static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(300);

    private const int MostSignatures = 4;
    private const int SignatureTextLength = 88;             // 64 bytes in base64
    private const int SignatureLength = 64;
    private const string Scheme = "v1a,";

    public readonly record struct Proof(KeyId KeyId, byte[] Signature);

    /// <returns>False when a header is missing, repeated, or not of its one form.</returns>
    /// <param name="kind">How the request's id begins: <c>hb_</c></param>
    public static bool TryRead(RawRequest request, string kind, [NotNullWhen(true)] out HeartbeatSignature? signature)
    {
        signature = null;
        if (!request.TryHeader("webhook-id", out var id) || !id.StartsWith(kind, StringComparison.Ordinal) || !IdShape().IsMatch(id))
            return false;
        if (!request.TryHeader("webhook-timestamp", out var timestamp) || !TimestampShape().IsMatch(timestamp))
            return false;
        if (!request.TryHeader("webhook-signature", out var signatures) || !request.TryHeader("x-dp-key-id", out var keyIds))
            return false;
        if (ReadProofs(signatures, keyIds) is not { } proofs)
            return false;
        signature = new(id, timestamp, long.Parse(timestamp, CultureInfo.InvariantCulture), proofs);
        return true;
    }

    public bool IsFreshAt(DateTimeOffset now) => SkewAt(now) is var skew && skew >= -(long)Tolerance.TotalSeconds && skew <= (long)Tolerance.TotalSeconds;

    /// <summary>Seconds by which our clock is ahead of the timestamp. Whole numbers: no date is made of what an attacker wrote.</summary>
    public long SkewAt(DateTimeOffset now) => now.ToUnixTimeSeconds() - Timestamp;

    /// <summary>What was signed: id, timestamp and the body's very bytes, joined by points.</summary>
    public byte[] SignedBytes(ReadOnlySpan<byte> body)
    {
        var signed = new byte[Id.Length + TimestampText.Length + 2 + body.Length];
        var length = Encoding.ASCII.GetBytes($"{Id}.{TimestampText}.", signed);
        body.CopyTo(signed.AsSpan(length));
        return signed;
    }

    private static List<Proof>? ReadProofs(string signatures, string keyIds)
    {
        var entries = signatures.Split(' ', MostSignatures + 1);
        var names = keyIds.Split(',', MostSignatures + 1);
        if (entries.Length > MostSignatures)
            return null;

        var proofs = new List<Proof>(entries.Length);
        foreach (var entry in entries)
        {
            if (!EntryShape().IsMatch(entry))
                return null;
            if (!entry.StartsWith(Scheme, StringComparison.Ordinal))
                continue;
            var text = entry.AsSpan(Scheme.Length);
            if (text.Length != SignatureTextLength || StrictBase64.Decode(text) is not { Length: SignatureLength } bytes)
                return null;
            if (proofs.Count == names.Length || !KeyId.TryParse(names[proofs.Count], out var keyId))
                return null;
            proofs.Add(new(keyId, bytes));
        }
        return proofs.Count > 0 && proofs.Count == names.Length ? proofs : null;
    }

    // What it says is compared with the body once the body is believed.
    [GeneratedRegex(@"\A[a-z]{2,8}_[A-Za-z0-9_-]{1,120}\z")]
    private static partial Regex IdShape();

    [GeneratedRegex(@"\A(0|[1-9][0-9]{0,17})\z")]
    private static partial Regex TimestampShape();

    [GeneratedRegex(@"\A[a-z0-9]{1,8},[\x21-\x7e]{1,1024}\z")]
    private static partial Regex EntryShape();
}
