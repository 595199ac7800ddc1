using System.Globalization;
using System.Text.Json.Nodes;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Aws;
using ControlPlane.Local.DataPlane;
using ControlPlane.Local.Gateway;
using ControlPlane.Local.Hub;
using ControlPlane.Local.Output;
using ControlPlane.Local.Peering;
using ControlPlane.Local.Runtime;
using ControlPlane.Metering;
using ControlPlane.Quotas;

namespace ControlPlane.Local.Demo;

/// <summary>Flow 2: a signed heartbeat on its way into the tables, steps 1 to 10.</summary>
internal sealed class HeartbeatFlow(LocalControlPlane local, Screen screen, TimeProvider clock)
{
    private const string Path = "/metering/heartbeat";

    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    private readonly TenantMachine _machine = local.Machine ?? throw new InvalidOperationException("Without demo data there is no machine.");
    private readonly TenantRegistry _tenants = new(local.DynamoClient, local.Tables["TenantsTable"]);
    private readonly InstanceStore _instances = new(local.DynamoClient, local.Tables["InstancesTable"], clock);

    /// <exception cref="StepNotSeen">The flow did not reach its end.</exception>
    public async Task PlayAsync(CancellationToken cancel)
    {
        using var observer = new Observer(local);
        var flow = new Flow("Flow 2: from a sidecar's sample to the metering tables", 10, screen, local.Pace, clock);
        flow.Begin();

        var before = clock.GetUtcNow();
        var (passage, sample) = await flow.StepAsync("the sidecar samples its machine", async token =>
        {
            await _machine.RestartAsync();
            var passed = await observer.FirstAsync<Passage>(one => one.Path == Path && one.In >= before && IsFirstOfItsEpoch(one.Request), token);
            var body = JsonNode.Parse(passed.Request.Body)!;
            return ((passed, body), new Evidence($"{passed.Request.Body.Length} bytes, cpu total {body["totals"]!["cpu_ms"]} ms on {body["metrics"]!["cpu"]!["count"]} cores", passed.In));
        }, cancel);
        var id = $"hb_{DemoData.Instance}_{sample["epoch"]}_{sample["counter"]}";
        await flow.StepAsync("signs with Ed25519", _ => passage.Request.Header("webhook-id") == id
            ? Seen($"{id}, key {passage.Request.Header("x-dp-key-id")![..8]}…", passage.In)
            : throw new StepNotSeen($"The heartbeat's id is {passage.Request.Header("webhook-id")}, not {id}."), cancel);
        await flow.StepAsync("POST over peering", _ => Seen($"from {passage.Request.SourceIp} to {local.PrivateApi.Endpoint}{Path[1..]}", passage.In), cancel);
        await flow.StepAsync(
            "the private API passes it to the metering collector", _ => Seen($"{passage.Request.Method} {passage.Path} → {passage.Function}", passage.In),
            cancel);

        await flow.StepAsync("the key is looked up", async token =>
        {
            var key = await _tenants.FindKeyAsync(DemoData.SidecarKeyId, token) ?? throw new StepNotSeen("The sidecar's key is not registered.");
            return new($"{key.Tenant}'s, since {key.AddedAt:yyyy-MM-dd}", passage.In);
        }, cancel);
        await flow.StepAsync("the signature is verified", async token =>
        {
            var status = await PostChangedAsync(passage.Request, new(local.PrivateApi.Endpoint, Path), token);
            return status == 401
                ? new("a copy with one byte changed gets 401", passage.In)
                : throw new StepNotSeen($"A copy with one byte changed was answered {status}, not 401.");
        }, cancel);
        var instance = await flow.StepAsync("the counter is checked", async token =>
        {
            if (passage.Status != 200)
                throw new StepNotSeen($"The heartbeat was answered {passage.Status}.");
            var found = (await _instances.OfTenantAsync(DemoData.Tenant, Month.Of(clock.GetUtcNow()), token))
                .Instances.First(one => one.Instance.ToString() == DemoData.Instance);
            if ((found.Epoch, found.Counter) != ((long)sample["epoch"]!, (long)sample["counter"]!))
                throw new StepNotSeen($"The instance stands at {found.Epoch}/{found.Counter}.");
            return (found, new Evidence($"epoch {found.Epoch}, counter {found.Counter}", found.LastSeen));
        }, cancel);
        await flow.StepAsync("the record is stored for 30 days", async token =>
        {
            var record = await RecordAsync(sample, token) ?? throw new StepNotSeen("There is no metering record.");
            var left = DateTimeOffset.FromUnixTimeSeconds(long.Parse(record["expires_at"].N, CultureInfo.InvariantCulture)) - clock.GetUtcNow();
            if ((left - Kept).Duration() > TimeSpan.FromMinutes(10))
                throw new StepNotSeen($"The record expires in {left.TotalDays:0.0} days.");
            return new($"{record["sk"].S}, expires in {left.TotalDays:0} days", instance.LastSeen);
        }, cancel);
        await flow.StepAsync("the tenant is healthy", async token =>
        {
            var health = (await _instances.OfTenantAsync(DemoData.Tenant, Month.Of(clock.GetUtcNow()), token)).HealthAt(clock.GetUtcNow());
            if (health?.Liveness != Liveness.Healthy)
                throw new StepNotSeen($"The tenant is {health?.Liveness.Name ?? "unknown"}.");
            return new($"{health.Liveness.Name}, {health.Healthy} of {health.Instances} instances", instance.LastSeen);
        }, cancel);
        await flow.StepAsync("answered", async token =>
        {
            var noted = await observer.FirstAsync<FunctionLine>(
                line => line.Function == _machine.LogName && line.Text.StartsWith($"booked epoch={sample["epoch"]} ", StringComparison.Ordinal), token);
            return new($"{passage.Status} in {(passage.Out - passage.In).TotalMilliseconds:0} ms; the sidecar notes: {noted.Text}", passage.Out);
        }, cancel);
        flow.End($"{id} is metered");
    }

    // The machine may have beaten, or still have had something to deliver, at the very moment of its restart.
    private static bool IsFirstOfItsEpoch(GatewayRequest heartbeat) => heartbeat.Header("webhook-id")?.EndsWith("_1", StringComparison.Ordinal) == true;

    private static async Task<int> PostChangedAsync(GatewayRequest seen, Uri to, CancellationToken cancel)
    {
        using var http = PeeredClient.From(DemoData.Engine.Address);
        using var request = new HttpRequestMessage(HttpMethod.Post, to) { Content = new ByteArrayContent([.. seen.Body[..^1], (byte)' ']) };
        request.Content.Headers.ContentType = new("application/json");
        foreach (var name in new[] { "webhook-id", "webhook-timestamp", "webhook-signature", "x-dp-key-id" })
            request.Headers.TryAddWithoutValidation(name, seen.Header(name));
        using var answer = await http.SendAsync(request, cancel);
        return (int)answer.StatusCode;
    }

    private async Task<Dictionary<string, AttributeValue>?> RecordAsync(JsonNode sample, CancellationToken cancel)
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
        return found.Items?.Find(item => item["sk"].S.EndsWith($"#{DemoData.Instance}#{sample["epoch"]}#{sample["counter"]}", StringComparison.Ordinal));
    }

    private static Task<Evidence> Seen(string inWords, DateTimeOffset at) => Task.FromResult(new Evidence(inWords, at));
}
