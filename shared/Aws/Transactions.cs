using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;

namespace ControlPlane.Aws;

internal static class Transactions
{
    private const int Attempts = 6;

    /// <summary>Runs a transaction, again with jitter where another one was in its way.</summary>
    /// <returns>Null when it was written, else the reasons in the order of its parts.</returns>
    /// <remarks>
    /// A conflict or a throttle says nothing about the conditions of its part, and the first part that failed decides what happened: a verdict is
    /// one only when every part was judged. After the last try it flies on.
    /// </remarks>
    public static async Task<List<CancellationReason>?> TryWriteAsync(
        this IAmazonDynamoDB dynamo, TransactWriteItemsRequest request, TimeProvider clock, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await dynamo.TransactWriteItemsAsync(request, cancel);
                return null;
            }
            catch (TransactionCanceledException e) when (AllWereJudged(e.CancellationReasons))
            {
                return e.CancellationReasons;
            }
            catch (TransactionCanceledException e) when (attempt < Attempts && e.CancellationReasons.Exists(reason => reason.Code == "TransactionConflict"))
            {
                // A cancelled transaction has used up its idempotency token.
                request.ClientRequestToken = Guid.NewGuid().ToString();
                await PauseAsync(attempt, clock, cancel);
            }
        }
    }

    /// <summary>Updates an item, again with jitter where a transaction was in its way: the SDK does not do that by itself.</summary>
    public static async Task<UpdateItemResponse> UpdateAsync(
        this IAmazonDynamoDB dynamo, UpdateItemRequest request, TimeProvider clock, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await dynamo.UpdateItemAsync(request, cancel);
            }
            catch (TransactionConflictException) when (attempt < Attempts)
            {
                await PauseAsync(attempt, clock, cancel);
            }
        }
    }

    private static bool AllWereJudged(List<CancellationReason> reasons) =>
        reasons.Exists(reason => reason.Code == "ConditionalCheckFailed")
            && reasons.TrueForAll(reason => reason.Code is "ConditionalCheckFailed" or "None" or null);

    private static Task PauseAsync(int attempt, TimeProvider clock, CancellationToken cancel) =>
        Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(10, 25 << attempt)), clock, cancel);

    /// <summary>A transaction's part as a write of its own.</summary>
    public static UpdateItemRequest ToRequest(this Update update, ReturnValue? returnValues = null) => new()
    {
        TableName = update.TableName,
        Key = update.Key,
        UpdateExpression = update.UpdateExpression,
        ConditionExpression = update.ConditionExpression,
        ExpressionAttributeNames = update.ExpressionAttributeNames,
        ExpressionAttributeValues = update.ExpressionAttributeValues,
        ReturnValues = returnValues,
        ReturnValuesOnConditionCheckFailure = update.ReturnValuesOnConditionCheckFailure,
    };

    /// <inheritdoc cref="ToRequest(Update, ReturnValue?)"/>
    public static PutItemRequest ToRequest(this Put put) => new()
    {
        TableName = put.TableName,
        Item = put.Item,
        ConditionExpression = put.ConditionExpression,
        ExpressionAttributeNames = put.ExpressionAttributeNames,
        ExpressionAttributeValues = put.ExpressionAttributeValues,
        ReturnValuesOnConditionCheckFailure = put.ReturnValuesOnConditionCheckFailure,
    };

    public static bool FailedAt(this List<CancellationReason> reasons, int part) => reasons[part].Code == "ConditionalCheckFailed";
}
