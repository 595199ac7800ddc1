using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Amazon.Runtime;
using Amazon.SQS;
using Amazon.SQS.Model;
using ControlPlane.Local.Runtime;
using ControlPlane.Local.Template;

namespace ControlPlane.Local.Queues;

/// <summary>The event source between a queue and its function: receives batches, invokes, deletes what is done.</summary>
internal sealed class QueuePoller(IAmazonSQS sqs, QueueAddress queue, TemplateEvent.Queue source, Func<byte[], Task<InvocationResult>> invokeAsync)
{
    // Of a process that died nothing is known but that it is done with its messages: no need to wait for their visibility to lapse, as Lambda would.
    private const int SecondsAfterLoss = 1;

    public async Task PollAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var received = await sqs.ReceiveMessageAsync(new ReceiveMessageRequest
                {
                    QueueUrl = queue.Url,
                    MaxNumberOfMessages = source.BatchSize,
                    WaitTimeSeconds = 20,
                    MessageSystemAttributeNames = ["All"],
                    MessageAttributeNames = ["All"],
                }, stop);
                if (received.Messages is { Count: > 0 } messages)
                    await DeliverAsync(messages);
            }
            catch (OperationCanceledException) { return; }
            catch (Exception e) when (e is AmazonClientException or HttpRequestException or IOException)
            {
                if (stop.IsCancellationRequested)
                    return;
                await Task.Delay(TimeSpan.FromSeconds(1), CancellationToken.None);    // the queue server is away for a moment
            }
        }
    }

    /// <summary>Hands one batch over and settles its messages by the answer.</summary>
    internal async Task DeliverAsync(IReadOnlyList<Message> messages)
    {
        switch (await invokeAsync(Encoding.UTF8.GetBytes(SqsEvent.From(messages, queue.Arn).ToJsonString())))
        {
            case InvocationResult.Answered answered:
                var again = source.ReportsFailures ? BatchAnswer.FailuresIn(answered.Payload, messages) : new HashSet<string>();
                foreach (var done in messages.Where(message => !again.Contains(message.MessageId)))
                    await sqs.DeleteMessageAsync(queue.Url, done.ReceiptHandle);
                break;
            case InvocationResult.Lost:
                foreach (var message in messages)
                    await ReturnAsync(message);
                break;
            case InvocationResult.Failed:
                break;    // they come back when their visibility lapses
        }
    }

    private async Task ReturnAsync(Message message)
    {
        try { await sqs.ChangeMessageVisibilityAsync(queue.Url, message.ReceiptHandle, SecondsAfterLoss); }
        catch (AmazonSQSException) { }    // it is visible already
    }
}

/// <summary>A batch as Lambda gets it.</summary>
/// <remarks>https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html</remarks>
internal static class SqsEvent
{
    public static JsonObject From(IEnumerable<Message> messages, string queueArn) => new()
    {
        ["Records"] = new JsonArray([.. messages.Select(message => new JsonObject
        {
            ["messageId"] = message.MessageId,
            ["receiptHandle"] = message.ReceiptHandle,
            ["body"] = message.Body,
            ["attributes"] = new JsonObject((message.Attributes ?? []).Select(one => KeyValuePair.Create(one.Key, (JsonNode?)one.Value))),
            ["messageAttributes"] = new JsonObject((message.MessageAttributes ?? []).Select(one => KeyValuePair.Create(
                one.Key, (JsonNode?)new JsonObject { ["stringValue"] = one.Value.StringValue, ["dataType"] = one.Value.DataType }))),
            ["md5OfBody"] = message.MD5OfBody,
            ["eventSource"] = "aws:sqs",
            ["eventSourceARN"] = queueArn,
            ["awsRegion"] = "us-east-1",
        })]),
    };
}

/// <summary>A function's word on which messages of its batch are to come again.</summary>
internal static class BatchAnswer
{
    /// <returns>Message ids. An answer that makes no sense asks for the whole batch, as with Lambda.</returns>
    public static IReadOnlySet<string> FailuresIn(byte[] payload, IReadOnlyCollection<Message> batch)
    {
        var all = batch.Select(message => message.MessageId).ToHashSet();
        try
        {
            using var answer = JsonDocument.Parse(payload);
            if (answer.RootElement.ValueKind != JsonValueKind.Object || !answer.RootElement.TryGetProperty("batchItemFailures", out var failures)
                || failures.ValueKind == JsonValueKind.Null)
                return new HashSet<string>();

            var named = new HashSet<string>();
            foreach (var failure in failures.EnumerateArray())
            {
                if (!failure.TryGetProperty("itemIdentifier", out var id) || id.GetString() is not { } text || !all.Contains(text))
                    return all;
                named.Add(text);
            }

            return named;
        }
        catch (JsonException) { return payload.Length == 0 ? new HashSet<string>() : all; }
        catch (InvalidOperationException) { return all; }
    }
}
