using System.Net;
using System.Text;
using System.Text.Json;
using Amazon.Runtime;

namespace ControlPlane.Bench.Dispatch;

/// <summary>Stands below the SDK in DynamoDB's place: answers what a queued execution needs, after the two milliseconds that a table in the region
/// takes.</summary>
internal sealed class StubDynamo : HttpMessageHandler
{
    private static readonly TimeSpan Latency = TimeSpan.FromMilliseconds(2);

    private readonly string _order = Convert.ToBase64String(new byte[4096]);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var target = request.Headers.GetValues("X-Amz-Target").Single();
        using var document = JsonDocument.Parse(await request.Content!.ReadAsByteArrayAsync(cancellationToken));
        var key = document.RootElement.GetProperty("Key");
        var (pk, sk) = (key.GetProperty("pk").GetProperty("S").GetString()!, key.GetProperty("sk").GetProperty("S").GetString()!);
        await Task.Delay(Latency, cancellationToken);
        return new(HttpStatusCode.OK)
        {
            Content = new StringContent(AnswerTo(target, pk, sk, document.RootElement), Encoding.UTF8,
            "application/x-amz-json-1.0")
        };
    }

    private string AnswerTo(string target, string pk, string sk, JsonElement request) => (target, sk) switch
    {
        ("DynamoDB_20120810.GetItem", "PROFILE") =>
            $$$$"""{"Item":{"pk":{"S":"{{{{pk}}}}"},"status":{"S":"active"},"engine":{"S":"{{{{DispatchBench.AddressOf(pk)}}}}"} } } }""",
        ("DynamoDB_20120810.GetItem", _) =>
            $$$$"""{"Item":{"pk":{"S":"{{{{pk}}}}"},"tenant_id":{"S":"{{{{DispatchBench.TenantOf(pk)}}}}"},"path":{"S":"wf"},"body":{"B":"{{{{_order}}}}"},"token":{"S":"{{{{new string('t', 900)}}}}"},"token_expires_at":{"N":"4000000000"} } } }""",
        ("DynamoDB_20120810.UpdateItem", _) when request.GetProperty("UpdateExpression").GetString()!.Contains("attempt_count", StringComparison.Ordinal) =>
            $$$$"""{"Attributes":{"pk":{"S":"{{{{pk}}}}"},"tenant_id":{"S":"{{{{DispatchBench.TenantOf(pk)}}}}"},"workflow":{"S":"wf"},"source":{"S":"slack"},"team_id":{"S":"T"},"user_id":{"S":"U"},"channel_id":{"S":"C"},"state":{"S":"DISPATCHING"},"created_at":{"S":"2026-01-01T00:00:00.000Z"},"deadline_at":{"S":"2096-01-01T00:00:00.000Z"},"month":{"S":"2026-01"},"inputs":{"S":"{}"},"attempt_count":{"N":"1"},"lease_owner":{"S":"o"} } } }""",
        _ => "{}",
    };
}

internal sealed class StubClients(StubDynamo dynamo) : HttpClientFactory
{
    public override HttpClient CreateHttpClient(IClientConfig clientConfig) => new(dynamo, disposeHandler: false);
}
