using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using ControlPlane.Local.Peering;
using ControlPlane.Tests.Support;
using NSec.Cryptography;

namespace ControlPlane.Tests.Flows;

/// <summary>A heartbeat, signed and ready to send.</summary>
internal sealed record SignedHeartbeat(string Id, long Epoch, long Counter, long Timestamp, string Signature, byte[] Body);

/// <summary>A tenant's metering sidecar taken apart, so that a test can repeat, change and forge what it sends.</summary>
/// <remarks>Standard Webhooks 1.0 with Ed25519 (<c>v1a</c>): https://github.com/standard-webhooks/standard-webhooks</remarks>
internal sealed class MeteringSidecar : IDisposable
{
    private readonly string _tenant, _instance, _keyId;
    private readonly SidecarSigner _signer;
    private readonly Uri _endpoint;
    private readonly TimeProvider _clock;
    private readonly HttpClient _http;
    private readonly long _epoch;
    private long _counter;
    private (TimeSpan Cpu, long At) _last;

    public MeteringSidecar(string tenant, string instance, string keyId, byte[] seed, IPAddress address, Uri privateApi, TimeProvider clock)
    {
        (_tenant, _instance, _keyId, _clock) = (tenant, instance, keyId, clock);
        _signer = new(Key.Import(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey));
        _endpoint = new(privateApi, "/metering/heartbeat");
        _http = PeeredClient.From(address);
        _epoch = clock.GetUtcNow().ToUnixTimeSeconds();
        _last = (Environment.CpuUsage.TotalTime, clock.GetTimestamp());
    }

    /// <summary>The next sample: our own processor time stands in for the machine's.</summary>
    public byte[] Sample()
    {
        var (cpu, now) = (Environment.CpuUsage.TotalTime, _clock.GetTimestamp());
        var busy = (cpu - _last.Cpu) / (_clock.GetElapsedTime(_last.At, now) * Environment.ProcessorCount);
        _last = (cpu, now);
        return Encoding.UTF8.GetBytes(new JsonObject
        {
            ["schema"] = "heartbeat.v1",
            ["tenant_id"] = _tenant,
            ["instance_id"] = _instance,
            ["epoch"] = _epoch,
            ["counter"] = ++_counter,
            ["sampled_at"] = _clock.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"),
            ["interval_s"] = 60,
            ["totals"] = new JsonObject { ["cpu_ms"] = (long)cpu.TotalMilliseconds, ["gpu_ms"] = 0 },
            ["metrics"] = new JsonObject
            {
                ["cpu"] = new JsonObject { ["count"] = Environment.ProcessorCount, ["utilization_pct"] = Math.Round(100 * Math.Clamp(busy, 0, 1), 1) },
                ["gpus"] = new JsonArray(),
            },
        }.ToJsonString());
    }

    public SignedHeartbeat Sign(byte[] body)
    {
        var (id, second) = ($"hb_{_instance}_{_epoch}_{_counter}", _clock.GetUtcNow().ToUnixTimeSeconds());
        return new(id, _epoch, _counter, second, _signer.SignatureText(id, second, body), body);
    }

    public async Task<(int Status, JsonObject Answer)> PostAsync(SignedHeartbeat heartbeat, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _endpoint)
        {
            Content = new ByteArrayContent(heartbeat.Body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
            Headers =
            {
                { "webhook-id", heartbeat.Id }, { "webhook-timestamp", $"{heartbeat.Timestamp}" }, { "webhook-signature", heartbeat.Signature },
                { "x-dp-key-id", _keyId },
            },
        };
        using var response = await _http.SendAsync(request, cancel);
        return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync(cancel)) as JsonObject ?? []);
    }

    public void Dispose() => _http.Dispose();
}
