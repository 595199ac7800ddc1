using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;
using ControlPlane.Local.Loopback;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Local.Runtime;

/// <summary>Lambda's Runtime API for one function process.</summary>
/// <remarks>https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html</remarks>
internal sealed class RuntimeApi : IAsyncDisposable
{
    private const string Prefix = "/2018-06-01/runtime";

    private readonly Channel<Invocation> _waiting = Channel.CreateUnbounded<Invocation>();
    private readonly string _functionArn;
    private readonly Func<TimeSpan> _timeout;
    private readonly TimeProvider _clock;
    private LoopbackServer? _server;
    private TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Invocation? _current;

    private RuntimeApi(string functionName, Func<TimeSpan> timeout, TimeProvider clock) =>
        (_functionArn, _timeout, _clock) = ($"arn:aws:lambda:us-east-1:000000000000:function:{functionName}", timeout, clock);

    /// <summary>Host and port, as <c>AWS_LAMBDA_RUNTIME_API</c> wants them.</summary>
    public string Address => $"127.0.0.1:{_server!.Port}";

    /// <summary>Done once the process has asked for an event: its init is over.</summary>
    public Task Asked => _asked.Task;

    /// <summary>Why the process could not start, in its own words.</summary>
    public InvocationResult.Failed? InitError { get; private set; }

    /// <summary>Called when the event in hand has run past the function's timeout.</summary>
    public Action? Overdue { get; set; }

    /// <param name="timeout">The function's, as it is when an event is handed over.</param>
    public static async Task<RuntimeApi> StartAsync(string functionName, Func<TimeSpan> timeout, TimeProvider clock)
    {
        var api = new RuntimeApi(functionName, timeout, clock);
        api._server = await LoopbackServer.StartAsync(api.AnswerAsync);
        return api;
    }

    public void Enqueue(Invocation invocation) => _waiting.Writer.TryWrite(invocation);

    /// <summary>Done when there is an event to hand over.</summary>
    public async Task EventAsync(CancellationToken cancel) => await _waiting.Reader.WaitToReadAsync(cancel);

    /// <summary>Forgets the process that was, for the next one. The event it had in hand is lost.</summary>
    public void Reset(string why)
    {
        Interlocked.Exchange(ref _current, null)?.Settle(new InvocationResult.Lost(why));
        _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        InitError = null;
    }

    /// <summary>Fails every event that waits: nobody can take them.</summary>
    public void FailWaiting(InvocationResult.Failed error)
    {
        while (_waiting.Reader.TryRead(out var invocation))
            invocation.Settle(error);
    }

    public ValueTask DisposeAsync() => _server!.DisposeAsync();

    private async Task AnswerAsync(HttpContext http)
    {
        var (method, path) = (http.Request.Method, http.Request.Path.Value ?? "");
        if (method == "GET" && path == Prefix + "/invocation/next")
            await NextAsync(http);
        else if (method == "POST" && path == Prefix + "/init/error")
            await RefusedToStartAsync(http);
        else if (method == "POST" && path.Split('/') is ["", _, "runtime", "invocation", var id, "response" or "error"])
            await SettleAsync(http, id, path.EndsWith("/error", StringComparison.Ordinal));
        else await StatusAsync(http, StatusCodes.Status404NotFound, "ResourceNotFound");
    }

    private async Task NextAsync(HttpContext http)
    {
        _asked.TrySetResult();
        Invocation invocation;
        try { invocation = await _waiting.Reader.ReadAsync(http.RequestAborted); }
        catch (OperationCanceledException) { return; }    // the process went away while it waited

        _current = invocation;
        var timeout = _timeout();
        var deadline = _clock.GetUtcNow() + timeout;
        http.Response.ContentType = "application/json";
        http.Response.Headers["Lambda-Runtime-Aws-Request-Id"] = invocation.RequestId;
        http.Response.Headers["Lambda-Runtime-Deadline-Ms"] = deadline.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
        http.Response.Headers["Lambda-Runtime-Invoked-Function-Arn"] = _functionArn;
        http.Response.Headers["Lambda-Runtime-Trace-Id"] =
            $"Root=1-{_clock.GetUtcNow().ToUnixTimeSeconds():x8}-{Guid.NewGuid().ToString("N")[..24]};Parent={Guid.NewGuid().ToString("N")[..16]};Sampled=0";
        _ = WatchAsync(invocation, timeout);
        await http.Response.Body.WriteAsync(invocation.Payload);
    }

    private async Task WatchAsync(Invocation invocation, TimeSpan timeout)
    {
        var late = Task.Delay(timeout, _clock);
        if (await Task.WhenAny(invocation.Result, late) != late)
            return;
        if (invocation.Settle(new InvocationResult.Lost($"Task timed out after {timeout.TotalSeconds:0.00} seconds")))
            Overdue?.Invoke();
    }

    private async Task SettleAsync(HttpContext http, string requestId, bool failed)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        var current = _current;
        if (current?.RequestId != requestId)
        {
            await StatusAsync(http, StatusCodes.Status400BadRequest, "InvalidRequestID");
            return;
        }

        _current = null;
        current.Settle(failed ? Error(http, body.ToArray()) : new InvocationResult.Answered(body.ToArray()));
        await StatusAsync(http, StatusCodes.Status202Accepted, null);
    }

    private async Task RefusedToStartAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body, http.RequestAborted);
        InitError = Error(http, body.ToArray());
        await StatusAsync(http, StatusCodes.Status202Accepted, null);
    }

    private static InvocationResult.Failed Error(HttpContext http, byte[] body)
    {
        var type = http.Request.Headers["Lambda-Runtime-Function-Error-Type"].ToString();
        try
        {
            using var report = JsonDocument.Parse(body);
            return new(
                report.RootElement.TryGetProperty("errorType", out var named) ? named.ToString() : type,
                report.RootElement.TryGetProperty("errorMessage", out var message) ? message.ToString() : "");
        }
        catch (JsonException) { return new(type, ""); }
    }

    private static async Task StatusAsync(HttpContext http, int status, string? errorType)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(errorType is null ? """{"status":"OK"}""" : $$"""{"errorMessage":"{{errorType}}","errorType":"{{errorType}}"}""");
    }
}
