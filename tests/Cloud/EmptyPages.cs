using System.Text;
using System.Text.Json.Nodes;

namespace ControlPlane.Tests.Cloud;

/// <summary>Makes every query's answer a train of pages of one item each, with a page before each that is empty and goes on: all of it what DynamoDB may
/// do.</summary>
public sealed class EmptyPages() : DelegatingHandler(new SocketsHttpHandler())
{
    private const string Mark = "__after_an_empty_page";

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (!request.Headers.GetValues("X-Amz-Target").Single().EndsWith(".Query", StringComparison.Ordinal))
            return await base.SendAsync(request, cancellationToken);

        var body = JsonNode.Parse(await request.Content!.ReadAsStringAsync(cancellationToken))!.AsObject();
        if (body["ExclusiveStartKey"]?[Mark]?["S"] is not { } mark)
            return Empty(body["ExclusiveStartKey"]?.ToJsonString() ?? "");

        body.Remove("ExclusiveStartKey");
        if ((string)mark! is { Length: > 0 } key)
            body["ExclusiveStartKey"] = JsonNode.Parse(key);
        body["Limit"] = 1;
        var type = request.Content.Headers.ContentType;
        request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8);
        request.Content.Headers.ContentType = type;
        return await base.SendAsync(request, cancellationToken);
    }

    private static HttpResponseMessage Empty(string next) => new()
    {
        Content = new StringContent(
            new JsonObject
            {
                ["Items"] = new JsonArray(),
                ["Count"] = 0,
                ["ScannedCount"] = 0,
                ["LastEvaluatedKey"] = new JsonObject { [Mark] = new JsonObject { ["S"] = next } }
            }.ToJsonString(),
            Encoding.UTF8, "application/x-amz-json-1.0"),
    };
}
