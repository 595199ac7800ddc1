using Amazon.DynamoDBv2;
using Amazon.SQS;

namespace ControlPlane.Aws;

/// <summary>Whether tables and queues answer, by one small question to each.</summary>
/// <param name="tables">Tables with the keys <c>pk</c> and <c>sk</c>.</param>
/// <param name="counters">A table with the key <c>pk</c> alone, that its user may only write to: asked by a write whose condition never holds, so nothing is
/// written.</param>
/// <param name="queues">By address. Their count of messages is asked for, and does not matter.</param>
/// <remarks>Anyone may ask, so an answer is kept for a while: a flood of questions is no flood of reads.</remarks>
public sealed class StoreCheck(
    IAmazonDynamoDB dynamo, IReadOnlyList<string> tables, IAmazonSQS sqs, IReadOnlyList<string> queues, TimeProvider clock, string? counters = null)
{
    public static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(5);

    private (bool Answer, DateTimeOffset At)? _last;

    public async Task<bool> AnswerAsync(CancellationToken cancel)
    {
        if (_last is { } last && clock.GetUtcNow() - last.At < KeptFor)
            return last.Answer;

        var answer = true;
        try
        {
            IEnumerable<Task> answers = tables.Select(table => dynamo.GetItemAsync(new() { TableName = table, Key = Items.Key("HEALTH", "HEALTH") }, cancel));
            answers = answers.Concat(queues.Select(queue => sqs.GetQueueAttributesAsync(queue, ["ApproximateNumberOfMessages"], cancel)));
            await Task.WhenAll(counters is null ? answers : answers.Append(WriteNothingAsync(counters, cancel)));
        }
        catch (Exception)
        {
            // Whatever it is: this region cannot serve.
            answer = false;
        }
        _last = (answer, clock.GetUtcNow());
        return answer;
    }

    private async Task WriteNothingAsync(string table, CancellationToken cancel)
    {
        // It answers.
        _ = await dynamo.UpdateItemAsync(
            new() { TableName = table, Key = new() { ["pk"] = Items.Text("HEALTH") }, ConditionExpression = "attribute_exists(pk)" }, cancel).IsMadeAsync();
    }
}
