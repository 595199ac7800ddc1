using Amazon.Lambda.APIGatewayEvents;

namespace ControlPlane.MeteringCollector;

internal static class Reply
{
    public static APIGatewayProxyResponse Json(string body) => new()
    {
        StatusCode = 200,
        Headers = new Dictionary<string, string> { ["Content-Type"] = "application/json", ["Cache-Control"] = "no-store" },
        Body = body,
    };
}
