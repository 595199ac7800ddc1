using System.Net;
using System.Text;
using System.Text.Json;
using Amazon.Lambda.SQSEvents;
using ControlPlane.Executions;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.SlackHandler;

/// <summary>What nobody may read afterwards, looked for in everything that is left.</summary>
public sealed class SecrecyTests(SlackFixture world) : IClassFixture<SlackFixture>
{
    [Fact]
    public async Task No_secret_and_no_reply_address_is_in_logs_tables_queues_or_answers()
    {
        var workspace = await world.NewWorkspaceAsync();
        var form = workspace.Form("run report note=private-words");
        var left = new StringBuilder();
        left.Append((await workspace.SendAsync(form)).Body);
        left.Append((await workspace.SendAsync(world.Post(Workspace.Encode(form), "wrong"))).Body);
        foreach (var call in Enumerable.Range(1, 4))
        {
            using var dynamo = FaultSeam.At(call, Fault.Throttled).DynamoDb(world.Tables.Endpoint);
            using var sqs = new FaultSeam(_ => Fault.Silence).Sqs(await world.QueueEndpointAsync());
            left.Append((await workspace.SendAsync(form, world.NewFunction(dynamo, sqs))).Body);
        }
        var bad = workspace.Form("run report");
        bad["response_url"] = "https://evil.test/secretpart";
        left.Append((await workspace.SendAsync(bad)).Body);

        var id = workspace.ExecutionOf(form);
        await world.Executions.CreateDeniedAsync(A.Execution(ExecutionState.Denied, id, workspace.Tenant), SlackFixture.Cancel);
        var body = JsonSerializer.Serialize(new(Notification.SchemaV1, id.ToString(), workspace.Tenant.ToString()), DomainJson.Default.Notification);
        foreach (var status in new[] { 500, 404 })
        {
            await world.NewNotifications(new Answers(status))
                .TellAsync(new SQSEvent { Records = [new() { MessageId = "m", Body = body }] }, SlackFixture.Context);
            world.Clock.Advance(TimeSpan.FromMinutes(2));
        }

        foreach (var message in await world.DrainAsync(world.Queues.ExecutionRequests))
            left.Append(message.Body.Replace("private-words", "", StringComparison.Ordinal));
        left.AppendJoin('\n', await world.StateAsync()).Append(world.LogText);
        Assert.Contains(id.ToString(), world.LogText, StringComparison.Ordinal);

        string[] secrets =
        [
            SlackFixture.SigningSecret, SlackFixture.Origin, "secretpart", form["trigger_id"], form["token"], "private-words",
            Convert.ToBase64String(Enumerable.Repeat((byte)7, 32).ToArray()), SlackFixture.Sign(Workspace.Encode(form), "x")[..10],
        ];
        foreach (var secret in secrets)
            foreach (var spelling in new[] { secret, Uri.EscapeDataString(secret), Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)).TrimEnd('='),
                Convert.ToHexString(Encoding.UTF8.GetBytes(secret)) })
                Assert.DoesNotContain(spelling, left.ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.All(world.LogText.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => JsonDocument.Parse(line).Dispose());
    }

    private sealed class Answers(int status) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            status == 500
                ? throw new HttpRequestException($"no route to {request.RequestUri}")
                : Task.FromResult(new HttpResponseMessage((HttpStatusCode)status));
    }
}
