using Amazon.Lambda.Annotations;
using Amazon.Lambda.Core;
using Amazon.Lambda.SQSEvents;
using ControlPlane.Aws;
using ControlPlane.Orchestrator.Plans;

namespace ControlPlane.Orchestrator.Requests;

/// <summary>A batch of execution requests in, the ones that come again out.</summary>
internal sealed class ExecutionRequestsFunction(StartExecution startExecution, OrchestratorEvents events, TimeProvider clock)
{
    private static readonly TimeSpan KeptBack = TimeSpan.FromMilliseconds(500);

    /// <remarks>Order matters within a message group, which is one execution: what follows a failure in its group waits with it, other groups go on.</remarks>
    [LambdaFunction(ResourceName = "ExecutionRequestsFunction")]
    public async Task<SQSBatchResponse> StartAsync(SQSEvent batch, ILambdaContext context)
    {
        using var deadline = Deadline.Of(context, KeptBack, clock);
        var again = new List<SQSBatchResponse.BatchItemFailure>();
        var stopped = new HashSet<string>();
        foreach (var message in SqsBatches.MessagesOf(batch, events.Foreign))
        {
            var group = GroupOf(message);
            if (!stopped.Contains(group) && await TryStartAsync(message, deadline.Token))
                continue;
            stopped.Add(group);
            again.Add(new() { ItemIdentifier = message.MessageId });
        }
        return new(again);
    }

    private async Task<bool> TryStartAsync(SQSEvent.SQSMessage message, CancellationToken cancel)
    {
        try
        {
            await startExecution.RunAsync(StartRequest.Parse(message.Body), cancel);
            return true;
        }
        catch (Exception e)
        {
            events.RequestFailed(message.MessageId, e);
            return false;
        }
    }

    private static string GroupOf(SQSEvent.SQSMessage message) =>
        message.Attributes is { } attributes && attributes.TryGetValue("MessageGroupId", out var group) ? group : message.MessageId;
}
