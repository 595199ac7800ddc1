using System.Globalization;
using System.Text;
using Amazon.Lambda.APIGatewayEvents;
using ControlPlane.Tenants;
using ControlPlane.Text;
using ControlPlane.Tokens;
using NSec.Cryptography;

namespace ControlPlane.Tests.Support;

/// <summary>A metering sidecar as a test drives it: its key, and requests signed with it.</summary>
public sealed class SidecarSigner
{
    private readonly Key _key;

    public SidecarSigner(Key? key = null)
    {
        _key = key ?? Key.Create(SignatureAlgorithm.Ed25519);
        PublicKey = _key.PublicKey.Export(KeyBlobFormat.RawPublicKey);
        Assert.True(SidecarPublicKey.TryImport(PublicKey, out var imported));
        KeyId = imported!.KeyId;
    }

    public byte[] PublicKey { get; }

    public KeyId KeyId { get; }

    /// <summary>The key of the published example: RFC 8032 §7.1, test 1.</summary>
    public static SidecarSigner OfRfc8032() => new(Key.Import(
        SignatureAlgorithm.Ed25519, Convert.FromHexString("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"), KeyBlobFormat.RawPrivateKey));

    public SidecarKey Registration(string tenant = "tenant-43", string? instance = null) =>
        new(KeyId, TenantId.Parse(tenant), instance, PublicKey, DateTimeOffset.UnixEpoch, NotAfter: null, RevokedAt: null);

    public byte[] Sign(string id, long timestamp, ReadOnlySpan<byte> body) =>
        SignatureAlgorithm.Ed25519.Sign(_key, [.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp}.")), .. body]);

    public string SignatureText(string id, long timestamp, ReadOnlySpan<byte> body) => $"v1a,{Convert.ToBase64String(Sign(id, timestamp, body))}";

    public APIGatewayProxyRequest Request(Sample sample, DateTimeOffset now, string? sourceIp = "10.142.1.7") =>
        Request(sample.Id, Encoding.UTF8.GetBytes(sample.ToString()), now.ToUnixTimeSeconds(), sourceIp);

    public APIGatewayProxyRequest Request(string id, byte[] body, long timestamp, string? sourceIp = "10.142.1.7") =>
        Post(body, sourceIp, new()
        {
            ["Content-Type"] = "application/json",
            ["webhook-id"] = id,
            ["webhook-timestamp"] = timestamp.ToString(CultureInfo.InvariantCulture),
            ["webhook-signature"] = SignatureText(id, timestamp, body),
            ["x-dp-key-id"] = KeyId.ToString(),
        });

    public static APIGatewayProxyRequest Post(byte[] body, string? sourceIp, Dictionary<string, string> headers) => new()
    {
        Resource = "/metering/heartbeat",
        Path = "/metering/heartbeat",
        HttpMethod = "POST",
        Headers = headers,
        MultiValueHeaders = headers.ToDictionary(header => header.Key, IList<string> (header) => [header.Value]),
        RequestContext = new() { RequestId = "request-1", Identity = new() { SourceIp = sourceIp! } },
        Body = Convert.ToBase64String(body),
        IsBase64Encoded = true,
    };
}

/// <summary>A heartbeat's text, member by member, so that a test can write any of them wrongly.</summary>
public sealed record Sample
{
    public const long Started = 1_767_225_600;              // 2026-01-01T00:00:00Z

    public string Tenant { get; init; } = "tenant-43";
    public string Instance { get; init; } = "i-0abc1234def567890";
    public string Epoch { get; init; } = "1767225600";
    public string Counter { get; init; } = "1";
    public string SampledAt { get; init; } = "2026-01-01T00:01:00Z";
    public string CpuMs { get; init; } = "7500";
    public string GpuMs { get; init; } = "0";
    public string Gpus { get; init; } = "[]";

    /// <summary>Members before the first, each followed by a comma.</summary>
    public string Before { get; init; } = "";

    /// <summary>Members behind the last, each led by a comma.</summary>
    public string After { get; init; } = "";

    public const string OneGpu = """{"index":0,"uuid":"GPU-1","model":"L4","utilization_pct":50.5,"memory_used_bytes":1,"memory_total_bytes":2}""";

    public string Id => $"hb_{Instance}_{Epoch}_{Counter}";

    public static Sample At(DateTimeOffset sampledAt, long counter, long cpuMs, long gpuMs = 0, long epoch = Started) => new()
    {
        Epoch = epoch.ToString(CultureInfo.InvariantCulture),
        Counter = counter.ToString(CultureInfo.InvariantCulture),
        SampledAt = Rfc3339.Format(sampledAt),
        CpuMs = cpuMs.ToString(CultureInfo.InvariantCulture),
        GpuMs = gpuMs.ToString(CultureInfo.InvariantCulture),
        Gpus = gpuMs == 0 ? "[]" : $"[{OneGpu}]",
    };

    public override string ToString() =>
        $$"""{{{Before}}"schema":"heartbeat.v1","tenant_id":"{{Tenant}}","instance_id":"{{Instance}}","epoch":{{Epoch}},"counter":{{Counter}},"sampled_at":"{{SampledAt}}","interval_s":60,"totals":{"cpu_ms":{{CpuMs}},"gpu_ms":{{GpuMs}}},"metrics":{"cpu":{"count":4,"utilization_pct":12.5},"gpus":{{Gpus}}}{{After}}}""";
}
