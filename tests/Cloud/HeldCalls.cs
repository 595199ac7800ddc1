namespace ControlPlane.Tests.Cloud;

/// <summary>Holds every call that names something, a tenant for one, until whoever made it gives up: that tenant's items are as slow as can be, the others' are
/// not.</summary>
public sealed class HeldCalls(params IReadOnlyList<string> words) : DelegatingHandler(new SocketsHttpHandler())
{
    private int _held;

    public int Held => _held;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = await request.Content!.ReadAsStringAsync(cancellationToken);
        if (words.Any(word => body.Contains($"\"{word}\"", StringComparison.Ordinal)))
        {
            Interlocked.Increment(ref _held);
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        }
        return await base.SendAsync(request, cancellationToken);
    }
}
