namespace ControlPlane.Local.Runtime;

/// <summary>What came of handing an event to a function.</summary>
internal abstract record InvocationResult
{
    private InvocationResult() { }

    public sealed record Answered(byte[] Payload) : InvocationResult;

    /// <summary>The function said that it failed on this event, or could not start.</summary>
    public sealed record Failed(string ErrorType, string Message) : InvocationResult;

    /// <summary>The process is gone: it died, or ran past its timeout and was ended.</summary>
    public sealed record Lost(string Why) : InvocationResult;
}

/// <summary>One event on its way through one function.</summary>
internal sealed class Invocation(byte[] payload)
{
    private readonly TaskCompletionSource<InvocationResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string RequestId { get; } = Guid.NewGuid().ToString();

    public byte[] Payload => payload;

    public Task<InvocationResult> Result => _result.Task;

    /// <returns>False when the event was settled before, by its timeout for instance.</returns>
    public bool Settle(InvocationResult result) => _result.TrySetResult(result);
}
