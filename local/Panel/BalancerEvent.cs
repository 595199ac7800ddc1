using System.Text;
using System.Text.Json.Nodes;
using ControlPlane.Local.Gateway;

namespace ControlPlane.Local.Panel;

/// <summary>The event of an application load balancer whose target group has <c>lambda.multi_value_headers.enabled</c>.</summary>
/// <remarks>https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html</remarks>
internal static class BalancerEvent
{
    public static JsonObject From(GatewayRequest request, string targetGroup) => new()
    {
        ["requestContext"] = new JsonObject { ["elb"] = new JsonObject { ["targetGroupArn"] = targetGroup } },
        ["httpMethod"] = request.Method,
        ["path"] = request.RawPath,
        // Neither names nor values are decoded.
        ["multiValueQueryStringParameters"] = Grouped(
            request.RawQuery.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=', 2))
                .Select(pair => KeyValuePair.Create(pair[0], pair.Length > 1 ? pair[1] : ""))),
        ["multiValueHeaders"] = Grouped(request.Headers.Select(header => KeyValuePair.Create(header.Key.ToLowerInvariant(), header.Value))),
        ["body"] = request.IsText || request.Body.Length == 0 ? Encoding.UTF8.GetString(request.Body) : Convert.ToBase64String(request.Body),
        ["isBase64Encoded"] = !request.IsText && request.Body.Length > 0,
    };

    private static JsonObject Grouped(IEnumerable<KeyValuePair<string, string>> pairs) => new(
        pairs.GroupBy(pair => pair.Key, pair => pair.Value)
            .Select(group => KeyValuePair.Create(group.Key, (JsonNode?)new JsonArray([.. group.Select(value => JsonValue.Create(value))]))));
}
