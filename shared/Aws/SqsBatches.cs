using Amazon.Lambda.SQSEvents;

namespace ControlPlane.Aws;

/// <summary>What SQS hands to a function.</summary>
public static class SqsBatches
{
    /// <summary>The messages of a batch. A test from a console, a keep-warm ping or another service's event has none, and there is nothing to do for
    /// it.</summary>
    /// <param name="noticeForeign">Called once where something came that SQS did not send.</param>
    public static IReadOnlyList<SQSEvent.SQSMessage> MessagesOf(SQSEvent? batch, Action noticeForeign)
    {
        var records = batch?.Records ?? [];
        List<SQSEvent.SQSMessage> messages = [.. records.Where(record => record is { MessageId: not null })];
        if (records.Count == 0 || messages.Count < records.Count)
            noticeForeign();
        return messages;
    }
}
