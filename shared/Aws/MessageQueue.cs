using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Amazon.SQS;
using ControlPlane.Executions;
using ControlPlane.Tenants;

namespace ControlPlane.Aws;

/// <summary>A queue of one kind of message.</summary>
public sealed class MessageQueue<T>(IAmazonSQS sqs, string url, JsonTypeInfo<T> type)
{
    /// <param name="group">Standard queues: whose turn it is when one sender floods the queue. FIFO queues: what stays in order.</param>
    /// <param name="deduplication">FIFO queues: within five minutes a second message with this id is dropped.</param>
    public Task SendAsync(T message, CancellationToken cancel, string? group = null, string? deduplication = null) => sqs.SendMessageAsync(
        new()
        {
            QueueUrl = url,
            MessageBody = JsonSerializer.Serialize(message, type),
            MessageGroupId = group,
            MessageDeduplicationId = deduplication,
        },
        cancel);
}

/// <summary>The three queues between the functions, by what they are for.</summary>
public static class MessageQueues
{
    /// <summary>Orders an execution. A repeat of the order within five minutes stays one message.</summary>
    public static Task OrderAsync(this MessageQueue<ExecutionRequest> queue, ExecutionRequest request, CancellationToken cancel) =>
        queue.SendAsync(request, cancel, group: request.ExecutionId, deduplication: request.ExecutionId);

    /// <summary>Asks for dispatch. The tenant is the fairness group: one tenant's backlog does not hold back another's.</summary>
    public static Task DispatchAsync(this MessageQueue<DispatchRequest> queue, ExecutionId execution, TenantId tenant, CancellationToken cancel) =>
        queue.SendAsync(new(DispatchRequest.SchemaV1, execution.ToString(), tenant.ToString()), cancel, group: tenant.ToString());

    /// <summary>Asks that the requester is told how the execution ended.</summary>
    public static Task NotifyAsync(this MessageQueue<Notification> queue, ExecutionId execution, TenantId tenant, CancellationToken cancel) =>
        queue.SendAsync(new(Notification.SchemaV1, execution.ToString(), tenant.ToString()), cancel, group: tenant.ToString());
}
