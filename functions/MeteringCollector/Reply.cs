using Amazon.Lambda.APIGatewayEvents;

namespace ControlPlane.MeteringCollector;

internal static class Reply
{
    public static APIGatewayProxyResponse Json(string body) => Of(200, body);

    public static APIGatewayProxyResponse Created(string body) => Of(201, body);

    private static APIGatewayProxyResponse Of(int status, string body) => new()
    {
        StatusCode = status,
        Headers = new Dictionary<string, string> { ["Content-Type"] = "application/json", ["Cache-Control"] = "no-store" },
        Body = body,
    };
}
