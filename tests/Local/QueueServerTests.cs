using Amazon.SQS.Model;
using ControlPlane.Local.Queues;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Local;

/// <summary>What our queues rely on, held against the server that plays SQS here.</summary>
public sealed class QueueServerTests(LocalCloud cloud)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_fifo_queue_keeps_one_of_two_sends_with_one_deduplication_id()
    {
        var queues = await cloud.QueuesAsync();
        foreach (var body in new[] { "first", "second" })
            await queues.Client.SendMessageAsync(
                new() { QueueUrl = queues.ExecutionRequests, MessageBody = body, MessageGroupId = "exec_1", MessageDeduplicationId = "exec_1" }, Cancel);

        var message = Assert.Single(await ReceiveAsync(queues, queues.ExecutionRequests));
        Assert.Equal("first", message.Body);
        Assert.Equal("exec_1", message.Attributes["MessageGroupId"]);
    }

    [Fact]
    public async Task A_fifo_group_waits_while_its_first_message_is_in_flight()
    {
        var queues = await cloud.QueuesAsync();
        foreach (var (body, group) in new[] { ("a1", "a"), ("a2", "a"), ("b1", "b") })
            await queues.Client.SendMessageAsync(
                new() { QueueUrl = queues.ExecutionRequests, MessageBody = body, MessageGroupId = group, MessageDeduplicationId = body }, Cancel);

        var first = await ReceiveAsync(queues, queues.ExecutionRequests);
        Assert.Equal(["a1", "b1"], first.Select(message => message.Body).Order());

        await queues.Client.DeleteMessageAsync(queues.ExecutionRequests, first.Single(message => message.Body == "a1").ReceiptHandle, Cancel);
        Assert.Equal("a2", Assert.Single(await ReceiveAsync(queues, queues.ExecutionRequests)).Body);
    }

    [Fact]
    public async Task A_message_made_visible_again_comes_back_with_a_higher_receive_count()
    {
        var queues = await cloud.QueuesAsync();
        await queues.Client.SendMessageAsync(queues.Dispatch, "again", Cancel);
        var first = Assert.Single(await ReceiveAsync(queues, queues.Dispatch));
        Assert.Empty(await ReceiveAsync(queues, queues.Dispatch));

        await queues.Client.ChangeMessageVisibilityAsync(queues.Dispatch, first.ReceiptHandle, 0, Cancel);
        var second = Assert.Single(await ReceiveAsync(queues, queues.Dispatch));
        Assert.Equal(("1", "2"), (first.Attributes["ApproximateReceiveCount"], second.Attributes["ApproximateReceiveCount"]));
    }

    [Fact]
    public async Task A_changed_visibility_is_kept_to()
    {
        var queues = await cloud.QueuesAsync();
        await queues.Client.SendMessageAsync(queues.Dispatch, "later", Cancel);
        var first = Assert.Single(await ReceiveAsync(queues, queues.Dispatch));
        await queues.Client.ChangeMessageVisibilityAsync(queues.Dispatch, first.ReceiptHandle, 1, Cancel);

        Assert.Empty(await ReceiveAsync(queues, queues.Dispatch));
        Assert.Single(await ReceiveAsync(queues, queues.Dispatch, waitSeconds: 3));
    }

    [Fact]
    public async Task A_delayed_message_is_not_there_before_its_time()
    {
        var queues = await cloud.QueuesAsync();
        await queues.Client.SendMessageAsync(new() { QueueUrl = queues.Notifications, MessageBody = "soon", DelaySeconds = 1 }, Cancel);

        Assert.Empty(await ReceiveAsync(queues, queues.Notifications));
        Assert.Single(await ReceiveAsync(queues, queues.Notifications, waitSeconds: 3));
    }

    [Fact]
    public async Task A_message_received_too_often_is_a_dead_letter()
    {
        var queues = await cloud.QueuesAsync();
        await queues.Client.SendMessageAsync(
            new() { QueueUrl = queues.ExecutionRequests, MessageBody = "poison", MessageGroupId = "p", MessageDeduplicationId = "p" }, Cancel);
        var most = LocalCloud.Template.Queues.Single(queue => queue.Id == "ExecutionRequestsQueue").Redrive!.MaxReceiveCount;
        for (var received = 0; received < most; received++)
        {
            var message = Assert.Single(await ReceiveAsync(queues, queues.ExecutionRequests));
            await queues.Client.ChangeMessageVisibilityAsync(queues.ExecutionRequests, message.ReceiptHandle, 0, Cancel);
        }

        Assert.Empty(await ReceiveAsync(queues, queues.ExecutionRequests));
        Assert.Equal("poison", Assert.Single(await ReceiveAsync(queues, queues.Urls["ExecutionRequestsDeadLetters"])).Body);
    }

    [Fact]
    public async Task Messages_survive_a_restart_of_the_server()
    {
        var file = Path.Combine(Path.GetTempPath(), $"queues-{Guid.NewGuid():N}.json");
        try
        {
            await using (var server = await QueueServer.StartAsync(file, cancel: TestContext.Current.CancellationToken))
            {
                using var sqs = server.NewClient();
                var made = await QueueBuilder.CreateAsync(sqs, LocalCloud.Template.Queues, "", Cancel);
                await sqs.SendMessageAsync(made["DispatchQueue"].Url, "kept", Cancel);
            }

            await using (var server = await QueueServer.StartAsync(file, cancel: TestContext.Current.CancellationToken))
            {
                using var sqs = server.NewClient();
                var made = await QueueBuilder.CreateAsync(sqs, LocalCloud.Template.Queues, "", Cancel);
                var received = await sqs.ReceiveMessageAsync(made["DispatchQueue"].Url, Cancel);
                Assert.Equal("kept", Assert.Single(received.Messages).Body);
            }
        }
        finally { File.Delete(file); }
    }

    private static async Task<List<Message>> ReceiveAsync(TestQueues queues, string url, int waitSeconds = 0)
    {
        var received = await queues.Client.ReceiveMessageAsync(
            new ReceiveMessageRequest { QueueUrl = url, MaxNumberOfMessages = 10, WaitTimeSeconds = waitSeconds, MessageSystemAttributeNames = ["All"] },
                Cancel);
        return received.Messages ?? [];
    }
}
