namespace ControlPlane.DpDispatcher;

/// <summary>A connection that tells a request which was never handed over from one whose answer was lost.</summary>
/// <remarks>
/// A frozen process keeps its pooled connections while engines and network forget them: on waking, the first request would vanish into a
/// dead connection and count as ambiguous. So a connection that was idle for too long refuses to be written to, by the wall clock, which goes on while we are
/// frozen.
/// </remarks>
internal sealed class EngineStream(Stream network, TimeProvider clock) : Stream
{
    private static readonly byte[] HttpMark = "HTTP/"u8.ToArray();

    private DateTimeOffset _lastUsed = clock.GetUtcNow();
    private int _marksRead;

    public override bool CanRead => true;
    public override bool CanWrite => true;
    public override bool CanSeek => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <exception cref="UnsentException">The kernel did not take these bytes, so the engine cannot have the whole request.</exception>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (clock.GetUtcNow() - _lastUsed >= EngineConnections.StaleAfter)
            throw new UnsentException(null);
        try
        {
            await network.WriteAsync(buffer, cancellationToken);
        }
        catch (IOException e)
        {
            throw new UnsentException(e);
        }
        _lastUsed = clock.GetUtcNow();
    }

    /// <exception cref="NotHttpException">The first bytes of a connection are not those of an HTTP answer.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await network.ReadAsync(buffer, cancellationToken);
        if (read > 0)
            _lastUsed = clock.GetUtcNow();
        for (var i = 0; i < read && _marksRead < HttpMark.Length; i++, _marksRead++)
            if (buffer.Span[i] != HttpMark[_marksRead])
                throw new NotHttpException();
        return read;
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => network.FlushAsync(cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush() => network.Flush();
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            network.Dispose();
        base.Dispose(disposing);
    }

    public override async ValueTask DisposeAsync()
    {
        await network.DisposeAsync();
        await base.DisposeAsync();
    }
}

internal sealed class UnsentException(Exception? inner) : IOException("The connection did not take the request.", inner);

internal sealed class NotHttpException() : IOException("What answers there does not speak HTTP.");
