using System.Globalization;
using System.Text;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Amazon.Lambda.APIGatewayEvents;
using ControlPlane.Aws;
using ControlPlane.Aws.Logs;
using ControlPlane.Bench;
using ControlPlane.Local.DynamoDb;
using ControlPlane.Local.Template;
using ControlPlane.MeteringCollector;
using ControlPlane.MeteringCollector.Heartbeats;
using ControlPlane.Tenants;
using ControlPlane.Text;
using ControlPlane.Tokens;
using NSec.Cryptography;

// What a heartbeat costs in the function's process: the signature check alone, its two SDK calls alone, and the whole handler. DynamoDB Local is another
// process.
const int Beats = 5000;
const int WarmUp = 2000;

var root = new DirectoryInfo(AppContext.BaseDirectory);
while (!File.Exists(Path.Combine(root.FullName, "ControlPlane.slnx")))
    root = root.Parent ?? throw new InvalidOperationException("ControlPlane.slnx is not above this program: run it from a checkout.");

await using var dynamoDb = await DynamoDbLocal.StartAsync();
var dynamo = dynamoDb.NewClient();
var tables = await TableBuilder.CreateAsync(
    dynamo, TemplateReader.Read(Path.Combine(root.FullName, "serverless.template")).Tables, "bench-", CancellationToken.None);

var clock = TimeProvider.System;
var tenant = TenantId.Parse("tenant-43");
using var key = Key.Create(SignatureAlgorithm.Ed25519);
var publicBytes = key.PublicKey.Export(KeyBlobFormat.RawPublicKey);
if (!SidecarPublicKey.TryImport(publicBytes, out var publicKey) || !EngineAddress.TryParse("10.142.128.10", tenant, allowPublicSubnet: false, out var engine))
    throw new InvalidOperationException("The bench's own key or address is refused.");
var registry = new TenantRegistry(dynamo, tables["TenantsTable"]);
await registry.SaveAsync(new Tenant(tenant, "Bench", TenantStatus.Active, engine, false, TenantLimits.Default), CancellationToken.None);
await registry.TryAddAsync(new(publicKey.KeyId, tenant, null, publicBytes, clock.GetUtcNow(), null, null), CancellationToken.None);

var events = new MeteringEvents(new JsonLog(Stream.Null, clock), clock);
var function = new HeartbeatsFunction(
    new RecordHeartbeat(
        new SidecarKeys(registry, clock), new InstanceStore(dynamo, tables["InstancesTable"], clock), new MeteringStore(dynamo, tables["MeteringTable"], clock),
        new SourceNetwork(SourceNetworkCheck.Enforce, events), clock),
    new("https://api.example.com"), events, clock);

// Half a day ago: samples are dated a second apart, as close as they are taken, however fast they are sent.
var started = clock.GetUtcNow().AddHours(-12).ToUnixTimeSeconds();
var context = new Invocation();
var request = Sign(1);
var (message, signature) = (
    $"hb_i-1_{started}_1.{request.Headers!["webhook-timestamp"]}.{request.Body}", Convert.FromHexString(request.Headers["bench-signature"]));
var bytes = Encoding.UTF8.GetBytes(message);

var verify = await Measurement.OfAsync("Ed25519 verify alone", WarmUp, Beats, _ => Task.FromResult(publicKey.Verify(bytes, signature)));
var calls = await Measurement.OfAsync("two SDK calls alone", WarmUp, Beats, TwoCallsAsync);
// Signed now: an attempt is good for 300 seconds.
var requests = Enumerable.Range(1, WarmUp + Beats).Select(Sign).ToList();
var handler = await Measurement.OfAsync("the handler", WarmUp, Beats, async n =>
{
    var answer = await function.AnswerAsync(requests[n], context);
    if (answer.StatusCode != 200)
        throw new InvalidOperationException(answer.Body);
});

Console.WriteLine($"{Beats} each, after {WarmUp} to warm up; {Environment.ProcessorCount} processors, .NET {Environment.Version}");
Console.WriteLine();
Console.WriteLine("| | CPU µs | p50 µs | p99 µs | p99 / p50 |");
Console.WriteLine("|---|---:|---:|---:|---:|");
foreach (var measured in new[] { verify, calls, handler })
    Console.WriteLine(measured.Row);
Console.WriteLine();
Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
    $"CPU of the handler over that of its parts: {handler.CpuMicroseconds / (verify.CpuMicroseconds + calls.CpuMicroseconds):F2}"));

APIGatewayProxyRequest Sign(int counter)
{
    var now = clock.GetUtcNow();
    var body = $$$"""{"schema":"heartbeat.v1","tenant_id":"tenant-43","instance_id":"i-1","epoch":{{{started}}},"counter":{{{counter}}},"sampled_at":"{{{Rfc3339.Format(DateTimeOffset.FromUnixTimeSeconds(started + counter))}}}","interval_s":60,"totals":{"cpu_ms":{{{counter * 10}}},"gpu_ms":0},"metrics":{"cpu":{"count":4,"utilization_pct":12.5},"gpus":[]}}""";
    var id = $"hb_i-1_{started}_{counter}";
    var timestamp = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
    var signed = SignatureAlgorithm.Ed25519.Sign(key, Encoding.UTF8.GetBytes($"{id}.{timestamp}.{body}"));
    var headers = new Dictionary<string, string>
    {
        ["content-type"] = "application/json",
        ["webhook-id"] = id,
        ["webhook-timestamp"] = timestamp,
        ["webhook-signature"] = $"v1a,{Convert.ToBase64String(signed)}",
        ["x-dp-key-id"] = publicKey.KeyId.ToString(),
        ["bench-signature"] = Convert.ToHexString(signed),
    };
    return new()
    {
        Path = "/metering/heartbeat",
        HttpMethod = "POST",
        Headers = headers,
        Body = body,
        RequestContext = new() { RequestId = "bench", Identity = new() { SourceIp = "10.142.128.10" } },
    };
}

// The same two calls with items of the same size, without anything around them.
async Task TwoCallsAsync(int n)
{
    AttributeValue Number(long value) => new() { N = value.ToString(CultureInfo.InvariantCulture) };
    await dynamo.UpdateItemAsync(new()
    {
        TableName = tables["InstancesTable"],
        Key = new() { ["pk"] = new("tenant-43"), ["sk"] = new("INSTANCE#bench") },
        UpdateExpression = "SET #counter = :counter, body_hash = :hash, cpu_ms = :cpu, gpu_ms = :gpu, sampled_at = :sampled, last_seen = :now",
        ConditionExpression = "attribute_not_exists(#counter) OR #counter < :counter",
        ExpressionAttributeNames = new() { ["#counter"] = "counter" },
        ExpressionAttributeValues = new()
        {
            [":counter"] = Number(n + 1),
            [":hash"] = new(new string('0', 64)),
            [":cpu"] = Number(n * 10),
            [":gpu"] = Number(0),
            [":sampled"] = new("2026-01-01T00:01:00.000Z"),
            [":now"] = new("2026-01-01T00:01:00.000Z"),
        },
        ReturnValues = ReturnValue.UPDATED_OLD,
        ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
    });
    await dynamo.PutItemAsync(new()
    {
        TableName = tables["MeteringTable"],
        Item = new()
        {
            ["pk"] = new("tenant-43"),
            ["sk"] = new($"2026-01-01T00:01:00.000Z#bench#{started}#{n}"),
            ["interval_s"] = Number(60),
            ["cpu_ms"] = Number(n * 10),
            ["gpu_ms"] = Number(0),
            ["metrics"] = new("""{"cpu":{"count":4,"utilization_pct":12.5},"gpus":[]}"""),
            ["key_id"] = new(publicKey.KeyId.ToString()),
            ["expires_at"] = Number(4_102_444_800),
        },
    });
}
