using Amazon.DynamoDBv2;

namespace ControlPlane.Aws;

/// <summary>Whether tables answer, by one small read of each.</summary>
/// <param name="tables">Tables with the keys <c>pk</c> and <c>sk</c>.</param>
/// <remarks>Anyone may ask, so an answer is kept for a while: a flood of questions is no flood of reads.</remarks>
public sealed class TableCheck(IAmazonDynamoDB dynamo, IReadOnlyList<string> tables, TimeProvider clock)
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
            await Task.WhenAll(tables.Select(table => dynamo.GetItemAsync(new() { TableName = table, Key = Items.Key("HEALTH", "HEALTH") }, cancel)));
        }
        catch (Exception)
        {
            // Whatever it is: this region cannot serve.
            answer = false;
        }
        _last = (answer, clock.GetUtcNow());
        return answer;
    }
}
