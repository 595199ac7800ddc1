using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Amazon.Runtime;
using ControlPlane.Aws;

namespace ControlPlane.Tests.Aws;

public class TransactionsTests
{
    [Fact]
    public async Task A_condition_that_failed_beside_a_conflict_is_no_verdict_yet()
    {
        using var dynamo = new Cancelling("TransactionConflict ConditionalCheckFailed", "ConditionalCheckFailed None");

        var reasons = await WriteAsync(dynamo);

        Assert.Equal(2, dynamo.Tokens.Distinct().Count());      // each try under its own idempotency token
        Assert.True(reasons!.FailedAt(0));
        Assert.False(reasons!.FailedAt(1));
    }

    [Fact]
    public async Task A_conflict_that_does_not_end_flies_on()
    {
        using var dynamo = new Cancelling("TransactionConflict ConditionalCheckFailed");

        await Assert.ThrowsAsync<TransactionCanceledException>(() => WriteAsync(dynamo));

        Assert.Equal(6, dynamo.Tokens.Count);
    }

    [Fact]
    public async Task A_condition_that_failed_beside_a_throttle_flies_on()
    {
        using var dynamo = new Cancelling("ThrottlingError ConditionalCheckFailed");

        await Assert.ThrowsAsync<TransactionCanceledException>(() => WriteAsync(dynamo));

        Assert.Single(dynamo.Tokens);
    }

    private static Task<List<CancellationReason>?> WriteAsync(AmazonDynamoDBClient dynamo) =>
        dynamo.TryWriteAsync(new() { TransactItems = [new(), new()] }, TimeProvider.System, TestContext.Current.CancellationToken);

    /// <summary>Cancels every transaction: each time for the next reasons, and for the last ones from then on.</summary>
    private sealed class Cancelling(params string[] reasons) : AmazonDynamoDBClient(
        new BasicAWSCredentials("local", "local"), new AmazonDynamoDBConfig { ServiceURL = "http://127.0.0.1:1", AuthenticationRegion = "us-east-1" })
    {
        public List<string?> Tokens { get; } = [];

        public override Task<TransactWriteItemsResponse> TransactWriteItemsAsync(
            TransactWriteItemsRequest request, CancellationToken cancellationToken = default)
        {
            var codes = reasons[Math.Min(Tokens.Count, reasons.Length - 1)].Split(' ');
            Tokens.Add(request.ClientRequestToken);
            throw new TransactionCanceledException("cancelled") { CancellationReasons = [.. codes.Select(code => new CancellationReason { Code = code })] };
        }
    }
}
