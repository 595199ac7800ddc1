using System.Runtime.InteropServices;
using Amazon.Lambda.Core;

namespace Amazon.Lambda.RuntimeSupport;

/// <summary>Reads the event from <c>input</c> and writes the answer, if there is one, to <c>output</c>.</summary>
internal delegate Task InvocationHandler(MemoryStream input, ILambdaContext context, MemoryStream output);

/// <summary>Asks the Runtime API for one event after the other and answers each.</summary>
public class LambdaBootstrap : IDisposable
{
    private const int LargestKeptBuffer = 1 << 20;

    private readonly RuntimeApi _api;
    private readonly InvocationHandler _handler;
    private readonly LambdaBootstrapInitializer? _initializer;
    private readonly ILambdaSerializer? _serializer;

    // One event at a time, so one pair of buffers serves them all.
    private MemoryStream _input = new();
    private MemoryStream _output = new();

    internal LambdaBootstrap(RuntimeApi api, InvocationHandler handler, LambdaBootstrapInitializer? initializer, ILambdaSerializer? serializer) =>
        (_api, _handler, _initializer, _serializer) = (api, handler, initializer, serializer);

    /// <summary>Serves until the token is cancelled or the process is asked to end; the event in hand is answered first.</summary>
    /// <exception cref="HttpRequestException">The Runtime API is gone, or hung up.</exception>
    /// <exception cref="RuntimeApiClientException">The Runtime API refused: an answer that is too large, or this environment as a whole.</exception>
    public async Task RunAsync(CancellationToken cancellationToken = default)
    {
        HeapLimit.Apply();
        if (_initializer is not null && !await InitializeAsync(_initializer))
            return;

        // Never disposed: a signal may still be on its way to it while this method returns.
        var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);

        while (!stop.IsCancellationRequested)
        {
            try
            {
                await ServeOneAsync(stop.Token);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
        }

        void End(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
            _api.Dispose();
    }

    private async Task<bool> InitializeAsync(LambdaBootstrapInitializer initializer)
    {
        try
        {
            return await initializer();
        }
        catch (Exception e)
        {
            ErrorReport.Log(e, requestId: null);
            await _api.ReportInitErrorAsync(e);
            throw;
        }
    }

    private async Task ServeOneAsync(CancellationToken stop)
    {
        var headers = await _api.NextAsync(Emptied(ref _input), stop);
        Environment.SetEnvironmentVariable("_X_AMZN_TRACE_ID", headers.TraceId);
        // A view, for the handler may dispose what it reads from.
        using var input = new MemoryStream(_input.GetBuffer(), 0, (int)_input.Length, writable: false, publiclyVisible: true);
        var output = Emptied(ref _output);
        try
        {
            await _handler(input, new InvocationContext(headers) { Serializer = _serializer }, output);
        }
        catch (Exception e)
        {
            // One event's fault is no reason to lose the process: the next event may be sound.
            ErrorReport.Log(e, headers.RequestId);
            await _api.ReportErrorAsync(headers.RequestId, e);
            return;
        }

        await _api.RespondAsync(headers.RequestId, output);
    }

    /// <summary>The stream again, or a new one when a large event or answer has made it big.</summary>
    private static MemoryStream Emptied(ref MemoryStream stream)
    {
        if (stream.Capacity > LargestKeptBuffer)
            stream = new MemoryStream();
        stream.SetLength(0);
        return stream;
    }
}
