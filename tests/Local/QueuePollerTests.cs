using System.Text;
using System.Text.Json.Nodes;
using Amazon.SQS;
using Amazon.SQS.Model;
using ControlPlane.Local.Queues;
using ControlPlane.Local.Runtime;
using ControlPlane.Local.Template;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Local;

public sealed class QueuePollerTests(LocalCloud cloud)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Only_the_messages_that_succeeded_are_deleted()
    {
        var (queues, batch) = await BatchAsync("good", "bad");
        await PollerOf(queues, payload => Answer(batch.Single(message => message.Body == "bad").MessageId)).DeliverAsync(batch);

        Assert.Equal((0, 1), await CountAsync(queues));    // "bad" waits out its visibility
    }

    [Fact]
    public async Task A_batch_whose_process_died_is_visible_again_at_once()
    {
        var (queues, batch) = await BatchAsync("one");
        await PollerOf(queues, _ => new InvocationResult.Lost("killed")).DeliverAsync(batch);

        var again = await queues.Client.ReceiveMessageAsync(new ReceiveMessageRequest { QueueUrl = queues.Dispatch, WaitTimeSeconds = 5 }, Cancel);
        Assert.Equal("one", Assert.Single(again.Messages).Body);
    }

    [Fact]
    public async Task A_batch_that_failed_waits_out_its_visibility()
    {
        var (queues, batch) = await BatchAsync("one");
        await PollerOf(queues, _ => new InvocationResult.Failed("Boom", "")).DeliverAsync(batch);
        Assert.Equal((0, 1), await CountAsync(queues));
    }

    [Fact]
    public async Task An_event_has_what_lambda_says_of_a_message()
    {
        var (queues, batch) = await BatchAsync("hello");
        JsonObject? seen = null;
        await PollerOf(queues, payload =>
        {
            seen = (JsonObject)JsonNode.Parse(payload)!["Records"]![0]!;
            return Answer();
        }).DeliverAsync(batch);

        Assert.Equal("hello", (string?)seen!["body"]);
        Assert.Equal("aws:sqs", (string?)seen["eventSource"]);
        Assert.Equal("1", (string?)seen["attributes"]!["ApproximateReceiveCount"]);
        Assert.Equal(
            ["messageId", "receiptHandle", "body", "attributes", "messageAttributes", "md5OfBody", "eventSource", "eventSourceARN", "awsRegion"],
            seen.Select(member => member.Key));
    }

    [Theory]
    [InlineData("""{"batchItemFailures":[]}""", "")]
    [InlineData("""{}""", "")]
    [InlineData("", "")]
    [InlineData("""{"batchItemFailures":[{"itemIdentifier":"a"}]}""", "a")]
    [InlineData("""{"batchItemFailures":[{"itemIdentifier":"stranger"}]}""", "a b")]
    [InlineData("""{"batchItemFailures":[{"itemIdentifier":null}]}""", "a b")]
    [InlineData("""{"batchItemFailures":[{}]}""", "a b")]
    [InlineData("""not json""", "a b")]
    public void An_answer_that_makes_no_sense_asks_for_the_whole_batch(string answer, string again) => Assert.Equal(
        again.Split(' ', StringSplitOptions.RemoveEmptyEntries),
        BatchAnswer.FailuresIn(Encoding.UTF8.GetBytes(answer), [new Message { MessageId = "a" }, new Message { MessageId = "b" }]).Order());

    private async Task<(TestQueues Queues, List<Message> Batch)> BatchAsync(params string[] bodies)
    {
        var queues = await cloud.QueuesAsync();
        foreach (var body in bodies) await queues.Client.SendMessageAsync(queues.Dispatch, body, Cancel);
        var received = await queues.Client.ReceiveMessageAsync(
            new ReceiveMessageRequest { QueueUrl = queues.Dispatch, MaxNumberOfMessages = 10, MessageSystemAttributeNames = ["All"] }, Cancel);
        return (queues, received.Messages);
    }

    private static QueuePoller PollerOf(TestQueues queues, Func<byte[], InvocationResult> function) => new(
        queues.Client, new(queues.Dispatch, "arn:aws:sqs:us-east-1:000000000000:DispatchQueue"),
        new TemplateEvent.Queue("DispatchQueue", 10, TimeSpan.Zero, ReportsFailures: true), payload => Task.FromResult(function(payload)));

    private static InvocationResult.Answered Answer(params string[] failed) => new(Encoding.UTF8.GetBytes(
        new JsonObject { ["batchItemFailures"] = new JsonArray([.. failed.Select(id => new JsonObject { ["itemIdentifier"] = id })]) }.ToJsonString()));

    private static async Task<(int Visible, int InFlight)> CountAsync(TestQueues queues)
    {
        var count = await queues.Client.GetQueueAttributesAsync(
            queues.Dispatch, [QueueAttributeName.ApproximateNumberOfMessages, QueueAttributeName.ApproximateNumberOfMessagesNotVisible], Cancel);
        return (count.ApproximateNumberOfMessages, count.ApproximateNumberOfMessagesNotVisible);
    }
}
