using System.Globalization;
using System.Text.Json.Nodes;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Aws;
using ControlPlane.Local.Gateway;
using ControlPlane.Metering;
using ControlPlane.Quotas;

namespace ControlPlane.Local.Demo;

/// <summary>Flow 2: a signed heartbeat on its way into the tables, steps 1 to 10.</summary>
internal sealed class HeartbeatFlow(LocalControlPlane local, Screen screen, TimeProvider clock)
{
    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    private readonly MeteringSidecar _sidecar = local.Sidecar ?? throw new InvalidOperationException("Without demo data there is no sidecar.");
    private readonly TenantRegistry _tenants = new(local.DynamoClient, local.Tables["TenantsTable"]);
    private readonly InstanceStore _instances = new(local.DynamoClient, local.Tables["InstancesTable"], clock);

    /// <exception cref="StepNotSeen">The flow did not reach its end.</exception>
    public async Task PlayAsync(CancellationToken cancel)
    {
        using var observer = new Observer(local);
        using var turn = await _sidecar.TurnAsync(cancel);
        var flow = new Flow("Flow 2: from a sidecar's sample to the metering tables", 10, screen, clock);
        flow.Begin();

        var body = await flow.StepAsync("the sidecar samples its machine", _ =>
        {
            var sample = _sidecar.Sample();
            return Task.FromResult((sample, new Evidence($"{sample.Length} bytes, cpu total {JsonNode.Parse(sample)!["totals"]!["cpu_ms"]} ms", clock.GetUtcNow())));
        }, cancel);
        var signed = await flow.StepAsync("signs with Ed25519", _ =>
        {
            var heartbeat = _sidecar.Sign(body);
            return Task.FromResult((heartbeat, new Evidence($"{heartbeat.Id}, key {DemoData.SidecarKeyId[..8]}…", clock.GetUtcNow())));
        }, cancel);
        var forged = await _sidecar.PostAsync(signed with { Body = [.. body.Select((value, i) => i == body.Length - 2 ? (byte)' ' : value)] }, cancel);

        var sent = clock.GetUtcNow();
        var (status, answer) = await _sidecar.PostAsync(signed, cancel);
        await flow.StepAsync("POST over peering", _ => Seen($"from {DemoData.Engine} to {local.PrivateApi.Endpoint}metering/heartbeat", sent), cancel);
        var passage = await flow.StepAsync("the private API passes it to the metering collector", async token =>
        {
            var passed = await observer.FirstAsync<Passage>(one => one.Path == "/metering/heartbeat" && one.In >= sent, token);
            return (passed, new Evidence($"{passed.Method} {passed.Path} → {passed.Function}", passed.In));
        }, cancel);

        await flow.StepAsync("the key is looked up", async token =>
        {
            var key = await _tenants.FindKeyAsync(DemoData.SidecarKeyId, token) ?? throw new StepNotSeen("The sidecar's key is not registered.");
            return new($"{key.Tenant}'s, since {key.AddedAt:yyyy-MM-dd}", passage.In);
        }, cancel);
        await flow.StepAsync("the signature is verified", _ =>
            forged.Status == 401 ? Seen($"a copy with one byte changed got 401 {(string?)forged.Answer["code"]}", passage.In) : throw new StepNotSeen($"A changed body was answered {forged.Status}, not 401."),
            cancel);
        var instance = await flow.StepAsync("the counter is checked", async token =>
        {
            if (status != 200) throw new StepNotSeen($"The heartbeat was answered {status}: {answer.ToJsonString()}");
            var found = (await _instances.OfTenantAsync(DemoData.Tenant, Month.Of(clock.GetUtcNow()), token)).Instances.First(one => one.Instance.ToString() == DemoData.Instance);
            if ((found.Epoch, found.Counter) != (signed.Epoch, signed.Counter)) throw new StepNotSeen($"The instance stands at {found.Epoch}/{found.Counter}.");
            return (found, new Evidence($"epoch {found.Epoch}, counter {found.Counter}", found.LastSeen));
        }, cancel);
        await flow.StepAsync("the record is stored for 30 days", async token =>
        {
            var record = await RecordAsync(signed, token) ?? throw new StepNotSeen("There is no metering record.");
            var left = DateTimeOffset.FromUnixTimeSeconds(long.Parse(record["expires_at"].N, CultureInfo.InvariantCulture)) - clock.GetUtcNow();
            if ((left - Kept).Duration() > TimeSpan.FromMinutes(10)) throw new StepNotSeen($"The record expires in {left.TotalDays:0.0} days.");
            return new($"{record["sk"].S}, expires in {left.TotalDays:0} days", instance.LastSeen);
        }, cancel);
        await flow.StepAsync("the tenant is healthy", async token =>
        {
            var health = (await _instances.OfTenantAsync(DemoData.Tenant, Month.Of(clock.GetUtcNow()), token)).HealthAt(clock.GetUtcNow());
            if (health?.Liveness != Liveness.Healthy) throw new StepNotSeen($"The tenant is {health?.Liveness.Name ?? "unknown"}.");
            return new($"{health.Liveness.Name}, {health.Healthy} of {health.Instances} instances", instance.LastSeen);
        }, cancel);
        await flow.StepAsync("answered", _ => Seen($"{passage.Status} {(string?)answer["status"]} in {(passage.Out - passage.In).TotalMilliseconds:0} ms", passage.Out), cancel);
        flow.End($"{signed.Id} is metered");
    }

    private async Task<Dictionary<string, AttributeValue>?> RecordAsync(SignedHeartbeat heartbeat, CancellationToken cancel)
    {
        var found = await local.DynamoClient.QueryAsync(new()
        {
            TableName = local.Tables["MeteringTable"],
            KeyConditionExpression = "pk = :tenant",
            ExpressionAttributeValues = new() { [":tenant"] = new(DemoData.Tenant.ToString()) },
            ScanIndexForward = false,
            ConsistentRead = true,
            Limit = 20,
        }, cancel);
        return found.Items?.Find(item => item["sk"].S.EndsWith($"#{DemoData.Instance}#{heartbeat.Epoch}#{heartbeat.Counter}", StringComparison.Ordinal));
    }

    private static Task<Evidence> Seen(string inWords, DateTimeOffset at) => Task.FromResult(new Evidence(inWords, at));
}
