namespace ControlPlane.Tests.Cloud;

/// <summary>Lets something happen just before a call takes effect: the other caller who was faster.</summary>
/// <param name="operation">The first call of this operation: <c>UpdateItem</c>, <c>TransactWriteItems</c>, …</param>
/// <param name="skip">Calls of that operation to let pass before.</param>
public sealed class Interleaved(string operation, Func<Task> first, int skip = 0) : DelegatingHandler(new SocketsHttpHandler())
{
    private int _left = skip + 1;

    public bool Happened => _left <= 0;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Headers.GetValues("X-Amz-Target").Single().EndsWith($".{operation}", StringComparison.Ordinal) && --_left == 0)
            await first();
        return await base.SendAsync(request, cancellationToken);
    }
}
