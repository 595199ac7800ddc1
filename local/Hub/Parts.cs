namespace ControlPlane.Local.Hub;

/// <summary>What was started, to be ended in the opposite order.</summary>
internal sealed class Parts : IAsyncDisposable
{
    private readonly Stack<IAsyncDisposable> _parts = new();

    public T Keep<T>(T part) where T : IAsyncDisposable
    {
        lock (_parts)
            _parts.Push(part);
        return part;
    }

    public async Task<T> KeepAsync<T>(Task<T> starting) where T : IAsyncDisposable => Keep(await starting);

    public async ValueTask DisposeAsync()
    {
        while (_parts.TryPop(out var part))
            await part.DisposeAsync();
    }
}
