using Amazon.DynamoDBv2;
using Amazon.SQS;
using ControlPlane.Aws;

namespace ControlPlane.SlackHandler.Commands;

/// <summary>How patient the clients of the command path are. Slack waits three seconds, and a user who is told "try again" has lost less than one who is told
/// nothing.</summary>
/// <remarks>Tables get one more try, after the SDK's pause of up to a second; the queue's second try is <see cref="MessageQueues.OrderAsync"/>'s own.
/// The deadline of the request stands above all tries together.</remarks>
internal static class CommandClients
{
    private static readonly TimeSpan OneTry = TimeSpan.FromSeconds(1);

    public static AmazonDynamoDBConfig DynamoDb() => new() { Timeout = OneTry, MaxErrorRetry = 1 };

    public static AmazonSQSConfig Sqs() => new() { Timeout = OneTry, MaxErrorRetry = 0 };
}
