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
    public async Task<InvocationHeaders> NextAsync(MemoryStream body, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, _next);
        using var response = await _http.SendAsync(request, cancel);
        ThrowUnlessTaken(response);
        await response.Content.CopyToAsync(body, cancel);
        return InvocationHeaders.From(response.Headers);
    }

    public async Task RespondAsync(string requestId, MemoryStream answer)
    {
        var content = new ByteArrayContent(answer.GetBuffer(), 0, (int)answer.Length);
        content.Headers.ContentType = Json;
        await PostAsync($"invocation/{requestId}/response", content);
    }

    /// <summary>Says that this event failed.</summary>
    public Task ReportErrorAsync(string requestId, Exception error) => ReportAsync($"invocation/{requestId}/error", error, error.GetType().Name);

    /// <summary>Says that this process cannot start. The error's type stands in the body alone.</summary>
    public Task ReportInitErrorAsync(Exception error) => ReportAsync("init/error", error, typeHeader: null);

    public void Dispose() => _http.Dispose();

    private async Task ReportAsync(string path, Exception error, string? typeHeader)
    {
        var content = new ByteArrayContent(ErrorReport.Json(error));
        content.Headers.ContentType = ErrorJson;
        await PostAsync(path, content, typeHeader);
    }

    // Not cancelled by a shutdown: an answer that is ready is delivered.
    private async Task PostAsync(string path, HttpContent content, string? errorType = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _runtime + path) { Content = content };
        if (errorType is not null)
            request.Headers.TryAddWithoutValidation("Lambda-Runtime-Function-Error-Type", errorType);

        using var response = await _http.SendAsync(request, CancellationToken.None);
        ThrowUnlessTaken(response);
    }

    // Whatever it refuses, this process ends: the API settles the event in hand, and Lambda starts another.
    private static void ThrowUnlessTaken(HttpResponseMessage response)
    {
        if (response.IsSuccessStatusCode)
            return;
        var asked = response.RequestMessage!.RequestUri!.AbsolutePath;
        throw new RuntimeApiClientException(
            $"The Lambda Runtime API answered {asked} with {(int)response.StatusCode} ({response.ReasonPhrase}).", (int)response.StatusCode);
    }
}
