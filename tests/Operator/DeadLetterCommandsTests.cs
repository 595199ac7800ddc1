using System.Text.Json.Nodes;
using Amazon.SQS.Model;
using ControlPlane.Administration.DeadLetters;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Operator;

public sealed class DeadLetterCommandsTests(LocalCloud cloud)
{
    private const string Execution = "exec_0123456789abcdef0123456789abcdef";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Dead_letters_are_listed_by_their_ids_and_stay_where_they_are()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await SendAsync(ctl, "DispatchDeadLetters", $$"""{"schema":"dispatch-request.v1","execution_id":"{{Execution}}","tenant_id":"tenant-7"}""");
        await SendAsync(
            ctl, "ExecutionRequestsDeadLetters", $$$"""{"execution_id":"{{{Execution}}}","tenant_id":"tenant-7","inputs":{"city":"a secret of the tenant"}}""",
            group: Execution);
        await SendAsync(ctl, "NotificationsDeadLetters", "not JSON, a secret of the tenant");

        for (var look = 0; look < 2; look++)
        {
            var said = await ctl.DoAsync("dlq list --output json");
            var letters = said.Json.GetProperty("dead_letters").EnumerateArray().ToList();
            Assert.Equal(["execution-requests", "dispatch", "notifications"], letters.Select(letter => letter.GetProperty("queue").GetString()));
            Assert.Equal([Execution, Execution, null], letters.Select(letter => letter.GetProperty("execution_id").GetString()));
            Assert.Equal(["tenant-7", "tenant-7", null], letters.Select(letter => letter.GetProperty("tenant").GetString()));
            Assert.All(letters, letter => Assert.Equal(look + 1, letter.GetProperty("receives").GetInt32()));
            Assert.DoesNotContain("secret", said.Output, StringComparison.Ordinal);
        }
        Assert.DoesNotContain("secret", (await ctl.DoAsync("dlq list execution-requests")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dead_letters_of_a_fifo_queue_go_back_whole_and_in_order()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        for (var i = 0; i < 13; i++)
            await SendAsync(ctl, "ExecutionRequestsDeadLetters", $"letter {i:D2}", group: i < 3 ? "one" : $"group-{i}");

        Assert.Contains(
            " would go back to execution-requests.", (await ctl.DoAsync("dlq redrive execution-requests --dry-run")).Output, StringComparison.Ordinal);
        Assert.Empty(await ReceiveAsync(ctl, "ExecutionRequestsQueue"));

        Assert.StartsWith("13 went back to execution-requests.", (await ctl.DoAsync("dlq redrive execution-requests")).Output, StringComparison.Ordinal);
        var back = await DrainAsync(ctl, "ExecutionRequestsQueue");
        Assert.Equal(Enumerable.Range(0, 13).Select(i => $"letter {i:D2}"), back.Select(message => message.Body).Order());
        Assert.Equal(
            ["letter 00", "letter 01", "letter 02"], back.Where(message => message.Attributes["MessageGroupId"] == "one").Select(message => message.Body));
        Assert.Empty(await ReceiveAsync(ctl, "ExecutionRequestsDeadLetters"));
        Assert.StartsWith("execution-requests has no dead letters.", (await ctl.DoAsync("dlq redrive execution-requests")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_more_go_back_than_were_asked_for_and_those_are_the_oldest()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        for (var i = 0; i < 3; i++)
        {
            await SendAsync(ctl, "DispatchDeadLetters", $"letter {i}");
            await Task.Delay(5, Cancel);
        }
        var said = await ctl.DoAsync("dlq redrive dispatch --max 2 --output json");
        Assert.Contains("there may be more", said.Error, StringComparison.Ordinal);
        var sentAt = said.Json.GetProperty("messages").EnumerateArray().Select(letter => letter.GetProperty("sent_at").GetString()).ToList();
        Assert.Equal(sentAt.Order(), sentAt);
        Assert.Equal(["letter 0", "letter 1"], (await ReceiveAsync(ctl, "DispatchQueue")).Select(message => message.Body).Order());
        Assert.Equal("letter 2", Assert.Single(await ReceiveAsync(ctl, "DispatchDeadLetters")).Body);
    }

    [Fact]
    public async Task A_redrive_that_was_ended_before_it_deleted_sends_a_fifo_letter_once()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await SendAsync(ctl, "ExecutionRequestsDeadLetters", "letter", group: "one");
        var letter = Assert.Single(await ReceiveAsync(ctl, "ExecutionRequestsDeadLetters"));
        await ctl.Queues.Client.SendMessageAsync(
            new()
            {
                QueueUrl = ctl.Queues.ExecutionRequests,
                MessageBody = letter.Body,
                MessageGroupId = "one",
                MessageDeduplicationId = $"redrive-{letter.MessageId}"
            }, Cancel);
        await ctl.Queues.Client.ChangeMessageVisibilityAsync(ctl.Queues.Urls["ExecutionRequestsDeadLetters"], letter.ReceiptHandle, 0, Cancel);

        await ctl.DoAsync("dlq redrive execution-requests");
        Assert.Single(await ReceiveAsync(ctl, "ExecutionRequestsQueue"));
    }

    [Fact]
    public async Task A_letter_that_the_queue_did_not_let_go_at_once_is_let_go_at_the_second_try()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        for (var i = 0; i < 3; i++)
            await SendAsync(ctl, "DispatchDeadLetters", $"letter {i}");
        var reluctant = new FailsAnEntry { InnerHandler = new SocketsHttpHandler() };
        using var sqs = new FaultSeam(_ => null, reluctant).Sqs(await cloud.QueueEndpointAsync());
        var queue = new DeadLetterQueue(sqs, WorkQueue.All[1], ctl.Queues.Urls["DispatchDeadLetters"], ctl.Queues.Dispatch);

        Assert.Equal(3, (await queue.LookAsync(10, Cancel)).Count);
        Assert.Equal(2, reluctant.Calls);
        Assert.Equal(3, (await ReceiveAsync(ctl, "DispatchDeadLetters")).Count);        // none is still hidden
    }

    /// <summary>The call succeeds, and one of its entries does not.</summary>
    private sealed class FailsAnEntry : DelegatingHandler
    {
        public int Calls { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (!request.Headers.GetValues("X-Amz-Target").Single().EndsWith(".ChangeMessageVisibilityBatch", StringComparison.Ordinal) || ++Calls > 1)
                return await base.SendAsync(request, cancellationToken);

            var body = JsonNode.Parse(await request.Content!.ReadAsStringAsync(cancellationToken))!.AsObject();
            body["Entries"]!.AsArray().RemoveAt(0);
            request.Content = new StringContent(body.ToJsonString(), System.Text.Encoding.UTF8, "application/x-amz-json-1.0");
            using var answer = await base.SendAsync(request, cancellationToken);
            return new(System.Net.HttpStatusCode.OK)
            {
                Content = new StringContent(
                    """{"Successful":[{"Id":"1"},{"Id":"2"}],"Failed":[{"Id":"0","SenderFault":false,"Code":"InternalError","Message":"try again"}]}""",
                    System.Text.Encoding.UTF8, "application/x-amz-json-1.0"),
            };
        }
    }

    [Theory]
    [InlineData("dlq list outcomes", "execution-requests, dispatch, notifications")]
    [InlineData("dlq redrive", "See ./ctl dlq redrive --help")]
    [InlineData("dlq redrive dispatch --max 0", "1 to 1000")]
    [InlineData("dlq redrive dispatch --max 1001", "1 to 1000")]
    public async Task What_is_no_queue_or_no_number_is_refused(string line, string mend) =>
        (await OperatorFixture.SayAsync(TimeProvider.System, line.Split(' '))).Refuses(2, mend);

    [Fact]
    public void Every_queue_with_dead_letters_that_can_be_sent_back_is_known()
    {
        var withHome = LocalCloud.Template.Queues.Where(queue => queue.Redrive is not null).Select(queue => (queue.Id, queue.Redrive!.DeadLetters, queue.Fifo));
        Assert.Equal(withHome.Order(), WorkQueue.All.Select(queue => ($"{queue.LogicalName}Queue", $"{queue.LogicalName}DeadLetters", queue.IsFifo)).Order());
    }

    private static Task SendAsync(OperatorFixture ctl, string queue, string body, string? group = null) => ctl.Queues.Client.SendMessageAsync(
        new()
        {
            QueueUrl = ctl.Queues.Urls[queue],
            MessageBody = body,
            MessageGroupId = group,
            MessageDeduplicationId = group is null ? null : Guid.NewGuid().ToString()
        }, Cancel);

    private static async Task<List<Message>> DrainAsync(OperatorFixture ctl, string queue)
    {
        var all = new List<Message>();
        while (await ReceiveAsync(ctl, queue) is { Count: > 0 } messages)
        {
            foreach (var message in messages)
                await ctl.Queues.Client.DeleteMessageAsync(ctl.Queues.Urls[queue], message.ReceiptHandle, Cancel);
            all.AddRange(messages);
        }
        return all;
    }

    private static async Task<List<Message>> ReceiveAsync(OperatorFixture ctl, string queue)
    {
        var all = new List<Message>();
        while ((await ctl.Queues.Client.ReceiveMessageAsync(
            new ReceiveMessageRequest { QueueUrl = ctl.Queues.Urls[queue], MaxNumberOfMessages = 10, MessageSystemAttributeNames = ["All"] },
                Cancel)).Messages is { Count: > 0 } messages)
            all.AddRange(messages);
        return all;
    }
}
