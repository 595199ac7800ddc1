using Amazon.SQS;
using Amazon.SQS.Model;

namespace ControlPlane.DpDispatcher;

/// <summary>Sets when messages that stay in the queue come again.</summary>
internal sealed class MessagePauses(IAmazonSQS sqs, string queueUrl, DispatcherEvents events)
{
    // The most that one call takes; the event source's batch is no larger.
    private const int BatchSize = 10;

    /// <remarks>A pause that cannot be set is no failure: the message comes again when the queue's own visibility time is over.</remarks>
    public async Task SetAsync(IReadOnlyList<(string MessageId, string ReceiptHandle, TimeSpan Pause)> messages, CancellationToken cancel)
    {
        foreach (var batch in messages.Chunk(BatchSize))
        {
            try
            {
                var answer = await sqs.ChangeMessageVisibilityBatchAsync(
                    queueUrl,
                    [.. batch.Select((message, i) => new ChangeMessageVisibilityBatchRequestEntry($"{i}", message.ReceiptHandle)
                    {
                        VisibilityTimeout = (int)Math.Ceiling(message.Pause.TotalSeconds),
                    })],
                    cancel);
                foreach (var failed in answer.Failed ?? [])
                    events.PauseFailed(batch[int.Parse(failed.Id, System.Globalization.CultureInfo.InvariantCulture)].MessageId, failed.Code);
            }
            catch (Exception e)
            {
                // Then they come again after the queue's own visibility time. What was done with them stands.
                events.PauseFailed(batch[0].MessageId, e.GetType().Name);
            }
        }
    }
}
