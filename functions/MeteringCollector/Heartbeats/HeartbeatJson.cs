using System.Text.Json.Serialization;

namespace ControlPlane.MeteringCollector.Heartbeats;

/// <summary>What sidecars send and are answered.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 16)]
[JsonSerializable(typeof(HeartbeatBody))]
[JsonSerializable(typeof(HeartbeatMetrics))]
[JsonSerializable(typeof(HeartbeatReceipt))]
[JsonSerializable(typeof(long))]
internal sealed partial class HeartbeatJson : JsonSerializerContext;
