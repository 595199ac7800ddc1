using ControlPlane.Local.Processes;
using ControlPlane.Local.Template;

namespace ControlPlane.Local.Runtime;

/// <summary>Keeps one process of a function alive and hands it events, one at a time, as with a reserved concurrency of one.</summary>
internal sealed class FunctionHost : IAsyncDisposable
{
    /// <summary>How often a first start is tried: on a machine under load one may come too late, and Lambda would try again too.</summary>
    public const int MostFirstStarts = 3;

    private static readonly TimeSpan PauseAfterFailedStart = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly TemplateFunction _function;
    private readonly FunctionProgram _program;
    private readonly IReadOnlyDictionary<string, string?> _environment;
    private readonly Action<string> _line;
    private readonly RuntimeApi _api;
    private readonly CancellationTokenSource _stop = new();
    private readonly TimeProvider _clock;
    private readonly Task _supervision;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ChildProcess? _process;

    private FunctionHost(
        TemplateFunction function, FunctionProgram program, IReadOnlyDictionary<string, string?> environment, RuntimeApi api, Action<string> line,
        TimeProvider clock)
    {
        (_function, _program, _environment, _api, _line, _clock) = (function, program, environment, api, line, clock);
        _api.Overdue = () => _process?.Kill();
        _supervision = SuperviseAsync();
    }

    public string Id => _function.Id;

    /// <summary>Done once the first process has asked for its first event.</summary>
    /// <exception cref="CannotStart">It could not, several times; the message says why.</exception>
    public Task Ready => _ready.Task;

    public int? ProcessId => _process?.Id;

    /// <summary>How often the process was started.</summary>
    public int Starts { get; private set; }

    /// <summary>From starting the process to its first question for an event.</summary>
    public TimeSpan Init { get; private set; }

    /// <param name="environment">The function's own settings; Lambda's are added here.</param>
    /// <param name="line">Takes each line that the function prints.</param>
    public static async Task<FunctionHost> StartAsync(
        TemplateFunction function, FunctionProgram program, IReadOnlyDictionary<string, string?> environment, Action<string> line, Pace pace,
        TimeProvider clock)
    {
        var api = await RuntimeApi.StartAsync(function.Id, () => pace.Of(function.Timeout), clock);
        var whole = new Dictionary<string, string?>(environment)
        {
            ["AWS_LAMBDA_RUNTIME_API"] = api.Address,
            ["_HANDLER"] = function.Handler,
            ["LAMBDA_TASK_ROOT"] = program.Folder,
            ["AWS_LAMBDA_FUNCTION_NAME"] = function.Id,
            ["AWS_LAMBDA_FUNCTION_VERSION"] = "$LATEST",
            ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] = $"{function.MemoryMegabytes}",
            ["AWS_LAMBDA_LOG_GROUP_NAME"] = $"/aws/lambda/{function.Id}",
            ["AWS_LAMBDA_LOG_STREAM_NAME"] = "local",
            ["TZ"] = ":UTC",
        };
        return new(function, program, whole, api, line, clock);
    }

    /// <summary>Hands the function an event and waits for what comes of it, behind the events that came before.</summary>
    public Task<InvocationResult> InvokeAsync(byte[] payload)
    {
        var invocation = new Invocation(payload);
        _api.Enqueue(invocation);
        return invocation.Result;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        if (_process is { } process)
            await process.StopAsync(Grace);
        await _supervision;
        await _api.DisposeAsync();
        _stop.Dispose();
    }

    private async Task SuperviseAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var started = _clock.GetTimestamp();
            await using var process = _process = ChildProcess.Start(_program.Program, _program.Arguments, _line, _environment, _program.Folder);
            Starts++;
            if (_stop.IsCancellationRequested)      // since the loop asked: whoever stops us may have seen the process before this one
                await process.StopAsync(Grace);
            if (await Task.WhenAny(_api.Asked, process.Ended) == _api.Asked)
            {
                Init = _clock.GetElapsedTime(started);
                _ready.TrySetResult();
            }

            var code = await process.Ended;
            if (_stop.IsCancellationRequested)
                break;
            var served = _api.Asked.IsCompleted;
            var why = $"The process of {Id} ended with {code}.";
            var cannotStart = _api.InitError ?? new("Runtime.ExitError", why);
            _api.Reset(why);
            if (served)
                continue;

            // It cannot start: whoever waits is told now. A first start is tried again at once, a later one with the next event.
            _line($$"""{"level":"Error","message":"{{Id}} could not start: {{cannotStart.ErrorType}}"}""");
            if (Starts >= MostFirstStarts)
                _ready.TrySetException(new CannotStart($"{Id} could not start: {cannotStart.ErrorType}: {cannotStart.Message}"));
            _api.FailWaiting(cannotStart);
            try
            {
                await Task.Delay(PauseAfterFailedStart, _clock, _stop.Token);
                if (_ready.Task.IsCompleted)
                    await _api.EventAsync(_stop.Token);
            }
            catch (OperationCanceledException) { break; }
        }

        _ready.TrySetCanceled();
        _api.Reset("The control plane is stopping.");
        _api.FailWaiting(new("Stopping", "The control plane is stopping."));
    }
}
