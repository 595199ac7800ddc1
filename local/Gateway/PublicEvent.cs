using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace ControlPlane.Local.Gateway;

/// <summary>The event of an HTTP API, payload format 2.0.</summary>
/// <remarks>https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html</remarks>
internal static class PublicEvent
{
    public static JsonObject From(GatewayRequest request, Route route, IReadOnlyDictionary<string, string> parameters)
    {
        var json = new JsonObject
        {
            ["version"] = "2.0",
            ["routeKey"] = route.Key,
            ["rawPath"] = request.RawPath,
            ["rawQueryString"] = request.RawQuery,
        };
        var cookies = request.Headers.Where(header => IsCookie(header.Key)).SelectMany(header => header.Value.Split("; ")).ToList();
        if (cookies.Count > 0)
            json["cookies"] = new JsonArray([.. cookies.Select(cookie => JsonValue.Create(cookie))]);
        json["headers"] = Joined(
            request.Headers.Where(header => !IsCookie(header.Key)).Select(header => KeyValuePair.Create(header.Key.ToLowerInvariant(), header.Value)));
        if (request.RawQuery.Length > 0)
            json["queryStringParameters"] = Joined(request.Query);
        json["requestContext"] = new JsonObject
        {
            ["accountId"] = "000000000000",
            ["apiId"] = "public",
            ["domainName"] = request.Header("host"),
            ["domainPrefix"] = request.Header("host")?.Split('.', ':')[0],
            ["http"] = new JsonObject
            {
                ["method"] = request.Method,
                ["path"] = request.RawPath,
                ["protocol"] = request.Protocol,
                ["sourceIp"] = request.SourceIp,
                ["userAgent"] = request.Header("user-agent") ?? "",
            },
            ["requestId"] = request.RequestId,
            ["routeKey"] = route.Key,
            ["stage"] = "$default",
            ["time"] = request.At.ToString("dd/MMM/yyyy:HH:mm:ss +0000", CultureInfo.InvariantCulture),
            ["timeEpoch"] = request.At.ToUnixTimeMilliseconds(),
        };
        if (parameters.Count > 0)
            json["pathParameters"] = Joined(parameters);
        if (request.Body.Length > 0)
            json["body"] = request.IsText ? Encoding.UTF8.GetString(request.Body) : Convert.ToBase64String(request.Body);
        json["isBase64Encoded"] = request.Body.Length > 0 && !request.IsText;
        return json;
    }

    private static bool IsCookie(string name) => name.Equals("cookie", StringComparison.OrdinalIgnoreCase);

    private static JsonObject Joined(IEnumerable<KeyValuePair<string, string>> pairs) =>
        new(pairs.GroupBy(pair => pair.Key, pair => pair.Value).Select(group => KeyValuePair.Create(group.Key, (JsonNode?)string.Join(',', group))));
}
