using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace ControlPlane.Local.Gateway;

/// <summary>The event of a REST API, payload format 1.0.</summary>
/// <remarks>https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html</remarks>
internal static class PrivateEvent
{
    private const string Stage = "v1";

    public static JsonObject From(GatewayRequest request, Route route, IReadOnlyDictionary<string, string> parameters) => new()
    {
        ["resource"] = route.Path,
        ["path"] = request.RawPath,
        ["httpMethod"] = request.Method,
        ["headers"] = Last(request.Headers, StringComparer.OrdinalIgnoreCase),
        ["multiValueHeaders"] = All(request.Headers, StringComparer.OrdinalIgnoreCase),
        ["queryStringParameters"] = Last(request.Query, StringComparer.Ordinal),
        ["multiValueQueryStringParameters"] = All(request.Query, StringComparer.Ordinal),
        ["pathParameters"] = Last(parameters, StringComparer.Ordinal),
        ["stageVariables"] = null,
        ["requestContext"] = new JsonObject
        {
            ["accountId"] = "000000000000",
            ["apiId"] = "private",
            ["domainName"] = request.Header("host"),
            ["domainPrefix"] = request.Header("host")?.Split('.', ':')[0],
            ["extendedRequestId"] = request.RequestId,
            ["httpMethod"] = request.Method,
            ["identity"] = new JsonObject { ["sourceIp"] = request.SourceIp, ["userAgent"] = request.Header("user-agent") },
            ["path"] = $"/{Stage}{request.RawPath}",
            ["protocol"] = request.Protocol,
            ["requestId"] = request.RequestId,
            ["requestTime"] = request.At.ToString("dd/MMM/yyyy:HH:mm:ss +0000", CultureInfo.InvariantCulture),
            ["requestTimeEpoch"] = request.At.ToUnixTimeMilliseconds(),
            ["resourceId"] = "local",
            ["resourcePath"] = route.Path,
            ["stage"] = Stage,
        },
        ["body"] = request.Body.Length > 0 ? Encoding.UTF8.GetString(request.Body) : null,    // no binary media types: bytes that are no UTF-8 do not survive
        ["isBase64Encoded"] = false,
    };

    private static JsonObject? Last(IEnumerable<KeyValuePair<string, string>> pairs, StringComparer names) =>
        Grouped(pairs, names).Select(group => KeyValuePair.Create(group.Key, (JsonNode?)group.Last())).ToList() is { Count: > 0 } members ? new(members) : null;

    private static JsonObject? All(IEnumerable<KeyValuePair<string, string>> pairs, StringComparer names) =>
        Grouped(pairs, names).Select(group => KeyValuePair.Create(group.Key, (JsonNode?)new JsonArray([.. group.Select(value => JsonValue.Create(value))])))
            .ToList()
            is { Count: > 0 } members ? new(members) : null;

    private static IEnumerable<IGrouping<string, string>> Grouped(IEnumerable<KeyValuePair<string, string>> pairs, StringComparer names) =>
        pairs.GroupBy(pair => pair.Key, pair => pair.Value, names);
}
