using Amazon.DynamoDBv2;
using Amazon.SQS;
using ControlPlane.Local.DynamoDb;
using ControlPlane.Local.Processes;
using ControlPlane.Local.Queues;
using ControlPlane.Local.Secrets;
using ControlPlane.Local.Template;

namespace ControlPlane.Local.Hub;

/// <summary>First stage: tables, queues and secrets, as the template names them.</summary>
internal sealed record Stores(
    DynamoDbLocal Dynamo,
    IAmazonDynamoDB DynamoClient,
    IReadOnlyDictionary<string, string> Tables,
    QueueServer QueueServer,
    IAmazonSQS QueueClient,
    IReadOnlyDictionary<string, QueueAddress> Queues,
    SecretsServer Secrets)
{
    private static readonly TimeSpan OnAnIdleMachine = TimeSpan.FromSeconds(2.5);

    /// <param name="state">The folder that survives a restart.</param>
    public static async Task<Stores> StartAsync(
        RunOptions options, string state, TemplateReader template, Parts parts, Pace pace, Action<string> say, TimeProvider clock, CancellationToken cancel)
    {
        var began = clock.GetTimestamp();
        var starting = (
            Dynamo: options.Tables is { } shared
                ? Task.FromResult(shared)
                : parts.KeepAsync(DynamoDbLocal.StartAsync(Path.Combine(state, "tables"), say, cancel)),
            Queues: parts.KeepAsync(QueueServer.StartAsync(Path.Combine(state, "queues.json"), say, cancel)),
            Secrets: parts.KeepAsync(SecretsServer.StartAsync(Path.Combine(state, "secrets.json"), clock)));
        await Task.WhenAll(starting.Dynamo, starting.Queues, starting.Secrets);
        pace.Saw(clock.GetElapsedTime(began), OnAnIdleMachine);

        var (dynamo, queues) = (await starting.Dynamo, await starting.Queues);
        var (tableClient, queueClient) = (dynamo.NewClient(options.Region), queues.NewClient());
        return new(
            dynamo, tableClient, await TableBuilder.CreateAsync(tableClient, template.Tables, "", cancel),
            queues, queueClient, await QueueBuilder.CreateAsync(queueClient, template.Queues, "", cancel),
            await starting.Secrets);
    }
}
