using Amazon.DynamoDBv2;

namespace ControlPlane.Aws;

/// <summary>Whether tables answer, by one small read of each.</summary>
/// <param name="keys">The tables, each with the names of its key's attributes.</param>
/// <remarks>Anyone may ask, so an answer is kept for a while: a flood of questions is no flood of reads.</remarks>
public sealed class TableCheck(IAmazonDynamoDB dynamo, IReadOnlyDictionary<string, string[]> keys, TimeProvider clock)
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
            await Task.WhenAll(keys.Select(table => dynamo.GetItemAsync(
                new() { TableName = table.Key, Key = table.Value.ToDictionary(name => name, _ => Items.Text("HEALTH")) }, cancel)));
        }
        catch (Exception e) when (e is AmazonDynamoDBException or HttpRequestException or OperationCanceledException or Amazon.Runtime.AmazonClientException)
        {
            answer = false;
        }
        _last = (answer, clock.GetUtcNow());
        return answer;
    }
}
