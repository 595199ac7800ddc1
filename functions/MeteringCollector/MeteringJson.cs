using System.Text.Json.Serialization;
using Amazon.Lambda.APIGatewayEvents;
using ControlPlane.MeteringCollector.Heartbeats;
using ControlPlane.MeteringCollector.Outcomes;

namespace ControlPlane.MeteringCollector;

/// <summary>Lambda's events, named as AWS names them.</summary>
[JsonSerializable(typeof(APIGatewayProxyRequest))]
[JsonSerializable(typeof(APIGatewayProxyResponse))]
internal sealed partial class EventJson : JsonSerializerContext;

/// <summary>What data planes send and are answered.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 16)]
[JsonSerializable(typeof(HeartbeatBody))]
[JsonSerializable(typeof(HeartbeatMetrics))]
[JsonSerializable(typeof(HeartbeatReceipt))]
[JsonSerializable(typeof(OutcomeBody))]
[JsonSerializable(typeof(OutcomeReceipt))]
[JsonSerializable(typeof(long))]
[JsonSerializable(typeof(string))]
internal sealed partial class MeteringJson : JsonSerializerContext;
