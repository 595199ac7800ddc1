using System.Globalization;
using Amazon.Lambda.Annotations;
using Amazon.Lambda.Core;
using Amazon.Lambda.SQSEvents;
using ControlPlane.Aws;

namespace ControlPlane.DpDispatcher;

/// <summary>A batch of dispatch messages in, the ones that come again out. Messages are independent, so they run side by side.</summary>
internal sealed class DispatchFunction(DispatchExecution dispatchExecution, MessagePauses pauses, DispatcherEvents events, TimeProvider clock)
{
    // To set the pauses and to say what failed.
    private static readonly TimeSpan KeptBack = TimeSpan.FromSeconds(2);

    // Of the function's thirty seconds: the wait for a gate, the whole call to an engine, and what is written about it.
    // What takes longer does not keep its neighbours' pauses waiting.
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(20);

    [LambdaFunction(ResourceName = "DispatchFunction")]
    public async Task<SQSBatchResponse> DispatchAsync(SQSEvent batch, ILambdaContext context)
    {
        using var deadline = Deadline.Of(context, KeptBack, clock);
        var messages = SqsBatches.MessagesOf(batch, events.Foreign);
        var results = await Task.WhenAll(messages.Select(message => RunAsync(message, deadline.Token)));

        var again = messages.Zip(results).Where(one => one.Second is not DispatchResult.Done).ToList();
        using var last = Deadline.Of(context, TimeSpan.FromMilliseconds(300), clock);
        await pauses.SetAsync([.. again.SelectMany(one => PauseOf(one.First, one.Second))], last.Token);
        return new([.. again.Select(one => new SQSBatchResponse.BatchItemFailure { ItemIdentifier = one.First.MessageId })]);
    }

    /// <returns>Null when it failed: the message comes again after the queue's own visibility time.</returns>
    private async Task<DispatchResult?> RunAsync(SQSEvent.SQSMessage message, CancellationToken cancel)
    {
        using var slice = Deadline.Slice(Slice, clock, cancel);
        try
        {
            var receives = ReceivesOf(message);
            return DispatchMessage.Parse(message.Body) switch
            {
                DispatchMessage.Dispatch dispatch => await dispatchExecution.RunAsync(dispatch, receives, slice.Token),
                DispatchMessage.Unreadable unreadable => await SetAsideAsync(message, unreadable, receives, slice.Token),
                _ => throw new System.Diagnostics.UnreachableException(),
            };
        }
        catch (Exception e)
        {
            events.MessageFailed(message.MessageId, e);
            return null;
        }
    }

    private async Task<DispatchResult> SetAsideAsync(SQSEvent.SQSMessage message, DispatchMessage.Unreadable unreadable, int receives, CancellationToken cancel)
    {
        events.Unreadable(message.MessageId, unreadable.Execution, receives);
        if (receives >= Pauses.MostReceives && unreadable.Execution is { } execution)
            await dispatchExecution.CloseUnreadableAsync(execution, cancel);
        return new DispatchResult.Dead();
    }

    private static IEnumerable<(string MessageId, string ReceiptHandle, TimeSpan Pause)> PauseOf(SQSEvent.SQSMessage message, DispatchResult? result) =>
        result switch
        {
            DispatchResult.Again again => [(message.MessageId, message.ReceiptHandle, again.Pause)],
            DispatchResult.Dead => [(message.MessageId, message.ReceiptHandle, Pauses.Unreadable)],
            _ => [],
        };

    private static int ReceivesOf(SQSEvent.SQSMessage message) =>
        message.Attributes is { } attributes && attributes.TryGetValue("ApproximateReceiveCount", out var text)
        && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? count
            : 1;
}
