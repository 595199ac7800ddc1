using System.Text.Json;
using Amazon.Lambda.Annotations;
using Amazon.Lambda.Core;
using Amazon.Lambda.SQSEvents;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Text;

namespace ControlPlane.SlackHandler.Notifications;

/// <summary>A batch of notifications in, the ones that come again out. They are independent, so they run side by side.</summary>
internal sealed class NotificationsFunction(TellRequester tellRequester, TellUsage tellUsage, SlackHandlerEvents events, TimeProvider clock)
{
    private static readonly TimeSpan KeptBack = TimeSpan.FromSeconds(2);

    // Of the function's fifteen seconds: two whole calls to Slack, and what is read and written about them. No third begins that may not end in it.
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(12);

    [LambdaFunction(ResourceName = "SlackNotificationsFunction")]
    public async Task<SQSBatchResponse> TellAsync(SQSEvent batch, ILambdaContext context)
    {
        using var deadline = Deadline.Of(context, KeptBack, clock);
        var messages = SqsBatches.MessagesOf(batch, events.Foreign);
        var results = await Task.WhenAll(messages.Select(message => TellAsync(message, deadline.Token)));
        return new([.. messages.Zip(results).Where(one => one.Second == Telling.Again)
            .Select(one => new SQSBatchResponse.BatchItemFailure { ItemIdentifier = one.First.MessageId })]);
    }

    private async Task<Telling> TellAsync(SQSEvent.SQSMessage message, CancellationToken cancel)
    {
        using var slice = Deadline.Slice(Slice, clock, cancel);
        try
        {
            if (!StrictJson.TryParseObject(message.Body, out var body))
                throw NoNotification();
            if (StrictJson.TextOf(body, "schema") == UsageNotice.SchemaV1)
                return await tellUsage.RunAsync(body.Deserialize(DomainJson.Default.UsageNotice) ?? throw NoNotification(), slice);
            var (execution, tenant) = MessageIds.Read(body, Notification.SchemaV1) ?? throw NoNotification();
            return await tellRequester.RunAsync(execution, tenant, slice);
        }
        catch (Exception e)
        {
            events.MessageFailed(message.MessageId, e);
            return Telling.Again;
        }
    }

    // It comes again until it is a dead letter.
    private static FormatException NoNotification() => new("That is not a notification.");
}
