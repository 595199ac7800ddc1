using System.Net;
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
    /// <param name="delay">Standard queues: how long nobody gets it; fifteen minutes at most.</param>
    public Task SendAsync(
        T message, CancellationToken cancel, string? group = null, string? deduplication = null, TimeSpan? delay = null) => sqs.SendMessageAsync(
        new()
        {
            QueueUrl = url,
            MessageBody = JsonSerializer.Serialize(message, type),
            MessageGroupId = group,
            MessageDeduplicationId = deduplication,
            DelaySeconds = delay is { } pause && pause > TimeSpan.Zero ? (int)Math.Ceiling(pause.TotalSeconds) : null,
        },
        cancel);
}

/// <summary>The queues between the functions, by what they are for.</summary>
public static class MessageQueues
{
    /// <summary>Orders an execution, in two tries. A repeat of the order within five minutes stays one message.</summary>
    /// <remarks>The client behind the queue should not try again by itself: it would tell of its last try only, and a refusal says nothing of a try before it
    /// whose answer was lost.</remarks>
    public static async Task<Handover> OrderAsync(this MessageQueue<ExecutionRequest> queue, ExecutionRequest request, CancellationToken cancel)
    {
        var first = await TryOrderAsync(queue, request, cancel);
        if (first is Handover.Taken || cancel.IsCancellationRequested)
            return first;
        var second = await TryOrderAsync(queue, request, cancel);
        return second is Handover.NotTaken && first is Handover.Unclear ? first : second;
    }

    /// <summary>Says that an approver said yes. Beside the orders, in the group of its execution: it is seen to after whatever made it.</summary>
    /// <param name="count">How many have: each yes is a message of its own.</param>
    public static Task ApprovedAsync(this MessageQueue<ApprovalGiven> queue, ExecutionId execution, TenantId tenant, int count, CancellationToken cancel) =>
        queue.SendAsync(
            new(ApprovalGiven.SchemaV1, execution.ToString(), tenant.ToString()), cancel, group: execution.ToString(), deduplication: $"{execution}-approved-{count}");

    /// <summary>Asks for dispatch. The tenant is the fairness group: one tenant's backlog does not hold back another's.</summary>
    public static Task DispatchAsync(this MessageQueue<DispatchRequest> queue, ExecutionId execution, TenantId tenant, CancellationToken cancel) =>
        queue.SendAsync(new(DispatchRequest.SchemaV1, execution.ToString(), tenant.ToString()), cancel, group: tenant.ToString());

    /// <summary>Asks that the requester is told how the execution ended, or how far it is.</summary>
    public static Task NotifyAsync(
        this MessageQueue<Notification> queue, ExecutionId execution, TenantId tenant, CancellationToken cancel, TimeSpan? delay = null) =>
        queue.SendAsync(new(Notification.SchemaV1, execution.ToString(), tenant.ToString()), cancel, group: tenant.ToString(), delay: delay);

    private static async Task<Handover> TryOrderAsync(MessageQueue<ExecutionRequest> queue, ExecutionRequest request, CancellationToken cancel)
    {
        try
        {
            await queue.SendAsync(request, cancel, group: request.ExecutionId, deduplication: request.ExecutionId);
            return new Handover.Taken();
        }
        catch (AmazonSQSException e) when (e.StatusCode is >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError)
        {
            return new Handover.NotTaken(e);
        }
        catch (Exception e)
        {
            // A timeout, a lost connection, a 5xx, whatever else.
            return new Handover.Unclear(e);
        }
    }
}
