using System.Text.Json.Serialization;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.SQSEvents;
using ControlPlane.SlackHandler.Messages;

namespace ControlPlane.SlackHandler;

/// <summary>What comes from and goes to Lambda.</summary>
[JsonSerializable(typeof(APIGatewayHttpApiV2ProxyRequest))]
[JsonSerializable(typeof(APIGatewayHttpApiV2ProxyResponse))]
[JsonSerializable(typeof(SQSEvent))]
[JsonSerializable(typeof(SQSBatchResponse))]
internal sealed partial class LambdaJson : JsonSerializerContext;

/// <summary>What goes to Slack.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SlackMessage))]
[JsonSerializable(typeof(IReadOnlyList<Block>))]
[JsonSerializable(typeof(ModalAnswer))]
[JsonSerializable(typeof(HealthReport))]
[JsonSerializable(typeof(ChallengeAnswer))]
internal sealed partial class SlackJson : JsonSerializerContext;

/// <summary>The answer of <c>/health</c>.</summary>
internal sealed record HealthReport(string Status, string? Region, string Version);

/// <summary>The answer with which the address of events is shown to be ours.</summary>
internal sealed record ChallengeAnswer(string Challenge);
