using System.Globalization;
using Amazon.DynamoDBv2.Model;
using ControlPlane.ColdStart;
using ControlPlane.Local.DataPlane;
using ControlPlane.Local.Hub;

namespace ControlPlane.Peers;

/// <summary>A machine's signed sample: its counter goes on, and the sample stands beside it with its end.</summary>
internal sealed class HeartbeatJob(LocalControlPlane local, Probes probes)
    : Job(new("HeartbeatsFunction", probes.Heartbeat, Probes.IsOk) { What = "a heartbeat" }, "heartbeats")
{
    private long _counter;

    public override async Task NoteAsync(CancellationToken cancel) => _counter = CounterIn(await StateAsync(cancel));

    public override async Task<string> CheckAsync(int events, CancellationToken cancel)
    {
        var state = await StateAsync(cancel);
        // The forged one took its number with it.
        var counted = CounterIn(state) - _counter;
        Expect(counted >= events && counted <= events + 1, $"the counter rose by {counted} for {events} heartbeats");
        var samples = await SamplesAsync(cancel);
        Expect(samples.Count == events, $"{samples.Count} samples of {events} heartbeats were kept");
        return events == 0 ? "" : $"{Shape.Of(state)}; {Shape.Of(samples[^1])}";
    }

    private static long CounterIn(Dictionary<string, AttributeValue> state) =>
        state.TryGetValue("counter", out var counter) ? long.Parse(counter.N, CultureInfo.InvariantCulture) : 0;

    private async Task<Dictionary<string, AttributeValue>> StateAsync(CancellationToken cancel) => (await local.DynamoClient.GetItemAsync(
        new()
        {
            TableName = local.Tables["InstancesTable"],
            Key = new() { ["pk"] = new($"{DemoData.Tenant}"), ["sk"] = new($"INSTANCE#{Probes.Machine}") },
            ConsistentRead = true,
        }, cancel)).Item ?? [];

    private async Task<List<Dictionary<string, AttributeValue>>> SamplesAsync(CancellationToken cancel)
    {
        var query = new QueryRequest
        {
            TableName = local.Tables["MeteringTable"],
            KeyConditionExpression = "pk = :tenant AND sk >= :first",
            ExpressionAttributeValues = new()
            {
                [":tenant"] = new($"{DemoData.Tenant}"),
                [":first"] = new(probes.SampledAt(_counter + 1)),
            },
            ConsistentRead = true,
        };
        var samples = new List<Dictionary<string, AttributeValue>>();
        QueryResponse page;
        do
        {
            page = await local.DynamoClient.QueryAsync(query, cancel);
            samples.AddRange(page.Items.Where(item => item["sk"].S.Split('#')[1] == Probes.Machine));
            query.ExclusiveStartKey = page.LastEvaluatedKey;
        }
        while (page.LastEvaluatedKey is { Count: > 0 });
        return samples;
    }
}
