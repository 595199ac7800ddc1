using System.Text.Json.Nodes;
using Amazon.SQS;
using Amazon.SQS.Model;
using ControlPlane.Local.Template;

namespace ControlPlane.Local.Queues;

/// <summary>Where a queue is.</summary>
internal sealed record QueueAddress(string Url, string Arn);

/// <summary>Creates the template's queues.</summary>
internal static class QueueBuilder
{
    /// <returns>The queues' addresses by logical id.</returns>
    public static async Task<IReadOnlyDictionary<string, QueueAddress>> CreateAsync(
        IAmazonSQS sqs, IReadOnlyList<TemplateQueue> queues, string prefix, CancellationToken cancel)
    {
        var addresses = new Dictionary<string, QueueAddress>();
        // Those that dead letters go to must be there first.
        foreach (var queue in queues.OrderBy(one => one.Redrive is not null))
        {
            var attributes = queue.Attributes.ToDictionary();
            if (queue.Redrive is { } redrive)
                attributes["RedrivePolicy"] = new JsonObject
                {
                    ["deadLetterTargetArn"] = addresses[redrive.DeadLetters].Arn,
                    ["maxReceiveCount"] = redrive.MaxReceiveCount,
                }.ToJsonString();
            var created = await sqs.CreateQueueAsync(
                new CreateQueueRequest { QueueName = prefix + queue.Id + (queue.Fifo ? ".fifo" : ""), Attributes = attributes }, cancel);
            var arn = await sqs.GetQueueAttributesAsync(created.QueueUrl, ["QueueArn"], cancel);
            addresses[queue.Id] = new(created.QueueUrl, arn.QueueARN);
        }

        return addresses;
    }
}
