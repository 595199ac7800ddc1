using System.Text;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.Core;
using ControlPlane.Http;
using ControlPlane.Text;

namespace ControlPlane.Aws;

/// <summary>Both event shapes of API Gateway as the one request value, and answers back.</summary>
public static class ApiGateway
{
    extension(RawRequest)
    {
        /// <summary>From a payload v2 event of the public HTTP API: form bodies come as base64, repeated headers joined by commas.</summary>
        /// <returns>Null when the body is announced as base64 and is not, and for an event that is not API Gateway's.</returns>
        public static RawRequest? From(APIGatewayHttpApiV2ProxyRequest? http) =>
            http is { RequestContext.Http: not null, RawPath: not null } && Body(http.Body, http.IsBase64Encoded) is { } body
            ? new(
                http.RequestContext.Http.Method, http.RawPath, http.Headers ?? Nothing.AsEnumerable(), body, http.RequestContext.Http.SourceIp,
                http.RequestContext.RequestId,
                http.RawQueryString ?? "", Copy(http.PathParameters))
            : null;

        /// <summary>From a payload v1 event of the private REST API: names as sent, repeats in <c>multiValueHeaders</c>.</summary>
        /// <returns>Null when the body is announced as base64 and is not, and for an event that is not API Gateway's.</returns>
        public static RawRequest? From(APIGatewayProxyRequest? rest) =>
            rest is { RequestContext: not null, HttpMethod: not null, Path: not null } && Body(rest.Body, rest.IsBase64Encoded) is { } body
            ? new(
                rest.HttpMethod, rest.Path, HeadersOf(rest), body, rest.RequestContext.Identity?.SourceIp, rest.RequestContext.RequestId,
                pathParameters: Copy(rest.PathParameters))
            : null;
    }

    /// <summary>API Gateway's id of the request; for an event that is not API Gateway's, Lambda's of the invocation.</summary>
    public static string RequestIdOf(APIGatewayProxyRequest? rest, ILambdaContext context) => rest?.RequestContext?.RequestId ?? context.AwsRequestId;

    extension(APIGatewayProxyRequest? rest)
    {
        /// <summary>Whether the body is larger than an endpoint takes, measured as it came: what is too large is not decoded first.</summary>
        public bool IsLargerThan(int bytes) => rest is not null && BytesAtLeast(rest.Body, rest.IsBase64Encoded) > bytes;
    }

    extension(Problem problem)
    {
        public APIGatewayProxyResponse ToRest(Uri baseUrl, string requestId)
        {
            var headers = new Dictionary<string, string> { ["Content-Type"] = Problem.MediaType, ["Cache-Control"] = "no-store" };
            if (problem.RetryAfter is { } wait)
                headers["Retry-After"] = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
            return new() { StatusCode = problem.Status, Headers = headers, Body = problem.ToJson(baseUrl, requestId) };
        }
    }

    private static readonly KeyValuePair<string, string>[] Nothing = [];

    // No character is less than a byte; four of base64 are three, less what the end is padded with.
    internal static long BytesAtLeast(string? body, bool isBase64) => body is null ? 0 : isBase64 ? (body.Length / 4 * 3L) - 2 : body.Length;

    private static byte[]? Body(string? body, bool isBase64) => body is null ? [] : isBase64 ? StrictBase64.Decode(body) : Encoding.UTF8.GetBytes(body);

    private static IEnumerable<KeyValuePair<string, string>> HeadersOf(APIGatewayProxyRequest rest) =>
        rest.MultiValueHeaders?.SelectMany(
            header => header.Value.Select(value => KeyValuePair.Create(header.Key, value))) ?? rest.Headers ?? Nothing.AsEnumerable();

    private static Dictionary<string, string>? Copy(IDictionary<string, string>? pairs) => pairs is null ? null : new(pairs);
}
