using System.Globalization;
using Amazon.SQS;
using Amazon.SQS.Model;

namespace ControlPlane.Administration.DeadLetters;

/// <summary>How full a queue and its dead letters are. The numbers are SQS's own approximations.</summary>
public sealed record QueueDepth(WorkQueue Queue, long Waiting, long InFlight, long DeadLetters);

/// <summary>The dead letters of one queue. SQS shows a message only by handing it out for a while, so looking at them hides them from others
/// meanwhile.</summary>
/// <param name="home">Where they came from and go back to.</param>
public sealed class DeadLetterQueue(IAmazonSQS sqs, WorkQueue queue, string url, string home)
{
    // Long enough to walk through a thousand, short enough that what an interrupted command held is soon there again.
    private const int HeldSeconds = 120;

    public WorkQueue Queue => queue;

    /// <summary>Looks at dead letters and leaves them where they are.</summary>
    /// <remarks>Of a FIFO group that may be only the first.</remarks>
    public async Task<IReadOnlyList<DeadLetter>> LookAsync(int most, CancellationToken cancel)
    {
        var letters = await TakeAsync(most, cancel);
        await PutBackAsync(letters, cancel);
        return letters;
    }

    /// <summary>Sends dead letters back to their queue in the order they were first sent, each before it is deleted here.</summary>
    /// <remarks>Ended in between, a letter may be sent twice: every consumer knows a repeat. A FIFO queue drops it within five minutes by itself.</remarks>
    /// <returns>What was sent back.</returns>
    public async Task<IReadOnlyList<DeadLetter>> RedriveAsync(int most, CancellationToken cancel)
    {
        var moved = new List<DeadLetter>();
        // A FIFO queue keeps back what follows a letter of the same group until that one is gone: in rounds, everything comes.
        while (moved.Count < most && await TakeAsync(most - moved.Count, cancel) is { Count: > 0 } letters)
        {
            await SendBackAsync(letters, cancel);
            moved.AddRange(letters);
        }
        return moved;
    }

    public async Task<QueueDepth> DepthAsync(CancellationToken cancel)
    {
        var (waiting, inFlight) = await CountAsync(home, cancel);
        var (dead, held) = await CountAsync(url, cancel);
        return new(queue, waiting, inFlight, dead + held);
    }

    private async Task SendBackAsync(IReadOnlyList<DeadLetter> letters, CancellationToken cancel)
    {
        var sent = 0;
        try
        {
            for (; sent < letters.Count; sent++)
            {
                var letter = letters[sent];
                await sqs.SendMessageAsync(new()
                {
                    QueueUrl = home,
                    MessageBody = letter.Message.Body,
                    MessageGroupId = letter.Group,
                    MessageDeduplicationId = queue.IsFifo ? $"redrive-{letter.Id}" : null,
                }, cancel);
                await sqs.DeleteMessageAsync(url, letter.Message.ReceiptHandle, cancel);
            }
        }
        finally
        {
            await PutBackAsync([.. letters.Skip(sent)], CancellationToken.None);
        }
    }

    // One queue server answers for all only when asked to wait: an empty answer then means empty.
    private async Task<IReadOnlyList<DeadLetter>> TakeAsync(int most, CancellationToken cancel)
    {
        var letters = new Dictionary<string, DeadLetter>();
        try
        {
            while (letters.Count < most)
            {
                var received = await sqs.ReceiveMessageAsync(new ReceiveMessageRequest
                {
                    QueueUrl = url,
                    MaxNumberOfMessages = Math.Min(10, most - letters.Count),
                    VisibilityTimeout = HeldSeconds,
                    WaitTimeSeconds = 1,
                    MessageSystemAttributeNames = ["All"],
                }, cancel);
                if (received.Messages is not { Count: > 0 } messages)
                    break;
                foreach (var message in messages)
                    letters[message.MessageId] = new(message);
            }
        }
        catch
        {
            await PutBackAsync([.. letters.Values], CancellationToken.None);
            throw;
        }
        return [.. letters.Values.Order(DeadLetter.BySending)];
    }

    private async Task PutBackAsync(IReadOnlyList<DeadLetter> letters, CancellationToken cancel)
    {
        foreach (var ten in letters.Chunk(10))
        {
            // The call succeeds though some of its entries fail. One try more; what is held then shows itself again when its time is over.
            if (await ShowAsync(ten, cancel) is { Count: > 0 } held)
                await ShowAsync(held, cancel);
        }
    }

    /// <returns>Those that the queue did not let go, though another try may help.</returns>
    private async Task<IReadOnlyList<DeadLetter>> ShowAsync(IReadOnlyList<DeadLetter> letters, CancellationToken cancel)
    {
        var answer = await sqs.ChangeMessageVisibilityBatchAsync(new()
        {
            QueueUrl = url,
            Entries = [.. letters.Select((letter, i) => new ChangeMessageVisibilityBatchRequestEntry
            {
                Id = i.ToString(CultureInfo.InvariantCulture), ReceiptHandle = letter.Message.ReceiptHandle, VisibilityTimeout = 0,
            })],
        }, cancel);
        return [.. (answer.Failed ?? []).Where(entry => entry.SenderFault != true).Select(entry => letters[int.Parse(entry.Id, CultureInfo.InvariantCulture)])];
    }

    private async Task<(long Visible, long Hidden)> CountAsync(string queueUrl, CancellationToken cancel)
    {
        var answer = await sqs.GetQueueAttributesAsync(queueUrl, ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"], cancel);
        return (answer.ApproximateNumberOfMessages, answer.ApproximateNumberOfMessagesNotVisible);
    }
}
