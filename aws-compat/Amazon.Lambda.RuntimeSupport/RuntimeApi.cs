using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Amazon.Lambda.RuntimeSupport;

/// <summary>The HTTP side of Lambda's Runtime API.</summary>
/// <remarks>https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html</remarks>
internal sealed class RuntimeApi : IDisposable
{
    private static readonly MediaTypeHeaderValue Json = new("application/json");
    private static readonly MediaTypeHeaderValue ErrorJson = new("application/vnd.aws.lambda.error+json");

    private readonly string _runtime;
    private readonly Uri _next;

    // No HttpClient around it: /next may take hours, and nothing here wants its timeout or its default headers.
    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        ActivityHeadersPropagator = null,
        PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
        RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8,     // an exception's type name may be any C# identifier
    });

    private RuntimeApi(string endpoint)
    {
        _runtime = $"http://{endpoint}/2018-06-01/runtime/";
        _next = new Uri(_runtime + "invocation/next");
    }

    /// <param name="endpoint">Host and port; null asks the environment.</param>
    /// <exception cref="InvalidOperationException">Neither names it: this is not a Lambda environment.</exception>
    public static RuntimeApi At(string? endpoint)
    {
        endpoint ??= Environment.GetEnvironmentVariable("AWS_LAMBDA_RUNTIME_API");
        return string.IsNullOrEmpty(endpoint) ? throw new InvalidOperationException("AWS_LAMBDA_RUNTIME_API is not set.") : new(endpoint);
    }

    /// <summary>Waits for an event, for as long as it takes.</summary>
    /// <returns>Null when the API refused (4xx) and may be asked again.</returns>
    public async Task<InvocationHeaders?> NextAsync(MemoryStream body, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, _next);
        using var response = await _http.SendAsync(request, cancel);
        if (response.StatusCode != HttpStatusCode.OK)
            return IsRefusal(response) ? null : throw Broken(response);

        await response.Content.CopyToAsync(body, cancel);
        return InvocationHeaders.From(response.Headers);
    }

    /// <returns>Null when Lambda took the answer, else why not.</returns>
    public async Task<AnswerRefusedException?> RespondAsync(string requestId, MemoryStream answer)
    {
        var content = new ByteArrayContent(answer.GetBuffer(), 0, (int)answer.Length);
        content.Headers.ContentType = Json;
        try
        {
            using var response = await PostAsync($"invocation/{requestId}/response", content);
            return IsRefusal(response) ? new(response.StatusCode, answer.Length) : null;
        }
        catch (HttpRequestException e) when (e.StatusCode is null)
        {
            // Hung up in the middle of the body, as servers do with one that is too large. If the API is really gone, the report that follows fails.
            return new(e, answer.Length);
        }
    }

    /// <summary>Says that this event failed. A report that the API refuses is let go: the API has settled the event in another way.</summary>
    public Task ReportErrorAsync(string requestId, Exception error) => ReportAsync($"invocation/{requestId}/error", error);

    public Task ReportInitErrorAsync(Exception error) => ReportAsync("init/error", error);

    public void Dispose() => _http.Dispose();

    private async Task ReportAsync(string path, Exception error)
    {
        var content = new ByteArrayContent(ErrorReport.Json(error));
        content.Headers.ContentType = ErrorJson;
        using var response = await PostAsync(path, content, ErrorReport.TypeOf(error));
    }

    // Not cancelled by a shutdown: an answer that is ready is delivered.
    private async Task<HttpResponseMessage> PostAsync(string path, HttpContent content, string? errorType = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _runtime + path) { Content = content };
        if (errorType is not null)
            request.Headers.TryAddWithoutValidation("Lambda-Runtime-Function-Error-Type", errorType);

        var response = await _http.SendAsync(request, CancellationToken.None);
        if (response.IsSuccessStatusCode || IsRefusal(response))
            return response;
        using (response)
            throw Broken(response);
    }

    private static bool IsRefusal(HttpResponseMessage response) => (int)response.StatusCode is >= 400 and < 500;

    // The API's 500 means "container error, non-recoverable state, the runtime should exit promptly".
    private static HttpRequestException Broken(HttpResponseMessage response) =>
        new($"The Lambda Runtime API answered {(int)response.StatusCode}.", inner: null, response.StatusCode);
}
