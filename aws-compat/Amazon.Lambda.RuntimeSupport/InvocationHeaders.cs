using System.Globalization;
using System.Net.Http.Headers;

namespace Amazon.Lambda.RuntimeSupport;

/// <summary>What <c>/next</c> says about an event beside its body.</summary>
/// <param name="DeadlineMs">Milliseconds since the Unix epoch.</param>
internal sealed record InvocationHeaders(
    string RequestId, long DeadlineMs, string FunctionArn, string? TraceId, string? TenantId, string? ClientContext, string? CognitoIdentity)
{
    /// <exception cref="InvalidOperationException">There is no request id, so nothing could be answered.</exception>
    public static InvocationHeaders From(HttpResponseHeaders headers) => new(
        Read(headers, "Lambda-Runtime-Aws-Request-Id") ?? throw new InvalidOperationException("The Lambda Runtime API sent an event without a request id."),
        long.TryParse(Read(headers, "Lambda-Runtime-Deadline-Ms"), NumberStyles.None, CultureInfo.InvariantCulture, out var deadline) ? deadline : 0,
        Read(headers, "Lambda-Runtime-Invoked-Function-Arn") ?? "",
        Read(headers, "Lambda-Runtime-Trace-Id"),
        Read(headers, "Lambda-Runtime-Aws-Tenant-Id"),
        Read(headers, "Lambda-Runtime-Client-Context"),
        Read(headers, "Lambda-Runtime-Cognito-Identity"));

    private static string? Read(HttpResponseHeaders headers, string name) => headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null;
}
