using System.Collections.Concurrent;
using Amazon.Runtime;

namespace ControlPlane.Tests.Support;

/// <summary>Counts what the SDK sends, below its retries: one entry a call, named by its operation.</summary>
internal sealed class CountedCalls : HttpClientFactory
{
    private readonly ConcurrentQueue<string> _operations = new();

    public IReadOnlyList<string> Operations => [.. _operations];

    public void Forget() => _operations.Clear();

    public override HttpClient CreateHttpClient(IClientConfig clientConfig) => new(new Counter(_operations));

    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => true;

    private sealed class Counter(ConcurrentQueue<string> operations) : DelegatingHandler(new SocketsHttpHandler())
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            operations.Enqueue(request.Headers.TryGetValues("X-Amz-Target", out var target) ? target.Single().Split('.')[1] : request.RequestUri!.AbsolutePath);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
